# SPDX-License-Identifier: GPL-2.0-only
"""gup setup: the packages that the commands need."""

import argparse

from .. import config
from ..setup import packages
from ..system.paths import Layout
from .shared_options import comma_list

GROUP = "work"
ABOUT = """\
Install what all commands need.

The packages stand in config/packages.toml, in groups. What is missing is installed
by apt-get, as root or by sudo without a password; otherwise the command is shown.
"""
EXAMPLE = "gup setup"


def add_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    verb.add_argument("--only", type=comma_list, metavar="GROUP,…",
                      help="install what these groups have (default: all)")


def run(layout: Layout, options: argparse.Namespace) -> int:
    packages.ensure(layout, options.only or list(config.needs(layout)))
    print("all packages are there")
    return 0
