# SPDX-License-Identifier: GPL-2.0-only
"""When a cell has passed: the rules, apart from how the facts were got."""

import fnmatch
from dataclasses import dataclass, replace

from .config import Cells
from .kernellog import Log

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


@dataclass(frozen=True)
class Case:
    """One case of a run: its status and, if it did not pass, the reason."""

    suite: str
    name: str
    status: str
    duration_ms: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Verdict:
    """The cases, and what else stands against the cell, a line each."""

    cases: tuple[Case, ...]
    against: tuple[str, ...]

    @property
    def word(self) -> str:
        """`passed` or `failed`."""
        good = not self.against and self.cases \
            and all(case.status != FAILED for case in self.cases)
        return PASSED if good else FAILED

    def count(self, status: str) -> int:
        """How many cases have a status."""
        return sum(case.status == status for case in self.cases)


def judge(cell: str, cells: Cells, ran: dict[tuple[str, str], str], log: Log,
          warnings: tuple[str, ...], suite_glob: str = "*") -> Verdict:
    """Judge a run of a cell (BASE/ARCH).

    ran holds the status that kunit.py gave, by (suite, case). A listed case
    that did not run fails; a skip fails unless cells.toml allows it and its
    reason names the option; a report in the kernel log that no case declared
    fails the cell, and so does a build warning in a file of the series.
    """
    cases = [_judge_case(cell, cells, suite, name, status, log)
             for (suite, name), status in ran.items()
             if fnmatch.fnmatch(suite, suite_glob)]
    cases += [Case(suite, name, FAILED, None, "listed in cells.toml, did not run")
              for suite, name in cells.expected(cell, suite_glob)
              if (suite, name) not in ran]
    against = [f"kernel report: {text}" for text in log.reports]
    against += [f"build warning: {text}" for text in warnings]
    if not cases:
        against.append("no case ran")
    return Verdict(tuple(cases), tuple(against))


def _judge_case(cell: str, cells: Cells, suite: str, name: str, status: str,
                log: Log) -> Case:
    note = log.notes.get((suite, name))
    case = Case(suite, name, status, note.duration_ms if note else None,
                note.reason if note else "")
    if case.status == PASSED and note and note.skipped:
        case = replace(case, status=SKIPPED)
    if case.status == FAILED:
        return replace(case, reason=case.reason or "failed without a message")
    if case.status == SKIPPED:
        return _judge_skip(cell, cells, case, note.skipped if note else "")
    return replace(case, reason="")


def _judge_skip(cell: str, cells: Cells, case: Case, reason: str) -> Case:
    allowed = cells.skip(case.suite, case.name, cell)
    if allowed is None:
        return replace(case, status=FAILED,
                       reason=f"skip not allowed in cells.toml: {reason}")
    if allowed.option not in reason:
        return replace(case, status=FAILED,
                       reason=f"skip does not name {allowed.option}: {reason}")
    return replace(case, reason=reason)
