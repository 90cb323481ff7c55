# SPDX-License-Identifier: GPL-2.0-only
"""--build-dir: all is made in another folder, and stored files have one lock even so."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from conftest import CALL, GUP_C, SCRIPTS, edit, kunit_json, with_line
from guplib import config, queue
from guplib.cli import program
from guplib.system import transaction

MAKE_NOTHING = ("setup", "range-diff")


@pytest.fixture
def made(project, tmp_path):
    """Another folder, to which what was fetched has moved."""
    return (project.root / "build").rename(tmp_path / "made")


def left_in_the_clone(project):
    """The files below build/."""
    return sorted(path.name for path in (project.root / "build").rglob("*"))


@pytest.mark.parametrize("name", [name for name in program.COMMANDS if name not in MAKE_NOTHING])
def test_each_command_that_makes_something_takes_it(refused, name):
    assert "argument --build-dir: expected one argument" in refused(2, name, "--build-dir")


def test_bump(project, gup, newer, made):
    said = gup("bump", "--base", "6.1", "--ksrc", newer(with_line(28, "int moved;")),
               "--build-dir", made)
    assert said.code == 0, said
    assert config.base(project.layout, "6.1").version == "6.1.12"
    assert " int moved;" in project.patch.read_text()
    assert queue.problems(project.layout) == []
    assert (made / "bump/6.1/build/6.1/linux/mm/gup.c").exists()
    assert left_in_the_clone(project) == ["queue.lock"]


def test_conflict_of_bump_is_where_it_says(project, gup, newer, made):
    project.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    tarball, words = newer(with_line(30, "int other;")), ("--build-dir", made)
    tree = made / "bump/6.1/build/6.1/linux"
    said = gup("bump", "--base", "6.1", "--ksrc", tarball, *words)
    assert said.code == 2 and f"git -C {tree} commit -a -m" in said.err
    (tree / "mm/gup.c").write_text("\n".join(with_line(30, "int resolved;")) + "\n")
    project.git("commit", "-q", "-a", "-m", "mm/gup: change a line", tree=tree)
    project.behave(json=kunit_json(adds="PASS", drops="PASS"))
    said = gup("bump", "--base", "6.1", "--ksrc", tarball, *words)
    assert said.code == 0 and "resolved       one-line/6.1.patch" in said.out, said


def test_new_base(project, gup, newer, made):
    said = gup("new-base", "6.6", "--bump", "--ksrc", newer(GUP_C, "6.6.3"),
               "--build-dir", made)
    assert said.code == 0, said
    assert config.base(project.layout, "6.6").version == "6.6.3"
    assert (made / "bump/6.6").is_dir()
    assert left_in_the_clone(project) == ["queue.lock"]


def test_follow(project, gup, mirror, made):
    mirror.offer("linux-source-6.1", "6.1.12-1", "sid")
    said = gup("follow", "--base", "6.1", "--build-dir", made)
    assert said.code == 0 and "6.1.12-1  clean" in said.out, said
    assert (made / "bump/6.1").is_dir()
    assert left_in_the_clone(project) == ["queue.lock"]


@pytest.mark.skipif(not shutil.which("b4"), reason="package b4 is missing")
def test_trailers(project, gup, made):
    mbox = made / "thread.mbox"
    text = project.patch.read_text().partition("\n\n")[2]
    head = "From x@y Thu Jan  1 00:00:00 1970\nDate: Fri, 20 Nov 2026 12:00:00 +0000\n"
    mbox.write_text(
        f"{head}From: me@example.org\nSubject: [PATCH] mm/gup: change a line\n"
        f"Message-ID: <1@example.org>\n\n{text}\n"
        f"{head}From: M <m@example.org>\nSubject: Re: [PATCH] mm/gup: change a line\n"
        "Message-ID: <2@example.org>\nIn-Reply-To: <1@example.org>\n\n"
        "Acked-by: M <m@example.org>\n\n")
    words = ("trailers", "--mbox", mbox, "--build-dir", made)
    assert gup("tree", "--base", "6.1", "--build-dir", made).code == 0
    edit(made / "6.1/linux/mm/gup.c", "int changed;", "int mine;")
    said = gup(*words)
    assert said.code == 2 and f"{made}/6.1/linux holds work" in said.err, said
    assert gup("tree", "--base", "6.1", "--set-aside", "--build-dir", made).code == 0
    assert gup(*words).out == "patches/one-line/6.1.patch: Acked-by: M <m@example.org>\n"
    assert (made / "thread").is_dir()
    assert left_in_the_clone(project) == ["queue.lock"]


def test_two_folders_have_one_lock_of_stored_files(project, made, tmp_path):
    with transaction.hold(replace(project.layout, build_folder=made)):
        second = subprocess.Popen(
            [sys.executable, "-c", CALL, SCRIPTS, project.root, "new-base", "6.6",
             "--build-dir", tmp_path / "other"], stdout=subprocess.PIPE, text=True)
        assert second.stdout.readline() == \
            f"the stored queue is in use by process {os.getpid()}; waiting for it\n"
        assert "6.6" not in config.bases(project.layout)
    second.communicate(timeout=60)
    assert second.returncode == 0 and "6.6" in config.bases(project.layout)


def test_what_was_cut_off_in_one_folder_is_ended_in_the_other(project, gup, made, monkeypatch):
    real = transaction._finish
    monkeypatch.setattr(transaction, "_finish", lambda layout: None)
    assert gup("new-base", "6.6", "--build-dir", made).code == 0
    monkeypatch.setattr(transaction, "_finish", real)
    assert "6.6" not in config.bases(project.layout)
    assert gup("status").code == 0
    assert "6.6" in config.bases(project.layout)
