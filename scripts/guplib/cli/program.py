# SPDX-License-Identifier: GPL-2.0-only
"""The program: from words to a command, and what becomes of an error."""

import argparse
import contextlib
import errno
import io
import os
import platform
import shlex
import signal
import sys
import textwrap
import traceback
import types
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, Protocol

from ..system import debian_python, files, process, settings, transaction
from ..system.errors import GupError, UsageError
from ..system.git import Git
from ..system.paths import Layout
from . import (bisect, bump, check, export, follow, kunit, lint, mail, matrix, new_base, prove,
               range_diff, refresh, rerun, selftest, setup, shared_options, status, trailers, tree)

INTERRUPTED = 130
OUR_FAULT = 70


class Command(Protocol):
    """What each of the modules beside this one has.

    GROUP is the part of gup's help that it stands in, ABOUT its own help: a line of
    summary, an empty line, the rest; EXAMPLE is a call of it.
    """

    GROUP: str
    ABOUT: str
    EXAMPLE: str

    def add_options(self, verb: argparse.ArgumentParser, layout: Layout) -> None:
        """Tell argparse which words the command takes."""

    def run(self, layout: Layout, options: argparse.Namespace) -> int:
        """Do it; returns gup's exit code."""


COMMANDS: dict[str, Command] = {
    "kunit": kunit, "tree": tree, "selftest": selftest, "rerun": rerun, "setup": setup,
    "check": check, "lint": lint, "matrix": matrix, "prove": prove,
    "bisect": bisect, "status": status,
    "export": export, "mail": mail, "trailers": trailers,
    "refresh": refresh, "range-diff": range_diff, "bump": bump, "new-base": new_base,
    "follow": follow}
GROUPS = {"work": "Work on a kernel", "verify": "Verify the queue", "ship": "Ship it",
          "upkeep": "Keep it up"}
WIDTH = 78


def main(words: Sequence[str], root: Path | None = None) -> int:
    """Run gup with the given words; returns its exit code."""
    layout = Layout(root or Path(__file__).resolve().parents[3])
    try:
        _require_text(layout.root)
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        signal.signal(signal.SIGTERM, _interrupt)
        parser = _parser(layout, words)
        if "_ARGCOMPLETE" in os.environ:
            shared_options.complete(parser, layout)
            debian_python.load("argcomplete").autocomplete(parser)
        options = parser.parse_args(words)
        settings.of_call = _settings(options)
        if folder := getattr(options, "build_dir", None):
            layout = replace(layout, build_folder=folder.resolve())
        transaction.recover(layout)
        code = _call(layout, options)
        sys.stdout.flush()
        return code
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


def _call(layout: Layout, options: argparse.Namespace) -> int:
    """Do what the words say; with -q, show the last line of what comes of it alone."""
    if not options.quiet:
        return int(options.call(layout, options))
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = int(options.call(layout, options))
    print("\n".join(said.getvalue().rstrip("\n").splitlines()[-1:]))
    return code


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


class _AllCommands(_Parser):
    """The parser of gup itself: its help has the commands in groups."""

    def format_help(self) -> str:
        """How to call gup, each command in a line, by groups, and where to read on."""
        width = max(map(len, COMMANDS))
        parts = [self.format_usage(), self.description or ""]
        for group, title in GROUPS.items():
            parts.append("\n".join([f"{title}:"] + [
                f"  {name:{width}}  {command.ABOUT.splitlines()[0]}"
                for name, command in COMMANDS.items() if command.GROUP == group]))
        parts.append("Options:\n  -h, --help     show this, or with a command its own help\n"
                     "  --version      show which version of the queue this is")
        parts.append("To begin: gup kunit. README.md has the rest.")
        return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


class _Version(argparse.Action):
    """Say which version of the queue this is, by git, and on which Python it runs."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        root = Layout(Path(__file__).resolve().parents[3]).root
        named = Git(root).run("describe", "--tags", "--always", "--dirty", check=False) \
            if (root / ".git").exists() else None
        text = named.output.strip() if named and not named.returncode else "unknown version"
        print(f"gup {text}, Python {platform.python_version()}")
        parser.exit()


def _parser(layout: Layout, words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser of all commands; of one alone, if the words begin with its name."""
    parser = _AllCommands(prog="gup", allow_abbrev=False, usage="gup COMMAND [OPTION…]",
                          description="Keep, apply and prove the get_user_pages() patch "
                          "queue.")
    parser.add_argument("--version", action=_Version, nargs=0)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND",
                                  parser_class=_Parser)
    named = COMMANDS.get(words[0]) if words else None
    for name, command in ({words[0]: named} if named else COMMANDS).items():
        verb = verbs.add_parser(
            name, help=command.ABOUT.splitlines()[0], description=_filled(command.ABOUT),
            epilog=f"Example:\n  {command.EXAMPLE}", allow_abbrev=False, add_help=False,
            prog=f"gup {name}", formatter_class=argparse.RawDescriptionHelpFormatter)
        verb.set_defaults(call=command.run)
        command.add_options(verb, layout)
        shared_options.add_everywhere(verb)
    return parser


def _filled(text: str) -> str:
    """A text of paragraphs, each filled."""
    return "\n\n".join(textwrap.fill(part, WIDTH) for part in text.split("\n\n"))


def _settings(options: argparse.Namespace) -> settings.Settings:
    """What the options say that is not of one command alone."""
    return settings.Settings(options.verbose, options.quiet, getattr(options, "data", False),
                             not options.no_install, getattr(options, "jobs", 0),
                             getattr(options, "timeout", 0))
