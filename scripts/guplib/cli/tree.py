# SPDX-License-Identifier: GPL-2.0-only
"""gup tree: make a kernel tree, or bring it up to the queue."""

import argparse

from .. import config
from ..kernel import tree
from ..kernel.spec import UNPATCHED, WHOLE, TreeSpec
from ..setup import packages
from ..system.paths import Layout
from .shared_options import add_build_folder, add_source, base_and_source

GROUP = "work"
ABOUT = """\
Make build/B/linux: the base, and a commit for each patch on it.

The base is tagged `base`, the branch is gup/B. Nothing that is there and
right is touched, and your own work in the tree is never overwritten.
"""
EXAMPLE = "gup tree --base 6.12"


def add_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    add_source(verb, layout)
    verb.add_argument("--unpatched", action="store_true",
                      help="the tree with the suites alone, build/B/linux-unpatched")
    verb.add_argument("--set-aside", action="store_true",
                      help="put your work in the tree aside, on a branch aside/…, "
                      "and go back to the queue")
    add_build_folder(verb)


def run(layout: Layout, options: argparse.Namespace) -> int:
    base, ksrc = base_and_source(layout, options)
    packages.ensure(layout, ["tree"])
    spec = TreeSpec(layout, config.base(layout, base),
                    UNPATCHED if options.unpatched else WHOLE)
    with tree.hold(spec, ksrc):
        ready = tree.prepare(spec, ksrc, drop=options.set_aside)
    print(f"{layout.named(spec.path)}: {ready.state.version}, branch "
          f"{spec.branch} at {ready.state.head[:12]}")
    return 0
