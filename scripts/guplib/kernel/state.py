# SPDX-License-Identifier: GPL-2.0-only
"""What gup has made of a tree; it is written down in gup.json in the tree's git folder."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ..config import Base
from ..system import files, schema
from ..system.errors import UsageError
from ..system.git import Git
from .source import Source
from .spec import TreeSpec

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
class Tree:
    """A tree that is ready for use; edits is what a person did in it."""

    spec: TreeSpec
    state: State
    edits: tuple[str, ...]

    @property
    def base(self) -> Base:
        """The kernel that this is a tree of."""
        return self.spec.base

    @property
    def path(self) -> Path:
        """Where the tree is."""
        return self.spec.path

    @property
    def git(self) -> Git:
        """Git in this tree."""
        return self.spec.git

    def touched(self) -> list[str]:
        """The files in which the tree differs from its base, edits included."""
        return self.git.lines("diff", "--name-only", self.state.base)


def state_of(spec: TreeSpec) -> State | None:
    """What gup made of a tree; None if there is none. Changes nothing."""
    if not spec.path.exists():
        return None
    state = load(spec.git) if (spec.path / ".git").exists() else None
    if state is None:
        raise UsageError(f"{spec.path} is no tree that gup made; move it out of the way")
    return state


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
