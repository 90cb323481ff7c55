# SPDX-License-Identifier: GPL-2.0-only
"""gup follow: what the mirror has that is newer."""

import argparse
import json

from .. import config
from ..setup import packages
from ..system.paths import Layout
from ..upkeep import follow
from .shared_options import add_build_folder, add_json, add_running

GROUP = "upkeep"
ABOUT = """\
Try each base on the newest kernel of the mirror; for a nightly run.

Each is tried as gup bump does, and nothing is stored; one that fails does not
end the others. One table says of each what was verified, what the mirror has, and
what came of it, and names newer kernels that are no base yet. What needs a person
is in build/bump/B. Exit code: 0 nothing needs a person, 1 something does, 3
something could not be tried.
"""
EXAMPLE = "gup follow --json"


def add_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    verb.add_argument("--base", metavar="B", help="this base alone (default: all)")
    add_running(verb)
    add_build_folder(verb)
    add_json(verb)


def run(layout: Layout, options: argparse.Namespace) -> int:
    names = [config.base(layout, options.base).name] if options.base else \
        list(config.bases(layout))
    packages.ensure(layout, ["kernel", "toml"])
    rows = follow.run(layout, names)
    print(json.dumps(follow.as_json(rows), indent=1) if options.data else
          "\n" + "\n".join(follow.table(rows)))
    return follow.exit_code(rows)
