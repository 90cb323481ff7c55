# SPDX-License-Identifier: GPL-2.0-only
"""What the files of config/promises say, and what is wrong in one of them."""

import pytest

from conftest import edit
from guplib import config
from guplib.system.errors import UsageError
from made_up.promises import PROMISES, write_promises


@pytest.fixture
def path(project):
    return write_promises(project.root)


def refusal(project):
    with pytest.raises(UsageError) as error:
        config.promises(project.layout)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_a_file_says(project, path):
    known = config.promises(project.layout)
    assert known.functions == {"take": ("*",)} and known.documented("6.1") == ["take"]
    assert [one.on("7.2") for one in known.promises] == [("One reference is taken.",),
                                                         ("It may fail.",)]
    assert known.promises[1].reason == "Nobody knows."
    assert known.says[0].on("6.1") == ("take() - take a page", "@page: the page")
    assert known.guards[0].cases == ("put_user_page.drops",)


def test_files_are_taken_together(project, path):
    write_promises(project.root, '[functions]\ngive = ["since 7.2"]\n[[says]]\nof = ["give"]\n'
                   'words = ["give()"]\n', "give")
    known = config.promises(project.layout)
    assert known.documented("6.1") == ["take"] and known.documented("7.2") == ["give", "take"]


def test_group_stands_for_its_cases_in_any_file(project, path):
    edit(path, '[groups]\nboth = ["put_user_page.adds", "put_user_page.dr*"]\n', "")
    edit(path, 'cases = ["put_user_page.adds"]', 'cases = ["both"]')
    write_promises(project.root, '[groups]\nboth = ["a.b", "c.*"]\n', "groups")
    assert config.promises(project.layout).promises[0].cases == ("a.b", "c.*")


@pytest.mark.parametrize("bases, there", [
    ('"*"', {"5.10", "6.1", "7.2"}), ('"since 6.1"', {"6.1", "7.2"}),
    ('"before 6.1"', {"5.10"}), ('"since 6.1 before 7.2"', {"6.1"}),
    ('"5.*", "7.2"', {"5.10", "7.2"})])
def test_bases_of_a_sentence(project, path, bases, there):
    edit(path, 'reason = "Nobody knows."', f'reason = "x"\nbases = [{bases}]')
    one = config.promises(project.layout).promises[1]
    assert {base for base in ("5.10", "6.1", "7.2") if one.on(base)} == there


def test_sentence_that_reads_differently_elsewhere(project, path):
    edit(path, 'reason = "Nobody knows."',
         'reason = "x"\n[promise.reads]\n"before 7.2" = "It can\\n fail."')
    one = config.promises(project.layout).promises[1]
    assert (one.on("7.2"), one.on("6.1")) == (("It may fail.",), ("It can fail.",))


@pytest.mark.parametrize("old, new, says", [
    ('reason = "Nobody knows."', "", "has none of 'cases', 'reason' and 'missing'"),
    ('reason = "Nobody knows."', 'reason = "x"\ncases = ["a.b"]', "and 'cases'; remove one"),
    ('reason = "Nobody knows."', 'reason = "x"\nmissing = "y"', "and 'missing'; remove one"),
    ('cases = ["put_user_page.adds"]', 'cases = ["adds"]', "'adds' is no group"),
    ('take = ["*"]', 'take = ["sinse 6.1"]', "take: 'sinse 6.1' is no base"),
    ('take = ["*"]', 'take = [""]', "take: '' is no base"),
    ('take = ["*"]', 'take = "6.1"', "'take' has to be a list of strings"),
    ('reason = "Nobody knows."', 'reason = "x"\nbases = ["before 7"]', "'before 7' is no base"),
    ('reason = "Nobody knows."', 'reason = "x"\n[promise.reads]\n"since 7.2before 7.3" = "z"',
     "'since 7.2before 7.3' is no base"),
    ('words = ["take()', 'bases = ["all"]\nwords = ["take()', "says of take: 'all' is no base"),
    ('reason = "Nobody knows."', 'reasons = "x"', "unknown key 'reasons'"),
    ('[[guard]]', '[[guards]]', "unknown key 'guards'"),
    ('of = ["take"]\nwords = "It may fail."', 'words = "It may fail."', "'of' is missing")])
def test_mistake_is_one_line(project, path, old, new, says):
    edit(path, old, new)
    said = refusal(project)
    assert says in said and said.startswith(str(path))


@pytest.mark.parametrize("key", ["functions", "groups"])
def test_name_in_two_files(project, path, key):
    names = {"functions": 'take = ["*"]', "groups": 'both = ["x.y"]'}
    other = write_promises(project.root, f"[{key}]\n{names[key]}\n", "zoo")
    assert refusal(project).startswith(f"{other}: '{names[key][:4]}' is in another file")


def test_no_file_says_nothing(project):
    assert config.promises(project.layout).promises == ()


def test_made_up_file_is_what_others_start_from(project, path):
    assert path.read_text() == PROMISES
