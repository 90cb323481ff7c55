# SPDX-License-Identifier: GPL-2.0-only
"""What a person sees while gup works."""

import sys
import time
from collections.abc import Callable

TTY_SECONDS = 0.5
LINE_SECONDS = 30.0


def say(text: str) -> None:
    """Print one line of progress or result."""
    print(text, flush=True)


class Progress:
    """A step that takes long: what is done, and for how many seconds.

    On a terminal one line is rewritten in place; elsewhere a line comes every
    LINE_SECONDS, so that a log shows that something moves.
    """

    def __init__(self, what: str, detail: Callable[[], str] = lambda: ""):
        self.what = what
        self.detail = detail
        self.started = time.monotonic()
        self.tty = sys.stdout.isatty()
        self.next_at = self.started + (TTY_SECONDS if self.tty else LINE_SECONDS)

    def __enter__(self) -> "Progress":
        if not self.tty:
            say(f"{self.what} …")
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self.tty:
            sys.stdout.write("\r\033[K")
        verb = "done" if kind is None else "stopped"
        say(f"{self.what}: {verb} in {self.seconds:.1f} s")

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
        if self.tty:
            sys.stdout.write(f"\r\033[K{text}")
            sys.stdout.flush()
            self.next_at = now + TTY_SECONDS
        else:
            say(text)
            self.next_at = now + LINE_SECONDS
