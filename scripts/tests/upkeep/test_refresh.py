# SPDX-License-Identifier: GPL-2.0-only
"""gup refresh: the commits of a tree become the stored files again."""

import json
import shutil

import pytest

from conftest import GUP_C, edit, stored, unified, with_line
from guplib import config, queue
from guplib.system import transaction

STORED = ("patches", "series", "kunit", "config")


def contents(project):
    """All stored files, by path."""
    return {path.relative_to(project.root): path.read_text() for name in STORED
            for path in (project.root / name).rglob("*") if path.is_file()}


def commit(project, message="mm/gup: mend it\n\nIt was broken.", line=45,
           text="int mended;", tree=None, before_tests=True):
    """Edit mm/gup.c and commit it, as a rule ahead of the tests."""
    tests = project.git("rev-parse", "HEAD", tree=tree)
    if before_tests:
        project.git("reset", "-q", "--hard", "HEAD~1", tree=tree)
    file = (tree or project.tree) / "mm/gup.c"
    lines = file.read_text().splitlines()
    lines[line - 1] = text
    file.write_text("\n".join(lines) + "\n")
    project.git("add", "-A", tree=tree)
    project.git("commit", "-q", "-m", message, tree=tree)
    if before_tests:
        project.git("cherry-pick", tests, tree=tree)


def amend(project, *words):
    project.git("add", "-A")
    project.git("commit", "-q", "--amend", "--no-edit", *words)


def test_patch_gets_its_stored_form(with_trees, gup):
    said = gup("refresh", "--base", "6.1")
    assert said.code == 0 and "patches/one-line/6.1.patch: changed" in said.out
    text = with_trees.patch.read_text()
    assert text.startswith("Subject: mm/gup: change a line\n\nThe body of it.\n---\n"
                           " mm/gup.c | 2 +-\n 1 file changed, 1 insertion(+), "
                           "1 deletion(-)\n\ndiff --git a/mm/gup.c b/mm/gup.c\nindex ")
    assert len(text.partition("\nindex ")[2].partition("..")[0]) == 40


def test_refresh_of_an_unchanged_tree_changes_nothing(ready, gup):
    before = contents(ready)
    for base in ("6.1", "7.2"):
        assert gup("refresh", "--base", base, "--check").out.endswith("nothing changed\n")
        assert gup("refresh", "--base", base).code == 0
    assert contents(ready) == before


def test_unchanged_shared_patch_needs_no_tree_of_another_base(drifted, ready, gup):
    shutil.rmtree(ready.layout.base("6.1"))
    assert gup("refresh", "--base", "7.2", "--check").code == 0
    assert not ready.tree.exists()


def test_check_says_what_would_change_and_writes_nothing(with_trees, gup):
    before = contents(with_trees)
    said = gup("refresh", "--base", "6.1", "--check")
    assert said.code == 1 and "one-line/6.1.patch: changed" in said.out
    assert contents(with_trees) == before


def test_gup_check_has_it_as_a_step(with_trees, gup):
    (with_trees.root / "config/packages.toml").write_text(
        "[tree]\n[toml]\n[kernel]\n[check]\n[lint]\n[mail]\n[far]\n")
    assert gup("check", "--only", "refresh").code == 1
    gup("refresh", "--base", "6.1")
    gup("refresh", "--base", "7.2")
    assert "2 passed, 0 failed" in gup("check", "--only", "refresh").out


def test_fixup_and_rebase_are_followed(ready, gup):
    file = ready.tree / "mm/gup.c"
    file.write_text(file.read_text().replace("int changed;", "int better;"))
    stamp = file.stat().st_mtime_ns
    tests = ready.git("rev-parse", "HEAD")
    ready.git("stash", "-q")
    ready.git("reset", "-q", "--hard", "HEAD~1")
    ready.git("stash", "pop", "-q")
    amend(ready)
    ready.git("cherry-pick", tests)
    stamp = file.stat().st_mtime_ns
    said = gup("refresh", "--base", "6.1")
    assert said.code == 0, said
    assert "+int better;" in ready.patch.read_text()
    assert file.stat().st_mtime_ns == stamp
    state = json.loads((ready.tree / ".git/gup.json").read_text())
    assert state["head"] == ready.git("rev-parse", "HEAD") and not state["target"]
    assert ready.git("branch", "--show-current") == "gup/6.1"
    assert "commits on" not in gup("tree").out
    assert gup("refresh", "--base", "7.2", "--check").code == 0


def test_commit_ids_after_a_refresh_are_those_of_a_fresh_tree(ready, gup):
    commit(ready)
    gup("refresh", "--base", "6.1")
    tip = ready.git("rev-parse", "HEAD")
    shutil.rmtree(ready.layout.base("6.1"))
    gup("tree")
    assert ready.git("rev-parse", "HEAD") == tip


@pytest.mark.parametrize("name, place", [
    ("put_user_page_kunit.c", "kunit/put_user_page_kunit.c"),
    (".kunitconfig", "kunit/kunitconfig"), ("gup_compat.h", "kunit/compat/6.1.h"),
    ("Kconfig", "kunit/Kconfig"), ("Makefile", "kunit/Makefile")])
def test_edit_to_a_suite_goes_back_to_its_source(ready, gup, name, place):
    hookup = ready.layout.hookup("6.1").read_text()
    file = ready.tree / "mm/tests" / name
    file.write_text(file.read_text() + "/* more */\n")
    amend(ready)
    said = gup("refresh", "--base", "6.1")
    assert f"{place}: changed\n" in said.out and said.code == 0
    assert (ready.root / place).read_text().endswith("/* more */\n")
    assert ready.layout.hookup("6.1").read_text() == hookup


def test_later_compat_header_is_stored_as_that_of_its_base(ready, gup):
    folder = ready.tree / "mm/tests"
    (folder / "gup_compat.h").write_text('#include "gup_compat_7.2.h"\n')
    (folder / "gup_compat_7.2.h").write_text("/* what 7.2 lacks */\n")
    amend(ready)
    said = gup("refresh", "--base", "6.1")
    assert said.code == 0 and "kunit/compat/7.2.h: new\n" in said.out, said
    assert ready.layout.compat("7.2").read_text() == "/* what 7.2 lacks */\n"
    assert not (ready.root / "kunit/gup_compat_7.2.h").exists()
    (folder / "gup_compat_7.2.h").write_text("/* less */\n")
    amend(ready)
    assert "kunit/compat/7.2.h: changed\n" in gup("refresh", "--base", "6.1").out
    assert gup("refresh", "--base", "6.1", "--check").code == 0


def test_edit_to_the_hookup_goes_to_its_patch(ready, gup):
    edit(ready.tree / "mm/Makefile", "+= tests/", "+= checks/")
    amend(ready)
    assert gup("refresh", "--base", "6.1").out.endswith(
        "kunit/hookup/6.1.patch: changed\n")
    assert "+obj-y += checks/" in ready.layout.hookup("6.1").read_text()


def test_suites_come_and_go(ready, gup):
    (ready.tree / "mm/tests/other.h").write_text("int other;\n")
    (ready.tree / "mm/tests/put_user_page_kunit.c").unlink()
    amend(ready)
    said = gup("refresh", "--base", "6.1").out
    assert "kunit/other.h: new" in said
    assert "kunit/put_user_page_kunit.c: removed" in said
    assert not (ready.root / "kunit/put_user_page_kunit.c").exists()


@pytest.mark.parametrize("name", ["Kconfig", "Makefile"])
def test_what_builds_the_suites_is_stored_beside_them(project, gup, name):
    stored = project.root / "kunit" / name
    stored.unlink()
    gup("tree")
    (project.tree / "mm/tests" / name).write_text("# new\n")
    amend(project)
    assert f"kunit/{name}: new\n" in gup("refresh", "--base", "6.1").out
    assert stored.read_text() == "# new\n"


def test_new_commit_becomes_a_topic_to_fill_in(ready, gup):
    commit(ready)
    said = gup("refresh", "--base", "6.1")
    assert "new topic mend-it: fill in patches/mend-it/topic.toml" in said.out
    assert ready.layout.series("6.1").read_text() == (
        "one-line/6.1.patch\nmend-it/6.1.patch\n")
    assert ready.layout.series("7.2").read_text() == "one-line/6.1.patch\n"
    problems = queue.problems(ready.layout)
    assert len(problems) == 1 and "'why' is empty; fill it in" in problems[0]
    path = ready.layout.topic("mend-it")
    edit(path, 'why = ""', 'why = "It was broken."')
    assert "'severity' is empty" in queue.problems(ready.layout)[0]
    edit(path, 'severity = ""', 'severity = "user: it breaks"')
    edit(path, 'affected = ""', 'affected = "v6.0.."')
    edit(path, "suites = []", 'suites = ["put_user_page"]')
    assert "base 7.2: '' is none of 'needed'" in queue.problems(ready.layout)[0]
    edit(path, '"7.2" = ""', '"7.2" = "in-base"')
    assert "name its own cases" in queue.problems(ready.layout)[0]
    for topic, case in (("mend-it", "adds"), ("one-line", "drops")):
        edit(ready.layout.topic(topic), "suites =",
             f'cases = ["put_user_page.{case}"]\nsuites =')
    assert queue.problems(ready.layout) == []


def test_new_file_of_a_patch_is_put_down_in_bases_toml(ready, gup):
    (ready.tree / "mm/extra.c").write_text("int extra;\n")
    commit(ready)
    ready.git("reset", "-q", "--hard")
    assert gup("refresh", "--base", "6.1").code == 0
    blobs = {name: base.blobs for name, base in config.bases(ready.layout).items()}
    assert set(blobs["6.1"]) <= {"mm/gup.c", "mm/extra.c"}
    assert set(blobs["7.2"]) == {"mm/gup.c"}
    assert not any("blobs" in line for line in queue.problems(ready.layout))


def test_topics_of_one_name_are_told_apart(ready, gup):
    commit(ready, "mm/gup: one line\n\nBody.")
    gup("refresh", "--base", "6.1")
    assert (ready.root / "patches/one-line-2/6.1.patch").exists()


def test_reordered_commits_change_the_series(ready, gup):
    commit(ready)
    gup("refresh", "--base", "6.1")
    path = ready.layout.series("6.1")
    path.write_text("# first\none-line/6.1.patch\nmend-it/6.1.patch # why\n# end\n")
    base, one, two, tests = (ready.git("rev-parse", name) for name in
                             ("base", "HEAD~2", "HEAD~1", "HEAD"))
    ready.git("reset", "-q", "--hard", base)
    ready.git("cherry-pick", two, one, tests)
    assert gup("refresh", "--base", "6.1").code == 0
    assert path.read_text() == (
        "mend-it/6.1.patch # why\n# first\none-line/6.1.patch\n# end\n")


def test_dropped_commit_leaves_the_series_and_its_variant_goes(ready, gup):
    commit(ready)
    gup("refresh", "--base", "6.1")
    tests = ready.git("rev-parse", "HEAD")
    ready.git("reset", "-q", "--hard", "HEAD~2")
    ready.git("cherry-pick", tests)
    said = gup("refresh", "--base", "6.1")
    assert said.code == 0 and "patches/mend-it/6.1.patch: removed" in said.out
    assert ready.layout.series("6.1").read_text() == "one-line/6.1.patch\n"
    assert ready.layout.topic("mend-it").exists()


def test_dropped_variant_that_another_base_takes_stays(ready, gup):
    tests = ready.git("rev-parse", "HEAD")
    ready.git("reset", "-q", "--hard", "base")
    ready.git("cherry-pick", tests)
    assert gup("refresh", "--base", "6.1").code == 0
    assert ready.patch.exists() and ready.layout.series("6.1").read_text() == ""


def test_reworded_commit_keeps_its_topic(ready, gup):
    tests = ready.git("rev-parse", "HEAD")
    ready.git("reset", "-q", "--hard", "HEAD~1")
    ready.git("commit", "-q", "--amend", "-m", "mm/gup: alter a line\n\nNew body.")
    ready.git("cherry-pick", tests)
    assert gup("refresh", "--base", "6.1").code == 0
    text = ready.patch.read_text()
    assert text.startswith("Subject: mm/gup: alter a line\n\nNew body.")
    assert queue.topic(ready.layout, "one-line").title == "mm/gup: alter a line"


@pytest.fixture
def drifted(ready, gup):
    """The newer base has more lines ahead of what the patch changes."""
    ready.another_kernel("7.2", ["int added;"] * 5 + GUP_C)
    assert gup("refresh", "--base", "7.2").code == 0
    return ready


def test_shared_patch_edited_on_the_newer_base_is_stored_for_the_older(drifted, ready,
                                                                       gup):
    older = ready.git("rev-parse", "base:mm/gup.c")
    tree = ready.layout.tree("7.2")
    tests = ready.git("rev-parse", "HEAD", tree=tree)
    ready.git("reset", "-q", "--hard", "HEAD~1", tree=tree)
    edit(tree / "mm/gup.c", "int changed;", "int newer;")
    ready.git("commit", "-q", "-a", "--amend", "--no-edit", tree=tree)
    ready.git("cherry-pick", tests, tree=tree)
    stamp = (ready.tree / "mm/gup.c").stat().st_mtime_ns
    assert gup("refresh", "--base", "7.2").code == 0
    text = ready.patch.read_text()
    assert "+int newer;" in text and f"index {older}.." in text
    assert "@@ -27,7 +27,7 @@" in text
    assert (ready.tree / "mm/gup.c").stat().st_mtime_ns == stamp
    gup("tree")
    assert "int newer;" in (ready.tree / "mm/gup.c").read_text()
    assert gup("refresh", "--base", "6.1", "--check").code == 0


def test_shared_patch_that_does_not_apply_elsewhere_changes_nothing(ready, gup, refused):
    own = ready.root / "patches/own"
    shutil.copytree(ready.root / "patches/one-line", own)
    (own / "6.1.patch").unlink()
    (own / "7.2.patch").write_text(stored("mm/gup: own", unified(
        GUP_C, with_line(40, "int own;"), "mm/gup.c")))
    ready.layout.series("7.2").write_text("own/7.2.patch\none-line/6.1.patch\n")
    assert gup("refresh", "--base", "7.2").code == 0
    tests = ready.git("rev-parse", "HEAD")
    ready.git("reset", "-q", "--hard", "HEAD~1")
    file = ready.tree / "mm/gup.c"
    file.write_text(file.read_text().replace("int line_40;", "int line_forty;"))
    amend(ready)
    ready.git("cherry-pick", tests)
    before, head = contents(ready), ready.git("rev-parse", "HEAD")
    said = refused(2, "refresh", "--base", "6.1")
    for part in ("base 7.2: one-line/6.1.patch does not apply", "hunk 2 of 2",
                 "nothing was changed"):
        assert part in said
    assert contents(ready) == before and ready.git("rev-parse", "HEAD") == head


@pytest.mark.parametrize("message, part", [
    ("fixup! mm/gup: change a line", "not joined yet"),
    ("mm/gup: no body", "has no body"),
    ("mm/gup: two\nlines\n\nBody.", "subject of two lines"),
    ("mm/gup: cut\n\nBody.\n---\nmore", "a line '---'"),
    ("mm/gup: change a line\n\nBody.", "two commits have the subject"),
    ("mm/gup: add KUnit tests\n\nBody.", "two commits have the subject")])
def test_commit_that_cannot_be_stored_is_named(ready, refused, message, part):
    commit(ready, message)
    before = contents(ready)
    assert part in refused(2, "refresh", "--base", "6.1")
    assert contents(ready) == before


def test_sign_off_is_left_out_and_said(ready, gup):
    commit(ready, "mm/gup: mend it\n\nBody.\n\nSigned-off-by: P <p@example.org>")
    assert "left out 'Signed-off-by: P" in gup("refresh", "--base", "6.1").out
    assert "Signed-off" not in (ready.root / "patches/mend-it/6.1.patch").read_text()


def test_tests_have_to_be_last(ready, refused):
    commit(ready, before_tests=False)
    assert "is not the last" in refused(2, "refresh", "--base", "6.1")


def test_tests_have_to_be_there(ready, refused):
    ready.git("reset", "-q", "--hard", "HEAD~1")
    assert "no commit 'mm/gup: add KUnit tests'" in refused(2, "refresh", "--base", "6.1")


def test_suite_in_another_commit_is_refused(ready, refused):
    tests = ready.git("rev-parse", "HEAD")
    ready.git("reset", "-q", "--hard", "HEAD~1")
    (ready.tree / "mm/tests").mkdir(exist_ok=True)
    (ready.tree / "mm/tests/gup_compat.h").write_text("x\n")
    ready.git("add", "-A")
    ready.git("commit", "-q", "-m", "mm/gup: early\n\nBody.")
    ready.git("cherry-pick", "-X", "theirs", tests)
    assert "belongs to the commit" in refused(2, "refresh", "--base", "6.1")


def test_merge_is_refused(ready, refused):
    commit(ready, before_tests=False)
    ready.git("checkout", "-q", "-b", "side", "HEAD~1")
    commit(ready, "mm/gup: side\n\nBody.", 10, before_tests=False)
    ready.git("checkout", "-q", "gup/6.1")
    ready.git("merge", "-q", "side")
    assert "is a merge" in refused(2, "refresh", "--base", "6.1")


def test_uncommitted_work_is_refused(ready, refused):
    edit(ready.tree / "mm/gup.c", "int changed;", "int loose;")
    assert "changed file mm/gup.c: commit this first" in refused(
        2, "refresh", "--base", "6.1")


def test_other_branch_is_refused(ready, refused):
    ready.git("checkout", "-q", "-b", "mine")
    commit(ready)
    assert "HEAD is not branch gup/6.1" in refused(2, "refresh", "--base", "6.1")


def test_queue_that_changed_below_the_work_is_not_overwritten(ready, refused):
    commit(ready)
    edit(ready.patch, "The body of it.", "Another body.")
    assert "the stored queue has changed since" in refused(2, "refresh", "--base", "6.1")
    assert "Another body." in ready.patch.read_text()


def test_file_that_is_edited_meanwhile_is_kept(ready, refused, monkeypatch):
    """Such as while refresh waits for the lock of a base that shares a patch."""
    from guplib.upkeep import refresh
    real = refresh._work_out

    def meanwhile(place):
        found = real(place)
        edit(ready.layout.topic("one-line"), "A line was wrong.", "It was wrong.")
        return found
    (ready.tree / "mm/gup.c").write_text("int all;\n")
    ready.git("commit", "-q", "-a", "--amend", "--no-edit", tree=ready.tree)
    monkeypatch.setattr(refresh, "_work_out", meanwhile)
    before = ready.patch.read_text()
    assert "one-line/topic.toml has changed meanwhile; nothing was stored" in refused(
        2, "refresh", "--base", "6.1")
    assert ready.patch.read_text() == before
    assert "It was wrong." in ready.layout.topic("one-line").read_text()


def test_file_whose_mode_cannot_be_stored_is_refused(ready, refused):
    (ready.tree / "mm/tests/put_user_page_kunit.c").chmod(0o755)
    amend(ready)
    assert "cannot be stored as it is" in refused(2, "refresh", "--base", "6.1")


def test_unknown_base(refused):
    assert "unknown base '9'" in refused(2, "refresh", "--base", "9")


@pytest.mark.parametrize("done", range(5))
def test_kill_while_files_are_put_in_place(ready, gup, monkeypatch, done):
    """The write that follows `done` others never comes; the next call ends it."""
    commit(ready)
    before = contents(ready)
    from guplib.system import files
    real, calls = files.write, []

    def write(path, text):
        if ready.layout.draft not in path.parents:
            calls.append(path)
            if len(calls) > done:
                raise KeyboardInterrupt
        return real(path, text)
    monkeypatch.setattr(files, "write", write)
    assert gup("refresh", "--base", "6.1").code == 130
    monkeypatch.setattr(files, "write", real)
    assert gup("tree", "--base", "6.1").code == (0 if done else 2)
    after = contents(ready)
    if done == 0:
        assert after == before
    else:
        assert "patches/mend-it/6.1.patch" in map(str, after)
        assert "mend-it" in ready.layout.series("6.1").read_text()
        assert ready.git("status", "--porcelain") == ""
        assert gup("refresh", "--base", "6.1", "--check").code == 0
    assert not ready.layout.journal.exists()


def test_journal_changes_all_or_nothing(project):
    new, gone = project.root / "patches/new/x", project.patch
    with transaction.hold(project.layout):
        transaction.commit(project.layout, {new: "x\n", gone: None})
    assert new.read_text() == "x\n" and not gone.exists()
    transaction.recover(project.layout)
