# SPDX-License-Identifier: GPL-2.0-only
"""gup trailers: what reviewers gave."""

import argparse

from .. import config
from ..delivery import trailers
from ..setup import packages
from ..system.paths import Layout
from .shared_options import add_build_folder, path_from

GROUP = "ship"
ABOUT = """\
Take Reviewed-by, Acked-by and Tested-by from a saved thread.

Each goes to the patch that it was given to, if the stored patch still makes
the same change; one given to the cover goes to all of that version. What
is not taken is named, with the reason.
"""
EXAMPLE = "gup trailers --mbox ~/thread.mbox"


def add_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    verb.add_argument("--mbox", type=path_from, required=True, metavar="FILE",
                      help="the thread, saved as an mbox")
    verb.add_argument("--base", metavar="B",
                      help="only for the patches of this base (default: all)")
    add_build_folder(verb)


def run(layout: Layout, options: argparse.Namespace) -> int:
    if options.base:
        config.base(layout, options.base)
    packages.ensure(layout, ["mail"])
    for line in trailers.run(layout, options.mbox, options.base or "") \
            or ["nothing changed"]:
        print(line)
    return 0
