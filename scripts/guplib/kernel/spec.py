# SPDX-License-Identifier: GPL-2.0-only
"""Which tree is meant: a base, the patches that it has, and what follows from them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..config import Base
from ..system.git import Git
from ..system.paths import Layout

# Trees that one command moves from one state to the next, by the names of their contents.
COMMANDS = {"bisect": "bisect", "without": "prove"}


@dataclass(frozen=True)
class Contents:
    """What a tree has of its base's series, beside the suites.

    name: what its folder, its branch and the folders of its cells end in; empty for
    the tree that a person works in. first: that many patches of the series, all if
    None. change: a patch on top of all. removed: the topics that it takes out. green:
    the suites of topics that it has not are left out, as they are to pass; else they
    fail, if they compile.
    """

    name: str = ""
    first: int | None = None
    change: Path | None = None
    removed: frozenset[str] = frozenset()
    green: bool = False

    @property
    def for_people(self) -> bool:
        """Whether a person may work in such a tree, and run what comes of it."""
        return self.name not in COMMANDS

    @property
    def whole(self) -> bool:
        """Whether this is the series as it is, and nothing else."""
        return self.first is None and self.change is None

    def of(self, series: Sequence[Path]) -> list[Path]:
        """The patches of a series that such a tree has, in their order."""
        return list(series[:self.first])

    def lacks(self, series: Sequence[Path]) -> set[str]:
        """The topics of a series that such a tree has not."""
        there = {path.parent.name for path in self.of(series)} - self.removed
        return {path.parent.name for path in series} - there


WHOLE = Contents()
UNPATCHED = Contents("unpatched", first=0)


def prefix(first: int) -> Contents:
    """So many patches of a series: all such are tried in one tree, one after the other."""
    return Contents("bisect", first=first, green=True)


def all_but(topics: Collection[str], change: Path | None) -> Contents:
    """The series less some topics, which a change on top takes out; less all, if none does."""
    return Contents("without", None if change else 0, change, frozenset(topics))


@dataclass(frozen=True)
class TreeSpec:
    """A tree of a base; where it is, its branch and its lock follow from that."""

    layout: Layout
    base: Base
    contents: Contents = WHOLE

    @property
    def main(self) -> "TreeSpec":
        """The tree with the whole series, in whose repository the others are."""
        return TreeSpec(self.layout, self.base)

    @property
    def is_main(self) -> bool:
        """Whether this is the tree that has the repository."""
        return not self.contents.name

    @property
    def path(self) -> Path:
        """The tree."""
        return self.layout.tree(self.base.name, self.contents.name)

    @property
    def draft(self) -> Path:
        """The tree while it is being made."""
        return self.path.with_name(f"{self.path.name}.new")

    @property
    def lock(self) -> Path:
        """Held by whoever uses the tree, and by nobody else while it changes."""
        return self.path.with_name(f"{self.path.name}.lock")

    @property
    def git(self) -> Git:
        """Git in the tree."""
        return Git(self.path)

    @property
    def branch(self) -> str:
        """The branch that carries the commits."""
        kind = f"gup-{self.contents.name}" if self.contents.name else "gup"
        return f"{kind}/{self.base.name}"

    @property
    def call(self) -> str:
        """The words that prepare this tree."""
        command = COMMANDS.get(self.contents.name, "tree")
        return f"gup {command} --base {self.base.name}" + \
            (" --unpatched" if self.contents.name == UNPATCHED.name else "")
