# SPDX-License-Identifier: GPL-2.0-only
"""gup kunit: build a base and run the suites on it."""

import argparse
import re

from ..kernel.spec import UNPATCHED, WHOLE
from ..run import cell, kunit
from ..run.show import show
from ..run.verdict import PASSED
from ..system import files
from ..system.errors import TestsFailed
from ..system.paths import Layout
from .shared_options import (add_build_folder, add_json, add_running, add_source,
                             base_and_source, number)

GROUP = "work"
ABOUT = """\
Build a base with the queue and run the KUnit suites on it.

Everything that is missing is got first: packages, the kernel, the tree.
Exit code: 0 all passed, 1 tests failed, 2 wrong use, 3 the machine lacks
something. Results: build/B/A/results.json.
"""
EXAMPLE = "gup kunit --base 6.1 --suite 'put_*'"

KCONFIG = re.compile(r"CONFIG_[A-Z0-9_]+=(?:y|n|\d+)")


def add_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    add_source(verb, layout)
    verb.add_argument("--arch", default="um", metavar="A",
                      help="the architecture to run on (default: um)")
    verb.add_argument("--suite", default=cell.EVERY, metavar="GLOB",
                      help="run the suites whose names match (default: all)")
    verb.add_argument("--case", default=cell.EVERY, metavar="GLOB",
                      help="run the cases whose names match (default: all)")
    verb.add_argument("--repeat", type=number, default=1, metavar="N",
                      help="run the kernel that was built N times, until one run fails")
    verb.add_argument("--unpatched", action="store_true",
                      help="run the same suites on the base without the series")
    verb.add_argument("--kconfig-add", type=_kconfig, action="append", default=[],
                      metavar="CONFIG_X=y", help="build with this option, too, in a "
                      "folder of its own; may be given more than once")
    verb.add_argument("--instrument", default="", metavar="I",
                      help="build and run with what shows more, in a folder of its own: "
                      "one of config/instruments.toml, such as lockdep")
    verb.add_argument("--skipped", action="store_true",
                      help="name each case that has skipped or does not apply, too, with "
                      "its reason")
    verb.add_argument("--no-ccache", action="store_true",
                      help="compile everything, even if ccache is there")
    add_running(verb)
    add_build_folder(verb)
    add_json(verb)


def _kconfig(text: str) -> str:
    if not KCONFIG.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"'{text}' is no option; write CONFIG_X=y, CONFIG_X=n or CONFIG_X=NUMBER")
    return text


def run(layout: Layout, options: argparse.Namespace) -> int:
    base, ksrc = base_and_source(layout, options)
    request = cell.Request(base, options.arch, cell.Part(options.suite, options.case),
                           UNPATCHED if options.unpatched else WHOLE,
                           tuple(options.kconfig_add), ksrc, not options.no_ccache,
                           options.repeat, options.instrument)
    try:
        verdict = kunit.run(layout, request)
    except TestsFailed:
        _print_data(layout, request, options)
        raise
    _print_data(layout, request, options)
    show(cell.of(layout, request).shown, verdict, options.skipped)
    return 0 if verdict.word == PASSED else 1


def _print_data(layout: Layout, request: cell.Request, options: argparse.Namespace) -> None:
    """Print results.json, which there is also of a tree that does not build."""
    if options.data:
        print(files.read(cell.of(layout, request).results), end="")
