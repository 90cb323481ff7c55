# SPDX-License-Identifier: GPL-2.0-only
"""gup status: where everything stands."""

import argparse
import json

from ..system.paths import Layout
from ..upkeep import status
from .shared_options import add_build_folder, add_json

GROUP = "verify"
ABOUT = """\
Show bases, trees, topics and cells on one screen.

verified: the version that bases.toml records; tree: whether build/B/linux
is clean, has your work in it or is behind the stored queue; topics as in
README; for each cell that has run, when, and when it last passed as a
whole with the queue alone. Nothing is fetched, built or changed.
"""
EXAMPLE = "gup status --json"


def add_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    add_build_folder(verb)
    add_json(verb)


def run(layout: Layout, options: argparse.Namespace) -> int:
    if options.data:
        print(json.dumps(status.data(layout), indent=1))
    else:
        print("\n".join(status.lines(layout)))
    return 0
