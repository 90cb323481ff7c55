# SPDX-License-Identifier: GPL-2.0-only
"""Debian packages by the work that needs them (config/packages.toml)."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..system import schema
from ..system.errors import UsageError
from ..system.paths import Layout
from .toml_file import load


@dataclass(frozen=True)
class Need:
    """A Debian package, and the program or file that shows it is there."""

    package: str
    program: str
    file: str


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
