# SPDX-License-Identifier: GPL-2.0-only
"""gup range-diff: how the variants of a topic differ."""

import argparse

from ..queue import range_diff
from ..system.paths import Layout

GROUP = "upkeep"
ABOUT = """\
Show how the variants of a topic differ from its newest one, and why.

Blob ids, line numbers and diffstats are left out. On a terminal of 160
columns or more the patches stand side by side. The reasons are those of
topic.toml, [difference]; a variant without one is an error.
"""
EXAMPLE = "gup range-diff --topic put-user-page"


def add_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    verb.add_argument("--topic", metavar="T", required=True,
                      help="a folder of patches/")


def run(layout: Layout, options: argparse.Namespace) -> int:
    range_diff.show(layout, options.topic)
    return 0
