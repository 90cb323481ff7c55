# SPDX-License-Identifier: GPL-2.0-only
"""gup bump: the queue on another kernel."""

import json
import shutil

import pytest

from conftest import GUP_C, edit, kunit_json, with_line, write_tarball
from guplib import config, queue
from guplib.run.verdict import Case, Verdict
from guplib.system import files
from test_refresh import contents


def test_clean_patches_are_stored_with_the_version(ready, gup, newer):
    head = ready.git("rev-parse", "HEAD")
    said = gup("bump", "--base", "6.1", "--ksrc", newer(GUP_C))
    assert said.code == 0, said
    assert "clean          one-line/6.1.patch" in said.out
    assert config.base(ready.layout, "6.1").version == "6.1.12"
    assert queue.problems(ready.layout) == []
    assert ready.git("rev-parse", "HEAD") == head


def test_offset_is_clean_and_blobs_follow(ready, gup, newer):
    before = config.base(ready.layout, "6.1").blobs["mm/gup.c"]
    assert gup("bump", "--base", "6.1", "--ksrc",
               newer(["int added;"] * 5 + GUP_C)).code == 0
    assert config.base(ready.layout, "6.1").blobs["mm/gup.c"] != before
    assert "@@ -32,7 +32,7 @@" in ready.patch.read_text()
    assert "base 7.2" not in "".join(queue.problems(ready.layout))


def test_context_that_moved_is_merged(own, gup, newer):
    said = gup("bump", "--base", "6.1", "--ksrc", newer(with_line(28, "int moved;")))
    assert said.code == 0, said
    assert "context moved  one-line/6.1.patch: " in said.out
    assert " int moved;" in own.patch.read_text()
    assert queue.problems(own.layout) == []


def test_change_that_is_already_there_leaves_the_series(own, gup, newer):
    said = gup("bump", "--base", "6.1", "--ksrc", newer(with_line(30, "int changed;")))
    assert said.code == 0, said
    assert "already there  one-line/6.1.patch" in said.out
    assert own.layout.series("6.1").read_text() == ""
    assert queue.topic(own.layout, "one-line").status["6.1"] == "in-base"
    assert not own.patch.exists()


def test_status_of_another_form_and_its_comment_are_seen(own, gup, newer):
    topic = own.layout.topic("one-line")
    edit(topic, '"6.1" = "needed"\n', "'6.1' = 'needed'   # for now\n")
    before = topic.read_text()
    said = gup("bump", "--base", "6.1", "--ksrc", newer(with_line(30, "int changed;")))
    assert said.code == 0, said
    assert topic.read_text() == before.replace("'needed'   # for", '"in-base"   # for')


def test_kernel_that_has_the_suites_is_refused(ready, refused, tmp_path):
    kernel = write_tarball(tmp_path / "newer.tar", "6.1.12", replaced={
        "mm/Makefile": "obj-y += gup.o\nobj-y += tests/\n"})
    assert "6.1.12 has the suites already; give a kernel without them" in refused(
        2, "bump", "--base", "6.1", "--ksrc", kernel)


def test_conflict_names_the_hunk_and_changes_nothing(ready, refused, newer):
    ready.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    before = contents(ready)
    said = refused(2, "bump", "--base", "6.1", "--ksrc",
                   newer(with_line(30, "int different;")), "--keep")
    for part in ("one-line/6.1.patch is in conflict with 6.1.12", "hunk 1 of 1",
                 "nothing was changed"):
        assert part in said
    assert contents(ready) == before


def unpatched(project, failed):
    """Let doc/measured.json have how many cases fail without the series."""
    files.write(project.layout.measured, json.dumps([{
        "base": "6.1", "arch": "um", "patched": False, "version": "6.1.9",
        "verdict": "failed", "suites": {"put_user_page": [2 - failed, failed, 0, 0]},
        "failed": ["put_user_page.drops"][:failed]}]))


def test_change_that_is_there_in_other_words_is_known_by_its_suite(own, gup, newer):
    unpatched(own, failed=1)
    said = gup("bump", "--base", "6.1", "--ksrc", newer(with_line(30, "int other;")))
    assert said.code == 0, said
    assert "conflict       one-line/6.1.patch: " in said.out
    assert "already there  one-line/6.1.patch: put_user_page.drops passed without it" \
        in said.out
    assert own.layout.series("6.1").read_text() == ""
    assert queue.topic(own.layout, "one-line").status["6.1"] == "in-base"
    assert not own.patch.exists() and queue.problems(own.layout) == []


def test_case_of_another_topic_shows_nothing(own, gup, newer):
    unpatched(own, failed=1)
    edit(own.layout.topic("one-line"), "suites =", 'cases = ["put_user_page.adds"]\nsuites =')
    said = gup("bump", "--base", "6.1", "--ksrc", newer(with_line(30, "int other;")))
    assert said.code == 2 and "in conflict with 6.1.12" in said.err


@pytest.mark.parametrize("failed", [None, 0])
def test_suite_that_passes_without_the_patch_anyway_shows_nothing(own, gup, newer, failed):
    if failed is not None:
        unpatched(own, failed)
    said = gup("bump", "--base", "6.1", "--ksrc", newer(with_line(30, "int other;")))
    assert said.code == 2 and "in conflict with 6.1.12" in said.err
    assert "without it" not in said.out


def test_topic_that_is_over_needs_no_suite_to_show_it(own, gup, newer):
    own.behave(json=kunit_json(adds="PASS", drops="PASS"))
    topic = own.layout.topic("one-line")
    edit(topic, '"v6.0.."', '"v5.1..v6.0"')
    said = gup("bump", "--base", "6.1", "--ksrc", newer(with_line(30, "int other;")))
    assert said.code == 0, said
    assert "already there  one-line/6.1.patch: topic.toml has affected = 'v5.1..v6.0'" \
        in said.out
    assert queue.topic(own.layout, "one-line").status["6.1"] == "in-base"


@pytest.mark.parametrize("reason", ['"no folios"', '"""no \\\n  folios"""'])
def test_variant_that_goes_takes_the_reasons_along(ready, gup, newer, reason):
    """7.2 comes to have the change, and 6.1 then has the only variant."""
    shutil.copy(ready.patch, ready.patch.with_name("7.2.patch"))
    ready.layout.series("7.2").write_text("one-line/7.2.patch\n")
    topic = ready.layout.topic("one-line")
    edit(topic, "not-submitted", f"merged {'1' * 40} v7.0")
    edit(topic, "[base]", f'[mainline]\ncommit = "{"1" * 40}"\ntitle = "mm: mend it"\n'
         'release = "v7.0"\n\n[base]')
    topic.write_text(f'{topic.read_text()}\n[difference]\n"6.1" = {reason}\n'
                     f'\n[backport]\n"6.1" = {reason}\n"7.2" = "nowhere"\n')
    assert queue.problems(ready.layout) == []
    said = gup("bump", "--base", "7.2", "--ksrc",
               newer(with_line(30, "int changed;"), "7.2.4"))
    assert said.code == 0 and "already there  one-line/7.2.patch" in said.out, said
    assert "[difference]" not in topic.read_text()
    assert topic.read_text().endswith(f'\n\n[backport]\n"6.1" = {reason}\n')
    assert queue.problems(ready.layout) == []


@pytest.mark.parametrize("line", ['', 'suites = ["put_user_page"]\nadds = true'])
def test_no_suite_can_show_that_a_topic_without_one_is_there(own, gup, newer, line):
    unpatched(own, failed=1)
    edit(own.layout.topic("one-line"), 'suites = ["put_user_page"]', line)
    said = gup("bump", "--base", "6.1", "--ksrc", newer(with_line(30, "int other;")))
    assert said.code == 2 and "in conflict with 6.1.12" in said.err
    assert "without it" not in said.out


def test_conflict_is_one_if_the_tree_does_not_build_without_it(own, gup, newer):
    unpatched(own, failed=1)
    own.behave(codes={"config": 0, "build": 1, "exec": 0})
    said = gup("bump", "--base", "6.1", "--ksrc", newer(with_line(30, "int other;")))
    assert said.code == 2 and "in conflict with 6.1.12" in said.err


def test_moved_context_of_a_shared_patch_parts_the_bases(ready, gup, newer):
    before = ready.patch.read_text()
    said = gup("bump", "--base", "6.1", "--ksrc", newer(with_line(28, "int m;")))
    assert said.code == 0, said
    assert "patches/one-line/7.2.patch is new\n" in said.out
    assert ready.patch.with_name("7.2.patch").read_text() == before
    assert ready.layout.series("7.2").read_text() == "one-line/7.2.patch\n"
    assert " int m;" in ready.patch.read_text()
    assert queue.topic(ready.layout, "one-line").difference == {
        "6.1": "The same change. Only the lines around it differ."}
    assert queue.problems(ready.layout) == []


def test_moved_context_of_a_lent_patch_makes_a_variant(ready, gup, newer):
    said = gup("bump", "--base", "7.2", "--ksrc",
               newer(with_line(28, "int moved;"), "7.2.4"))
    assert said.code == 0 and "patches/one-line/7.2.patch is new" in said.out
    assert ready.layout.series("7.2").read_text() == "one-line/7.2.patch\n"
    assert ready.layout.series("6.1").read_text() == "one-line/6.1.patch\n"


@pytest.mark.parametrize("keep", [False, True])
def test_failed_cell_is_stored_only_on_demand(ready, gup, newer, keep):
    ready.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    before = contents(ready)
    said = gup("bump", "--base", "6.1", "--ksrc", newer(GUP_C), *["--keep"] * keep)
    assert said.code == (0 if keep else 1)
    assert (contents(ready) != before) == keep
    if not keep:
        assert "the cell fails on 6.1.12; nothing was changed" in said.err


def test_failed_build_is_a_failed_cell(ready, gup, newer):
    ready.behave(codes={"config": 0, "build": 1, "exec": 0})
    said = gup("bump", "--base", "6.1", "--ksrc", newer(GUP_C))
    assert said.code == 1 and "does not build" in said.out


def test_kernel_of_another_base_is_refused(ready, refused, newer):
    assert "is Linux 7.2.4, not 6.1" in refused(
        2, "bump", "--base", "6.1", "--ksrc", newer(GUP_C, "7.2.4"))


def test_mirror_with_nothing_newer(ready, gup, mirror):
    said = gup("bump", "--base", "6.1")
    assert said.code == 0 and "nothing newer than 6.1.9-1" in said.out


def test_exact_source_package(ready, gup, mirror):
    mirror.offer("linux", "6.1.4-1")
    said = gup("bump", "--base", "6.1", "--debian", "6.1.4-1")
    assert said.code == 0, said
    now = config.base(ready.layout, "6.1")
    assert (now.version, now.package_version) == ("6.1.4", "6.1.4-1")
    assert now.package == "linux"


def test_source_package_that_is_not_there(refused, mirror):
    mirror.offer("linux", "6.1.4-1")
    assert "in version 6.1.5-1; there are: linux-source-6.1 6.1.9-1, linux 6.1.4-1" \
        in refused(3, "bump", "--base", "6.1", "--debian", "6.1.5-1")


@pytest.mark.parametrize("words, part", [
    (("--base", "9"), "unknown base '9'"),
    (("--base", "6.1", "--ref", "x"), "--ref goes with --ksrc"),
    (("--base", "6.1", "--ksrc", "/none"), "no such file"),
    (("--base", "6.1", "--ksrc", "x", "--debian", "1"), "exclude each other")])
def test_wrong_words(refused, words, part):
    assert part in refused(2, "bump", *words)


def test_kill_while_the_outcome_is_stored(ready, gup, newer, monkeypatch):
    real = files.write

    def write(path, text):
        done = real(path, text)
        if path == ready.layout.journal:
            raise KeyboardInterrupt
        return done
    monkeypatch.setattr(files, "write", write)
    assert gup("bump", "--base", "6.1", "--ksrc", newer(GUP_C)).code == 130
    monkeypatch.setattr(files, "write", real)
    assert config.base(ready.layout, "6.1").version == "6.1.9"
    gup("status")
    assert config.base(ready.layout, "6.1").version == "6.1.12"


def test_fresh_clone_has_what_a_merge_needs(project, gup, newer):
    """Nobody has made a tree, and the patch does not even name its blobs."""
    said = gup("bump", "--base", "6.1", "--ksrc", newer(with_line(28, "int moved;")))
    assert said.code == 0, said
    assert "context moved  one-line/6.1.patch: " in said.out
    assert " int moved;" in project.patch.read_text()
    assert not project.tree.exists()
    assert queue.problems(project.layout) == []


def test_fresh_clone_tries_a_shared_patch_without_a_tree(project, gup, newer):
    """The patch has other line numbers on 6.1 then, and has to suit 7.2."""
    said = gup("bump", "--base", "6.1", "--ksrc", newer(["int added;", *GUP_C]))
    assert said.code == 0, said
    assert "@@ -28,7 +28,7 @@" in project.patch.read_text()
    assert not project.layout.tree("7.2").exists()
    assert queue.problems(project.layout) == []
    assert gup("refresh", "--base", "7.2", "--check").code == 0


def test_fresh_clone_fetches_what_a_merge_needs(project, gup, newer, mirror):
    shutil.rmtree(project.layout.build)
    said = gup("bump", "--base", "6.1", "--ksrc", newer(with_line(28, "int moved;")))
    assert said.code == 0, said
    assert mirror.calls("download") == ["download linux-source-6.1=6.1.9-1"]


def test_release_that_is_no_package_any_more_is_had_from_its_source(project, gup, mirror):
    shutil.rmtree(project.layout.build)
    mirror.withdraw("linux-source-6.1")
    mirror.offer("linux", "6.1.9-1")
    mirror.offer("linux-source-6.1", "6.1.12-1", lines=with_line(28, "int moved;"))
    said = gup("bump", "--base", "6.1")
    assert said.code == 0, said
    assert mirror.calls("source --download-only")
    now = config.base(project.layout, "6.1")
    assert (now.version, now.package_version) == ("6.1.12", "6.1.12-1")
    assert " int moved;" in project.patch.read_text()


def test_conflict_has_three_sides_and_git_knows_of_them(project, gup, newer):
    project.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    assert gup("bump", "--base", "6.1", "--ksrc",
               newer(with_line(30, "int theirs;"))).code == 2
    tree = project.layout.bump("6.1").tree("6.1")
    assert "\n".join(["<<<<<<< Linux 6.1.12", "int theirs;", "||||||| Linux 6.1.9",
                      "int line_30;", "=======", "int changed;", ">>>>>>> one-line"]) \
        in (tree / "mm/gup.c").read_text()
    assert project.git("status", "--porcelain", tree=tree) == "UU mm/gup.c"


def test_marks_that_are_committed_are_found(project, gup, refused, newer):
    project.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    tarball = newer(with_line(30, "int theirs;"))
    assert gup("bump", "--base", "6.1", "--ksrc", tarball).code == 2
    tree = project.layout.bump("6.1").tree("6.1")
    project.git("commit", "-q", "-a", "-m", "mm/gup: change a line", tree=tree)
    assert "has marks of the conflict in mm/gup.c" in refused(
        2, "bump", "--base", "6.1", "--ksrc", tarball)


def test_sides_are_those_of_the_patch_if_there_is_no_more(project, refused, newer, mirror):
    shutil.rmtree(project.layout.build)
    mirror.withdraw("linux-source-6.1")
    project.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    said = refused(2, "bump", "--base", "6.1", "--ksrc", newer(with_line(30, "int x;")))
    assert "as the patch shows them (base 6.1: linux-source-6.1 is in none of" in said
    text = (project.layout.bump("6.1").tree("6.1") / "mm/gup.c").read_text()
    for line in ("<<<<<<<", "int x;", "|||||||", "int line_30;", "int changed;", ">>>>>>>"):
        assert f"\n{line}" in text, text


def test_resolved_conflict_is_taken_up(own, gup, refused, newer):
    own.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    tarball = newer(with_line(30, "int different;"))
    before = contents(own)
    said = refused(2, "bump", "--base", "6.1", "--ksrc", tarball)
    assert "commit -a -m 'mm/gup: change a line', and call again" in said
    tree = own.layout.bump("6.1").tree("6.1")
    assert "<<<<<<<" in (tree / "mm/gup.c").read_text()
    assert "resolve and commit it" in refused(2, "bump", "--base", "6.1", "--ksrc",
                                              tarball)
    (tree / "mm/gup.c").write_text("\n".join(with_line(30, "int resolved;")) + "\n")
    own.git("commit", "-q", "-a", "-m", "mm/gup: change a line", tree=tree)
    assert contents(own) == before
    own.behave(json=kunit_json(adds="PASS", drops="PASS"))
    said = gup("bump", "--base", "6.1", "--ksrc", tarball)
    assert said.code == 0, said
    assert "resolved       one-line/6.1.patch: " in said.out
    text = own.patch.read_text()
    assert "-int different;\n+int resolved;\n" in text and "The body of it." in text
    assert queue.problems(own.layout) == []
    again = newer(with_line(1, "int other;", with_line(30, "int different;")), "6.1.13")
    said = gup("bump", "--base", "6.1", "--ksrc", again)
    assert said.code == 0 and "clean          one-line/6.1.patch" in said.out, said


def test_resolved_conflict_of_a_lent_patch_leaves_the_other_alone(ready, gup, newer):
    tarball, before = newer(with_line(30, "int d;"), "7.2.4"), ready.patch.read_text()
    ready.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    assert gup("bump", "--base", "7.2", "--ksrc", tarball).code == 2
    ready.behave(json=kunit_json(adds="PASS", drops="PASS"))
    tree = ready.layout.bump("7.2").tree("7.2")
    (tree / "mm/gup.c").write_text("\n".join(with_line(30, "int resolved;")) + "\n")
    ready.git("commit", "-q", "-a", "-m", "mm/gup: change a line", tree=tree)
    assert gup("bump", "--base", "7.2", "--ksrc", tarball).code == 0
    assert ready.patch.read_text() == before
    assert "+int resolved;" in ready.patch.with_name("7.2.patch").read_text()


def test_message_of_the_resolution_takes_the_place_of_the_stored_one(ready, gup, newer):
    tarball, before = newer(with_line(30, "int d;"), "7.2.4"), ready.patch.read_text()
    ready.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    assert gup("bump", "--base", "7.2", "--ksrc", tarball).code == 2
    ready.behave(json=kunit_json(adds="PASS", drops="PASS"))
    tree = ready.layout.bump("7.2").tree("7.2")
    (tree / "mm/gup.c").write_text("\n".join(with_line(30, "int resolved;")) + "\n")
    ready.git("commit", "-q", "-a", "-s", "-m", "mm/gup: change a line", "-m",
              "Here it is another line.", tree=tree)
    assert gup("bump", "--base", "7.2", "--ksrc", tarball).code == 0
    assert ready.patch.read_text() == before
    text = ready.patch.with_name("7.2.patch").read_text()
    assert text.startswith("Subject: mm/gup: change a line\n\nHere it is another line.\n---\n")


def test_queue_that_changes_during_the_trial_is_kept(ready, refused, newer, monkeypatch):
    from guplib.upkeep import trial

    def edited(*_):
        edit(ready.patch, "The body of it.", "Another body.")
        return Verdict((Case("put_user_page", "adds", "passed"),), ())
    monkeypatch.setattr(trial, "_cell", edited)
    assert "one-line/6.1.patch has changed meanwhile" in refused(
        2, "bump", "--base", "6.1", "--ksrc", newer(GUP_C))
    assert "Another body." in ready.patch.read_text()
