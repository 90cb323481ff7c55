# SPDX-License-Identifier: GPL-2.0-only
"""gup new-base: a base by one command."""

import shutil

import pytest

from conftest import GUP_C, edit, with_line
from guplib import config, queue
from test_refresh import contents


def test_base_begins_with_what_the_nearest_has(ready, gup, newer):
    said = gup("new-base", "6.6")
    assert said.code == 0 and "begins with what 6.1 has" in said.out
    assert list(config.bases(ready.layout)) == ["6.1", "6.6", "7.2"]
    assert ready.layout.compat("6.6").exists()
    assert queue.problems(ready.layout) == []
    said = gup("bump", "--base", "6.6", "--ksrc", newer(GUP_C, "6.6.3"))
    assert said.code == 0, said
    assert config.base(ready.layout, "6.6").version == "6.6.3"
    assert queue.problems(ready.layout) == []


def test_base_stands_in_its_place_in_the_file(project, gup):
    for name in ("6.6", "5.10", "7.3"):
        assert gup("new-base", name).code == 0
    text = (project.layout.config / "bases.toml").read_text()
    assert [line for line in text.splitlines() if line.startswith("[") and "blobs" not in line] \
        == [f'[base."{name}"]' for name in ("5.10", "6.1", "6.6", "7.2", "7.3")]
    assert "\n\n\n" not in text and text.endswith('"\n')


def test_topic_that_says_it_in_another_form_names_the_base_too(project, gup):
    topic = project.layout.topic("one-line")
    edit(topic, '"6.1" = "needed"\n', "'6.1'= 'needed'   # since v6.0\n# about 7.2\n")
    before = topic.read_text()
    assert gup("new-base", "6.6").code == 0
    assert topic.read_text() == before.replace(
        "# since v6.0\n", '# since v6.0\n"6.6" = "needed"\n')


def test_newest_base_from_a_fresh_clone_in_one_call(project, gup, mirror):
    """The newest package of any suite is taken; what has moved is merged."""
    shutil.rmtree(project.layout.build)
    mirror.offer("linux-source-7.3", "7.3.4-1~bpo13+1", "stable",
                 ["int added;", *with_line(29, "int moved;")])
    mirror.offer("linux-source-7.3", "7.3~rc7-1~exp1", "sid")
    said = gup("new-base", "7.3", "--bump")
    assert said.code == 0, said
    assert ("linux-source-7.3: 7.3.4-1~bpo13+1 in stable; 7.3~rc7-1~exp1 in sid\n"
            in said.out)
    now = config.base(project.layout, "7.3")
    assert (now.version, now.package_version) == ("7.3.4", "7.3.4-1~bpo13+1")
    assert project.layout.series("7.3").read_text() == "one-line/7.3.patch\n"
    assert project.layout.series("7.2").read_text() == "one-line/6.1.patch\n"
    assert queue.problems(project.layout) == []
    assert not project.layout.tree("7.2").exists()


def test_base_of_a_candidate_goes_on_to_the_release(project, gup, mirror):
    shutil.rmtree(project.layout.build)
    mirror.offer("linux-source-7.3", "7.3~rc7-1~exp1", "sid", with_line(28, "int moved;"))
    mirror.offer("linux-source-7.3", "7.3.4-1", "stable",
                 with_line(28, "int moved;", ["int added;", *GUP_C]))
    assert gup("new-base", "7.3", "--bump", "--debian", "7.3~rc7-1~exp1").code == 0
    assert config.base(project.layout, "7.3").version == "7.3.0-rc7"
    said = gup("bump", "--base", "7.3")
    assert said.code == 0, said
    assert config.base(project.layout, "7.3").version == "7.3.4"
    assert queue.problems(project.layout) == []


def test_release_and_back_changes_no_patch(project, gup, mirror):
    shutil.rmtree(project.layout.build)
    mirror.offer("linux", "6.1.4-1", lines=with_line(28, "int older;"))
    mirror.offer("linux-source-6.1", "6.1.9-1", "sid")
    assert gup("bump", "--base", "6.1", "--debian", "6.1.9-1").code == 0
    before = contents(project)
    assert gup("bump", "--base", "6.1", "--debian", "6.1.4-1").code == 0
    assert " int older;" in project.patch.read_text()
    assert gup("bump", "--base", "6.1").code == 0
    assert contents(project) == before
    assert queue.problems(project.layout) == []


def test_what_is_left_for_a_person_is_said(project, gup):
    project.layout.cover("7.2").write_text("cover\n")
    said = gup("new-base", "7.3")
    assert "  git mv series/7.2.cover series/7.3.cover, and" in said.out
    assert "git mv" not in gup("new-base", "6.6").out


@pytest.mark.parametrize("words, part", [
    (("6.1",), "base 6.1 exists"), (("six",), "no kernel's name"),
    (("7.3", "--debian", "7.3.4-1"), "add --bump"),
    (("7.3", "--bump", "--ref", "x"), "--ref goes with --ksrc"),
    (("7.3", "--bump", "--ksrc", "x", "--debian", "1"), "exclude each other")])
def test_wrong_words(project, refused, words, part):
    before = contents(project)
    assert part in refused(2, "new-base", *words)
    assert contents(project) == before


def test_base_that_the_mirror_does_not_have(project, refused, mirror):
    said = refused(3, "new-base", "6.6", "--bump")
    assert "linux-source-6.6 is in none of stable, sid; give a tree by --ksrc" in said
    assert "6.6" in config.bases(project.layout)
