# SPDX-License-Identifier: GPL-2.0-only
"""gup status and gup range-diff: what a maintainer looks at."""

import pytest

from conftest import GUP_C, edit, kunit_json, stored, unified, with_line
from guplib.queue import range_diff

pytestmark = pytest.mark.usefixtures("with_trees")


def row(said, name):
    return next(line for line in said.out.splitlines() if line.startswith(f"{name} "))


def test_status_before_anything_was_made(project, gup):
    project.remove_tree()
    said = gup("status")
    assert said.code == 0 and row(said, "6.1").endswith("none yet")
    assert "linux-source-6.1 6.1.9-1" in row(said, "6.1")
    assert row(said, "one-line").endswith("  driver    v6.0..    not-submitted")
    assert not project.tree.exists()


def test_status_of_trees(project, gup):
    gup("tree")
    assert row(gup("status"), "6.1").endswith("clean")
    (project.tree / "mm/mine.c").write_text("int mine;\n")
    assert row(gup("status"), "6.1").endswith("your work (changed file mm/mine.c)")
    edit(project.patch, "The body of it.", "Another body.")
    assert row(gup("status"), "6.1").endswith("; behind the queue")
    (project.tree / "mm/mine.c").unlink()
    assert row(gup("status"), "6.1").endswith("  behind the queue")


def test_status_says_when_a_cell_was_last_green(project, gup):
    gup("kunit")
    green = project.results()["time"]
    assert row(gup("status"), "6.1/um").count(green) == 2
    project.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    gup("kunit")
    said = row(gup("status"), "6.1/um")
    assert "failed" in said and project.results()["last_green"] == green


@pytest.mark.parametrize("words, work", [(("--suite", "put_*"), False), ((), True)])
def test_part_of_a_cell_or_work_in_the_tree_is_no_green(project, gup, words, work):
    gup("tree")
    if work:
        (project.tree / "mm/mine.c").write_text("int mine;\n")
    assert gup("kunit", *words).code == 0
    assert "never" in row(gup("status"), "6.1/um")


def test_status_of_a_queue_with_defects(project, gup):
    project.layout.series("6.1").write_text("one-line/none.patch\n")
    said = gup("status")
    assert said.code == 0 and "one-line/none.patch is not in patches/" in said.out


def test_status_with_damaged_results(project, gup):
    gup("kunit")
    project.layout.results("6.1", "um").write_text("{")
    assert "damaged results.json" in row(gup("status"), "6.1/um")


@pytest.fixture
def variants(project):
    """A topic with a variant for each base."""
    edit(project.patch, "@@ -27,7 +27,7 @@", "@@ -26,7 +26,7 @@")
    (project.root / "patches/one-line/7.2.patch").write_text(stored(
        "mm/gup: change a line", unified(GUP_C, with_line(30, "int other;"), "mm/gup.c")))
    (project.root / "series/7.2").write_text("one-line/7.2.patch\n")
    path = project.layout.topic("one-line")
    path.write_text(path.read_text() + '[difference]\n"6.1" = "there are no folios"\n')


@pytest.mark.parametrize("columns", [80, 200])
def test_range_diff_shows_what_differs_and_why(project, variants, capsys, columns):
    range_diff.show(project.layout, "one-line", columns)
    said = capsys.readouterr().out
    assert "6.1.patch against 7.2.patch" in said and "there are no folios" in said
    assert ("-+int changed;" in said) == (columns == 80)
    assert "26,7" not in said and "int other;" in said


def test_variant_without_a_reason_is_an_error(project, variants, refused):
    edit(project.layout.topic("one-line"), '[difference]\n"6.1" = "there are no folios"',
         "")
    assert "[difference] says nothing of 6.1" in refused(2, "range-diff", "--topic",
                                                         "one-line")


def test_one_variant_is_nothing_to_compare(gup):
    said = gup("range-diff", "--topic", "one-line")
    assert said.code == 0 and "nothing to compare" in said.out


def test_range_diff_of_an_unknown_topic(refused):
    assert "choose from one-line" in refused(2, "range-diff", "--topic", "x")
