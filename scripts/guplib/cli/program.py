# SPDX-License-Identifier: GPL-2.0-only
"""The program: from words to a command, and what becomes of an error."""

import argparse
import errno
import inspect
import io
import os
import signal
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, Protocol

from ..system import process, transaction
from ..system.errors import GupError, UsageError
from ..system.paths import Layout
from . import (bisect, bump, check, export, follow, kunit, lint, mail, matrix, new_base,
               range_diff, refresh, rerun, selftest, status, trailers, tree)

INTERRUPTED = 130


class Command(Protocol):
    """What each of the modules beside this one has."""

    def add_options(self, verb: argparse.ArgumentParser, layout: Layout) -> None:
        """Tell argparse which words the command takes."""

    def run(self, layout: Layout, options: argparse.Namespace) -> int:
        """Do it; its docstring is the command's help. Returns gup's exit code."""


COMMANDS: tuple[tuple[str, Command], ...] = (
    ("kunit", kunit), ("selftest", selftest), ("rerun", rerun), ("tree", tree),
    ("refresh", refresh), ("lint", lint), ("bisect", bisect), ("bump", bump),
    ("follow", follow), ("new-base", new_base), ("range-diff", range_diff),
    ("export", export), ("mail", mail), ("trailers", trailers), ("status", status),
    ("matrix", matrix), ("check", check))


def main(words: Sequence[str], root: Path | None = None) -> int:
    """Run gup with the given words; returns its exit code."""
    layout = Layout(root or Path(__file__).resolve().parents[3])
    try:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        signal.signal(signal.SIGTERM, _interrupt)
        options = _parser(layout).parse_args(words)
        transaction.recover(layout)
        return options.call(layout, options)
    except GupError as error:
        return _complain(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _complain("interrupted; the next call goes on from here", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _complain("whoever read the output has gone; the next call goes on "
                         "from here", INTERRUPTED)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            full = process.disk_full(layout.build)
            return _complain(str(full), full.exit_code)
        return _complain(f"{error.filename or 'system'}: {error.strerror}", 3)


def _complain(text: str, code: int) -> int:
    sys.stdout.flush()
    print(f"gup: {text}", file=sys.stderr)
    return code


def _interrupt(number: int, frame: types.FrameType | None) -> None:
    raise KeyboardInterrupt


class _Parser(argparse.ArgumentParser):
    """argparse, but with errors of one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


def _parser(layout: Layout) -> argparse.ArgumentParser:
    parser = _Parser(prog="gup", description="Keep, apply and prove the "
                     "get_user_pages() patch queue.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")
    for name, command in COMMANDS:
        about = inspect.getdoc(command.run) or ""
        verb = verbs.add_parser(name, help=about.splitlines()[0], description=about)
        verb.set_defaults(call=command.run)
        command.add_options(verb, layout)
    return parser
