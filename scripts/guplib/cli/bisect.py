# SPDX-License-Identifier: GPL-2.0-only
"""gup bisect: every prefix of a series."""

import argparse

from ..evidence import prefixes
from ..system.paths import Layout
from .shared_options import add_base, add_build_folder, add_running

GROUP = "verify"
ABOUT = """\
Build and run every prefix of a series; name the first patch that breaks.

It begins with no patch and adds one at a time, each with the suites whose
topics are in it, in a tree of its own, build/B/linux-bisect. A prefix is
good by the rules of gup kunit: no new warning, all cases passed.
"""
EXAMPLE = "gup bisect --base 6.1"


def add_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    add_base(verb)
    verb.add_argument("--arch", default="um", metavar="A",
                      help="the architecture to run on (default: um)")
    verb.add_argument("--set-aside", action="store_true",
                      help="put work that is in build/B/linux-bisect aside first")
    add_running(verb)
    add_build_folder(verb)


def run(layout: Layout, options: argparse.Namespace) -> int:
    prefixes.run(layout, options.base, options.arch, options.set_aside)
    return 0
