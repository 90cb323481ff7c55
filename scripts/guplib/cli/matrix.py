# SPDX-License-Identifier: GPL-2.0-only
"""gup matrix: many cells and one table."""

import argparse
import json

from .. import config
from ..evidence import matrix
from ..system.paths import Layout
from .shared_options import add_build_folder, add_json, add_resume, add_running, comma_list

GROUP = "verify"
ABOUT = """\
Run many cells and show one table of them.

Without options: all bases on all architectures. The table also goes to
build/matrix.json. Exit code: 0 if all cells with the series passed.
"""
EXAMPLE = "gup matrix --bases 6.1,7.2 --arches um --unpatched"


def add_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    verb.add_argument("--bases", type=comma_list, metavar="B,…",
                      help="run these bases (default: all)")
    verb.add_argument("--arches", type=comma_list, metavar="A,…",
                      help="run these architectures (default: all)")
    verb.add_argument("--unpatched", action="store_true",
                      help="run each cell without the series, too")
    verb.add_argument("--record", action="store_true",
                      help="write what comes out to doc/measured.json and README.md")
    add_resume(verb)
    add_running(verb)
    add_build_folder(verb)
    add_json(verb)


def run(layout: Layout, options: argparse.Namespace) -> int:
    rows = matrix.run(layout, matrix.requests(
        layout, options.bases or list(config.bases(layout)),
        options.arches or list(config.arches(layout)), options.unpatched),
        options.record, options.resume)
    if options.data:
        print(json.dumps(matrix.data(layout, rows), indent=1))
    return matrix.exit_code(rows)
