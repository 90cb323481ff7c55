# SPDX-License-Identifier: GPL-2.0-only
"""The reader of a kernel's console log from a KUnit run.

kunit.py says which case passed. The log says what else happened: how long a
case took, why it failed or skipped, and what the kernel reported about
itself meanwhile. A case that provokes a report on purpose says so in lines of
its own (see kunit/compat): `kunit-expect: begin`, `kunit-expect: count N`,
`kunit-expect: end`.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

PRINTK_PREFIX = re.compile(r"^(?:<\d+>)?\[\s*(\d+\.\d+)\](?:\[[^\]]*\])? ?")
RESULT = re.compile(r"^\s*(not )?ok (\d+)(?: -)? (\S+)(?: # SKIP ?(.*))?")
SUITE = re.compile(r"^\s*# Subtest: (\S+)")
SKIPPED = re.compile(r"^\s*# SKIP (\w+): (.*)")
FAILURE = re.compile(r"^\s*# \w+: (?:EXPECTATION|ASSERTION) FAILED at |"
                     r"^\s*# .*: (?:failed to initialize|try timed out|try faulted)")
EXPECT = re.compile(r"kunit-expect: (begin|end|count (\d+))\s*$")


@dataclass(frozen=True)
class Note:
    """What the log tells of one case; duration in ms, None without times."""

    duration_ms: float | None
    skipped: str
    reason: str


@dataclass
class Log:
    """What a log holds: notes by (suite, case), and the stray reports."""

    notes: dict[tuple[str, str], Note] = field(default_factory=dict)
    reports: list[str] = field(default_factory=list)


class _Reader:
    """Goes through the log line by line; see read()."""

    def __init__(self, is_report: Callable[[str], bool]):
        self.is_report = is_report
        self.log = Log()
        self.suite = ""
        self.since: float | None = None
        self.now: float | None = None
        self.failure: list[str] = []
        self.failing = False
        self.skips: dict[str, str] = {}
        self.pending: list[str] = []
        self.inside = False
        self.wanted: int | None = None
        self.seen: list[str] = []

    def feed(self, number: int, raw: str) -> None:
        """Take in one line of the log."""
        line = raw.rstrip("\r\n")
        if match := PRINTK_PREFIX.match(line):
            self.now = float(match[1])
            line = line[match.end():]
        if match := SUITE.match(line):
            self.suite, self.since = match[1], self.now
        elif match := EXPECT.search(line):
            self._expect(match)
        elif match := SKIPPED.match(line):
            self.skips[match[1]] = match[2].strip()
        elif match := RESULT.match(line):
            self._result(match)
        elif self.is_report(line):
            self._report(f"{line.strip()} (log line {number})")
        elif FAILURE.match(line) or self.failing:
            self.failing = True
            self.failure.append(line.strip())

    def _result(self, match: re.Match[str]) -> None:
        name = match[3]
        if self.inside:
            self._end_expected()
        if name == self.suite:
            self.suite = ""
        else:
            duration = None
            if self.now is not None and self.since is not None:
                duration = round((self.now - self.since) * 1000, 3)
            skipped = (match[4] or "").strip() or self.skips.get(name, "")
            self.log.notes[self.suite, name] = Note(
                duration, skipped, "\n".join(self.failure))
        where = f"{self.suite}.{name}" if self.suite else name
        self.log.reports += [f"{where}: {text}" for text in self.pending]
        self.pending, self.failure, self.skips = [], [], {}
        self.failing = False
        self.since = self.now

    def _expect(self, match: re.Match[str]) -> None:
        if match[1] == "begin":
            self.inside, self.wanted, self.seen = True, None, []
        elif match[1] == "end":
            self._end_expected()
        else:
            self.wanted = int(match[2])

    def _end_expected(self) -> None:
        wanted = 1 if self.wanted is None else self.wanted
        if len(self.seen) != wanted:
            self.pending.append(f"declared {wanted} report(s), the log has "
                                f"{len(self.seen)}: {'; '.join(self.seen) or 'none'}")
        self.inside = False

    def _report(self, text: str) -> None:
        if self.inside:
            self.seen.append(text)
        else:
            self.pending.append(text)

    def finish(self) -> Log:
        """Return what was read; reports after the last result count, too."""
        if self.inside:
            self._end_expected()
        self.log.reports += [f"outside a case: {text}" for text in self.pending]
        return self.log


def read(lines: Iterable[str], is_report: Callable[[str], bool]) -> Log:
    """Read a console log; is_report tells whether a line begins a report."""
    reader = _Reader(is_report)
    for number, line in enumerate(lines, 1):
        reader.feed(number, line)
    return reader.finish()
