# SPDX-License-Identifier: GPL-2.0-only
"""gup check: all checks of the project."""

import argparse
import json

from .. import config
from ..check import steps
from ..system.paths import Layout
from .shared_options import add_build_folder, add_json, add_resume, add_running, comma_list

GROUP = "verify"
ABOUT = """\
Run the project's own tests and close with `N passed, N failed`.

The tool's unit tests, the rules of series and topics, the sentences of
the kernel-doc and the cases that hold them, a quilt push of every series
without fuzz, every form of gup export applied from nothing,
the KUnit suites on UML for all bases, and gup lint of every patch and
suite.
"""
EXAMPLE = "gup check --only unit,rules,kunit --bases 6.1"


def add_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    verb.add_argument("--only", type=_steps, default=steps.STEPS, metavar="STEP,…",
                      help=f"make these checks alone: {', '.join(steps.STEPS)}; or "
                      "debian, which is slow: Debian's source package is fetched, "
                      "patched and compiled")
    verb.add_argument("--bases", type=comma_list, metavar="B,…",
                      help="on these bases alone (default: all)")
    add_resume(verb)
    add_running(verb)
    add_build_folder(verb)
    add_json(verb)


def _steps(text: str) -> tuple[str, ...]:
    named = tuple(text.split(","))
    for step in named:
        if step not in (known := steps.STEPS + steps.SLOW_STEPS):
            raise argparse.ArgumentTypeError(
                f"unknown step '{step}', choose from {', '.join(known)}")
    return named


def run(layout: Layout, options: argparse.Namespace) -> int:
    bases = options.bases or list(config.bases(layout))
    for name in bases:
        config.base(layout, name)
    summary = steps.run(layout, options.only, bases, options.resume)
    print(json.dumps(summary.data, indent=1) if options.data else summary.line)
    return 1 if summary.failures or not summary.passed else 0
