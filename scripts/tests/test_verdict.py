# SPDX-License-Identifier: GPL-2.0-only
"""The rules by which a cell passes."""

from guplib.config import Cells, Skip
from guplib.kernellog import Log, Note
from guplib.verdict import FAILED, PASSED, SKIPPED, judge

CELLS = Cells({"s": ("a", "b")}, {"s": ("*",)},
              (Skip("s", ("b",), ("6.1/*",), "CONFIG_THP"),))
BOTH = {("s", "a"): PASSED, ("s", "b"): PASSED}


def judged(ran=BOTH, cell="6.1/um", log=None, warnings=(), glob="*"):
    return judge(cell, CELLS, ran, log or Log(), warnings, glob)


def status(verdict, name):
    return next(case for case in verdict.cases if case.name == name)


def test_all_passed_is_passed():
    assert judged().word == "passed"


def test_listed_case_that_did_not_run_is_a_failure():
    verdict = judged({("s", "a"): PASSED})
    assert verdict.word == "failed"
    assert status(verdict, "b").reason == "listed in cells.toml, did not run"


def test_nothing_ran_is_a_failure():
    assert judge("6.1/um", Cells({}, {}, ()), {}, Log(), ()).against == ("no case ran",)
    assert judge("6.1/um", Cells({}, {}, ()), {}, Log(), ()).word == "failed"


def test_failed_case_is_a_failure_with_its_reason():
    log = Log({("s", "a"): Note(1.0, "", "1 is not 2")})
    verdict = judged(BOTH | {("s", "a"): FAILED}, log=log)
    assert verdict.word == "failed" and status(verdict, "a").reason == "1 is not 2"


def test_failed_case_without_a_message_still_has_a_reason():
    assert status(judged(BOTH | {("s", "a"): FAILED}), "a").reason


def test_allowed_skip_is_no_failure():
    log = Log({("s", "b"): Note(None, "CONFIG_THP is off", "")})
    verdict = judged(BOTH | {("s", "b"): SKIPPED}, log=log)
    assert verdict.word == "passed" and status(verdict, "b").status == SKIPPED
    assert status(verdict, "b").reason == "CONFIG_THP is off"


def test_skip_that_is_not_listed_is_a_failure():
    log = Log({("s", "a"): Note(None, "CONFIG_THP is off", "")})
    verdict = judged(BOTH | {("s", "a"): SKIPPED}, log=log)
    assert verdict.word == "failed"
    assert "not allowed" in status(verdict, "a").reason


def test_skip_listed_for_another_cell_is_a_failure():
    log = Log({("s", "b"): Note(None, "CONFIG_THP is off", "")})
    assert judged(BOTH | {("s", "b"): SKIPPED}, cell="7.2/um", log=log).word == "failed"


def test_skip_that_does_not_name_its_option_is_a_failure():
    log = Log({("s", "b"): Note(None, "not today", "")})
    verdict = judged(BOTH | {("s", "b"): SKIPPED}, log=log)
    assert "does not name CONFIG_THP" in status(verdict, "b").reason
    assert verdict.word == "failed"


def test_skip_that_the_base_counts_as_passed_is_a_skip():
    log = Log({("s", "b"): Note(None, "CONFIG_THP is off", "")})
    assert status(judged(log=log), "b").status == SKIPPED


def test_kernel_report_fails_a_run_whose_cases_all_passed():
    verdict = judged(log=Log(reports=["s.a: WARNING: at mm/gup.c:1"]))
    assert verdict.word == "failed"
    assert verdict.against == ("kernel report: s.a: WARNING: at mm/gup.c:1",)


def test_build_warning_fails_a_run_whose_cases_all_passed():
    assert judged(warnings=("mm/gup.c:1:1: warning: x",)).word == "failed"


def test_case_that_is_not_listed_still_counts_when_it_fails():
    assert judged(BOTH | {("s", "new"): FAILED}).word == "failed"


def test_suite_glob_leaves_out_the_rest():
    cells = Cells({"s": ("a",), "t": ("c",)}, {"s": ("*",), "t": ("*",)}, ())
    verdict = judge("6.1/um", cells, {("s", "a"): PASSED, ("t", "c"): FAILED}, Log(), (),
                    "s")
    assert verdict.word == "passed" and len(verdict.cases) == 1


def test_suite_of_another_cell_is_not_expected():
    cells = Cells({"s": ("a",), "t": ("c",)}, {"s": ("*",), "t": ("*/x86_64",)}, ())
    assert judge("6.1/um", cells, {("s", "a"): PASSED}, Log(), ()).word == "passed"
