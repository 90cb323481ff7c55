# SPDX-License-Identifier: GPL-2.0-only
"""gup refresh: store the commits of a tree again."""

import argparse

from .. import config
from ..setup import packages
from ..system.paths import Layout
from ..upkeep import refresh
from .shared_options import add_base, add_build_folder

GROUP = "upkeep"
ABOUT = """\
Store the commits of build/B/linux as patches and suites again.

Each commit on `base` becomes its patch file, a new commit a new topic, the
last one the suites, the compat header and the hookup. Reordered and
dropped commits change series/B. A patch that other bases share is applied
there, too; if it does not apply, nothing is changed. A commit is known by
its subject, or by its change, so alter one of them at a time.
"""
EXAMPLE = "gup refresh --base 6.12 --check"


def add_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    add_base(verb)
    verb.add_argument("--check", action="store_true",
                      help="say what would change, write nothing, and exit with 1 "
                      "if anything would")
    add_build_folder(verb)


def run(layout: Layout, options: argparse.Namespace) -> int:
    config.base(layout, options.base)
    packages.ensure(layout, ["tree", "toml"])
    if options.check:
        found = refresh.differences(layout, options.base)
    else:
        found = refresh.run(layout, options.base)
    for line in found or ["nothing changed"]:
        print(line)
    return 1 if options.check and found else 0
