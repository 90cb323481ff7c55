# SPDX-License-Identifier: GPL-2.0-only
"""gup selftest: the kernel's own gup_test."""

import argparse

from ..run import selftest
from ..system.paths import Layout
from .shared_options import add_base, add_build_folder, add_running

GROUP = "work"
ABOUT = """\
Run the kernel's own gup_test on a base, on x86_64 in QEMU.

config/selftest.toml lists the runs. Each has to end well, some of them on
nothing but zero pages, and the kernel log must have no report. Logs:
build/B/selftest.
"""
EXAMPLE = "gup selftest --base 7.2"


def add_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    add_base(verb)
    verb.add_argument("--unpatched", action="store_true",
                      help="run it on the base without the series")
    add_running(verb)
    add_build_folder(verb)


def run(layout: Layout, options: argparse.Namespace) -> int:
    faults = selftest.run(layout, options.base, not options.unpatched)
    for line in faults:
        print(f"failed: {line}")
    print(f"{options.base}/selftest: {'failed' if faults else 'passed'}")
    return 1 if faults else 0
