# SPDX-License-Identifier: GPL-2.0-only
"""gup bump and gup new-base: the queue on another kernel."""

import shutil

import pytest

from conftest import GUP_C, edit, kunit_json, stored, unified, with_line, write_tarball
from guplib import config, queue
from guplib.run.verdict import Case, Verdict
from test_refresh import contents


@pytest.fixture
def ready(project, gup):
    """A queue in its stored form, with the trees of both bases."""
    for base in ("6.1", "7.2"):
        assert gup("refresh", "--base", base).code == 0
    return project


@pytest.fixture
def newer(tmp_path):
    """Make a tarball of a newer point release with some other mm/gup.c."""
    return lambda lines, version="6.1.12": write_tarball(tmp_path / "newer.tar",
                                                         version, lines)


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


@pytest.fixture
def own(ready):
    """Let the patch serve 6.1 alone."""
    edit(ready.layout.topic("one-line"), '"7.2" = "needed"', '"7.2" = "in-base"')
    ready.layout.series("7.2").write_text("")
    path = ready.layout.config / "bases.toml"
    path.write_text(path.read_text().rpartition('"mm/gup.c"')[0])
    return ready


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


def test_conflict_names_the_hunk_and_changes_nothing(ready, refused, newer):
    ready.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    before = contents(ready)
    said = refused(2, "bump", "--base", "6.1", "--ksrc",
                   newer(with_line(30, "int different;")), "--keep")
    for part in ("one-line/6.1.patch is in conflict with 6.1.12", "hunk 1 of 1",
                 "nothing was changed"):
        assert part in said
    assert contents(ready) == before


def test_change_that_is_there_in_other_words_is_known_by_its_suite(own, gup, newer):
    said = gup("bump", "--base", "6.1", "--ksrc", newer(with_line(30, "int other;")))
    assert said.code == 0, said
    assert "conflict       one-line/6.1.patch: " in said.out
    assert "already there  one-line/6.1.patch: put_user_page without it: 2 passed" \
        in said.out
    assert own.layout.series("6.1").read_text() == ""
    assert queue.topic(own.layout, "one-line").status["6.1"] == "in-base"
    assert not own.patch.exists() and queue.problems(own.layout) == []


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
    edit(own.layout.topic("one-line"), 'suites = ["put_user_page"]', line)
    said = gup("bump", "--base", "6.1", "--ksrc", newer(with_line(30, "int other;")))
    assert said.code == 2 and "in conflict with 6.1.12" in said.err
    assert "without it" not in said.out


def test_conflict_is_one_if_the_tree_does_not_build_without_it(own, gup, newer):
    own.behave(codes={"config": 0, "build": 1, "exec": 0})
    said = gup("bump", "--base", "6.1", "--ksrc", newer(with_line(30, "int other;")))
    assert said.code == 2 and "in conflict with 6.1.12" in said.err


def test_moved_context_of_a_shared_patch_has_to_suit_the_others(ready, refused, newer):
    before = contents(ready)
    said = refused(2, "bump", "--base", "6.1", "--ksrc", newer(with_line(28, "int m;")))
    assert "base 7.2: one-line/6.1.patch applies only with fuzz" in said
    assert contents(ready) == before


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


@pytest.fixture
def mirror(stub, tmp_path):
    """An apt that offers a package, and a source package with a tarball."""
    write_tarball(tmp_path / "orig/linux_6.1.4.orig.tar.xz", "6.1.4")
    stub("apt-get", f"""case "$*" in
        *indextargets*) echo "stable http://example.org/debian/";;
        *" source "*linux=6.1.4-1) cp {tmp_path}/orig/* .;; esac""")
    stub("apt-cache", """case "$*" in
        *linux-source*) echo "x | 6.1.9-1 | y";;
        *) grep -q ^deb-src ${2#*=} && echo "linux | 6.1.4-1 | y";; esac""")


def test_mirror_with_nothing_newer(ready, gup, mirror):
    said = gup("bump", "--base", "6.1")
    assert said.code == 0 and "nothing newer than 6.1.9-1" in said.out


def test_exact_source_package(ready, gup, mirror):
    said = gup("bump", "--base", "6.1", "--debian", "6.1.4-1")
    assert said.code == 0, said
    now = config.base(ready.layout, "6.1")
    assert (now.version, now.package_version) == ("6.1.4", "")


def test_source_package_that_is_not_there(refused, mirror):
    assert "no source package linux 6.1.5-1 in stable; there are: 6.1.4-1" in refused(
        3, "bump", "--base", "6.1", "--debian", "6.1.5-1")


@pytest.mark.parametrize("words, part", [
    (("--base", "9"), "unknown base '9'"),
    (("--base", "6.1", "--ref", "x"), "--ref goes with --ksrc"),
    (("--base", "6.1", "--ksrc", "/none"), "no such file"),
    (("--base", "6.1", "--ksrc", "x", "--debian", "1"), "exclude each other")])
def test_wrong_words(refused, words, part):
    assert part in refused(2, "bump", *words)


def test_kill_while_the_outcome_is_stored(ready, gup, newer, monkeypatch):
    from guplib.system import files
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


def test_new_base_begins_with_what_the_nearest_has(ready, gup, newer):
    said = gup("new-base", "6.6")
    assert said.code == 0 and "begins with what 6.1 has" in said.out
    assert list(config.bases(ready.layout)) == ["6.1", "6.6", "7.2"]
    assert ready.layout.compat("6.6").exists()
    assert queue.problems(ready.layout) == []
    said = gup("bump", "--base", "6.6", "--ksrc", newer(GUP_C, "6.6.3"))
    assert said.code == 0, said
    assert config.base(ready.layout, "6.6").version == "6.6.3"
    assert queue.problems(ready.layout) == []


@pytest.mark.parametrize("name, part", [("6.1", "base 6.1 exists"),
                                        ("six", "no kernel's name")])
def test_new_base_of_a_wrong_name(refused, name, part):
    assert part in refused(2, "new-base", name)


def test_trial_without_a_tree_of_the_base(project, gup, newer):
    """Nobody has ever made build/6.1; the other base's tree is made for it."""
    assert gup("bump", "--base", "6.1", "--ksrc", newer(GUP_C)).code == 0
    assert not project.tree.exists()
    shutil.rmtree(project.layout.build / "bump")


def test_patch_without_old_blobs_is_in_conflict(project, refused, newer):
    project.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    project.patch.write_text(stored("mm/gup: change a line", unified(
        GUP_C, with_line(30, "int changed;"), "mm/gup.c")))
    assert "in conflict" in refused(2, "bump", "--base", "6.1", "--ksrc",
                                    newer(with_line(28, "int moved;")))


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


def test_queue_that_changes_during_the_trial_is_kept(ready, refused, newer, monkeypatch):
    from guplib.upkeep import bump

    def edited(*_):
        edit(ready.patch, "The body of it.", "Another body.")
        return Verdict((Case("put_user_page", "adds", "passed"),), ())
    monkeypatch.setattr(bump, "_cell", edited)
    assert "one-line/6.1.patch has changed meanwhile" in refused(
        2, "bump", "--base", "6.1", "--ksrc", newer(GUP_C))
    assert "Another body." in ready.patch.read_text()
