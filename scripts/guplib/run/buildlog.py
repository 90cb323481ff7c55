# SPDX-License-Identifier: GPL-2.0-only
"""The reader of what a kernel build printed."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

MESSAGE = re.compile(r"^(\S+?):\d+(?::\d+)?: (warning|error|fatal error): ")
INCLUDED = re.compile(r"^(?:In file included from|\s+from) (\S+?):\d+")
LINKER = re.compile(r"^(?:WARNING: modpost: .*|\S*ld: .*(?:undefined|error).*"
                    r"|make\[?.*\*\*\* .*)")


@dataclass(frozen=True)
class BuildLog:
    """Warnings in the files that matter, units they came by, and errors."""

    warnings: tuple[str, ...]
    units: frozenset[str]
    errors: tuple[str, ...]


def read(text: str, tree: Path, matter: Collection[str]) -> BuildLog:
    """Read a build log; matter holds paths relative to the tree."""
    warnings: list[str] = []
    errors: list[str] = []
    units: set[str] = set()
    through: list[str] = []
    for line in text.splitlines():
        if match := INCLUDED.match(line):
            through.append(_inside(match[1], tree))
        elif match := MESSAGE.match(line):
            file = _inside(match[1], tree)
            shown = line.replace(match[1], file, 1)
            if match[2] != "warning":
                errors.append(shown)
            elif file in matter:
                warnings.append(shown)
                units.update(name for name in (file, *through[-1:])
                             if name.endswith(".c"))
            through = []
        elif LINKER.match(line):
            errors.append(line)
    return BuildLog(tuple(dict.fromkeys(warnings)), frozenset(units),
                    tuple(dict.fromkeys(errors)))


def _inside(name: str, tree: Path) -> str:
    """A path as the compiler printed it, relative to the tree.

    A relative one is as seen from the build folder, which is beside the tree or
    elsewhere: ../../linux/mm/gup.c, and the more of the tree's path the farther.
    """
    path = name.removeprefix(f"{tree}/").removeprefix(f"{tree.resolve()}/")
    if not path.startswith(("../", "./")):
        return path
    while path.startswith(("../", "./")):
        path = path.partition("/")[2]
    parts = tree.resolve().parts[1:]
    for first in range(len(parts)):
        path = path.removeprefix("/".join(parts[first:]) + "/")
    return path
