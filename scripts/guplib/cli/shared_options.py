# SPDX-License-Identifier: GPL-2.0-only
"""Options that several commands have, and what is read from them."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from .. import config
from ..kernel import source
from ..system.errors import UsageError
from ..system.paths import Layout


def add_everywhere(verb: argparse.ArgumentParser) -> None:
    """What every command takes."""
    group = verb.add_argument_group("options of every command")
    group.add_argument("-h", "--help", action="help", help="show this, and exit")
    loud = group.add_mutually_exclusive_group()
    loud.add_argument("-v", "--verbose", action="store_true",
                      help="show each command that is run")
    loud.add_argument("-q", "--quiet", action="store_true", help="show the last line only")
    group.add_argument("--no-install", action="store_true",
                       help="if packages are missing, name the command that installs "
                       "them, and stop")


def add_json(verb: argparse.ArgumentParser) -> None:
    """The outcome as data."""
    verb.add_argument("--json", action="store_true", dest="data",
                      help="print the outcome as JSON, and all else to stderr")


def add_running(verb: argparse.ArgumentParser) -> None:
    """How kernels are built and run, and where."""
    verb.add_argument("--jobs", type=number, default=0, metavar="N",
                      help="build with N programs at a time (default: one more than there "
                      "are processors)")
    verb.add_argument("--timeout", type=number, default=0, metavar="SECONDS",
                      help="end a kernel that runs longer (default: 300)")


def add_resume(verb: argparse.ArgumentParser) -> None:
    """What a call that was cut off has done."""
    verb.add_argument("--resume", action="store_true",
                      help="go on where the last call was cut off, if no file of the queue has "
                      "changed since")


def add_build_folder(verb: argparse.ArgumentParser) -> None:
    """Where all is made that can be made again."""
    verb.add_argument("--build-dir", type=path_from, metavar="DIR",
                      help="make everything in DIR (default: build/ in the clone)")


def number(text: str) -> int:
    """A number from 1 on, of an option."""
    if not re.fullmatch(r"[1-9]\d{0,5}", text):
        raise argparse.ArgumentTypeError(f"'{text}' is no number from 1 on")
    return int(text)


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


def add_kernel(verb: argparse.ArgumentParser) -> None:
    """Which kernel gup bump tries, and what becomes of the outcome."""
    verb.add_argument("--ksrc", type=path_from, metavar="PATH",
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
    add_running(verb)


def require_one_kernel(options: argparse.Namespace) -> None:
    """Raise UsageError if the options of add_kernel() name two kernels, or half of one."""
    if options.ksrc and options.debian:
        raise UsageError("--ksrc and --debian exclude each other; give one")
    if options.ref and not options.ksrc:
        raise UsageError("--ref goes with --ksrc")


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


def complete(parser: argparse.ArgumentParser, layout: Layout) -> None:
    """Tell argcomplete what may follow the options that name something of the queue."""
    known: dict[str, Callable[[], list[str]]] = {
        "base": lambda: list(config.bases(layout)), "arch": lambda: list(config.arches(layout)),
        "topic": lambda: sorted(path.parent.name for path in
                                layout.patches.glob("*/topic.toml")),
        "suite": lambda: list(config.cells(layout).suites),
        "format": lambda: list(config.export_forms(layout))}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                complete(verb, layout)
        elif action.dest in known:
            names = known[action.dest]
            setattr(action, "completer", lambda names=names, **_: names())


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
