# SPDX-License-Identifier: GPL-2.0-only
"""The tree of a base: what is in it, what moves it, what is never lost."""

import os
import shutil
import subprocess

import pytest

from conftest import (GUP_C, blob_id, edit, stored, tarball, unified, with_line, write_folder,
                      write_tarball)
from guplib.cli import program
from guplib.system.git import Git


def test_tree_is_the_base_and_a_commit_for_each_patch(project, gup):
    assert gup("tree").code == 0
    assert project.git("log", "--format=%s").splitlines() == [
        "mm/gup: add KUnit tests", "mm/gup: change a line", "Linux 6.1.9"]
    assert project.git("log", "-1", "--format=%s", "base") == "Linux 6.1.9"
    assert project.git("branch", "--show-current") == "gup/6.1"
    assert project.git("log", "-1", "--format=%b", "HEAD~1") == "The body of it."
    assert project.git("status", "--porcelain") == ""


def test_suites_and_what_builds_them_come_with_the_hookup(with_trees, gup):
    assert with_trees.git("show", "--name-only", "--format=", "HEAD").splitlines() == [
        "mm/Makefile", "mm/tests/.kunitconfig", "mm/tests/Kconfig",
        "mm/tests/Makefile", "mm/tests/gup_compat.h", "mm/tests/put_user_page_kunit.c"]
    gup("tree", "--base", "7.2")
    assert not (with_trees.layout.tree("7.2") / "mm/tests/gup_compat.h").exists()


def with_later_compat(project):
    """Let 6.1's compat header include that of 7.2, and this one that of 7.3."""
    (project.root / "kunit/compat/6.1.h").write_text(
        '/* 6.1 */\n#include "gup_compat_7.2.h"\n')
    (project.root / "kunit/compat/7.2.h").write_text(
        '/* 7.2 */\n#include "gup_compat_7.3.h"\n')
    (project.root / "kunit/compat/7.3.h").write_text("/* 7.3 */\n")


def test_compat_headers_of_later_bases_come_with_that_of_an_older_one(project, gup):
    with_later_compat(project)
    gup("tree")
    gup("tree", "--base", "7.2")
    for base, headers in (("6.1", {"": "6.1", "_7.2": "7.2", "_7.3": "7.3"}),
                          ("7.2", {"": "7.2", "_7.3": "7.3"})):
        folder = project.layout.tree(base) / "mm/tests"
        assert {path.name: path.read_text().split()[1]
                for path in folder.glob("gup_compat*")} == {
            f"gup_compat{name}.h": text for name, text in headers.items()}


def test_compat_header_that_is_missing_is_named(project, refused):
    with_later_compat(project)
    (project.root / "kunit/compat/7.3.h").unlink()
    said = refused(2, "tree")
    assert "kunit/compat/7.3.h: no such file, but" in said and "compat/6.1.h" in said


def test_compat_headers_that_include_each_other_are_taken_once(project, gup):
    with_later_compat(project)
    (project.root / "kunit/compat/7.3.h").write_text('#include "gup_compat_7.2.h"\n'
                                                     '#include "gup_compat_6.1.h"\n')
    assert gup("tree").code == 0
    assert len([*(project.tree / "mm/tests").glob("gup_compat*")]) == 3


def test_commit_ids_are_the_same_everywhere(with_trees, gup):
    first = with_trees.git("rev-parse", "HEAD")
    subprocess.run(["rm", "-rf", with_trees.layout.base("6.1")], check=True)
    gup("tree")
    assert with_trees.git("rev-parse", "HEAD") == first


def test_second_call_touches_no_file(with_trees, gup):
    before = {path: path.stat().st_mtime_ns for path in with_trees.tree.rglob("*.[ch]")}
    gup("tree")
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_changed_patch_touches_only_its_own_file(with_trees, gup):
    makefile = (with_trees.tree / "Makefile").stat().st_mtime_ns
    suite = (with_trees.tree / "mm/tests/put_user_page_kunit.c").stat().st_mtime_ns
    with_trees.patch.write_text(stored("mm/gup: change a line", unified(
        GUP_C, with_line(30, "int other;"), "mm/gup.c")))
    assert gup("tree").code == 0
    assert "int other;" in (with_trees.tree / "mm/gup.c").read_text()
    assert (with_trees.tree / "Makefile").stat().st_mtime_ns == makefile
    assert (with_trees.tree / "mm/tests/put_user_page_kunit.c").stat().st_mtime_ns == suite


def test_debians_gitignore_does_not_hide_a_new_file(with_trees, refused):
    (with_trees.tree / "mm/new.c").write_text("int new;\n")
    assert "changed file mm/new.c" in refused(2, "tree")


@pytest.mark.parametrize("commit", [False, True])
def test_work_in_the_tree_is_not_overwritten(with_trees, refused, commit):
    file = with_trees.tree / "mm/gup.c"
    file.write_text(file.read_text() + "int mine;\n")
    if commit:
        with_trees.git("commit", "-qam", "my own change")
    said = refused(2, "tree")
    assert ("my own change" if commit else "mm/gup.c") in said
    assert "--set-aside" in said and "switch -c" in said
    assert "int mine;" in file.read_text()


def test_dropped_commit_counts_as_work(with_trees, refused):
    with_trees.git("reset", "-q", "--hard", "HEAD~1")
    assert "mm/gup: change a line" in refused(2, "tree")


def test_drop_keeps_the_work_on_a_branch(with_trees, gup):
    tip = with_trees.git("rev-parse", "HEAD")
    file = with_trees.tree / "mm/gup.c"
    file.write_text(file.read_text() + "int mine;\n")
    with_trees.git("commit", "-qam", "my own change")
    (with_trees.tree / "mm/new.c").write_text("int new;\n")
    said = gup("tree", "--set-aside")
    assert said.code == 0 and "aside/" in said.out
    assert with_trees.git("rev-parse", "HEAD") == tip
    branch = with_trees.git("branch", "--list", "aside/*").strip()
    assert "int mine;" in with_trees.git("show", f"{branch}:mm/gup.c")
    assert "int new;" in with_trees.git("show", f"{branch}:mm/new.c")


def test_unfinished_rebase_counts_as_work(with_trees, refused):
    (with_trees.tree / ".git/rebase-merge").mkdir()
    assert "unfinished rebase" in refused(2, "tree")


def test_patch_that_does_not_apply_names_base_patch_file_and_hunk(with_trees, refused):
    broken = with_line(30, "int changed;", with_line(5, "int early;"))
    old = with_line(28, "int never;", with_line(29, "int there;"))
    with_trees.patch.write_text(stored("mm/gup: change a line",
                                       unified(old, broken, "mm/gup.c")))
    said = refused(2, "tree")
    for part in ("base 6.1", "one-line/6.1.patch", "mm/gup.c", "hunk 2 of 2",
                 "last good commit"):
        assert part in said
    assert with_trees.git("log", "--format=%s") == "Linux 6.1.9"
    assert with_trees.git("status", "--porcelain") == ""


def test_good_patches_before_a_bad_one_stay_applied(project, gup, refused):
    bad = project.root / "patches/zz-bad"
    bad.mkdir()
    (bad / "topic.toml").write_text(
        (project.root / "patches/one-line/topic.toml").read_text()
        .replace('"7.2" = "needed"', '"7.2" = "in-base"'))
    (bad / "6.1.patch").write_text(stored("mm/gup: bad", unified(
        ["no", "such", "text"], ["no", "such", "line"], "mm/gup.c")))
    (project.root / "series/6.1").write_text("one-line/6.1.patch\nzz-bad/6.1.patch\n")
    assert "zz-bad/6.1.patch" in refused(2, "tree")
    assert project.git("log", "-1", "--format=%s") == "mm/gup: change a line"


def test_patch_that_needs_fuzz_is_refused_as_such(project, refused):
    drifted = with_line(27, "int drifted;")
    project.patch.write_text(stored("mm/gup: change a line", unified(
        drifted, with_line(30, "int changed;", drifted), "mm/gup.c")))
    said = refused(2, "tree")
    assert "applies only with fuzz 1" in said and "hunk 1 of 1" in said


def test_offset_is_no_fuzz(project, gup):
    write_tarball(tarball(project.root, "6.1", "6.1.9"), "6.1.9",
                  ["int added;"] * 7 + GUP_C)
    assert gup("tree").code == 0


def test_patch_to_a_file_the_base_lacks_says_so(project, refused):
    project.patch.write_text(stored("mm/gup: change a line", unified(
        ["a"], ["b"], "mm/missing.c")))
    path = project.root / "config/bases.toml"
    path.write_text(path.read_text().replace('"mm/gup.c"', '"mm/missing.c"'))
    assert "the base has no mm/missing.c" in refused(2, "tree")


def test_corrupt_patch_is_one_line(project, refused):
    project.patch.write_text(project.patch.read_text().replace("@@ -27,7", "@@ -27,9"))
    assert "corrupt patch" in refused(2, "tree")


def test_other_point_release_is_said_and_goes_on(project, gup):
    write_tarball(tarball(project.root, "6.1", "6.1.9"), "6.1.12")
    said = gup("tree")
    assert said.code == 0
    assert "this is 6.1.12, last verified was 6.1.9" in said.out


def test_other_blob_of_the_same_version_is_said(project, gup):
    path = project.root / "config/bases.toml"
    path.write_text(path.read_text().replace(blob_id(GUP_C), "0" * 40))
    assert "mm/gup.c differ from the verified 6.1.9" in gup("tree").out


def test_ksrc_tarball_and_folder_give_the_same_commits(with_trees, gup, tmp_path):
    tip = with_trees.git("rev-parse", "HEAD")
    tarball = write_tarball(tmp_path / "linux.tar", "6.1.9")
    assert gup("tree", "--ksrc", tarball).code == 0
    assert with_trees.git("rev-parse", "HEAD") == tip
    folder = write_folder(tmp_path / "unpacked", "6.1.9")
    assert gup("tree", "--ksrc", folder).code == 0
    assert with_trees.git("rev-parse", "HEAD") == tip


def clone(project, path, version="6.1.9"):
    write_folder(path, version)
    project.git("init", "-q", tree=path)
    project.git("add", "-f", "-A", tree=path)
    project.git("commit", "-q", "-m", "a real base", tree=path)
    project.git("tag", "v6.1.9", tree=path)
    return path


def test_clone_after_its_tree_was_removed_by_hand(project, gup, tmp_path):
    path = clone(project, tmp_path / "clone")
    gup("tree", "--ksrc", path)
    shutil.rmtree(project.layout.base("6.1"))
    said = gup("tree", "--ksrc", path)
    assert said.code == 0, said
    assert "int changed;" in (project.tree / "mm/gup.c").read_text()


def test_clone_that_another_queue_has_its_tree_of(project, gup, refused, tmp_path):
    path = clone(project, tmp_path / "clone")
    other = tmp_path / "other"
    shutil.copytree(project.root, other)
    assert program.main(["tree", "--ksrc", str(path)], other) == 0
    said = refused(2, "tree", "--ksrc", path)
    assert f"has gup/6.1 checked out in {other}/build/6.1/linux" in said
    assert not project.tree.exists()
    shutil.rmtree(other)
    Git(path).run("worktree", "prune")
    assert gup("tree", "--ksrc", path).code == 0


def test_hook_of_a_clone_does_not_run(project, gup, tmp_path):
    path = clone(project, tmp_path / "clone")
    hook = path / ".git/hooks/post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    assert gup("tree", "--ksrc", path).code == 0
    assert not (tmp_path / "ran").exists()


def test_hint_can_be_called_where_one_stands(with_trees, refused, monkeypatch):
    (with_trees.tree / "mm/gup.c").write_text("int mine;\n")
    (with_trees.root / "scripts").mkdir()
    for where, path in ((with_trees.root / "scripts", "../build/6.1/linux"),
                        (with_trees.root, "build/6.1/linux"),
                        (with_trees.root.parent, str(with_trees.tree))):
        monkeypatch.chdir(where)
        assert f"git -C {path} switch" in refused(2, "tree")


def test_ksrc_clone_becomes_a_worktree_on_the_ref(project, gup, tmp_path):
    path = clone(project, tmp_path / "clone")
    (path / "mm/gup.c").write_text("int newer;\n")
    project.git("commit", "-qam", "newer", tree=path)
    assert gup("tree", "--ksrc", path, "--ref", "v6.1.9").code == 0
    assert project.git("log", "-1", "--format=%s", "HEAD~2") == "a real base"
    assert str(project.tree) in project.git("worktree", "list", tree=path)
    assert project.git("status", "--porcelain", tree=path) == ""


def test_tree_of_a_moved_clone_is_made_anew(project, gup, tmp_path):
    path = clone(project, tmp_path / "clone")
    gup("tree", "--ksrc", path)
    project.git("commit", "-q", "--allow-empty", "-m", "newer", tree=path)
    assert gup("tree", "--ksrc", path).code == 0
    assert project.git("log", "-1", "--format=%s", "HEAD~2") == "newer"


def test_other_source_does_not_replace_work(with_trees, refused, tmp_path):
    (with_trees.tree / "mm/new.c").write_text("int new;\n")
    refused(2, "tree", "--ksrc", write_tarball(tmp_path / "linux.tar", "6.1.9"))
    assert (with_trees.tree / "mm/new.c").exists()


def test_branch_of_the_persons_own_in_a_clone_is_not_taken(project, refused, tmp_path):
    path = clone(project, tmp_path / "clone")
    project.git("branch", "gup/6.1", tree=path)
    assert "git branch -m gup/6.1" in refused(2, "tree", "--ksrc", path)


def test_folder_in_the_place_of_the_tree_is_left_alone(project, refused):
    project.tree.mkdir(parents=True)
    (project.tree / "notes").write_text("mine\n")
    assert "move it out of the way" in refused(2, "tree")
    assert (project.tree / "notes").exists()


def test_drop_in_the_middle_of_a_rebase_keeps_both_sides(with_trees, gup):
    file = with_trees.tree / "mm/gup.c"
    file.write_text(file.read_text().replace("int line_03;", "int mine;"))
    with_trees.git("commit", "-qam", "my own change")
    mine = with_trees.git("rev-parse", "HEAD")
    file.write_text(file.read_text().replace("int mine;", "int conflict;"))
    with_trees.git("commit", "-qam", "my second change")
    subprocess.run(["git", "-c", "user.name=P", "-c", "user.email=p@example.org", "rebase",
                    "-q", "--onto", f"{mine}~1", mine], cwd=with_trees.tree,
                   capture_output=True)
    assert (with_trees.tree / ".git/rebase-merge").exists()
    assert gup("tree", "--set-aside").code == 0
    assert with_trees.git("status", "--porcelain") == ""
    assert not (with_trees.tree / ".git/rebase-merge").exists()
    kept = with_trees.git("branch", "--list", "aside/*", "--format=%(contents:subject)")
    assert "my second change" in kept and "Work put aside" in kept


@pytest.mark.parametrize("stash", [False, True])
def test_other_source_does_not_remove_branches(with_trees, refused, tmp_path, stash):
    kept_away(with_trees, stash)
    said = refused(2, "tree", "--ksrc", clone(with_trees, tmp_path / "clone"))
    assert ("stash" if stash else "mywork") in said and "move the folder" in said
    assert with_trees.tree.exists()


def kept_away(project, stash):
    """Leave work beside the branch of a tree."""
    if stash:
        (project.tree / "mm/gup.c").write_text("int mine;\n")
        project.git("stash", "-q")
    else:
        project.git("branch", "mywork")


@pytest.mark.parametrize("stash", [False, True])
def test_other_tarball_becomes_the_base_beside_branches(with_trees, gup, tmp_path, stash):
    kept_away(with_trees, stash)
    before = with_trees.git("rev-parse", "base")
    lines = with_line(3, "int other;")
    said = gup("tree", "--ksrc", write_tarball(tmp_path / "linux.tar", "6.1.12", lines))
    assert said.code == 0, said
    assert with_trees.git("show", "base:mm/gup.c").splitlines() == lines
    assert "int changed;" in (with_trees.tree / "mm/gup.c").read_text()
    assert with_trees.git("rev-parse", "stash" if stash else "mywork")
    assert with_trees.git("rev-parse", "base") != before
    assert with_trees.git("status", "--porcelain") == ""


def verified(project, version):
    """Let bases.toml name another package for 6.1, which was fetched."""
    bases = project.layout.config / "bases.toml"
    edit(bases, "6.1.9-1", f"{version}-1")
    edit(bases, 'version = "6.1.9"', f'version = "{version}"')
    write_tarball(tarball(project.root, "6.1", version), version)


def test_tree_follows_the_package_that_is_verified(with_trees, gup):
    kept = with_trees.tree / "mm/Makefile"
    stamp = kept.stat().st_mtime_ns
    verified(with_trees, "6.1.12")
    said = gup("tree")
    assert said.code == 0, said
    assert "linux goes from linux-source-6.1 6.1.9-1 to linux-source-6.1 6.1.12-1" in said.out
    assert "SUBLEVEL = 12" in (with_trees.tree / "Makefile").read_text()
    assert kept.stat().st_mtime_ns == stamp
    assert "goes from" not in gup("tree").out


def test_tree_with_work_in_it_stays_on_its_kernel(with_trees, gup, refused):
    (with_trees.tree / "mm/gup.c").write_text("int mine;\n")
    verified(with_trees, "6.1.12")
    said = gup("kunit")
    assert said.code == 0, said
    assert "linux stays linux-source-6.1 6.1.9-1, for it has work in it" in said.out
    assert "holds work" in gup("tree").err
    assert gup("tree", "--set-aside").code == 0
    assert "SUBLEVEL = 12" in (with_trees.tree / "Makefile").read_text()
    branch = with_trees.git("branch", "--list", "aside/*", "--format=%(refname)")
    assert "mine" in with_trees.git("show", f"{branch}:mm/gup.c")


def test_tree_of_an_older_gup_is_known_by_its_kernel(with_trees, gup):
    state = with_trees.tree / ".git/gup.json"
    edit(state, ': "linux-source-6.1 6.1.9-1"', ': ""')
    assert "goes from" not in gup("tree").out
    verified(with_trees, "6.1.12")
    assert "goes from linux-source-6.1 to" in gup("tree").out


def test_tarball_has_no_say_in_owners_and_modes(project, gup, tmp_path):
    folder = write_folder(tmp_path / "linux-6.1.9", "6.1.9")
    (folder / "mm/gup.c").chmod(0o666)
    (folder / "scripts/checkpatch.pl").chmod(0o4777)
    subprocess.run(["tar", "-C", tmp_path, "--owner=1234", "--group=1234", "-cf",
                    tmp_path / "linux.tar", folder.name], check=True)
    assert gup("tree", "--ksrc", tmp_path / "linux.tar").code == 0
    found = (project.tree / "mm/gup.c").stat()
    assert (found.st_uid, found.st_mode & 0o022) == (os.getuid(), 0)
    assert (project.tree / "scripts/checkpatch.pl").stat().st_mode & 0o7022 == 0
