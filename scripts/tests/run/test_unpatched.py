# SPDX-License-Identifier: GPL-2.0-only
"""The base without the series, and a kunit.py that another base lends."""

import subprocess
import sys

import pytest

from conftest import KUNIT_PY, SCRIPTS, as_module, edit, kunit_json, write_tarball

pytestmark = pytest.mark.usefixtures("with_trees")


@pytest.fixture
def adds(project):
    """The topic adds the functions that the suite calls."""
    edit(project.root / "patches/one-line/topic.toml", "[base]", "adds = true\n[base]")
    (project.root / "kunit/kunitconfig").write_text(
        "CONFIG_KUNIT=y\nCONFIG_PUT_USER_PAGE_KUNIT_TEST=y\n")


def test_unpatched_tree_is_the_base_and_the_suites(project, gup):
    assert gup("tree", "--unpatched").code == 0
    tree = project.layout.tree("6.1", "unpatched")
    assert project.git("log", "--format=%s", tree=tree).splitlines() == [
        "mm/gup: add KUnit tests", "Linux 6.1.9"]
    assert "int changed;" not in (tree / "mm/gup.c").read_text()


def test_both_trees_stand_side_by_side(project, gup):
    gup("tree")
    stamp = (project.tree / "mm/gup.c").stat().st_mtime_ns
    tip = project.git("rev-parse", "HEAD")
    gup("tree", "--unpatched")
    gup("tree", "--unpatched")
    assert project.git("rev-parse", "HEAD") == tip
    assert (project.tree / "mm/gup.c").stat().st_mtime_ns == stamp


def test_unpatched_tree_follows_the_patched_one_to_another_source(project, gup, tmp_path):
    gup("tree", "--unpatched")
    tarball = write_tarball(tmp_path / "linux.tar", "6.1.12")
    assert gup("tree", "--ksrc", tarball).code == 0
    assert gup("tree", "--unpatched").code == 0
    tree = project.layout.tree("6.1", "unpatched")
    assert project.git("log", "-1", "--format=%s", "HEAD~1", tree=tree) == "Linux 6.1.12"


def test_work_in_the_unpatched_tree_keeps_the_source(project, gup, refused, tmp_path):
    gup("tree", "--unpatched")
    mine = project.layout.tree("6.1", "unpatched") / "mm/mine.c"
    mine.write_text("int mine;\n")
    tarball = write_tarball(tmp_path / "linux.tar", "6.1.12")
    assert "gup tree --base 6.1 --unpatched --set-aside" in refused(
        2, "tree", "--unpatched", "--ksrc", tarball)
    assert mine.exists()


def test_unpatched_results_are_kept_apart(project, gup):
    gup("kunit")
    project.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    assert gup("kunit", "--unpatched").code == 1
    assert project.results()["verdict"] == "passed"
    assert project.results()["patched"] is True
    assert project.results(patched=False)["verdict"] == "failed"
    assert project.results(patched=False)["patched"] is False


def test_suite_of_a_topic_that_adds_functions_is_left_out_and_said_so(project, gup, adds):
    project.behave(json={"name": "KUnit Test Group", "sub_groups": [], "test_cases": [
        {"name": "another", "status": "PASS"}]}, log="")
    said = gup("kunit", "--unpatched")
    assert said.code == 0, said
    assert "put_user_page is left out" in said.out
    config = project.layout.cell("6.1", "um", "unpatched") / "out/.kunitconfig"
    assert "PUT_USER_PAGE" not in config.read_text()


def test_suite_is_there_when_the_base_is_patched(project, gup, adds):
    gup("kunit")
    config = project.layout.cell("6.1", "um") / "out/.kunitconfig"
    assert "CONFIG_PUT_USER_PAGE_KUNIT_TEST=y" in config.read_text()


NOT_FROM_THE_TOOL = "import sys\nassert not [p for p in sys.path if 'guplib' in p], sys.path\n"


def test_other_bases_kunit_py_runs_where_the_own_one_cannot(project, gup):
    edit(project.root / "config/packages.toml", "qemu-system-far", "git")
    edit(project.root / "config/bases.toml", 'kunit_filter = false\nkunit_of = ""',
         'kunit_filter = false\nkunit_of = "6.1"')
    own = "tools/testing/kunit/kunit.py"
    project.another_kernel("7.2", replaced={own: "raise SystemExit('knows UML only')\n"})
    project.another_kernel("6.1", replaced={own: NOT_FROM_THE_TOOL + as_module(KUNIT_PY)})
    assert gup("kunit", "--base", "7.2", "--arch", "far").code == 0
    assert any("--arch=far" in call for call in project.calls())
    assert f"in {project.layout.tree('7.2')} " in project.calls()[0]
    gup("kunit", "--base", "7.2", "--arch", "far", "--unpatched")
    assert f"in {project.layout.tree('7.2', 'unpatched')} " in project.calls()[-1]


def test_kunit_py_that_cannot_be_pointed_elsewhere_says_so(tmp_path):
    (tmp_path / "kunit.py").write_text("")
    done = subprocess.run(
        [sys.executable, SCRIPTS / "guplib/run/kunit_from_other_tree.py",
         tmp_path / "kunit.py", "x"],
        capture_output=True, text=True)
    assert done.returncode == 1 and "get_kernel_root_path" in done.stderr
