# SPDX-License-Identifier: GPL-2.0-only
"""gup new-base: begin a base."""

import argparse

from ..setup import packages
from ..system.errors import UsageError
from ..system.paths import Layout
from ..upkeep import new_base
from .bump import try_kernel
from .shared_options import add_build_folder, add_kernel, require_one_kernel

GROUP = "upkeep"
ABOUT = """\
Begin a base with what the nearest one has.

That is the nearest older one, if there is one. The base is added to
config/bases.toml and to every topic.toml; series, hookup and compat header are
copied. gup bump --base X then says what applies, and stores what is green; with
--bump it is called at once, on the newest kernel that any suite of the mirror has,
or on the one that is named.
"""
EXAMPLE = "gup new-base 6.6 --bump"


def add_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    verb.add_argument("name", metavar="X", help="the kernel, such as 6.6")
    verb.add_argument("--bump", action="store_true",
                      help="go on with gup bump, of which the other options are")
    add_kernel(verb)
    add_build_folder(verb)


def run(layout: Layout, options: argparse.Namespace) -> int:
    require_one_kernel(options)
    if (options.ksrc or options.debian or options.keep) and not options.bump:
        raise UsageError("--ksrc, --debian and --keep are for gup bump; add --bump")
    packages.ensure(layout, ["toml"])
    for line in new_base.begin(layout, options.name):
        print(line, flush=True)
    if options.bump:
        try_kernel(layout, options.name, options)
    return 0
