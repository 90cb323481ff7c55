# SPDX-License-Identifier: GPL-2.0-only
"""When a cell has passed: the rules, apart from how the facts were got."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..config import Cells, Kernel, Requirement
from .kernellog import Log

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
NOT_APPLICABLE = "not applicable"
REPORT = "kernel report: "
DID_NOT_RUN = "listed in cells.toml, did not run"
STATUSES = (PASSED, FAILED, SKIPPED, NOT_APPLICABLE)


@dataclass(frozen=True)
class Case:
    """One case of a run: its status and, if it did not pass, the reason.

    lacking: what its kernel lacks, of a case that has skipped for that, as it reads
    behind "needs".
    """

    suite: str
    name: str
    status: str
    duration_ms: float | None = None
    reason: str = ""
    lacking: str = ""


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


def judge(cells: Cells, kernel: Kernel, ran: dict[tuple[str, str], str], log: Log,
          against: Sequence[str], suite_glob: str = "*", case_glob: str = "*") -> Verdict:
    """Judge a run on a kernel.

    ran holds the status that kunit.py gave, by (suite, case). A listed case that
    did not run fails. What a case needs decides whether it has to run or to
    skip: it fails if it does the other, or if its reason does not name what is
    lacking. A report in the kernel log that no case declared fails the cell, and
    so does what else is against it.
    """
    here = {pair: status for pair, status in ran.items()
            if fnmatch.fnmatch(pair[0], suite_glob)
            and (not pair[1] or fnmatch.fnmatch(pair[1], case_glob))}
    cases = [_judge_case(cells, kernel, Case(suite, name, status), log)
             for (suite, name), status in here.items() if name]
    cases += [Case(suite, name, FAILED, None, DID_NOT_RUN)
              for suite, name in cells.expected(kernel, suite_glob)
              if (suite, name) not in ran and fnmatch.fnmatch(name, case_glob)]
    found = [f"suite {suite} crashed: kunit.py has a failure in it, and no case to it"
             for (suite, name), status in here.items() if not name and status == FAILED]
    found += [f"{REPORT}{text}" for text in log.reports]
    found += against
    if not cases:
        found.append("no case ran")
    return Verdict(tuple(cases), tuple(found))


def _judge_case(cells: Cells, kernel: Kernel, case: Case, log: Log) -> Case:
    note = log.notes.get((case.suite, case.name))
    case = replace(case, duration_ms=note.duration_ms if note else None,
                   reason=note.reason if note else "")
    skip = note.skipped if note else ""
    if case.status == FAILED:
        return replace(case, reason=case.reason or "failed without a message")
    unmet = cells.unmet(case.suite, case.name, kernel)
    if case.status == SKIPPED or skip:
        return _judge_skip(case, kernel, unmet, skip)
    if unmet:
        return replace(case, status=FAILED, reason="passed, but cells.toml has: "
                       f"needs {unmet[0].lacking(kernel.base)}")
    return replace(case, reason="")


def _judge_skip(case: Case, kernel: Kernel, unmet: list[Requirement], reason: str) -> Case:
    """A case that has skipped: not applicable if it lacks more than an option."""
    if not unmet:
        return replace(case, status=FAILED, reason="has skipped, and nothing that "
                       f"cells.toml says it needs is lacking: {reason}")
    if not any(need.is_named(reason) for need in unmet):
        said = "; ".join(need.lacking(kernel.base) for need in unmet)
        return replace(case, status=FAILED, reason=f"skip does not name what is lacking "
                       f"({said}): {reason}")
    first, *_ = sorted(unmet, key=lambda need: bool(need.options))
    return replace(case, status=SKIPPED if first.options else NOT_APPLICABLE,
                   reason=reason, lacking=first.lacking(kernel.base))
