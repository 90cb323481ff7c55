# SPDX-License-Identifier: GPL-2.0-only
"""gup mail: a series as mails."""

import argparse
import re

from ..delivery import mail, selection
from ..system.paths import Layout
from .shared_options import add_base, add_build_folder, comma_list, path_from

GROUP = "ship"
ABOUT = """\
Write the series of a base as mails, for a person to look at and to send.

The cover is series/B.cover, the addressees are those of the tree's own
get_maintainer.pl, the sign-off is that of your git identity. The mails are
read back by b4 am, compared with the queue, and seen by checkpatch. A topic
with security = true is left out; --topics mails it to the security list.
Nothing is ever sent.
"""
EXAMPLE = "gup mail --base 7.2 --out ~/v1"


def add_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    add_base(verb)
    verb.add_argument("--out", type=path_from, required=True, metavar="DIR",
                      help="where to write the mails: a new or empty folder")
    verb.add_argument("--force", action="store_true",
                      help="replace mails of an earlier call in DIR; no other file is "
                      "ever replaced")
    verb.add_argument("--version", type=_version, default=1, metavar="N",
                      help="the version of the series (default: 1)")
    verb.add_argument("--previous", type=path_from, metavar="PATH",
                      help="from version 2 on: the mails of the version before, a folder "
                      "or an mbox, for change-id, link and range-diff")
    verb.add_argument("--topics", type=comma_list, default=[], metavar="T,…",
                      help="mail these topics alone, and what they depend on (default: all "
                      "but those with security = true)")
    verb.add_argument("--cover", type=path_from, metavar="FILE",
                      help="with --topics: the cover letter; for a single patch there "
                      "need be none")
    verb.add_argument("--prefix", action="append", default=[], metavar="WORD",
                      help="put a word such as RFC into [PATCH]; may be repeated")
    tests = verb.add_mutually_exclusive_group()
    tests.add_argument("--with-tests", dest="tests", action="store_true", default=None,
                       help="with the suites as last patch (default: on the newest base, "
                       "if no topic is left out)")
    tests.add_argument("--without-tests", dest="tests", action="store_false",
                       help="without the suites (default: on all but the newest base)")
    add_build_folder(verb)


def _version(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,3}", text):
        raise argparse.ArgumentTypeError(f"'{text}' is no version; give 1, 2, …")
    return int(text)


def run(layout: Layout, options: argparse.Namespace) -> int:
    mail.run(layout, selection.Request(
        options.base, options.out, options.version, tuple(options.prefix), options.tests,
        options.previous, options.force, tuple(options.topics), options.cover))
    return 0
