# SPDX-License-Identifier: GPL-2.0-only
"""gup check: what it counts, and that each step can fail."""

import shutil

import pytest

from conftest import edit, kunit_json, stored, tarball, unified, with_line
from guplib.check import steps

pytestmark = [pytest.mark.usefixtures("with_trees"),
              pytest.mark.skipif(not shutil.which("quilt"), reason="quilt is missing")]


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
    said = checked("--only", "rules,refresh,quilt,export,kunit")
    assert said.code == 1 and "series/6.1:1" in said.out
    assert said.out.endswith("0 passed, 1 failed\n")


COVER = """\
mm: a subject

A text on Patch {one-line}.

Tested:

- on UML

Not tested:

- elsewhere
"""


@pytest.mark.parametrize("old, new, says", [
    ("- on UML", "- on " + "very " * 20, "has a line of"),
    ("{one-line}", "{two-lines}", "names {two-lines}, which is no topic"),
    ("Not tested:\n\n- elsewhere\n", "", "has no section 'Not tested:'"),
    ("mm: a subject\n\n", "mm: a subject\n", "does not begin with a subject"),
    ("A text on Patch {one-line}", "Patch 3", "name a patch by its topic"),
    ("- elsewhere\n", "- elsewhere\n\n---\nChanges in v2:\n", "no items under")])
def test_cover_that_would_not_be_mailed_breaks_the_rules(project, checked, old, new, says):
    project.remove_tree()
    path = project.layout.cover("6.1")
    path.write_text(COVER)
    assert checked("--only", "rules").code == 0
    edit(path, old, new)
    said = checked("--only", "rules")
    assert said.code == 1 and says in said.out and "series/6.1.cover" in said.out
    assert not project.tree.exists()


def test_cover_that_speaks_of_what_is_not_public_breaks_the_rules(project, checked):
    edit(project.layout.topic("one-line"), "[base]", "security = true\n[base]")
    project.layout.cover("6.1").write_text(COVER.replace("Patch {one-line}", "one-line"))
    said = checked("--only", "rules")
    assert said.code == 1 and "speaks of one-line, which goes to the security list" in said.out


def test_cover_may_name_the_suites_where_they_go_along(project, checked):
    text = COVER.replace("{one-line}", "{kunit}")
    project.layout.cover("7.2").write_text(text)
    assert checked("--only", "rules").code == 0
    project.layout.cover("6.1").write_text(text)
    assert "names {kunit}" in checked("--only", "rules").out


def test_cover_that_is_not_finished_is_counted_as_skipped(project, checked):
    project.layout.cover("6.1").write_text("EDITME\n")
    said = checked("--only", "rules")
    assert said.code == 0 and said.out.endswith("1 passed, 0 failed, 1 skipped\n")
    assert "series/6.1.cover: has EDITME in it" in said.out


def test_quilt_pushes_each_series(checked):
    said = checked("--only", "quilt")
    assert said.code == 0 and "2 passed, 0 failed" in said.out


def test_patch_that_git_takes_but_quilt_does_not_is_found(project, checked, stub):
    stub("quilt", "echo 'Hunk #1 FAILED at 3.'; exit 1")
    said = checked("--only", "quilt")
    assert said.code == 1 and "Hunk #1 FAILED" in said.out


def test_quilt_is_called_without_fuzz_and_without_the_persons_settings(
        project, checked, stub, monkeypatch, tmp_path):
    monkeypatch.setenv("QUILT_PATCH_OPTS", "--fuzz=3")
    stub("quilt", f'echo "$* ${{QUILT_PATCH_OPTS-unset}}" >>{tmp_path}/log')
    checked("--only", "quilt")
    assert (tmp_path / "log").read_text() == "--quiltrc=- push -a --fuzz=0 unset\n" * 2


def test_quilt_takes_no_fuzz_where_an_export_is_tried(project):
    from guplib import config
    from guplib.check import exports
    (project.root / "patches.suse").mkdir()
    for form in config.export_forms(project.layout).values():
        script = exports._push(form, project.root, project.root / "series.list")
        assert script == ":" or script.endswith("quilt --quiltrc=- push -a --fuzz=0")
    debian = config.export_form(project.layout, "debian")
    assert any("--fuzz=0" in line for line in debian.apply)


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
    project.remove_tree(base)
    tarball(project.root, base, {"6.1": "6.1.9", "7.2": "7.2.1"}[base]).unlink()
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


def test_nothing_checked_is_no_success(checked, stub, monkeypatch):
    """pytest has found no test at all, say."""
    python = stub("python", 'for word; do case $word in --junitxml=*) '
                  'echo "<testsuites/>" >"${word#*=}";; esac; done')
    monkeypatch.setattr(steps, "_python_with_pytest", lambda: python)
    said = checked("--only", "unit")
    assert said.code == 1 and said.out.endswith("0 passed, 0 failed\n")
