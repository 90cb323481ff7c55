# SPDX-License-Identifier: GPL-2.0-only
"""Options that several commands have, and what is read from them."""

import argparse
from pathlib import Path

from .. import config
from ..kernel import source
from ..system.errors import UsageError
from ..system.paths import Layout


def add_source(verb: argparse.ArgumentParser, layout: Layout) -> None:
    """Which kernel: a base, and where its source is to be had."""
    verb.add_argument("--base", metavar="B",
                      help="the kernel to work on (default: the one that "
                      "config/bases.toml names)")
    verb.add_argument("--ksrc", type=Path, metavar="PATH",
                      help="take the kernel from a git clone, an unpacked tree or a "
                      "tarball instead of Debian's package")
    verb.add_argument("--ref", default="", metavar="REF",
                      help="with a git clone: the commit to start from "
                      "(default: HEAD)")


def add_base(verb: argparse.ArgumentParser) -> None:
    """A base that has to be named."""
    verb.add_argument("--base", metavar="B", required=True,
                      help="the kernel to work on")


def add_kernel(verb: argparse.ArgumentParser) -> None:
    """Which kernel gup bump tries, and what becomes of the outcome."""
    verb.add_argument("--ksrc", type=Path, metavar="PATH",
                      help="try this git clone, unpacked tree or tarball (default: the "
                      "newest package of the mirror)")
    verb.add_argument("--ref", default="", metavar="REF",
                      help="with a git clone: the commit to try (default: HEAD)")
    verb.add_argument("--debian", default="", metavar="VERSION",
                      help="try exactly this version of Debian's, such as 6.1.4-1: of the "
                      "package linux-source-B, or the upstream part of the source package "
                      "linux")
    verb.add_argument("--keep", action="store_true",
                      help="store the outcome even if the cell has failed")


def require_one_kernel(options: argparse.Namespace) -> None:
    """Raise UsageError if the options of add_kernel() name two kernels, or half of one."""
    if options.ksrc and options.debian:
        raise UsageError("--ksrc and --debian exclude each other; give one")
    if options.ref and not options.ksrc:
        raise UsageError("--ref goes with --ksrc")


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
