# SPDX-License-Identifier: GPL-2.0-only
"""Options that several commands have, and what is read from them."""

import argparse
from pathlib import Path

from .. import config
from ..kernel import source
from ..system.errors import UsageError
from ..system.paths import Layout


def add_everywhere(verb: argparse.ArgumentParser) -> None:
    """What every command takes."""
    group = verb.add_argument_group("of every command")
    group.add_argument("--no-install", action="store_true",
                       help="if packages are missing, name the command that installs "
                       "them, and stop")


def add_source(verb: argparse.ArgumentParser, layout: Layout) -> None:
    """Which kernel: a base, and where its source is to be had."""
    verb.add_argument("--base", metavar="B",
                      help="the kernel to work on (default: the one that "
                      "config/bases.toml names)")
    verb.add_argument("--ksrc", type=path_from, metavar="PATH",
                      help="take the kernel from a git clone, an unpacked tree or a "
                      "tarball instead of Debian's package")
    verb.add_argument("--ref", default="", metavar="REF",
                      help="with a git clone: the commit to start from "
                      "(default: HEAD)")


def add_base(verb: argparse.ArgumentParser) -> None:
    """A base that has to be named."""
    verb.add_argument("--base", metavar="B", required=True,
                      help="the kernel to work on")


def is_text(path: str) -> bool:
    """Whether a path is UTF-8, as all that it is written into."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def path_from(text: str) -> Path:
    """A path as it stands on the command line; ~ is a home folder also behind a =."""
    if not is_text(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no UTF-8; give another path")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise argparse.ArgumentTypeError(
            f"'{text}': {text.partition('/')[0]} is nobody's home folder here") from error


def comma_list(text: str) -> list[str]:
    """The words between commas."""
    return text.split(",")


def base_and_source(layout: Layout, options: argparse.Namespace
                    ) -> tuple[str, source.Source | None]:
    """The base that add_source() asked for, and a source instead of its package.

    Raises UsageError for an unknown base or a source that is no kernel.
    """
    base = config.base(layout, options.base or config.default_base(layout)).name
    if options.ksrc is None:
        if options.ref:
            raise UsageError("--ref goes with --ksrc")
        return base, None
    return base, source.classify(options.ksrc, options.ref)
