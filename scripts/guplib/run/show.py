# SPDX-License-Identifier: GPL-2.0-only
"""A verdict as a person reads it."""

from collections import Counter

from ..system.terminal import say
from .verdict import FAILED, NOT_APPLICABLE, PASSED, SKIPPED, Case, Verdict


def show(cell_name: str, verdict: Verdict, every: bool = False) -> None:
    """Print a cell's table, what it lacks, what failed, and last of all the verdict.

    Cases that have skipped or do not apply are one line for each thing that they
    need; if every one is wanted, they are also named, ahead of the table.
    """
    if every:
        for case in verdict.cases:
            if case.status in (SKIPPED, NOT_APPLICABLE):
                _show_case(case)
    _show_table(verdict)
    for status in (SKIPPED, NOT_APPLICABLE):
        counts = Counter(case.lacking for case in verdict.cases if case.status == status)
        for lacking, count in counts.most_common():
            say(f"{count} need{'s' if count == 1 else ''} {lacking}")
    for case in verdict.cases:
        if case.status == FAILED:
            _show_case(case)
    for line in verdict.against:
        say(f"failed: {line}")
    say(f"{cell_name}: {verdict.word}, {len(verdict.cases)} cases")


def _show_case(case: Case) -> None:
    reason = case.reason.replace("\n", "\n    ")
    say(f"{case.status}: {case.suite}.{case.name}\n    {reason}")


def _show_table(verdict: Verdict) -> None:
    """Print a row for each suite, and one for all of them."""
    rows = [(name, Verdict(tuple(case for case in verdict.cases if case.suite == name), ()))
            for name in dict.fromkeys(case.suite for case in verdict.cases)]
    rows.append(("all", verdict))
    width = max(len(name) for name in ("suite", *(name for name, _ in rows)))
    say(f"\n{'suite':{width}}  passed  failed  skipped  n/a")
    for name, part in rows:
        say(f"{name:{width}}  {part.count(PASSED):6}  {part.count(FAILED):6}  "
            f"{part.count(SKIPPED):7}  {part.count(NOT_APPLICABLE):3}")
