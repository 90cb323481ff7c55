# SPDX-License-Identifier: GPL-2.0-only
"""The readers of the files below config/: one function for each."""

import fnmatch
import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from ..system import schema
from ..system.errors import UsageError
from ..system.paths import Layout
from . import edit

Made = TypeVar("Made")
OPTION = re.compile(r"!?CONFIG_\w+")
RELEASE = re.compile(r"\d+\.\d+")
BASES = re.compile(r"since \d+\.\d+|[\d.*?]+")
FRAGMENT = re.compile(r"(.+?)(?:-(since|before)-(\d+\.\d+))?\.config")
NAME_IN_C = re.compile(r"\w+(?:\(\))?")
NEED_FORMS: dict[str, dict[str, Any]] = {
    "options": {"options": list[str]}, "has": {"has": str},
    "since": {"since": str, "what": str, "reason": str}}
LINT_TOOLS = ("checkpatch", "codespell", "kernel-doc", "includes", "compiled", "build")


@dataclass(frozen=True)
class Base:
    """A kernel that the queue is kept for (config/bases.toml)."""

    name: str
    package: str
    package_version: str
    suites: tuple[str, ...]
    version: str
    blobs: dict[str, str]
    kunit_filter: bool
    kunit_of: str
    debian: tuple[str, ...]


@dataclass(frozen=True)
class Arch:
    """An architecture that the suites run on (config/arches.toml)."""

    name: str
    kunit_arguments: tuple[str, ...]
    exec_arguments: tuple[str, ...]
    compiler: str
    needs: tuple[str, ...]
    bases: tuple[str, ...]
    options: tuple[str, ...]
    checked: tuple[str, ...]

    def serves(self, base: str) -> bool:
        """Whether BASE/ARCH is a cell."""
        return is_among(base, self.bases)

    def is_checked(self, base: str) -> bool:
        """Whether gup check runs the cell BASE/ARCH."""
        return self.serves(base) and is_among(base, self.checked)


@dataclass(frozen=True)
class Need:
    """A Debian package, and the program or file that shows it is there."""

    package: str
    program: str
    file: str


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
        return _is_since(kernel.base, self.since)

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


@dataclass(frozen=True)
class Selftest:
    """How the kernel's own gup_test is run (config/selftest.toml)."""

    kernel: str
    qemu: tuple[str, ...]
    append: str
    needs: tuple[str, ...]
    runs: tuple[str, ...]
    zero: tuple[str, ...]


@dataclass(frozen=True)
class Rerun:
    """How the suites are run again in a running system (config/rerun.toml)."""

    kernel: str
    qemu: tuple[str, ...]
    append: str
    needs: tuple[str, ...]
    rounds: tuple[str, ...]
    bases: tuple[str, ...]


@dataclass(frozen=True)
class KnownReport:
    """A report in a kernel log that does not count in some cells, and why."""

    pattern: str
    cells: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Exemption:
    """Messages of a tool that are not to be heard, and why."""

    tool: str
    types: tuple[str, ...]
    files: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Form:
    """A form that patches leave the queue in (config/export.toml)."""

    name: str
    title: str
    signed: bool
    where: str
    apply: tuple[str, ...]
    listed: tuple[str, ...]
    names: str
    rules: tuple[tuple[str, str], ...]
    notes: str


def load(path: Path) -> dict[str, Any]:
    """Read a TOML file; raises UsageError with the line of a mistake."""
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such file; restore it from git") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from error


def fields(path: Path, what: str, table: dict[str, Any],
           wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A table of a file with just these keys; lists become tuples."""
    return {key: tuple(found) if isinstance(found, list) else found for key, found
            in schema.check(table, wanted, f"{path}: {what}").items()}


def _named(path: Path, table: dict[str, Any], kind: type[Made], key: str, **usual: Any
           ) -> dict[str, Made]:
    """The objects that the tables of a file, [KEY.NAME], speak of, by name."""
    found = schema.value(dict[str, dict[str, Any]], table.get(key, {}), f"{path}: '{key}'")
    return {name: schema.fill(kind, {**usual, **own}, f"{path}: {key} {name}", name=name)
            for name, own in found.items()}


def _list(path: Path, table: dict[str, Any], kind: type[Made], key: str) -> list[Made]:
    """The objects that the tables of a file, [[KEY]], speak of, in order."""
    found = schema.value(list[dict[str, Any]], table.get(key, []), f"{path}: '{key}'")
    return [schema.fill(kind, own, f"{path}: {key} {number}")
            for number, own in enumerate(found, 1)]


def bases(layout: Layout) -> dict[str, Base]:
    """The bases by name, oldest first."""
    path = layout.config / "bases.toml"
    found = _named(path, load(path), Base, "base")
    return dict(sorted(found.items(), key=lambda item: version_key(item[0])))


def with_blobs(text: str, name: str, blobs: Mapping[str, str]) -> str:
    """The text of bases.toml with other blobs of a base; raises UsageError."""
    return edit.with_table(Path("config/bases.toml"), text, ("base", name, "blobs"),
                           dict(sorted(blobs.items())))


def with_facts(text: str, name: str, facts: Mapping[str, str]) -> str:
    """The text of bases.toml with other values of some keys of a base."""
    return edit.with_values(Path("config/bases.toml"), text, ("base", name), facts)


def default_base(layout: Layout) -> str:
    """The base that is meant when none is named."""
    path = layout.config / "bases.toml"
    return schema.value(str, load(path).get("default", ""), f"{path}: 'default'")


def base(layout: Layout, name: str) -> Base:
    """One base; raises UsageError when there is none of that name."""
    return _choose("base", name, bases(layout))


def arches(layout: Layout) -> dict[str, Arch]:
    """The architectures by name."""
    path = layout.config / "arches.toml"
    found = _named(path, load(path), Arch, "arch")
    for name, own in found.items():
        _require_bases(path, f"arch {name}", (*own.bases, *own.checked))
        _require_options(path, f"arch {name}",
                         [part for entry in own.options for part in entry.split("|")])
    return found


def arch(layout: Layout, name: str) -> Arch:
    """One architecture; raises UsageError when there is none of that name."""
    return _choose("arch", name, arches(layout))


def cell_arch(layout: Layout, base: str, name: str) -> Arch:
    """The architecture of a cell; raises UsageError when BASE/ARCH is none."""
    found = arch(layout, name)
    if not found.serves(base):
        there = [known for known in bases(layout) if found.serves(known)]
        raise UsageError(f"{base}/{name} is no cell; {name} is for "
                         f"{', '.join(there) or 'no base'}")
    return found


def is_among(base: str, which: Collection[str]) -> bool:
    """Whether a base is among globs such as "5.*", and releases as "since 6.12"."""
    return any(_is_since(base, entry.removeprefix("since ")) if entry.startswith("since ")
               else fnmatch.fnmatch(base, entry) for entry in which)


def _is_since(base: str, release: str) -> bool:
    return version_key(base) >= version_key(release)


def _require_bases(path: Path, what: str, which: Collection[str]) -> None:
    for entry in which:
        if not isinstance(entry, str) or not BASES.fullmatch(entry):
            raise UsageError(f"{path}: {what}: '{entry}' is no base; write 6.12, \"*\" or "
                             "\"since 6.12\"")


def fragments(layout: Layout, base: str, arch: str) -> list[Path]:
    """The Kconfig fragments of a cell, in the order they are joined."""
    return [layout.kunitconfig, *_fragments_of(layout, base, arch)]


def selftest_fragments(layout: Layout, base: str) -> list[Path]:
    """The Kconfig fragments of gup selftest, in the order they are joined."""
    return _fragments_of(layout, base, "selftest")


def rerun_fragments(layout: Layout, base: str) -> list[Path]:
    """The Kconfig fragments of gup rerun: those of x86_64, and some more."""
    return [*fragments(layout, base, "x86_64"), *_fragments_of(layout, base, "rerun")]


def _fragments_of(layout: Layout, base: str, name: str) -> list[Path]:
    """The files of a name below config/ that hold for a base.

    NAME.config comes first, then NAME-before-X.config and NAME-since-X.config, the
    oldest X first. A base that is added thereby has what its neighbours have. Raises
    UsageError for a file that is none of these, as nobody would miss it.
    """
    known = {*arches(layout), "selftest", "rerun"}
    found: list[tuple[tuple[int, ...], str, Path]] = []
    for path in layout.fragments:
        match = FRAGMENT.fullmatch(path.name)
        if not match or match[1] not in known:
            raise UsageError(f"{path}: no cell has a fragment of this name; call it "
                             "ARCH.config, ARCH-since-X.Y.config or ARCH-before-X.Y.config")
        when, release = match[2] or "", match[3] or ""
        if match[1] == name and (not when or _is_since(base, release) == (when == "since")):
            found.append((version_key(release), when, path))
    return [path for *_, path in sorted(found)]


def _choose(kind: str, name: str, known: dict[str, Any]) -> Any:
    if name not in known:
        raise UsageError(f"unknown {kind} '{name}'; choose from {', '.join(known)}")
    return known[name]


def needs(layout: Layout) -> dict[str, tuple[Need, ...]]:
    """The packages by the group of work that needs them."""
    path = layout.config / "packages.toml"
    groups = schema.value(dict[str, dict[str, str]], load(path), f"{path}")
    return {group: tuple(
        Need(package, proof if "/" not in proof else "",
             proof if "/" in proof else "")
        for package, proof in table.items())
        for group, table in groups.items()}


def needed(layout: Layout, known: Mapping[str, tuple[Need, ...]], group: str
           ) -> tuple[Need, ...]:
    """The packages of a group; raises UsageError when there is no such group."""
    if group not in known:
        raise UsageError(f"{layout.config / 'packages.toml'}: no group [{group}], which a "
                         "file beside it names in 'needs'; mend one of the two")
    return known[group]


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
        _require_options(path, f"suite {own['name']}", own["compiled_with"])
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
        _require_options(path, "need", own["options"])
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


def _require_options(path: Path, what: str, options: Collection[str]) -> None:
    for option in options or [""]:
        if not OPTION.fullmatch(option):
            raise UsageError(f"{path}: {what}: '{option}' is no option; write CONFIG_X, or "
                             "!CONFIG_X for one that is off")


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


def selftest(layout: Layout) -> Selftest:
    """How the kernel's own test is run."""
    path = layout.config / "selftest.toml"
    return schema.fill(Selftest, load(path), f"{path}")


def rerun(layout: Layout) -> Rerun:
    """How the suites are run again."""
    path = layout.config / "rerun.toml"
    found = schema.fill(Rerun, load(path), f"{path}")
    _require_bases(path, "rerun", found.bases)
    return found


def reports(layout: Layout, cell: str) -> Callable[[str], bool]:
    """Tells of a log line whether it begins a report that counts in a cell."""
    path = layout.config / "reports.toml"
    table = load(path)
    patterns = schema.value(list[str], table.get("patterns", []), f"{path}: 'patterns'")
    if not patterns:
        raise UsageError(f"{path}: no patterns; the kernel log would go unread")
    here = [known.pattern for known in _list(path, table, KnownReport, "known")
            if any(fnmatch.fnmatch(cell, glob) for glob in known.cells)]
    report, spared = _any_of(path, patterns), _any_of(path, here)
    return lambda line: bool(report.search(line)) and not spared.search(line)


def _any_of(path: Path, patterns: list[str]) -> re.Pattern[str]:
    try:
        return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or "(?!)")
    except re.error as error:
        raise UsageError(f"{path}: {error}; mend the pattern") from error


def exemptions(layout: Layout, tool: str, file: str) -> list[str]:
    """What is known and argued of a tool's messages on a file of this project."""
    path = layout.config / "lint.toml"
    known = _list(path, load(path), Exemption, "exempt")
    for entry in known:
        if entry.tool not in LINT_TOOLS or not entry.reason:
            raise UsageError(f"{path}: an entry has tool '{entry.tool}' and reason "
                             f"'{entry.reason}'; name one of {', '.join(LINT_TOOLS)}, "
                             "and say why")
    return [kind for entry in known for kind in entry.types if entry.tool == tool
            and any(fnmatch.fnmatch(file, glob) for glob in entry.files)]


def export_forms(layout: Layout) -> dict[str, Form]:
    """The forms of gup export by name."""
    path = layout.config / "export.toml"
    return _named(path, load(path), Form, "form")


def export_form(layout: Layout, name: str) -> Form:
    """One form; raises UsageError when there is none of that name."""
    return _choose("format", name, export_forms(layout))


def export_texts(layout: Layout) -> dict[str, str]:
    """The parts of README in an exported folder that all forms share."""
    path = layout.config / "export.toml"
    return fields(path, "text", load(path).get("text", {}),
                   {"head": str, "apply": str, "tests": str})


def kunit_lines(layout: Layout, base: str) -> tuple[str, ...]:
    """The commands that run the suites in an exported tree of a base."""
    path = layout.config / "export.toml"
    table = fields(path, "kunit", load(path).get("kunit", {}),
                   {"lines": list[str], "base": dict[str, list[str]]})
    return tuple(table["base"].get(base, table["lines"]))


def suite_option(suite: str) -> str:
    """The Kconfig option that builds a suite."""
    return f"CONFIG_{suite.upper()}_KUNIT_TEST"


def version_key(version: str) -> tuple[int, ...]:
    """Sort key of a dotted version; anything else sorts first."""
    return tuple(int(part) for part in re.findall(r"\d+", version))
