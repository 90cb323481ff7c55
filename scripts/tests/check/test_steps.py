# SPDX-License-Identifier: GPL-2.0-only
"""gup check: what it counts, and that each step can fail."""

import shutil

import pytest

from conftest import kunit_json, stored, unified, with_line

pytestmark = pytest.mark.skipif(not shutil.which("quilt"), reason="quilt is missing")


@pytest.fixture
def checked(project, gup):
    """Call gup check on a queue whose packages are all there."""
    path = project.root / "config/packages.toml"
    path.write_text(path.read_text() + '[check]\nquilt = "quilt"\n')
    (project.root / "scripts/tests").mkdir(parents=True)
    return lambda *words: gup("check", *words)


def test_rules_count_as_one_check(checked):
    said = checked("--only", "rules")
    assert said.code == 0 and said.out.endswith("1 passed, 0 failed\n")


def test_broken_rules_end_the_check(project, checked):
    (project.root / "series/6.1").write_text("one-line/none.patch\n")
    said = checked()
    assert said.code == 1 and "series/6.1:1" in said.out
    assert "quilt" not in said.out


def test_quilt_pushes_each_series(checked):
    said = checked("--only", "quilt")
    assert said.code == 0 and "2 passed, 0 failed" in said.out


def test_patch_that_git_takes_but_quilt_does_not_is_found(project, checked, stub):
    stub("quilt", "echo 'Hunk #1 FAILED at 3.'; exit 1")
    said = checked("--only", "quilt")
    assert said.code == 1 and "Hunk #1 FAILED" in said.out


def test_patch_that_does_not_apply_fails_its_base(project, checked):
    project.patch.write_text(stored("mm/gup: change a line", unified(
        with_line(30, "int never;"), with_line(30, "int changed;"), "mm/gup.c")))
    said = checked("--only", "quilt")
    assert said.code == 1 and "0 passed, 2 failed" in said.out


def test_each_kunit_case_counts(checked):
    said = checked("--only", "kunit")
    assert said.code == 0 and said.out.endswith("4 passed, 0 failed\n")


def test_failed_case_fails_the_check(project, checked):
    project.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    said = checked("--only", "kunit")
    assert said.code == 1 and said.out.endswith("2 passed, 2 failed\n")


def test_report_fails_the_check_even_if_all_cases_passed(project, checked):
    project.behave(log="WARNING: x\n")
    assert checked("--only", "kunit").out.endswith("4 passed, 2 failed\n")


def without_package(project, base, stub):
    shutil.rmtree(project.layout.downloads(base))
    stub("apt-get", "true")


def test_base_that_cannot_be_had_is_skipped_and_counted(project, checked, stub):
    without_package(project, "7.2", stub)
    said = checked("--only", "quilt")
    assert said.code == 0 and said.out.endswith("1 passed, 0 failed, 1 skipped\n")
    assert "skipped base 7.2: this machine's apt knows no Debian mirror" in said.out


def test_no_base_at_all_is_a_failure(project, checked, stub):
    for base in ("6.1", "7.2"):
        without_package(project, base, stub)
    said = checked("--only", "quilt")
    assert said.code == 1 and "no base could be had" in said.out


def test_failing_unit_test_fails_the_check(project, checked):
    (project.root / "scripts/tests/test_x.py").write_text(
        "def test_good(): pass\ndef test_bad(): assert 1 == 2\n")
    said = checked("--only", "unit")
    assert said.code == 1 and said.out.endswith("1 passed, 1 failed\n")


def test_unknown_step_and_base(checked, refused):
    assert "unknown step 'lunch'" in refused(2, "check", "--only", "lunch")
    assert "unknown base '9'" in refused(2, "check", "--bases", "9")


def test_nothing_checked_is_no_success(checked):
    assert checked("--only", "unit").code == 1
