# SPDX-License-Identifier: GPL-2.0-only
"""How gup starts, on whatever Python and locale, and what becomes of its own faults."""

import os
import subprocess
import sys

import pytest

from conftest import CALL, SCRIPTS, stored, unified
from conftest import GUP_C, with_line


def start(*words, flags=(), **env):
    """Run scripts/gup as a person does."""
    return subprocess.run([sys.executable, *flags, SCRIPTS / "gup", *words], text=True,
                          capture_output=True, env={**os.environ, **env})


@pytest.mark.parametrize("flags, env", [
    (("-OO",), {}), ((), {"PYTHONSAFEPATH": "1"}), (("-P",), {}), (("-I",), {}),
    ((), {"LC_ALL": "POSIX"})])
def test_help_on_any_python(flags, env):
    done = start("kunit", "--help", flags=flags, **env)
    assert done.returncode == 0 and "usage: gup kunit" in done.stdout, done.stderr
    assert "KUnit suites" in done.stdout


def test_help_of_all_commands_without_docstrings():
    done = start("--help", flags=["-OO"])
    assert done.returncode == 0 and "usage: gup" in done.stdout, done.stderr
    assert "KUnit suites" in done.stdout


@pytest.fixture(scope="module")
def latin(tmp_path_factory):
    """A locale in which a byte is a letter, made as Debian's locales package would."""
    folder = tmp_path_factory.mktemp("locale")
    done = subprocess.run(["localedef", "-i", "de_DE", "-f", "ISO-8859-1",
                           folder / "de_DE"], capture_output=True, text=True)
    if done.returncode > 1:
        pytest.skip(f"localedef cannot make de_DE.ISO-8859-1: {done.stderr.strip()}")
    return {"LOCPATH": str(folder), "LC_ALL": "de_DE"}


def test_locale_with_another_encoding_changes_no_file(project, latin, tmp_path):
    project.patch.write_text(stored("mm/gup: say “line”", unified(
        GUP_C, with_line(30, "int changed;"), "mm/gup.c")))
    (project.root / "scripts").symlink_to(SCRIPTS)
    call = [sys.executable, "-c", CALL, SCRIPTS, project.root]
    out = tmp_path / "out"
    for words in (["tree"], ["refresh", "--base", "6.1"],
                  *[["export", "--base", "6.1", "--format", "quilt", "--out", out,
                     "--force"]] * 2):
        done = subprocess.run([*call, *words], env={**os.environ, **latin},
                              capture_output=True)
        assert done.returncode == 0, done.stderr
    assert "“line”" in project.patch.read_text(encoding="utf-8")
    text = (out / "patches/mm-gup-say-line.patch").read_text(encoding="utf-8")
    assert text.startswith("Subject: mm/gup: say “line”\n")


def test_start_in_another_encoding_goes_on_in_utf_8(latin):
    done = subprocess.run([sys.executable, SCRIPTS / "gup", "kunit", "--base", "“"],
                          env={**os.environ, **latin}, capture_output=True)
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("words, says", [
    (("export", "--base", "6.1", "--format", "quilt", "--out", "~nobody-here/x"),
     "'~nobody-here/x': ~nobody-here is nobody's home folder here"),
    (("kunit", "--ksrc", "~nobody-here/x"), "nobody's home folder"),
    (("trailers", "--mbox", "\udcff"), "'\\udcff' is no UTF-8")])
def test_path_that_is_none(refused, words, says):
    assert says in refused(2, *words)


def test_home_folder_in_every_path(project, refused, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert f"{tmp_path}/none" in refused(2, "kunit", "--ksrc=~/none")
    assert f"{tmp_path}/none" in refused(2, "bump", "--base=6.1", "--ksrc=~/none")


def test_clone_at_a_path_that_is_no_utf_8(project, capfd):
    from guplib.cli import program
    moved = project.root.with_name("queue\udcff")
    project.root.rename(moved)
    assert program.main(["status"], moved) == 2
    assert "a path that is no UTF-8" in capfd.readouterr().err


def test_error_that_nobody_has_thought_of_is_70_with_a_log(project, refused, monkeypatch):
    from guplib.upkeep import status

    def broken(*_):
        raise KeyError("a thing")
    monkeypatch.setattr(status, "lines", broken)
    said = refused(70, "status")
    log = project.root / "build/internal-error.log"
    assert "internal error" in said and "KeyError: 'a thing'" in said and str(log) in said
    assert "Traceback" in log.read_text() and "please send" in said


def test_no_command_ends_in_a_traceback_without_a_place_for_the_log(project, monkeypatch,
                                                                    capfd):
    from guplib.cli import program
    from guplib.upkeep import status
    monkeypatch.setattr(status, "lines", lambda *_: [][0])
    (project.root / "build").rename(project.root / "elsewhere")
    (project.root / "build").write_text("in the way")
    assert program.main(["status"], project.root) in (3, 70)
    assert capfd.readouterr().err.splitlines()[-1].startswith("gup: ")
