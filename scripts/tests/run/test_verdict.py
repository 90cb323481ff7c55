# SPDX-License-Identifier: GPL-2.0-only
"""The rules by which a cell passes."""

import pytest

from guplib.config import Cells, Kernel, Requirement
from guplib.run.kernellog import Log, Note
from guplib.run.verdict import FAILED, NOT_APPLICABLE, PASSED, SKIPPED, judge

THP = Requirement(options=("CONFIG_THP", "CONFIG_THP_OF_OLD"))
FUNCTION = Requirement(has="f()")
SINCE = Requirement(since="6.12", what="f() does not take NULL", reason="It did not.")
MMU = ("CONFIG_MMU",)
BARE = Kernel("6.1", frozenset(MMU), frozenset())
FULL = Kernel("6.12", frozenset((*MMU, "CONFIG_THP_OF_OLD")), frozenset(["f()"]))
BOTH = {("s", "a"): PASSED, ("s", "b"): PASSED}


def cells(*needs):
    return Cells({"s": ("a", "b")}, {"s": MMU}, {("s", "b"): needs} if needs else {})


def judged(ran=BOTH, kernel=FULL, log=None, against=(), glob="*", needs=(THP,)):
    return judge(cells(*needs), kernel, ran, log or Log(), against, glob)


def skipped(reason, kernel=BARE, needs=(THP,)):
    """Case b of a run in which it has skipped, and the verdict."""
    log = Log({("s", "b"): Note(None, reason, "")})
    verdict = judged(BOTH | {("s", "b"): SKIPPED}, kernel, log, needs=needs)
    return status(verdict, "b"), verdict.word


def status(verdict, name):
    return next(case for case in verdict.cases if case.name == name)


def test_all_passed_is_passed():
    assert judged().word == "passed"


def test_listed_case_that_did_not_run_is_a_failure():
    verdict = judged({("s", "a"): PASSED})
    assert verdict.word == "failed"
    assert status(verdict, "b").reason == "listed in cells.toml, did not run"


def test_nothing_ran_is_a_failure():
    verdict = judge(Cells({}, {}, {}), FULL, {}, Log(), ())
    assert verdict.against == ("no case ran",) and verdict.word == "failed"


def test_failed_case_is_a_failure_with_its_reason():
    log = Log({("s", "a"): Note(1.0, "", "1 is not 2")})
    verdict = judged(BOTH | {("s", "a"): FAILED}, log=log)
    assert verdict.word == "failed" and status(verdict, "a").reason == "1 is not 2"


def test_failed_case_without_a_message_still_has_a_reason():
    assert status(judged(BOTH | {("s", "a"): FAILED}), "a").reason


def test_skip_for_what_is_lacking_is_no_failure():
    case, word = skipped("needs CONFIG_THP")
    assert (case.status, word) == (SKIPPED, "passed")
    assert (case.reason, case.lacking) == (
        "needs CONFIG_THP", "CONFIG_THP or CONFIG_THP_OF_OLD")
    assert skipped("needs CONFIG_THP_OF_OLD")[1] == "passed"


@pytest.mark.parametrize("needs", [(), (THP,), (FUNCTION,), (SINCE,)])
def test_skip_of_a_case_that_has_what_it_needs_is_a_failure(needs):
    case, word = skipped("needs CONFIG_THP", FULL, needs)
    assert word == "failed" and "nothing that cells.toml says it needs" in case.reason


@pytest.mark.parametrize("need, says", [
    (THP, "passed, but cells.toml has: needs CONFIG_THP or CONFIG_THP_OF_OLD"),
    (FUNCTION, "passed, but cells.toml has: needs f(), not in 6.1"),
    (SINCE, "passed, but cells.toml has: needs 6.12, before which f() does not take NULL")])
def test_case_that_passes_without_what_it_needs_is_a_failure(need, says):
    verdict = judged(kernel=BARE, needs=(need,))
    assert verdict.word == "failed" and status(verdict, "b").reason == says


def test_option_that_has_to_be_off():
    need = Requirement(options=("!CONFIG_MMU",))
    case, word = skipped("needs CONFIG_MMU to be off", needs=(need,))
    assert (case.status, case.lacking) == (SKIPPED, "CONFIG_MMU to be off")
    verdict = judged(kernel=Kernel("6.1", frozenset(), frozenset()), needs=(need,))
    assert verdict.cases[1].status == PASSED


@pytest.mark.parametrize("need, reason, lacking", [
    (FUNCTION, "not applicable: there is no f()", "f(), not in 6.1"),
    (SINCE, "not applicable: f() does not take NULL",
     "6.12, before which f() does not take NULL")])
def test_case_of_what_the_base_lacks_does_not_apply(need, reason, lacking):
    case, word = skipped(reason, needs=(need,))
    assert (case.status, case.lacking, word) == (NOT_APPLICABLE, lacking, "passed")
    assert skipped("needs CONFIG_THP", needs=(THP, need))[0].status == NOT_APPLICABLE
    assert judged(needs=(need,)).word == "passed"


@pytest.mark.parametrize("need, reason", [
    (THP, "not today"), (THP, "needs CONFIG_THP_AND_MORE"), (THP, ""),
    (FUNCTION, "there is no g()"), (FUNCTION, "there is no of()"),
    (SINCE, "f() does not take it")])
def test_skip_that_does_not_name_what_is_lacking_is_a_failure(need, reason):
    case, word = skipped(reason, needs=(need,))
    assert word == "failed" and "skip does not name what is lacking (" in case.reason


@pytest.mark.parametrize("base, applies", [
    ("5.10", False), ("6.1", False), ("6.9", False), ("6.12", True), ("7.3", True),
    ("9.9", True), ("10.0", True)])
def test_release_decides_on_a_base_that_nobody_knew(base, applies):
    kernel = Kernel(base, frozenset(MMU), frozenset())
    case, word = skipped("not applicable: f() does not take NULL", kernel, (SINCE,))
    assert word == ("failed" if applies else "passed")
    assert judged(kernel=kernel, needs=(SINCE,)).word == ("passed" if applies else "failed")


@pytest.mark.parametrize("base", ["7.3", "9.9"])
def test_kernel_alone_decides_on_options_and_functions_of_a_new_base(base):
    has = Kernel(base, frozenset((*MMU, "CONFIG_THP")), frozenset(["f()"]))
    lacks = Kernel(base, frozenset(MMU), frozenset())
    for need, reason in ((THP, "needs CONFIG_THP"), (FUNCTION, "there is no f()")):
        assert judged(kernel=has, needs=(need,)).word == "passed"
        assert judged(kernel=lacks, needs=(need,)).word == "failed"
        assert skipped(reason, has, (need,))[1] == "failed"
        assert skipped(reason, lacks, (need,))[1] == "passed"


def test_failure_counts_whatever_is_lacking():
    log = Log({("s", "b"): Note(1.0, "", "1 is not 2")})
    verdict = judged(BOTH | {("s", "b"): FAILED}, BARE, log)
    assert status(verdict, "b").reason == "1 is not 2" and verdict.word == "failed"


def test_skip_that_the_base_counts_as_passed_is_a_skip():
    log = Log({("s", "b"): Note(None, "CONFIG_THP is off", "")})
    assert status(judged(kernel=BARE, log=log), "b").status == SKIPPED


def test_kernel_report_fails_a_run_whose_cases_all_passed():
    verdict = judged(log=Log(reports=["s.a: WARNING: at mm/gup.c:1"]))
    assert verdict.word == "failed"
    assert verdict.against == ("kernel report: s.a: WARNING: at mm/gup.c:1",)


def test_what_else_stands_against_a_cell_fails_it():
    assert judged(against=("build warning: mm/gup.c:1:1: warning: x",)).word == "failed"


def test_failure_of_no_case_is_a_crash_of_its_suite():
    verdict = judged(BOTH | {("s", ""): FAILED})
    assert verdict.word == "failed" and len(verdict.cases) == 2
    assert verdict.against[0].startswith("suite s crashed")


def test_case_that_is_not_listed_still_counts_when_it_fails():
    assert judged(BOTH | {("s", "new"): FAILED}).word == "failed"


def test_suite_glob_leaves_out_the_rest():
    two = Cells({"s": ("a",), "t": ("c",)}, {"s": MMU, "t": MMU}, {})
    verdict = judge(two, FULL, {("s", "a"): PASSED, ("t", "c"): FAILED}, Log(), (), "s")
    assert verdict.word == "passed" and len(verdict.cases) == 1


def test_suite_that_is_compiled_elsewhere_is_not_expected():
    two = Cells({"s": ("a",), "t": ("c",)}, {"s": MMU, "t": ("!CONFIG_MMU",)}, {})
    assert judge(two, FULL, {("s", "a"): PASSED}, Log(), ()).word == "passed"
    without = Kernel("6.1", frozenset(), frozenset())
    assert judge(two, without, {("t", "c"): PASSED}, Log(), ()).word == "passed"
