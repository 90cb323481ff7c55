# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel-doc promises, and which cases hold it (config/promises/*.toml)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..system import schema
from ..system.errors import UsageError
from ..system.paths import Layout
from .kernels import is_among, require_bases
from .toml_file import listed, load

ALL = ("*",)


@dataclass(frozen=True)
class Promise:
    """A sentence that promises something, in the comments of some functions.

    words: the sentence, with single blanks; reads: how it reads on other bases, by
    those; cases: globs SUITE.CASE, or names of groups of them; reason: why no case can
    hold it; missing: what a case has to do that is not written yet.
    """

    of: tuple[str, ...]
    words: str
    cases: tuple[str, ...] = ()
    reason: str = ""
    missing: str = ""
    bases: tuple[str, ...] = ALL
    reads: dict[str, str] = field(default_factory=dict)

    def on(self, base: str) -> tuple[str, ...]:
        """The sentence as it reads on a base; none if it is not there."""
        for which, words in self.reads.items():
            if is_among(base, [which]):
                return (words,)
        return (self.words,) if is_among(base, self.bases) else ()


@dataclass(frozen=True)
class Says:
    """Sentences that promise nothing, in the comments of some functions."""

    of: tuple[str, ...]
    words: tuple[str, ...]
    bases: tuple[str, ...] = ALL

    def on(self, base: str) -> tuple[str, ...]:
        """The sentences that are there on a base."""
        return self.words if is_among(base, self.bases) else ()


@dataclass(frozen=True)
class Guard:
    """Cases that hold no sentence, and what they are for."""

    cases: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class _File:
    """One file; functions has the bases that have a comment of each."""

    functions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Promises:
    """What all files say; the cases of promises are globs SUITE.CASE, without groups."""

    functions: dict[str, tuple[str, ...]]
    promises: tuple[Promise, ...]
    says: tuple[Says, ...]
    guards: tuple[Guard, ...]

    @property
    def entries(self) -> tuple[Promise | Says, ...]:
        """All that has sentences."""
        return (*self.promises, *self.says)

    def documented(self, base: str) -> list[str]:
        """The functions that have a comment on a base."""
        return [name for name, bases in self.functions.items() if is_among(base, bases)]


def promises(layout: Layout) -> Promises:
    """What the files of config/promises say; raises UsageError if one is wrong in itself."""
    functions: dict[str, tuple[str, ...]] = {}
    groups: dict[str, tuple[str, ...]] = {}
    found: list[tuple[Path, Promise]] = []
    says: list[Says] = []
    guards: list[Guard] = []
    for path in layout.promises:
        table = load(path)
        kinds = {key: table.pop(key) for key in ("promise", "says", "guard") if key in table}
        own = schema.fill(_File, table, f"{path}")
        for name, bases in own.functions.items():
            require_bases(path, name, bases)
        _add(path, functions, own.functions)
        _add(path, groups, own.groups)
        found += [(path, one) for one in listed(path, kinds, Promise, "promise")]
        says += [_sound(path, one) for one in listed(path, kinds, Says, "says")]
        guards += listed(path, kinds, Guard, "guard")
    return Promises(functions, tuple(_checked(path, one, groups) for path, one in found),
                    tuple(says), tuple(guards))


def _add(path: Path, known: dict[str, tuple[str, ...]],
         own: Mapping[str, tuple[str, ...]]) -> None:
    """Take what a file names; raises UsageError for what another one names, too."""
    twice = sorted({*known} & {*own})
    if twice:
        raise UsageError(f"{path}: '{twice[0]}' is in another file, too; remove one")
    known.update(own)


def _sound(path: Path, one: Says) -> Says:
    """Sentences with single blanks; raises UsageError for bases that are none."""
    require_bases(path, f"says of {', '.join(one.of)}", one.bases)
    return replace(one, words=tuple(_one_line(words) for words in one.words))


def _checked(path: Path, one: Promise, groups: Mapping[str, tuple[str, ...]]) -> Promise:
    """A promise with single blanks, and with the cases of the groups that it names.

    Raises UsageError for what contradicts itself.
    """
    where = f"{path}: '{_one_line(one.words)}'"
    require_bases(path, where, (*one.bases, *one.reads))
    if not (one.cases or one.reason or one.missing):
        raise UsageError(f"{where}: has none of 'cases', 'reason' and 'missing'; say which "
                         "cases hold it, or why none can, or which is to be written")
    if one.reason and (one.cases or one.missing):
        raise UsageError(f"{where}: has a 'reason' why no case can hold it, and "
                         f"'{'cases' if one.cases else 'missing'}'; remove one")
    unknown = [glob for glob in one.cases if "." not in glob and glob not in groups]
    if unknown:
        raise UsageError(f"{where}: '{unknown[0]}' is no group; write SUITE.CASE, or add the "
                         "group to [groups]")
    return replace(one, words=_one_line(one.words), reason=_one_line(one.reason),
                   missing=_one_line(one.missing),
                   cases=tuple(case for glob in one.cases for case in groups.get(glob, (glob,))),
                   reads={which: _one_line(words) for which, words in one.reads.items()})


def _one_line(words: str) -> str:
    return " ".join(words.split())
