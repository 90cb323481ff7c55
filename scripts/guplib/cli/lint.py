# SPDX-License-Identifier: GPL-2.0-only
"""gup lint: what can be said without running a kernel."""

import argparse

from .. import config, queue
from ..check.summary import Summary
from ..kernel import tree
from ..kernel.spec import TreeSpec
from ..lint import compiler, patches, scripts
from ..setup import packages
from ..system.paths import Layout
from .shared_options import add_build_folder, add_running

GROUP = "verify"
ABOUT = """\
Look at every patch on every base that uses it, and at the scripts.

checkpatch --strict, length and spelling of the message, git diff --check,
kernel-doc, doubled includes, and whether a cell compiles it at all; with
--build also W=1 and sparse. What the base says itself does not count.
Exceptions stand in config/lint.toml, each with its reason.
"""
EXAMPLE = "gup lint --base 7.2 --build"


def add_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    verb.add_argument("--base", metavar="B", help="on this base alone (default: all)")
    verb.add_argument("--build", action="store_true",
                      help="compile the touched files with W=1 and sparse, too; needs "
                      "gup kunit and gup kunit --unpatched of the base before")
    add_running(verb)
    add_build_folder(verb)


def run(layout: Layout, options: argparse.Namespace) -> int:
    names = [config.base(layout, options.base).name] if options.base else \
        list(config.bases(layout))
    packages.ensure(layout, ["tree", "lint", *(["kernel"] if options.build else [])])
    newest = list(config.bases(layout))[-1]
    summary = Summary()
    summary.record("rules", queue.problems(layout))
    summary.record_all(scripts.check(layout))
    for name in names:
        with tree.use(TreeSpec(layout, config.base(layout, name))) as ready:
            summary.record_all(patches.base(ready, suites=name == newest))
        if options.build:
            summary.record_all(compiler.build(layout, name))
    print(summary.line)
    return 1 if summary.failures or not summary.passed else 0
