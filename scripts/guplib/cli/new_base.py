# SPDX-License-Identifier: GPL-2.0-only
"""gup new-base: begin a base."""

import argparse

from ..system.paths import Layout
from ..upkeep import bump

GROUP = "upkeep"
ABOUT = """\
Begin a base with what the nearest one has.

Adds it to config/bases.toml and to every topic.toml, and copies series,
hookup and compat header. gup bump --base X then says what applies.
"""
EXAMPLE = "gup new-base 6.6"


def add_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    verb.add_argument("name", metavar="X", help="the kernel, such as 6.6")


def run(layout: Layout, options: argparse.Namespace) -> int:
    print(bump.new_base(layout, options.name))
    return 0
