# SPDX-License-Identifier: GPL-2.0-only
"""Where a tree is, and what gup has made of it.

The latter is written down in gup.json in the tree's git folder.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ..config import Base
from ..system import files, schema
from ..system.git import Git
from ..system.paths import Layout
from .source import Source

STATE = "gup.json"
DAMAGED = "keep what work you have in that tree, and remove the tree"


@dataclass
class State:
    """What gup made of a tree.

    inputs is the digest of the stored files that head was made from; target
    is the tip that a checkout was on its way to, or empty when none is.
    """

    source: Source
    version: str
    base: str
    head: str
    inputs: str
    target: str = ""


@dataclass(frozen=True)
class Place:
    """Where a tree of a base goes, with the series or with the suites alone.

    With first, it is a tree of its own with that many patches of the series.
    """

    layout: Layout
    base: Base
    patched: bool = True
    first: int | None = None

    @property
    def bisect(self) -> bool:
        """Whether this is the tree in which prefixes of the series are tried."""
        return self.first is not None

    @property
    def path(self) -> Path:
        """The tree."""
        return self.layout.tree(self.base.name, self.patched, self.bisect)

    @property
    def draft(self) -> Path:
        """The tree while it is being made."""
        return self.path.with_name(f"{self.path.name}.new")

    @property
    def git(self) -> Git:
        """Git in the tree."""
        return Git(self.path)

    @property
    def branch(self) -> str:
        """The branch that carries the commits."""
        kind = "gup-bisect" if self.bisect else \
            "gup" if self.patched else "gup-unpatched"
        return f"{kind}/{self.base.name}"

    @property
    def call(self) -> str:
        """The words that prepare this tree."""
        if self.bisect:
            return f"gup bisect --base {self.base.name}"
        return f"gup tree --base {self.base.name}" + \
            ("" if self.patched else " --unpatched")


@dataclass(frozen=True)
class Tree:
    """A tree that is ready for use; edits is what a person did in it."""

    place: Place
    state: State
    edits: tuple[str, ...]

    @property
    def base(self) -> Base:
        """The kernel that this is a tree of."""
        return self.place.base

    @property
    def path(self) -> Path:
        """Where the tree is."""
        return self.place.path

    @property
    def git(self) -> Git:
        """Git in this tree."""
        return self.place.git

    def touched(self) -> list[str]:
        """The files in which the tree differs from its base, edits included."""
        return self.git.lines("diff", "--name-only", self.state.base)


def git_dir(git: Git) -> Path:
    """The folder that a tree's own index and HEAD are in."""
    mark = git.tree / ".git"
    if mark.is_file():
        return git.tree / files.read(mark).removeprefix("gitdir: ").rstrip("\n")
    return mark


def load(git: Git) -> State | None:
    path = git_dir(git) / STATE
    if not path.exists():
        return None
    return schema.fill(State, schema.read_json(path, DAMAGED), f"{path}")


def save(git: Git, state: State) -> None:
    files.write(git_dir(git) / STATE, state_text(state))


def state_text(state: State) -> str:
    return json.dumps(asdict(state), indent=1) + "\n"
