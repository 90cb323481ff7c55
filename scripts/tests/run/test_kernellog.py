# SPDX-License-Identifier: GPL-2.0-only
"""What is read out of a kernel's console log."""

import re

import pytest

from guplib.run import kernellog

REPORT = re.compile("^WARNING: |^BUG: |^UBSAN: ").search


def read(text):
    return kernellog.read(text.splitlines(), REPORT)


def in_case(*lines, result="ok 1 adds"):
    body = "\n".join(lines)
    return read(f"    # Subtest: put_user_page\n{body}\n    {result}\n"
                "ok 1 put_user_page\n")


def test_durations_come_from_the_time_stamps():
    log = read("[    0.200000]     # Subtest: s\n[    0.203500]     ok 1 - a\n"
               "[    0.204000]     ok 2 - b\n[    0.204000] ok 1 - s\n")
    assert log.notes["s", "a"].duration_ms == 3.5
    assert log.notes["s", "b"].duration_ms == 0.5


def test_without_time_stamps_no_duration_is_made_up():
    assert in_case().notes["put_user_page", "adds"].duration_ms is None


def test_printk_caller_is_no_part_of_the_line():
    log = read("[    0.2][   T12]     # Subtest: s\n[    0.3][   T12]     ok 1 a\n")
    assert ("s", "a") in log.notes


def test_skip_reason_is_read():
    log = in_case(result="ok 1 adds # SKIP CONFIG_THP is off")
    assert log.notes["put_user_page", "adds"].skipped == "CONFIG_THP is off"


def test_skip_line_of_a_base_without_skips_is_read():
    log = in_case("    # SKIP adds: CONFIG_THP is off")
    assert log.notes["put_user_page", "adds"].skipped == "CONFIG_THP is off"


def test_skip_line_of_one_case_says_nothing_of_the_next():
    log = read("    # Subtest: s\n    # SKIP a: CONFIG_THP\n    ok 1 a\n    ok 2 b\n")
    assert log.notes["s", "b"].skipped == ""


def test_failure_message_is_kept_whole():
    log = in_case("    # adds: EXPECTATION FAILED at mm/tests/x.c:7",
                  "    Expected a == b, but", "        a == 1", "        b == 2",
                  result="not ok 1 adds")
    reason = log.notes["put_user_page", "adds"].reason
    assert "x.c:7" in reason and "a == 1" in reason and "b == 2" in reason


def test_stray_report_is_named_with_its_case():
    log = in_case("WARNING: CPU: 0 PID: 9 at mm/gup.c:40")
    assert log.reports == ["put_user_page.adds: WARNING: CPU: 0 PID: 9 at mm/gup.c:40 "
                           "(log line 2)"]


def test_report_after_the_last_case_counts():
    log = read("    # Subtest: s\n    ok 1 a\nok 1 s\nBUG: Bad rss-counter state\n")
    assert log.reports == ["outside a case: BUG: Bad rss-counter state (log line 4)"]


def test_words_of_a_report_inside_a_line_are_no_report():
    assert not in_case("    # adds: no WARNING: seen").reports


def test_declared_report_is_no_stray():
    assert not in_case("kunit-expect: begin", "WARNING: at mm/gup.c:1",
                       "kunit-expect: count 1", "kunit-expect: end").reports


@pytest.mark.parametrize("seen", [0, 2])
def test_declared_number_of_reports_is_held_to(seen):
    log = in_case("kunit-expect: begin", *["WARNING: x"] * seen,
                  "kunit-expect: count 1", "kunit-expect: end")
    assert f"declared 1 report(s), the log has {seen}" in log.reports[0]


def test_declaration_without_a_count_means_one():
    assert "declared 1" in in_case("kunit-expect: begin", "kunit-expect: end").reports[0]


def test_declaration_ends_with_its_case():
    log = read("    # Subtest: s\nkunit-expect: begin\nWARNING: a\n    ok 1 a\n"
               "WARNING: b\n    ok 2 b\n")
    assert log.reports == ["s.b: WARNING: b (log line 5)"]
