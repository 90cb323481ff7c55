# SPDX-License-Identifier: GPL-2.0-only
"""gup prove: what fails without each topic."""

import argparse
import json
from dataclasses import asdict

from ..evidence import prove
from ..system.paths import Layout
from .shared_options import (add_base, add_build_folder, add_json, add_resume, add_running,
                             comma_list)

GROUP = "verify"
ABOUT = """\
Take each topic out of a series, one at a time, and run the suites without it.

What fails then has to be cases that the topic names, and no others. A topic
can be proved on one architecture and not on another. The trees are made in
build/B/linux-without. Exit code: 0 if no other case failed.
"""
EXAMPLE = "gup prove --base 7.3 --topics unpin-null-entry,zero-page-dirty"


def add_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    add_base(verb)
    verb.add_argument("--arch", default="um", metavar="A",
                      help="the architecture to run on (default: um)")
    verb.add_argument("--topics", type=comma_list, default=[], metavar="T,…",
                      help="take these out (default: all that the base needs)")
    verb.add_argument("--set-aside", action="store_true",
                      help="put work that is in build/B/linux-without aside first")
    verb.add_argument("--record", action="store_true",
                      help="write what comes out to doc/proved.json and README.md")
    add_resume(verb)
    add_running(verb)
    add_build_folder(verb)
    add_json(verb)


def run(layout: Layout, options: argparse.Namespace) -> int:
    proofs = prove.run(layout, options.base, options.arch, options.topics, options.record,
                       options.resume, options.set_aside)
    if options.data:
        print(json.dumps([{**asdict(proof), "verdict": proof.word} for proof in proofs],
                         indent=1))
    return prove.exit_code(proofs)
