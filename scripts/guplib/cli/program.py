# SPDX-License-Identifier: GPL-2.0-only
"""The program: from words to a command, and what becomes of an error."""

import argparse
import errno
import io
import os
import shlex
import signal
import sys
import traceback
import types
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, Protocol

from ..system import files, process, settings, transaction
from ..system.errors import GupError, UsageError
from ..system.paths import Layout
from . import (bisect, bump, check, export, kunit, lint, mail, matrix, new_base, range_diff,
               refresh, rerun, selftest, shared_options, status, trailers, tree)

INTERRUPTED = 130
OUR_FAULT = 70


class Command(Protocol):
    """What each of the modules beside this one has.

    ABOUT is its help: a line of summary, an empty line, the rest.
    """

    ABOUT: str

    def add_options(self, verb: argparse.ArgumentParser, layout: Layout) -> None:
        """Tell argparse which words the command takes."""

    def run(self, layout: Layout, options: argparse.Namespace) -> int:
        """Do it; returns gup's exit code."""


COMMANDS: tuple[tuple[str, Command], ...] = (
    ("kunit", kunit), ("selftest", selftest), ("rerun", rerun), ("tree", tree),
    ("refresh", refresh), ("lint", lint), ("bisect", bisect), ("bump", bump),
    ("new-base", new_base), ("range-diff", range_diff), ("export", export), ("mail", mail),
    ("trailers", trailers), ("status", status), ("matrix", matrix), ("check", check))


def main(words: Sequence[str], root: Path | None = None) -> int:
    """Run gup with the given words; returns its exit code."""
    layout = Layout(root or Path(__file__).resolve().parents[3])
    try:
        _require_text(layout.root)
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        signal.signal(signal.SIGTERM, _interrupt)
        options = _parser(layout).parse_args(words)
        settings.of_call = settings.Settings(install=not options.no_install)
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
    except Exception as error:
        return _our_fault(layout, error)


def _our_fault(layout: Layout, error: Exception) -> int:
    """Keep what is known of an error that nobody has thought of; say where it is."""
    log = layout.fault_log
    lines = [f"gup {shlex.join(sys.argv[1:])}\n", *traceback.format_exception(error)]
    try:
        files.scratch(log, "".join(lines))
        where = f"{log} has the details"
    except OSError as other:
        sys.stderr.write("".join(lines))
        where = f"the details are above, as {log} could not be written ({other.strerror})"
    what = " ".join(str(error).split())[:200]
    return _complain(f"internal error, not your fault: {type(error).__name__}: {what}; "
                     f"{where}; please send them to whoever keeps this queue", OUR_FAULT)


def _require_text(root: Path) -> None:
    """Refuse a path that logs, scripts and README of exports could not have in them."""
    if not shared_options.is_text(str(root)):
        raise UsageError(f"{str(root)!r}: a path that is no UTF-8; move the clone")


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
        summary, _, rest = command.ABOUT.partition("\n")
        verb = verbs.add_parser(name, help=summary, description=f"{summary}\n{rest}")
        verb.set_defaults(call=command.run)
        command.add_options(verb, layout)
        shared_options.add_everywhere(verb)
    return parser
