# SPDX-License-Identifier: GPL-2.0-only
"""gup rerun: the suites, again and again in a running system."""

import argparse

from ..run import rerun
from ..system.paths import Layout
from .shared_options import add_base, add_build_folder, add_running

GROUP = "work"
ABOUT = """\
Run the suites again and again in a running system, on x86_64 in QEMU.

KUnit's files in debugfs do that, on two nodes and with khugepaged running;
config/rerun.toml says how often, and on which bases. Logs: build/B/rerun.
"""
EXAMPLE = "gup rerun --base 7.2"


def add_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    add_base(verb)
    add_running(verb)
    add_build_folder(verb)


def run(layout: Layout, options: argparse.Namespace) -> int:
    faults = rerun.run(layout, options.base)
    for line in faults:
        print(f"failed: {line}")
    print(f"{options.base}/rerun: {'failed' if faults else 'passed'}")
    return 1 if faults else 0
