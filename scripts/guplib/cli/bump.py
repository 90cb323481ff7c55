# SPDX-License-Identifier: GPL-2.0-only
"""gup bump: a newer point release."""

import argparse

from .. import config
from ..kernel import source
from ..setup import packages
from ..system.paths import Layout
from ..upkeep import bump
from .shared_options import add_base, add_build_folder, add_kernel, require_one_kernel

GROUP = "upkeep"
ABOUT = """\
Try the series on a newer point release, and store it if all is well.

Each patch is reported as clean, context moved, already there or conflict,
with the hunk. A patch in conflict is already there, too, if mainline's releases
that its topic affects end before the base, or if the cases that fail without it
pass; otherwise the conflict is resolved in build/bump/B, and bump called again.
Then the cell on UML is built and run. Only if it passes, or with --keep, do
config/bases.toml, the series and the patches change. All this happens in
build/bump/B; build/B stays as it is.
"""
EXAMPLE = "gup bump --base 6.12"


def add_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    add_base(verb)
    add_kernel(verb)
    add_build_folder(verb)


def run(layout: Layout, options: argparse.Namespace) -> int:
    config.base(layout, options.base)
    require_one_kernel(options)
    try_kernel(layout, options.base, options)
    return 0


def try_kernel(layout: Layout, name: str, options: argparse.Namespace) -> None:
    """Try the kernel that add_kernel() asked for."""
    packages.ensure(layout, ["kernel", "toml"])
    ksrc = source.classify(options.ksrc, options.ref) if options.ksrc else None
    bump.run(layout, config.base(layout, name), ksrc, options.debian, options.keep)
