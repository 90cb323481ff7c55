# SPDX-License-Identifier: GPL-2.0-only
"""Bases, architectures, and the Kconfig fragments of a cell."""

import fnmatch
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..system import schema
from ..system.errors import UsageError
from ..system.paths import Layout
from . import edit
from .toml_file import choose, load, named

OPTION = re.compile(r"!?CONFIG_\w+")
RELEASE = re.compile(r"\d+\.\d+")
RANGE = re.compile(r"(?=.)(?:since (\d+\.\d+))?(?:(?:^| )before (\d+\.\d+))?")
GLOB = re.compile(r"[\d.*?]+")
FRAGMENT = re.compile(r"(.+?)(?:-(since|before)-(\d+\.\d+))?\.config")


@dataclass(frozen=True)
class Base:
    """A kernel that the queue is kept for (config/bases.toml)."""

    name: str
    package: str
    package_version: str
    version: str
    blobs: dict[str, str]
    kunit_filter: bool
    kunit_of: str


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


def bases(layout: Layout) -> dict[str, Base]:
    """The bases by name, oldest first."""
    path = layout.config / "bases.toml"
    found = named(path, load(path), Base, "base")
    return dict(sorted(found.items(), key=lambda item: version_key(item[0])))


def with_blobs(text: str, name: str, blobs: Mapping[str, str]) -> str:
    """The text of bases.toml with other blobs of a base; raises UsageError."""
    return edit.with_table(Path("config/bases.toml"), text, ("base", name, "blobs"),
                           dict(sorted(blobs.items())))


def with_facts(text: str, name: str, facts: Mapping[str, str]) -> str:
    """The text of bases.toml with other values of some keys of a base."""
    return edit.with_values(Path("config/bases.toml"), text, ("base", name), facts)


def with_new_base(text: str, name: str, facts: Mapping[str, Any]) -> str:
    """The text of bases.toml with a base more, in its place; facts has all its keys."""
    return edit.with_new_table(Path("config/bases.toml"), text, "base", name, facts,
                               version_key)


def suites(layout: Layout) -> tuple[str, ...]:
    """Debian's suites in which packages are looked for."""
    path = layout.config / "bases.toml"
    found: tuple[str, ...] = schema.value(tuple[str, ...], load(path).get("suites", []),
                                          f"{path}: 'suites'")
    if not found:
        raise UsageError(f"{path}: 'suites' is missing or empty; add it")
    return found


def default_base(layout: Layout) -> str:
    """The base that is meant when none is named."""
    path = layout.config / "bases.toml"
    return str(schema.value(str, load(path).get("default", ""), f"{path}: 'default'"))


def base(layout: Layout, name: str) -> Base:
    """One base; raises UsageError when there is none of that name."""
    return choose("base", name, bases(layout))


def arches(layout: Layout) -> dict[str, Arch]:
    """The architectures by name."""
    path = layout.config / "arches.toml"
    found = named(path, load(path), Arch, "arch")
    for name, own in found.items():
        require_bases(path, f"arch {name}", (*own.bases, *own.checked))
        require_options(path, f"arch {name}",
                        [part for entry in own.options for part in entry.split("|")])
    return found


def arch(layout: Layout, name: str) -> Arch:
    """One architecture; raises UsageError when there is none of that name."""
    return choose("arch", name, arches(layout))


def cell_arch(layout: Layout, base: str, name: str) -> Arch:
    """The architecture of a cell; raises UsageError when BASE/ARCH is none."""
    found = arch(layout, name)
    if not found.serves(base):
        there = [known for known in bases(layout) if found.serves(known)]
        raise UsageError(f"{base}/{name} is no cell; {name} is for "
                         f"{', '.join(there) or 'no base'}")
    return found


def is_among(base: str, which: Collection[str]) -> bool:
    """Whether a base is among globs as "5.*", and ranges as "since 6.1 before 6.12"."""
    return any(_is_in(base, span) if (span := RANGE.fullmatch(entry))
               else fnmatch.fnmatch(base, entry) for entry in which)


def _is_in(base: str, span: re.Match[str]) -> bool:
    """Whether a base is in a range, of which either end may be open."""
    first, end = span.groups()
    return (not first or is_since(base, first)) and not (end and is_since(base, end))


def is_since(base: str, release: str) -> bool:
    return version_key(base) >= version_key(release)


def require_bases(path: Path, what: str, which: Collection[str]) -> None:
    for entry in which:
        if not isinstance(entry, str) or not (RANGE.fullmatch(entry) or GLOB.fullmatch(entry)):
            raise UsageError(f"{path}: {what}: '{entry}' is no base; write 6.12, \"*\", "
                             "\"since 6.12\" or \"before 6.12\"")


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
        if match[1] == name and (not when or is_since(base, release) == (when == "since")):
            found.append((version_key(release), when, path))
    return [path for *_, path in sorted(found)]


def require_options(path: Path, what: str, options: Collection[str]) -> None:
    for option in options or [""]:
        if not OPTION.fullmatch(option):
            raise UsageError(f"{path}: {what}: '{option}' is no option; write CONFIG_X, or "
                             "!CONFIG_X for one that is off")


def version_key(version: str) -> tuple[int, ...]:
    """Sort key of a dotted version; anything else sorts first."""
    return tuple(int(part) for part in re.findall(r"\d+", version))
