# SPDX-License-Identifier: GPL-2.0-only
"""Machines of QEMU that gup selftest and gup rerun run a kernel in."""

from dataclasses import dataclass

from ..system import schema
from ..system.paths import Layout
from .kernels import require_bases
from .toml_file import load


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


def selftest(layout: Layout) -> Selftest:
    """How the kernel's own test is run."""
    path = layout.config / "selftest.toml"
    return schema.fill(Selftest, load(path), f"{path}")


def rerun(layout: Layout) -> Rerun:
    """How the suites are run again."""
    path = layout.config / "rerun.toml"
    found = schema.fill(Rerun, load(path), f"{path}")
    require_bases(path, "rerun", found.bases)
    return found
