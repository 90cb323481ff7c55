# SPDX-License-Identifier: GPL-2.0-only
"""Every sentence has its cases, and every case its sentence or a reason."""

import pytest

from conftest import edit
from guplib import config
from guplib.config import Kernel
from guplib.queue import kernel_doc, promises
from made_up.promises import COMMENT, write_promises

TOLD = kernel_doc.comments(COMMENT)


@pytest.fixture
def path(project):
    return write_promises(project.root)


def only(found):
    assert len(found) == 1, found
    return found[0]


def unlike(project, told=None, needed=None, base="6.1"):
    told = TOLD if told is None else told
    needed = dict.fromkeys(told, "mm/gup.c") if needed is None else needed
    return promises.unlike(config.promises(project.layout), base, told, needed)


def unheld(project, base="6.1", names=()):
    return promises.unheld(config.promises(project.layout), config.cells(project.layout),
                           Kernel(base, frozenset(), frozenset(names)))


def test_sound_data_has_no_problem(project, path):
    assert promises.problems(project.layout) == []
    assert unlike(project) == [] and unheld(project) == []
    assert list(promises.missing(project.layout)) == []


@pytest.mark.parametrize("old, new, says", [
    ('["put_user_page.adds"]\n[[', '["put_user_page.ads"]\n[[', "put_user_page.ads is none of"),
    ('["put_user_page.drops"]', '["put_user_page.d*s", "a.*"]', "a guard names a.*, which is"),
    ('["put_user_page.adds"]\n[[', '["both"]\n[[', "drops holds a sentence and is a guard, too"),
    ('[[guard]]\ncases = ["put_user_page.drops"]\nreason = "What is dropped."', "",
     "put_user_page.drops holds no sentence and guards nothing"),
    ('"What is dropped."', '" "', "a guard of put_user_page.drops has no reason"),
    ('of = ["take"]\nwords = "It', 'of = ["take", "give"]\nwords = "It',
     "give() is in no [functions]"),
    ('reason = "Nobody knows."', 'reason = "x"\nbases = ["before 6.1"]',
     "take(): no base has 'It may fail.'"),
    ('of = ["take"]\nwords = ["take()', 'of = ["take"]\nbases = ["8.*"]\nwords = ["take()',
     "take(): no base has 'take() - take a page'")])
def test_what_needs_no_tree(project, path, old, new, says):
    edit(path, old, new)
    found = promises.problems(project.layout)
    assert any(says in line for line in found), found
    assert all("\n" not in line for line in found)


def test_case_that_nobody_can_tell_apart(project, path):
    """A case that is written, but neither holds nor guards anything."""
    edit(project.root / "config/cells.toml", '"drops"]', '"drops", "new"]')
    assert "put_user_page.new holds no sentence" in only(promises.problems(project.layout))


def test_sentence_that_is_new(project, path):
    told = {"take": [*TOLD["take"], "It sleeps."]}
    assert only(unlike(project, told)).startswith("take(): 'It sleeps.' is new, or reads")


def test_sentence_that_was_changed_is_new_and_gone(project, path):
    told = {"take": [line.replace("One", "A") for line in TOLD["take"]]}
    new, gone = unlike(project, told)
    assert "'A reference is taken.' is new" in new
    assert "does not have 'One reference is taken.'" in gone


def test_comment_that_is_gone(project, path):
    assert only(unlike(project, {})).startswith("take(): 6.1 has no such comment")


def test_comment_that_is_new(project, path):
    told = TOLD | {"give": ["give() - give"]}
    assert only(unlike(project, told)).startswith("give() in mm/gup.c: no [functions] has it for")


def test_comment_of_another_base_is_new(project, path):
    edit(path, 'take = ["*"]', 'take = ["since 7.2"]')
    assert only(unlike(project)).startswith("take() in mm/gup.c: no [functions] has it for 6.1")
    assert unlike(project, base="7.2") == []


def test_comment_that_need_not_be_accounted_for(project, path):
    assert unlike(project, TOLD | {"give": ["give() - give"]}, {"take": "mm/gup.c"}) == []


def test_sentence_is_looked_for_where_it_is(project, path):
    edit(path, 'reason = "Nobody knows."', 'reason = "x"\nbases = ["since 7.2"]')
    assert only(unlike(project)).startswith("take(): 'It may fail.' is new")
    assert unlike(project, base="7.2") == []


def test_sentence_as_it_reads_there(project, path):
    edit(path, 'reason = "Nobody knows."', 'reason = "x"\n[promise.reads]\n'
         '"before 7.2" = "It can fail."')
    told = {"take": [line.replace("may", "can") for line in TOLD["take"]]}
    assert unlike(project, told) == [] and unlike(project, base="7.2") == []
    assert len(unlike(project)) == len(unlike(project, told, base="7.2")) == 2


def test_sentence_that_is_listed_twice(project, path):
    edit(path, '"@page: the page"', '"@page: the page", "It may fail."')
    assert "'It may fail.' is listed twice for 6.1" in only(unlike(project))


def test_sentence_that_the_comment_has_twice_is_one(project, path):
    assert unlike(project, {"take": [*TOLD["take"], "It may fail."]}) == []


@pytest.mark.parametrize("need, applies", [
    ('options = ["CONFIG_X"]', True), ('has = "take()"', True), ('has = "give()"', False),
    ('since = "6.1"\nwhat = "x"\nreason = "y"', True),
    ('since = "7.2"\nwhat = "x"\nreason = "y"', False)])
def test_promise_none_of_whose_cases_applies(project, path, need, applies):
    cells = project.root / "config/cells.toml"
    cells.write_text(f'{cells.read_text()}[[need]]\n{need}\n[need.cases]\n'
                     'put_user_page = ["adds"]\n')
    found = unheld(project, names=["take()"])
    assert found == [] if applies else "none of its cases applies to 6.1" in only(found)


def test_one_case_that_applies_is_enough(project, path):
    cells = project.root / "config/cells.toml"
    cells.write_text(f'{cells.read_text()}[[need]]\nhas = "give()"\n[need.cases]\n'
                     'put_user_page = ["adds"]\n')
    edit(path, 'cases = ["put_user_page.adds"]', 'cases = ["both"]')
    assert unheld(project) == []
    edit(path, 'take = ["*"]', 'take = ["since 7.2"]')
    edit(path, 'cases = ["both"]', 'cases = ["put_user_page.adds"]')
    assert unheld(project) == [], "there is no such comment on 6.1"


def test_missing_case_is_named(project, path):
    edit(path, 'reason = "Nobody knows."', 'missing = "a page that cannot be had"')
    assert list(promises.missing(project.layout)) == [
        ("promise of take(), 'It may fail.'", "no case: a page that cannot be had")]
