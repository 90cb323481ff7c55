# SPDX-License-Identifier: GPL-2.0-only
"""gup follow: what the mirror has that is newer, in one table."""

import json
import shutil

import pytest

from conftest import GUP_C, kunit_json, with_line
from test_refresh import contents


@pytest.fixture
def fresh(project, mirror):
    """A fresh clone."""
    shutil.rmtree(project.layout.build)
    return project


def row(said, base):
    """The line of a base in the table."""
    return next(line for line in said.out.splitlines()
                if line.split()[:1] == [base] and "  " in line)


def test_nothing_newer(fresh, gup):
    said = gup("follow")
    assert said.code == 0, said
    assert row(said, "6.1").split() == ["6.1", "6.1.9-1", "6.1.9-1", "up", "to", "date"]
    assert row(said, "7.2").endswith("up to date")


def test_all_suites_are_asked_at_once(fresh, gup, mirror):
    gup("follow")
    assert mirror.calls("update") == ["update"]


def test_each_base_has_its_outcome_and_nothing_is_stored(fresh, gup, mirror):
    mirror.offer("linux-source-6.1", "6.1.12-1", "sid", with_line(28, "int moved;"))
    mirror.offer("linux-source-7.2", "7.2.4-1", "sid", ["int added;", *GUP_C])
    before = contents(fresh)
    said = gup("follow")
    assert said.code == 0, said
    assert row(said, "6.1").endswith("6.1.12-1  context moved")
    assert row(said, "7.2").endswith("7.2.4-1   clean"), said.out
    assert contents(fresh) == before


def test_conflict_needs_a_person_and_the_others_go_on(fresh, gup, mirror):
    fresh.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    mirror.offer("linux-source-6.1", "6.1.12-1", lines=with_line(30, "int other;"))
    mirror.offer("linux-source-7.2", "7.2.4-1")
    said = gup("follow")
    assert said.code == 1
    assert row(said, "6.1").endswith("conflict in one-line")
    assert row(said, "7.2").endswith("cell failed")
    assert "<<<<<<<" in (fresh.layout.bump("6.1").tree("6.1") / "mm/gup.c").read_text()
    assert "6.1: base 6.1: one-line/6.1.patch is in conflict with 6.1.12" in said.out


def test_patch_that_a_kernel_has_is_named(fresh, gup, mirror):
    mirror.offer("linux-source-6.1", "6.1.12-1", lines=with_line(30, "int changed;"))
    said = gup("follow", "--base", "6.1")
    assert said.code == 0 and row(said, "6.1").endswith("one-line already there"), said
    assert "\n7.2 " not in said.out


def test_package_that_is_gone_needs_a_person(fresh, gup, mirror):
    mirror.withdraw("linux-source-7.2")
    said = gup("follow")
    assert said.code == 1 and row(said, "7.2").endswith("gone from the mirror")


def test_what_cannot_be_fetched_is_the_environments_fault(fresh, gup, mirror):
    mirror.offer("linux-source-6.1", "6.1.12-1")
    for path in mirror.root.glob("*6.1.12*"):
        path.unlink()
    mirror.offer("linux-source-7.2", "7.2.4-1")
    said = gup("follow")
    assert said.code == 3
    assert row(said, "6.1").endswith("not tried") and row(said, "7.2").endswith("clean")


def test_mirror_that_does_not_answer(fresh, refused, mirror):
    mirror.say("Err:1 http://mirror.example/debian stable InRelease\n"
               "  Could not resolve 'mirror.example'")
    assert "the mirror cannot be asked: stable: Could not resolve" in refused(3, "follow")


def test_work_of_a_person_in_a_trial_is_told(fresh, gup, mirror):
    fresh.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    mirror.offer("linux-source-6.1", "6.1.12-1", lines=with_line(30, "int other;"))
    gup("follow")
    said = gup("follow")
    assert said.code == 1 and row(said, "6.1").endswith("needs work")
    assert "resolve and commit it" in said.out


def test_newer_kernels_are_named(fresh, gup, mirror):
    for version in ("7.3.4-1~bpo13+1", "7.3~rc7-1~exp1"):
        mirror.offer("linux-source-7.3", version, "sid")
    mirror.offer("linux-source-6.6", "6.6.1-1")
    said = gup("follow")
    assert said.code == 0
    assert row(said, "7.3").split() == ["7.3", "7.3.4-1~bpo13+1", "no", "base", "yet"]
    assert "6.6" not in said.out


def test_json(fresh, gup, mirror):
    mirror.offer("linux-source-6.1", "6.1.12-1")
    said = gup("follow", "--json")
    found = {row["base"]: row for row in json.loads(said.out)}
    assert found["6.1"] == {"base": "6.1", "verified": "6.1.9-1", "newest": "6.1.12-1",
                            "outcome": "clean", "person": False, "fault": False, "why": ""}
