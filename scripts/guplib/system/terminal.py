# SPDX-License-Identifier: GPL-2.0-only
"""What a person sees while gup works: results on stdout, how it goes on stderr."""

import os
import sys
import time
from collections.abc import Callable

from . import settings

TTY_SECONDS = 0.5
LINE_SECONDS = 30.0


def say(text: str) -> None:
    """Print one line of result; to stderr where stdout is for data."""
    print(text, file=sys.stderr if settings.of_call.data else sys.stdout, flush=True)


def tell(text: str) -> None:
    """Print one line of how it goes."""
    print(text, file=sys.stderr, flush=True)


def rewrites_lines() -> bool:
    """Whether stderr is a terminal on which a line can be written over."""
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb") \
        and not os.environ.get("NO_COLOR")


class Progress:
    """A step that takes long: what is done, and for how many seconds.

    On a terminal one line is rewritten in place; elsewhere a line comes every
    LINE_SECONDS, so that a log shows that something moves.
    """

    def __init__(self, what: str, detail: Callable[[], str] = lambda: ""):
        self.what = what
        self.detail = detail
        self.started = time.monotonic()
        self.tty = rewrites_lines()
        self.next_at = self.started + (TTY_SECONDS if self.tty else LINE_SECONDS)

    def __enter__(self) -> "Progress":
        if not self.tty:
            self._tell(f"{self.what} …")
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self.tty and not settings.of_call.quiet:
            sys.stderr.write("\r\033[K")
        verb = "done" if kind is None else "stopped"
        self._tell(f"{self.what}: {verb} in {self.seconds:.1f} s")

    @property
    def seconds(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self.started

    def tick(self) -> None:
        """Show a sign of life if it is time for one."""
        now = time.monotonic()
        if now < self.next_at:
            return
        detail = self.detail()
        text = f"{self.what}: {self.seconds:.0f} s" + (f", {detail}" if detail else "")
        if self.tty and not settings.of_call.quiet:
            sys.stderr.write(f"\r\033[K{text}")
            sys.stderr.flush()
        else:
            self._tell(text)
        self.next_at = now + (TTY_SECONDS if self.tty else LINE_SECONDS)

    def _tell(self, text: str) -> None:
        if not settings.of_call.quiet:
            tell(text)
