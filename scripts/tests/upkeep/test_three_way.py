# SPDX-License-Identifier: GPL-2.0-only
"""The merge of a patch with another kernel: what is a conflict, and what is not."""

import pytest

from conftest import GUP_C, edit, kunit_json, stored, tarball, unified, with_line, write_tarball
from guplib import config, queue
from guplib.config import Base
from guplib.upkeep import three_way


def joined(old, ours, theirs, free=False):
    found = three_way.merged_lines(old.split(), ours.split(), theirs.split(), free)
    return None if found is None else " ".join(found)


@pytest.mark.parametrize("old, ours, theirs, outcome", [
    ("a b c", "a x c", "a b y", "a x y"),              # neighbours that both change
    ("a b", "x b", "a new b", "x new b"),              # one is added behind the other's
    ("a b", "a x", "a new b", "a new x"),              # one is added ahead of it
    ("a b c", "a c", "a b new c", "a new c"),          # the line ahead of it has gone
    ("a", "a x", "new a", "new a x"),
    ("a b", "a x", "a y", None),                       # both change the same line
    ("a b c", "a c", "a x c", None),                   # one changes what the other removes
    ("a b c d", "a x y d", "a b new c d", None),       # one is added inside of the other's
    ("a", "a x", "a y", None)])                        # two are added in one place
def test_what_is_in_conflict(old, ours, theirs, outcome):
    assert joined(old, ours, theirs) == outcome


def test_order_of_additions_does_not_matter_in_a_list():
    assert joined("a", "a x", "a y", free=True) == "a x y"
    assert joined("a b", "a x", "a y", free=True) is None


def base(name, version="1"):
    return Base(name, "p", "", version, {}, True, "")


@pytest.mark.parametrize("name, near", [("6.6", "6.1"), ("7.3", "7.2"), ("5.4", "5.10"),
                                        ("6.1", "6.1")])
def test_nearest_base_is_an_older_one_first(name, near):
    bases = {each: base(each) for each in ("5.10", "6.1", "7.2")}
    assert three_way.nearest(bases, name).name == near


def test_base_that_is_not_verified_yet_is_near_to_none():
    bases = {each: base(each, "" if each == "7.3" else "1") for each in ("7.2", "7.3")}
    assert three_way.nearest(bases, "7.3").name == "7.2"
    assert three_way.nearest(bases, "7.4").name == "7.2"


def test_neighbour_that_changed_is_no_conflict(own, gup, newer):
    """git would call it one, as both sides change lines that touch each other."""
    said = gup("bump", "--base", "6.1", "--ksrc", newer(with_line(29, "int moved;")))
    assert said.code == 0, said
    assert "context moved  one-line/6.1.patch: " in said.out
    text = own.patch.read_text()
    assert " int moved;\n-int line_30;\n+int changed;\n" in text
    assert queue.problems(own.layout) == []


def test_list_in_which_both_add_a_line(project, gup, newer, tmp_path):
    newer_one = write_tarball(tmp_path / "list.tar", "6.1.12", replaced={
        "mm/Makefile": "obj-y += gup.o\nobj-y += other/\n"})
    said = gup("bump", "--base", "6.1", "--ksrc", newer_one)
    assert said.code == 0, said
    assert "context moved  hookup/6.1.patch: " in said.out
    tree = project.layout.bump("6.1").tree("6.1")
    assert (tree / "mm/Makefile").read_text() == \
        "obj-y += gup.o\nobj-y += other/\nobj-y += tests/\n"


def test_patch_is_merged_with_what_stands_ahead_of_it_in_the_series(project, gup, newer):
    """What it was made for has the other patch, and so has the kernel that is tried."""
    one, two = with_line(30, "int changed;"), with_line(
        31, "int second;", with_line(30, "int changed;"))
    path = project.root / "patches/second/6.1.patch"
    path.parent.mkdir()
    path.write_text(stored("mm/gup: second", unified(one, two, "mm/gup.c")))
    topic = project.layout.topic("one-line").read_text()
    (path.parent / "topic.toml").write_text(topic.replace("change a line", "second").replace(
        'suites = ["put_user_page"]\n', ""))
    for name in ("6.1", "7.2"):
        project.layout.series(name).write_text("one-line/6.1.patch\nsecond/6.1.patch\n")
    said = gup("bump", "--base", "6.1", "--ksrc", newer(with_line(34, "int moved;")))
    assert said.code == 0, said
    assert "clean          one-line/6.1.patch" in said.out
    assert "context moved  second/6.1.patch: " in said.out
    assert config.base(project.layout, "6.1").version == "6.1.12"
    assert queue.problems(project.layout) == []


def test_file_that_the_kernel_has_no_more_is_a_conflict(project, gup, tmp_path):
    edit(project.layout.topic("one-line"), 'suites = ["put_user_page"]\n', "")
    text = unified(["obj-y += gup.o"], ["obj-y += gup.o", "obj-y += x.o"], "mm/Gone")
    path = project.patch
    path.write_text(path.read_text() + text)
    for name, version in (("6.1", "6.1.9"), ("7.2", "7.2.1")):
        write_tarball(project.root / f"build/packages/{name}/linux-source-{name}_{version}-1"
                      ".tar.xz", version, replaced={"mm/Gone": "obj-y += gup.o\n"})
    gone = write_tarball(tmp_path / "gone.tar", "6.1.12")
    said = gup("bump", "--base", "6.1", "--ksrc", gone)
    assert said.code == 2 and "the base has no mm/Gone" in said.err
    tree = project.layout.bump("6.1").tree("6.1")
    assert (tree / "mm/Gone").read_text() == "obj-y += gup.o\nobj-y += x.o\n"
    assert "int changed;" in (tree / "mm/gup.c").read_text()
    assert project.git("status", "--porcelain", tree=tree).splitlines() == [
        "DU mm/Gone", "M  mm/gup.c"]


def test_kill_while_the_sides_are_shown(project, gup, newer, monkeypatch):
    project.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    newer_one = newer(with_line(30, "int theirs;"))
    real = three_way.show

    def killed(*_):
        raise KeyboardInterrupt
    monkeypatch.setattr(three_way, "show", killed)
    assert gup("bump", "--base", "6.1", "--ksrc", newer_one).code == 130
    monkeypatch.setattr(three_way, "show", real)
    assert gup("bump", "--base", "6.1", "--ksrc", newer_one).code == 2
    tree = project.layout.bump("6.1").tree("6.1")
    assert "<<<<<<<" in (tree / "mm/gup.c").read_text()
    assert GUP_C[29] in (tree / "mm/gup.c").read_text()


def test_damaged_tarball_of_what_it_was_made_for(project, refused, newer):
    path = tarball(project.root, "6.1", "6.1.9")
    path.write_bytes(path.read_bytes()[:-60])
    project.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    said = refused(2, "bump", "--base", "6.1", "--ksrc", newer(with_line(29, "int x;")))
    assert "only as the patch shows them" in said and "damaged or no tarball" in said
