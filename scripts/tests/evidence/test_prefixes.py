# SPDX-License-Identifier: GPL-2.0-only
"""gup bisect: every prefix of a series, and the first patch that breaks."""

import pytest

from conftest import (FIND_PLAN, GUP_C, kunit_json, stored, tarball, unified, with_line,
                      write_tarball)


@pytest.fixture
def two(project):
    """A second topic without a suite, behind the first."""
    folder = project.root / "patches/second"
    folder.mkdir()
    (folder / "topic.toml").write_text(
        project.layout.topic("one-line").read_text()
        .replace('suites = ["put_user_page"]\n', "")
        .replace('"7.2" = "needed"', '"7.2" = "in-base"'))
    (folder / "6.1.patch").write_text(stored("mm/gup: second", unified(
        GUP_C, with_line(50, "int second;"), "mm/gup.c")))
    (project.root / "series/6.1").write_text("second/6.1.patch\none-line/6.1.patch\n")
    (project.root / "kunit/kunitconfig").write_text(
        "CONFIG_KUNIT=y\nCONFIG_PUT_USER_PAGE_KUNIT_TEST=y\n")
    # Without its topic, the suite is not built in and prints nothing.
    script = tarball(project.root, "6.1", "6.1.9")
    write_tarball(script, "6.1.9", replaced={"tools/testing/kunit/kunit.py": KUNIT_PY})
    cells = project.root / "config/cells.toml"
    cells.write_text(cells.read_text() + '[[suite]]\nname = "base"\n'
                     'cases = ["stands"]\n')
    return project


KUNIT_PY = FIND_PLAN + """\
verb = sys.argv[1]
text = open("mm/gup.c").read()
if verb == "config":
    open(f"{out}/.config", "w").write("CONFIG_MMU=y" + chr(10) + "CONFIG_THP=y" + chr(10)
                                      + open(f"{out}/.kunitconfig").read())
if verb == "build" and plan.get("breaks") and plan["breaks"] in text:
    sys.exit("mm/gup.c:1:1: error: broken")
if verb == "build" and plan.get("warns") and plan["warns"] in text:
    print("mm/gup.c:1:1: warning: odd")
if verb == "exec":
    import json
    there = "PUT_USER_PAGE" in open(f"{out}/.config").read()
    open(f"{out}/test.log", "w").close()
    groups = [{"name": "base", "sub_groups": [],
               "test_cases": [{"name": "stands", "status": "PASS"}]}]
    groups += plan["json"]["sub_groups"] if there else []
    open(words["json"], "w").write(json.dumps(
        {"name": "all", "test_cases": [], "sub_groups": groups}))
"""


def test_each_prefix_passes_with_the_suites_of_its_topics(two, gup):
    said = gup("bisect", "--base", "6.1")
    assert said.code == 0, said
    assert "every prefix of 2 patches passed" in said.out
    assert said.out.count("put_user_page is left out") == 2
    assert [line for line in said.out.splitlines() if line.startswith("6.1/um with")] == [
        "6.1/um with 0 of 2 patches: passed, 1 cases",
        "6.1/um with 1 of 2 patches: passed, 1 cases",
        "6.1/um with 2 of 2 patches: passed, 3 cases"]


@pytest.mark.parametrize("behave, code", [
    ({"breaks": "second"}, "broken"), ({"warns": "second"}, "warning: odd")])
def test_first_patch_that_breaks_is_named(two, refused, behave, code):
    two.behave(**behave)
    said = refused(1, "bisect", "--base", "6.1")
    assert "the first to break is second/6.1.patch" in said and code in said
    assert "1 of 2 patches" in said


def test_failed_case_names_the_last_patch(two, refused):
    two.behave(json=kunit_json(adds="PASS", drops="FAIL"))
    said = refused(1, "bisect", "--base", "6.1")
    assert "break is one-line/6.1.patch: put_user_page.drops" in said


def test_base_that_is_broken_itself(two, refused):
    two.behave(breaks="int line_01")
    assert "is the base without a patch" in refused(1, "bisect", "--base", "6.1")


def test_tree_and_results_are_its_own(two, gup):
    gup("tree")
    tip = two.git("rev-parse", "HEAD")
    gup("bisect", "--base", "6.1")
    assert two.git("rev-parse", "HEAD") == tip
    assert not two.layout.results("6.1", "um").exists()
    tree = two.layout.tree("6.1", "bisect")
    assert two.git("log", "--format=%s", tree=tree).splitlines()[0] == \
        "mm/gup: add KUnit tests"
    tarball = write_tarball(two.root / "linux.tar", "6.1.12")
    assert gup("tree", "--ksrc", tarball).code == 0
    gup("bisect", "--base", "6.1")
    assert "SUBLEVEL = 12" in (tree / "Makefile").read_text()


def test_work_in_the_tree_is_kept(two, gup, refused):
    gup("bisect", "--base", "6.1")
    mine = two.layout.tree("6.1", "bisect") / "mm/mine.c"
    mine.write_text("int mine;\n")
    assert "gup bisect --base 6.1 --set-aside" in refused(2, "bisect", "--base", "6.1")
    assert mine.exists()
    assert "kept on branch aside/" in gup("bisect", "--base", "6.1", "--set-aside").out


def test_unknown_names(refused):
    assert "unknown base '9'" in refused(2, "bisect", "--base", "9")
    assert "unknown arch 'vax'" in refused(2, "bisect", "--base", "6.1", "--arch", "vax")
