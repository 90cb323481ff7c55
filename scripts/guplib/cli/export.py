# SPDX-License-Identifier: GPL-2.0-only
"""gup export: patches in the form of a distribution."""

import argparse

from .. import config
from ..delivery import export, formats
from ..setup import packages
from ..system.paths import Layout
from .shared_options import add_base, add_build_folder, comma_list, path_from

GROUP = "ship"
ABOUT = """\
Write the patches of a base in the form of a distribution.

DIR gets the patches with that form's headers, the lists that name them, and
a README with the commands that apply them. Where the form wants it, you are
the author and sign them off, by your git identity. Dates are those of the
queue's commits, or SOURCE_DATE_EPOCH.
"""
EXAMPLE = "gup export --base 6.1 --format debian --out ~/gup-6.1"


def add_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    add_base(verb)
    verb.add_argument("--format", required=True, metavar="F",
                      help=f"one of {', '.join(formats.RENDER)}")
    verb.add_argument("--out", type=path_from, required=True, metavar="DIR",
                      help="the folder to fill; made if there is none")
    verb.add_argument("--topics", type=comma_list, default=[], metavar="T,…",
                      help="take these topics, and what they depend on (default: all "
                      "that the base needs)")
    verb.add_argument("--with-tests", action="store_true",
                      help="add the patch with the KUnit suites")
    verb.add_argument("--force", action="store_true",
                      help="replace the files of an earlier export, and no others")
    verb.add_argument("--bug", default="", metavar="B",
                      help="the bug that References:, BugLink: or Bug-Debian: names")
    add_build_folder(verb)


def run(layout: Layout, options: argparse.Namespace) -> int:
    config.base(layout, options.base)
    packages.ensure(layout, ["tree"])
    made = export.run(layout, export.Request(
        options.base, options.format, options.out, tuple(options.topics),
        options.with_tests, options.force, options.bug))
    print(f"{options.out}: {len(made)} files; README says how to use them")
    return 0
