# SPDX-License-Identifier: GPL-2.0-only
"""Many cells, what is recorded of them, and the tables of README."""

import json
from dataclasses import replace

import pytest

from conftest import edit, kunit_json
from guplib import queue
from guplib.evidence import recorded_results
from guplib.evidence.recorded_results import BEGIN, END, Measured

pytestmark = pytest.mark.usefixtures("with_trees")


@pytest.fixture
def readme(project):
    path = project.layout.readme
    path.write_text(f"# Title\n\n{BEGIN}{END}\nafter\n")
    return path


def cell(base="6.1", patched=True, counts=(2, 0, 0), arch="um", verdict="passed"):
    return Measured(base, arch, patched, "6.1.9", verdict,
                    {"put_user_page": [*counts, 0, 0, 0, 0][:4]})


def standing(project, *cells, base="6.1"):
    topic = queue.topic(project.layout, "one-line")
    return recorded_results.standing(topic, base, {cell.key: cell for cell in cells},
                                     queue.topics(project.layout))


def test_matrix_runs_all_bases_and_writes_a_table(project, gup):
    said = gup("matrix", "--arches", "um")
    assert said.code == 0, said
    cells = json.loads((project.root / "build/matrix.json").read_text())["cells"]
    assert [(cell["base"], cell["arch"], cell["verdict"], cell["passed"])
            for cell in cells] == [("6.1", "um", "passed", 2), ("7.2", "um", "passed", 2)]
    assert (project.root / cells[0]["results"]).exists()


def test_failed_cell_does_not_end_the_matrix(project, gup):
    project.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    said = gup("matrix", "--arches", "um")
    assert said.code == 1 and said.out.count("um  failed        1       1") == 2


def test_failed_unpatched_cell_is_what_it_is_there_for(project, gup):
    project.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    gup("matrix", "--arches", "um", "--bases", "6.1", "--unpatched")
    project.behave(json=kunit_json(adds="PASS", drops="PASS"))
    said = gup("matrix", "--arches", "um", "--bases", "6.1", "--unpatched")
    assert said.code == 0 and "6.1/um unpatched" in said.out


def test_cell_that_the_machine_cannot_run_is_missing(project, gup, stub, monkeypatch):
    from guplib.setup import packages
    stub("sudo", "exit 1")
    monkeypatch.setattr(packages.os, "geteuid", lambda: 1000)
    said = gup("matrix", "--bases", "6.1")
    assert said.code == 3 and "6.1/far  missing" in said.out
    assert "6.1/um   passed" in said.out


def test_build_failure_is_a_failed_cell(project, gup):
    project.behave(codes={"config": 0, "build": 1, "exec": 0})
    said = gup("matrix", "--arches", "um", "--bases", "6.1")
    assert said.code == 1 and "does not build" in said.out


@pytest.mark.parametrize("words, part", [
    (("--bases", "9"), "unknown base '9'"), (("--arches", "vax"), "unknown arch 'vax'")])
def test_unknown_names(refused, words, part):
    assert part in refused(2, "matrix", *words)


@pytest.fixture
def far_on_72(project):
    """Architecture far is a cell of base 7.2 alone, and the machine has it."""
    path = project.root / "config/arches.toml"
    head, far = path.read_text().split("[arch.far]\n")
    far = far.replace('needs = ["far"]\nbases = ["*"]',
                      'needs = []\nbases = ["7.*"]')
    path.write_text(f"{head}[arch.far]\n{far}")


def test_matrix_leaves_out_what_is_no_cell(project, gup, far_on_72):
    assert gup("matrix").code == 0
    cells = json.loads((project.root / "build/matrix.json").read_text())["cells"]
    assert [(cell["base"], cell["arch"]) for cell in cells] == [
        ("6.1", "um"), ("7.2", "um"), ("7.2", "far")]


def test_no_cell_at_all_is_refused(refused, far_on_72):
    assert "no cell is on far for 6.1" in refused(
        2, "matrix", "--bases", "6.1", "--arches", "far")


@pytest.mark.parametrize("verb", ["kunit", "bisect"])
def test_run_of_what_is_no_cell_is_refused(refused, far_on_72, verb):
    assert "6.1/far is no cell; far is for 7.2" in refused(
        2, verb, "--base", "6.1", "--arch", "far")


def test_table_has_a_dash_where_there_is_no_cell(project, gup, readme, far_on_72):
    gup("matrix", "--record")
    assert "| far | - | 2 |" in readme.read_text()


def test_record_writes_readme_between_its_marks(project, gup, readme):
    assert gup("matrix", "--arches", "um", "--unpatched", "--record").code == 0
    text = readme.read_text()
    assert text.startswith("# Title\n") and text.endswith("after\n")
    assert "| um | 2 | 2 |" in text
    assert "| topic | 6.1 | 7.2 | severity | affected |\n" in text
    assert "| `one-line` | unproven | unproven | driver | v6.0.. |\n" in text


def test_record_keeps_the_cells_that_were_not_run(project, gup, readme):
    gup("matrix", "--arches", "um", "--record")
    gup("matrix", "--arches", "um", "--bases", "6.1", "--record")
    assert len(recorded_results.load(project.layout)) == 2


def test_readme_without_the_marks_is_refused(project, refused):
    project.layout.readme.write_text("# Title\n")
    assert "put them back" in refused(2, "matrix", "--arches", "um", "--record")


def test_damaged_record_is_one_line(project, refused, readme):
    project.layout.measured.parent.mkdir()
    project.layout.measured.write_text("[{]")
    assert "measured.json: damaged" in refused(2, "matrix", "--arches", "um", "--record")


def test_fixed_is_failed_before_and_passed_after(project):
    assert standing(project, cell(), cell(patched=False, counts=(1, 1, 0))) == "fixed"


def test_topic_with_cases_is_proved_by_those_alone(project):
    topic = project.root / "patches/one-line/topic.toml"
    edit(topic, "suites =", 'cases = ["put_user_page.adds"]\nsuites =')
    without = cell(patched=False, counts=(1, 1, 0))
    assert standing(project, cell(), without) == "?"
    for failed, word in ((["put_user_page.drops"], "unproven"),
                         (["put_user_page.adds"], "fixed")):
        assert standing(project, cell(), replace(without, failed=failed)) == word


def test_cases_behind_a_crash_are_not_taken_for_failures():
    cases = [dict(suite="s", name=name, status=status, duration_ms=lasted)
             for name, status, lasted in (
                 ("a", "passed", 1.0), ("b", "failed", 2.0), ("crashed", "failed", None),
                 ("behind_it", "failed", None))]
    found = recorded_results.of_results({
        "cases": cases, "base": "6.1", "arch": "um", "patched": False,
        "version": "6.1.9", "verdict": "failed"})
    assert found.failed == ["s.b", "s.crashed"]


def test_fix_that_was_never_seen_to_fail_is_unproven(project):
    assert standing(project, cell(), cell(patched=False)) == "unproven"


def test_topic_whose_suites_fail_is_broken(project):
    assert standing(project, cell(counts=(1, 1, 0)),
                    cell(patched=False, counts=(1, 1, 0))) == "broken"


def test_topic_that_was_not_measured_says_so(project):
    assert standing(project) == "?"
    assert standing(project, cell()) == "?"
    assert standing(project, cell(counts=(0, 0, 2)), cell(patched=False)) == "?"


def test_topic_in_the_base_passes_on_both(project):
    path = project.root / "patches/one-line/topic.toml"
    path.write_text(path.read_text().replace('"6.1" = "needed"', '"6.1" = "in-base"'))
    assert standing(project, cell(), cell(patched=False)) == "in base"
    assert standing(project, cell(), cell(patched=False, counts=(1, 1, 0))) == "broken"


def test_suite_of_two_topics_may_fail_for_the_one_that_the_base_needs(project):
    path = project.root / "patches/one-line/topic.toml"
    other = project.root / "patches/other/topic.toml"
    other.parent.mkdir()
    other.write_text(path.read_text())
    path.write_text(path.read_text().replace('"6.1" = "needed"', '"6.1" = "in-base"'))
    red = cell(patched=False, counts=(1, 1, 0))
    assert standing(project, cell(), red) == "in base"
    assert standing(project, cell(counts=(1, 1, 0)), red) == "broken"


def test_topic_that_adds_functions_cannot_fail_before(project):
    path = project.root / "patches/one-line/topic.toml"
    path.write_text(path.read_text().replace("[base]", "adds = true\n[base]"))
    assert standing(project, cell()) == "added"


def test_cases_that_do_not_apply_have_a_count_of_their_own(project, readme):
    recorded_results.record(project.layout, [cell(counts=(2, 0, 3, 4)), cell(base="7.2")])
    text = readme.read_text()
    assert "| um | 2, 3 skipped, 4 n/a | 2 |" in text
    assert recorded_results.load(project.layout)["7.2", "um", True].suites == {
        "put_user_page": [2, 0, 0, 0]}


def test_topic_that_does_not_apply(project):
    path = project.root / "patches/one-line/topic.toml"
    path.write_text(path.read_text().replace('"6.1" = "needed"',
                                             '"6.1" = "not-applicable no THP"'))
    assert standing(project) == "n/a"


def test_topic_without_a_suite_has_nothing_to_measure(project):
    path = project.root / "patches/one-line/topic.toml"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("suites")))
    assert standing(project) == "-"
    assert standing(project, cell(), cell(patched=False)) == "-"


def test_edited_table_is_found(project, gup, readme):
    project.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    gup("matrix", "--arches", "um", "--unpatched", "--record")
    assert recorded_results.problems(project.layout)[0].endswith("broken; see doc/measured.json")
    readme.write_text(readme.read_text().replace("| um | 1", "| um | 2"))
    assert "README.md: the tables differ" in recorded_results.problems(project.layout)[0]


def test_what_nothing_proves_is_named_and_does_not_fail(project, readme):
    recorded_results.record(project.layout, [cell()])
    assert recorded_results.problems(project.layout) == []
    assert ("one-line on 6.1", "its suites were not run there both with the series and "
            "without; gup matrix --unpatched --record, or gup prove "
            "--record") in recorded_results.gaps(project.layout)
    recorded_results.record(project.layout, [cell(patched=False)])
    assert any("do not fail without" in why
               for _, why in recorded_results.gaps(project.layout))


def test_cell_that_differs_from_the_record_is_found(project, readme):
    recorded_results.record(project.layout, [cell()])
    assert not recorded_results.disagreement(project.layout, cell())
    assert "[1, 1, 0, 0]" in recorded_results.disagreement(
        project.layout, cell(counts=(1, 1, 0)))[0]
    assert "record it" in recorded_results.disagreement(project.layout, cell(base="7.2"))[0]
