# SPDX-License-Identifier: GPL-2.0-only
"""What each cell has to run, and what cases need of a kernel (config/cells.toml)."""

import fnmatch
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..system import schema
from ..system.errors import UsageError
from ..system.paths import Layout
from .kernels import RELEASE, Arch, is_since, require_options
from .toml_file import fields, load

NAME_IN_C = re.compile(r"\w+(?:\(\))?")
NEED_FORMS: dict[str, dict[str, Any]] = {
    "options": {"options": list[str]}, "has": {"has": str},
    "since": {"since": str, "what": str, "reason": str}}


@dataclass(frozen=True)
class Kernel:
    """What a cell's kernel is and has: options that are set, names in its headers."""

    base: str
    options: frozenset[str]
    names: frozenset[str]

    def meets(self, options: Collection[str]) -> bool:
        """Whether one of the options is set, or off if it has a ! ahead."""
        return any((option.removeprefix("!") in self.options) != option.startswith("!")
                   for option in options)


@dataclass(frozen=True)
class Requirement:
    """What cases need of a kernel: an option, a name in its headers, or a release.

    options: any of these; has: a function, as f(), or another name; since: the
    release from which on a behaviour holds, what is so before that, and why.
    """

    options: tuple[str, ...] = ()
    has: str = ""
    since: str = ""
    what: str = ""
    reason: str = ""

    def is_met(self, kernel: Kernel) -> bool:
        """Whether a kernel has it."""
        if self.options:
            return kernel.meets(self.options)
        if self.has:
            return self.has in kernel.names
        return is_since(kernel.base, self.since)

    def is_named(self, text: str) -> bool:
        """Whether the reason of a skip names it."""
        wanted = [option.removeprefix("!") for option in self.options] or \
            [self.has or self.what]
        return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in wanted)

    def lacking(self, base: str) -> str:
        """What a base lacks that does not have it, as it reads behind "needs"."""
        if self.options:
            return " or ".join(f"{option[1:]} to be off" if option.startswith("!")
                               else option for option in self.options)
        return f"{self.has}, not in {base}" if self.has \
            else f"{self.since}, before which {self.what}"


@dataclass(frozen=True)
class Cells:
    """What each cell has to run (config/cells.toml).

    compiled: the options that each suite depends on, any of them; needs: what
    cases need, by (suite, case).
    """

    suites: dict[str, tuple[str, ...]]
    compiled: dict[str, tuple[str, ...]]
    needs: dict[tuple[str, str], tuple[Requirement, ...]]

    @property
    def names(self) -> frozenset[str]:
        """The names that kernels are to be searched for."""
        return frozenset(need.has for needs in self.needs.values()
                         for need in needs if need.has)

    def expected(self, kernel: Kernel, suite_glob: str = "*") -> list[tuple[str, str]]:
        """The (suite, case) pairs that have to run in a cell."""
        return [(suite, case) for suite, cases in self.suites.items()
                if fnmatch.fnmatch(suite, suite_glob)
                and kernel.meets(self.compiled[suite]) for case in cases]

    def unmet(self, suite: str, case: str, kernel: Kernel) -> list[Requirement]:
        """What a case needs and a kernel lacks."""
        return [need for need in self.needs.get((suite, case), ())
                if not need.is_met(kernel)]

    def elsewhere(self, arch: Arch) -> frozenset[str]:
        """The suites that an architecture is not there for, by its options."""
        return frozenset(suite for suite, options in self.compiled.items() if all(
            _opposite(option) in arch.options for option in options))

    def without(self, absent: Collection[str]) -> "Cells":
        """The same, less some suites."""
        return replace(self, suites={suite: cases for suite, cases in
                                     self.suites.items() if suite not in absent})


def _opposite(option: str) -> str:
    return option.removeprefix("!") if option.startswith("!") else f"!{option}"


def cells(layout: Layout) -> Cells:
    """What the cells have to run."""
    path = layout.config / "cells.toml"
    table = load(path)
    usual = schema.value(list[str], table.get("compiled_with", []),
                         f"{path}: 'compiled_with'")
    suites: dict[str, tuple[str, ...]] = {}
    compiled: dict[str, tuple[str, ...]] = {}
    entries = list[dict[str, Any]]
    for entry in schema.value(entries, table.get("suite", []), f"{path}: 'suite'"):
        own = fields(path, "suite", {"compiled_with": usual, **entry},
                     {"name": str, "cases": list[str], "compiled_with": list[str]})
        require_options(path, f"suite {own['name']}", own["compiled_with"])
        if own["name"] in suites or len({*own["cases"]}) != len(own["cases"]):
            raise UsageError(f"{path}: suite {own['name']}, or a case of it, is there twice; "
                             "remove one")
        suites[own["name"]], compiled[own["name"]] = own["cases"], own["compiled_with"]
    needs: dict[tuple[str, str], tuple[Requirement, ...]] = {}
    said: list[Requirement] = []
    for entry in schema.value(entries, table.get("need", []), f"{path}: 'need'"):
        need = _requirement(path, entry)
        if need in said:
            raise UsageError(f"{path}: need {entry[_kind(path, entry)]} is there twice; say "
                             "it once, with all its cases")
        said.append(need)
        for pair in _meant(path, entry.get("cases", {}), suites):
            needs[pair] = (*needs.get(pair, ()), need)
    return Cells(suites, compiled, needs)


def _requirement(path: Path, entry: dict[str, Any]) -> Requirement:
    """What an entry [[need]] asks for, in one of its three forms."""
    kind = _kind(path, entry)
    what = f"need {entry[kind]}"
    own = fields(path, what, entry, {**NEED_FORMS[kind], "cases": dict[str, list[str]]})
    if not own.pop("cases"):
        raise UsageError(f"{path}: {what}: there are no cases; remove it")
    if kind == "options":
        require_options(path, "need", own["options"])
    elif kind == "has" and not NAME_IN_C.fullmatch(own["has"]):
        raise UsageError(f"{path}: need '{own['has']}' is no name; write f() for a "
                         "function, and X for anything else")
    elif kind == "since":
        if not RELEASE.fullmatch(own["since"]):
            raise UsageError(f"{path}: need since '{own['since']}' is no release; write it "
                             "as 6.12")
        if not own["what"].strip() or not own["reason"].strip():
            raise UsageError(f"{path}: {what}: what or reason is empty; say what is so "
                             "before, and why")
    return Requirement(**own)


def _kind(path: Path, entry: Mapping[str, Any]) -> str:
    """Which of the three forms an entry [[need]] has."""
    kinds = [kind for kind in NEED_FORMS if kind in entry]
    if len(kinds) != 1:
        raise UsageError(f"{path}: a need has {' and '.join(kinds) or 'none'} of "
                         f"{', '.join(NEED_FORMS)}; give one")
    return kinds[0]


def _meant(path: Path, globs: Mapping[str, list[str]],
           suites: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """The cases that the globs of a need name; raises UsageError if one names none."""
    for suite, own in globs.items():
        found = {case: None for glob in own
                 for case in fnmatch.filter(suites.get(suite, ()), glob)}
        for glob in own:
            if not fnmatch.filter(suites.get(suite, ()), glob):
                raise UsageError(f"{path}: a need names {suite}.{glob}, which no suite "
                                 "there has; mend the name")
        yield from ((suite, case) for case in found)


def suite_option(suite: str) -> str:
    """The Kconfig option that builds a suite."""
    return f"CONFIG_{suite.upper()}_KUNIT_TEST"
