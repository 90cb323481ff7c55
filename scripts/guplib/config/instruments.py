# SPDX-License-Identifier: GPL-2.0-only
"""The reader of config/instruments.toml: what a cell can be run with to see more."""

import fnmatch
from dataclasses import dataclass

from ..system.errors import UsageError
from ..system.paths import Layout
from .toml_file import choose, load, named


@dataclass(frozen=True)
class Instrument:
    """Options on top of a cell's, and arguments of kunit.py; PLAIN has none."""

    name: str
    about: str = ""
    options: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    arches: tuple[str, ...] = ("*",)


PLAIN = Instrument("")


def instruments(layout: Layout) -> dict[str, Instrument]:
    """The instruments by name."""
    path = layout.config / "instruments.toml"
    return named(path, load(path), Instrument, "instrument")


def instrument(layout: Layout, name: str, arch: str) -> Instrument:
    """One instrument, PLAIN without a name; raises UsageError if it is not for an arch."""
    if not name:
        return PLAIN
    found = choose("instrument", name, instruments(layout))
    if not any(fnmatch.fnmatch(arch, glob) for glob in found.arches):
        raise UsageError(f"{name} is no instrument for {arch}; it is for "
                         f"{', '.join(found.arches)}")
    return found
