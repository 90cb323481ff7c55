# SPDX-License-Identifier: GPL-2.0-only
"""The command line and the small things below it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import SCRIPTS
from guplib import command, files
from guplib.errors import EnvironmentFault


@pytest.mark.parametrize("words, part", [
    (("frobnicate",), "invalid choice"), ((), "required"),
    (("kunit", "--colour"), "unrecognized arguments")])
def test_wrong_words_are_one_line(refused, words, part):
    assert part in refused(2, *words)


@pytest.mark.parametrize("words", [(), ("kunit",), ("tree",), ("check",)])
def test_help_of_every_command(words):
    done = subprocess.run([sys.executable, SCRIPTS / "gup", *words, "--help"],
                          capture_output=True, text=True, check=True)
    assert "usage: gup" in done.stdout


def test_broken_data_file_is_one_line(project, refused):
    (project.root / "config/bases.toml").write_text("default = \n")
    assert "bases.toml: not valid TOML" in refused(2, "tree")


def test_data_file_with_an_unknown_key(project, refused):
    path = project.root / "config/bases.toml"
    path.write_text(path.read_text().replace('version = "6.1.9"',
                                             'version = "6.1.9"\ncolour = "red"'))
    assert "base 6.1: unknown key 'colour'" in refused(2, "tree")


def test_empty_report_list_is_refused(project, refused):
    (project.root / "config/reports.toml").write_text("patterns = []\n")
    assert "the kernel log would go unread" in refused(2, "kunit")


def test_unchanged_file_keeps_its_time_stamp(tmp_path):
    path = tmp_path / "a"
    assert files.write(path, "x")
    before = path.stat().st_mtime_ns
    assert not files.write(path, "x")
    assert path.stat().st_mtime_ns == before


def test_failed_program_gives_its_last_line():
    with pytest.raises(EnvironmentFault, match="failed: the reason"):
        command.run(["sh", "-c", "echo first; echo the reason >&2; exit 1"])


def test_log_holds_what_a_program_printed(tmp_path):
    command.run(["echo", "hello"], log=tmp_path / "deep/log")
    assert (tmp_path / "deep/log").read_text() == "hello\n"


def test_program_leaves_no_process_behind(tmp_path):
    pid = tmp_path / "pid"
    command.run(["sh", "-c", f"sleep 1000 & echo $! >{pid}"])
    state = Path(f"/proc/{pid.read_text().strip()}/stat")
    end = time.monotonic() + 10
    while state.exists() and state.read_text().split()[2] != "Z":
        assert time.monotonic() < end, "the program's child is still running"
        time.sleep(0.01)


def test_missing_folder_is_not_taken_for_a_missing_program(tmp_path):
    with pytest.raises(EnvironmentFault, match="no such folder"):
        command.run(["true"], cwd=tmp_path / "none")
