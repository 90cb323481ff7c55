# SPDX-License-Identifier: GPL-2.0-only
"""Several stored files that change as one, and what becomes of a change that is cut off."""

import json

import pytest

from guplib.system import files, transaction
from guplib.system.paths import Layout


@pytest.fixture
def layout(tmp_path):
    """A project with three files and no change under way."""
    made = Layout(tmp_path / "queue")
    for name in ("one", "two", "three"):
        files.write(made.root / name, f"{name}\n")
    return made


def texts(layout):
    """The files of the project and what is in them."""
    return {path.name: path.read_text() for path in layout.root.iterdir() if path.is_file()}


def cut_off(layout, monkeypatch, changes):
    """Begin a change, and be killed when all of it is written down."""
    real = files.write

    def write(path, text):
        if path != layout.journal:
            raise KeyboardInterrupt
        return real(path, text)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(files, "write", write)
        with transaction.hold(layout):
            transaction.commit(layout, changes)
    assert layout.journal.exists()


CHANGED = {"one": "1\n", "three": "three\n", "four": "4\n"}


def changes(layout):
    """One file changes, one goes, one comes, and one goes that is not there."""
    return {layout.root / "one": "1\n", layout.root / "two": None,
            layout.root / "four": "4\n", layout.root / "five": None}


def test_change_is_made_as_a_whole(layout):
    with transaction.hold(layout):
        transaction.commit(layout, changes(layout))
    assert texts(layout) == CHANGED and not layout.journal.exists()


def test_change_that_was_cut_off_is_ended_before_anything_else_begins(layout, monkeypatch):
    cut_off(layout, monkeypatch, changes(layout))
    with transaction.hold(layout):
        assert texts(layout) == CHANGED and not layout.journal.exists()


def test_change_that_was_cut_off_is_ended_by_a_call_that_changes_nothing(
        layout, monkeypatch):
    cut_off(layout, monkeypatch, changes(layout))
    transaction.recover(layout)
    assert texts(layout) == CHANGED and not layout.journal.exists()


def test_change_that_was_cut_off_is_ended_where_the_project_is_now(layout, monkeypatch):
    cut_off(layout, monkeypatch, changes(layout))
    moved = Layout(layout.root.with_name("moved"))
    layout.root.rename(moved.root)
    transaction.recover(moved)
    assert texts(moved) == CHANGED and not layout.root.exists()


def test_file_outside_the_project_changes_along(layout, tmp_path, monkeypatch):
    """Such as that of a tree which lies in another folder than build/."""
    cut_off(layout, monkeypatch, {tmp_path / "elsewhere": "x\n"})
    transaction.recover(layout)
    assert (tmp_path / "elsewhere").read_text() == "x\n"


def test_recovery_waits_for_nobody_if_there_is_nothing_to_recover(layout):
    transaction.recover(layout)
    assert not layout.queue_lock.exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"one": 1}', "", "\udcff"])
def test_damaged_journal_changes_nothing_and_is_kept(layout, capfd, text):
    before = texts(layout)
    layout.journal.parent.mkdir(parents=True, exist_ok=True)
    layout.journal.write_bytes(text.encode("utf-8", "surrogateescape"))
    transaction.recover(layout)
    assert texts(layout) == before and not layout.journal.exists()
    aside = layout.journal.with_suffix(".damaged")
    assert aside.read_bytes() == text.encode("utf-8", "surrogateescape")
    said = "".join(capfd.readouterr())
    assert "may have been cut off" in said and f"it is now {aside.name}\n" in said
    transaction.recover(layout)
    assert "".join(capfd.readouterr()) == ""


def test_journal_is_there_before_the_first_file_changes(layout, monkeypatch):
    seen = []
    real = files.write

    def write(path, text):
        seen.append((path.name, json.loads(layout.journal.read_text())
                     if layout.journal.exists() else None))
        return real(path, text)
    monkeypatch.setattr(files, "write", write)
    with transaction.hold(layout):
        transaction.commit(layout, {layout.root / "one": "1\n", layout.root / "two": None})
    assert seen == [(layout.journal.name, None), ("one", {"one": "1\n", "two": None})]
