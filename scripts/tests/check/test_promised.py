# SPDX-License-Identifier: GPL-2.0-only
"""gup check --only promises: what is read of a tree, and how it ends."""

import shutil
from dataclasses import replace

import pytest

from conftest import GUP_C, edit, stored, unified
from guplib import config
from guplib.check import promised
from guplib.kernel.spec import TreeSpec
from guplib.kernel.state import Tree, state_of
from made_up.promises import COMMENT, write_promises

pytestmark = pytest.mark.skipif(not shutil.which("quilt"), reason="quilt is missing")
HEADER = "include/linux/mm.h"


@pytest.fixture
def promising(project):
    """A queue whose patch adds a comment to mm/gup.c."""
    project.patch.write_text(stored("mm/gup: change a line", unified(
        GUP_C, [*GUP_C[:29], *COMMENT.splitlines(), *GUP_C[29:]], "mm/gup.c")))
    path = project.root / "config/packages.toml"
    path.write_text(path.read_text() + '[check]\nquilt = "quilt"\n')
    write_promises(project.root)
    return project


def tree_of(project):
    spec = TreeSpec(project.layout, config.base(project.layout, "6.1"))
    return Tree(spec, state_of(spec), ())


@pytest.fixture
def tree(promising, gup):
    """The tree of 6.1, which has the comment."""
    assert gup("tree", "--base", "6.1").code == 0
    return tree_of(promising)


def test_good_data_passes_on_each_base(promising, gup):
    said = gup("check", "--only", "promises")
    assert said.code == 0 and said.out.endswith("3 passed, 0 failed\n"), said


def test_problems_are_a_line_each(promising, gup):
    path = write_promises(promising.root)
    edit(path, '[[guard]]\ncases = ["put_user_page.drops"]\nreason = "What is dropped."\n', "")
    edit(path, '"@page: the page"', '"@page: a page"')
    said = gup("check", "--only", "promises", "--bases", "6.1")
    assert said.code == 1 and said.out.endswith("0 passed, 2 failed\n")
    lines = [line for line in said.out.splitlines() if line.startswith("FAILED promises")]
    assert len(lines) == 3 and "put_user_page.drops holds no sentence" in lines[0]
    assert "FAILED promises 6.1: take(): '@page: the page' is new" in lines[1]


def test_missing_case_is_counted_as_skipped(promising, gup):
    edit(write_promises(promising.root), 'reason = "Nobody knows."', 'missing = "a page"')
    said = gup("check", "--only", "promises")
    assert said.code == 0 and said.out.endswith("3 passed, 0 failed, 1 skipped\n")
    assert "skipped promise of take(), 'It may fail.': no case: a page" in said.out


def test_damaged_file_fails_and_ends_nothing(promising, gup):
    path = write_promises(promising.root, "[functions\n")
    said = gup("check", "--only", "promises,quilt", "--bases", "6.1")
    assert said.code == 1 and said.out.endswith("1 passed, 2 failed\n")
    assert f"{path}: not valid TOML" in said.out and "Traceback" not in said.out + said.err


def test_queue_without_such_files_fails(promising, gup):
    (promising.root / "config/promises/take.toml").unlink()
    said = gup("check", "--only", "promises", "--bases", "6.1")
    assert said.code == 1 and "take() in mm/gup.c: no [functions] has it for 6.1" in said.out


def have_header(promising, tree, before, now):
    """Let the series touch a header that has a comment before and now."""
    path = tree.path / HEADER
    path.parent.mkdir(parents=True)
    path.write_text(before)
    promising.git("add", HEADER)
    promising.git("commit", "-qm", "a header")
    path.write_text(now)
    promising.patch.write_text(promising.patch.read_text() + unified(["a"], ["b"], HEADER))
    return Tree(tree.spec, replace(tree.state, base=promising.git("rev-parse", "HEAD")), ())


GIVE = COMMENT.replace("take()", "give()") + "\n"


@pytest.mark.parametrize("before, now, counts", [
    (GIVE, GIVE, False), (GIVE, GIVE.replace("may", "can"), True), ("", GIVE, True),
    (GIVE, "", False)])
def test_comment_elsewhere_counts_if_the_series_changes_it(promising, tree, before, now, counts):
    found = promised.base(have_header(promising, tree, before, now))
    assert [f"give() in {HEADER}" in line for line in found] == [True] * counts


def test_file_that_the_series_creates_has_new_comments(promising, tree):
    ready = have_header(promising, tree, "", GIVE)
    ready = Tree(ready.spec, replace(ready.state, base=tree.state.base), ())
    assert f"give() in {HEADER}" in promised.base(ready)[0]


def test_promise_that_no_case_of_the_base_holds(promising, tree):
    path = promising.root / "config/cells.toml"
    path.write_text(f'{path.read_text()}[[need]]\nhas = "give()"\n[need.cases]\n'
                    'put_user_page = ["adds"]\n')
    assert "none of its cases applies to 6.1" in promised.base(tree)[0]
    have_header(promising, tree, "", "void give(void);\n")
    assert promised.base(tree) == []
