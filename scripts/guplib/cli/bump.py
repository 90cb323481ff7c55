# SPDX-License-Identifier: GPL-2.0-only
"""gup bump: a newer point release."""

import argparse
from dataclasses import replace

from .. import config
from ..kernel import source
from ..setup import packages
from ..system.errors import UsageError
from ..system.paths import Layout
from ..upkeep import bump
from .shared_options import add_base, comma_list, path_from

GROUP = "upkeep"
ABOUT = """\
Try the series on a newer point release, and store it if all is well.

Each patch is reported as clean, context moved, already there or conflict,
with the hunk. A patch in conflict is already there, too, if the suites of
its topic pass without it; otherwise the conflict is resolved in
build/bump/B, and bump called again. Then the cell on UML is built and run.
Only if it passes, or with --keep, do config/bases.toml, the series and the
patches change. All this happens in build/bump/B; build/B stays as it is.
"""
EXAMPLE = "gup bump --base 6.12"


def add_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    add_base(verb)
    verb.add_argument("--ksrc", type=path_from, metavar="PATH",
                      help="try this git clone, unpacked tree or tarball (default: the "
                      "newest package of the mirror)")
    verb.add_argument("--ref", default="", metavar="REF",
                      help="with a git clone: the commit to try (default: HEAD)")
    verb.add_argument("--debian", default="", metavar="VERSION",
                      help="try the upstream part of Debian's source package linux, of "
                      "exactly this version, such as 6.1.4-1")
    verb.add_argument("--suites", type=comma_list, metavar="S,…",
                      help="look for the package in these suites of Debian")
    verb.add_argument("--keep", action="store_true",
                      help="store the outcome even if the cell has failed")


def run(layout: Layout, options: argparse.Namespace) -> int:
    base = config.base(layout, options.base)
    if options.ksrc and options.debian:
        raise UsageError("--ksrc and --debian exclude each other; give one")
    if options.ref and not options.ksrc:
        raise UsageError("--ref goes with --ksrc")
    packages.ensure(layout, ["kernel", "toml"])
    if options.suites:
        base = replace(base, suites=tuple(options.suites))
    ksrc = source.classify(options.ksrc, options.ref) if options.ksrc else None
    bump.run(layout, base, ksrc, options.debian, options.keep)
    return 0
