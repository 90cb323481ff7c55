# SPDX-License-Identifier: GPL-2.0-only
"""The command line and the small things below it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import CALL, SCRIPTS
from guplib.cli import program
from guplib.system import files, process
from guplib.system.errors import EnvironmentFault

pytestmark = pytest.mark.usefixtures("with_trees")


@pytest.mark.parametrize("words, part", [
    (("frobnicate",), "invalid choice"), ((), "required"),
    (("kunit", "--colour"), "unrecognized arguments")])
def test_wrong_words_are_one_line(refused, words, part):
    assert part in refused(2, *words)


@pytest.mark.parametrize("words", [
    (), ("kunit",), ("tree",), ("refresh",), ("lint",), ("bisect",), ("bump",), ("new-base",),
    ("range-diff",), ("status",), ("matrix",), ("check",)])
def test_help_of_every_command(words, capfd):
    with pytest.raises(SystemExit) as end:
        program.main([*words, "--help"], SCRIPTS.parent)
    assert end.value.code == 0
    said = capfd.readouterr()
    assert said.out.startswith(" ".join(("usage: gup", *words))) and said.err == ""


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
        process.run(["sh", "-c", "echo first; echo the reason >&2; exit 1"])


def test_log_holds_what_a_program_printed(tmp_path):
    process.run(["echo", "hello"], log=tmp_path / "deep/log")
    assert (tmp_path / "deep/log").read_text() == "hello\n"


def test_program_leaves_no_process_behind(tmp_path):
    pid = tmp_path / "pid"
    process.run(["sh", "-c", f"sleep 1000 & echo $! >{pid}"])
    state = Path(f"/proc/{pid.read_text().strip()}/stat")
    end = time.monotonic() + 10
    while state.exists() and state.read_text().split()[2] != "Z":
        assert time.monotonic() < end, "the program's child is still running"
        time.sleep(0.01)


def test_missing_folder_is_not_taken_for_a_missing_program(tmp_path):
    with pytest.raises(EnvironmentFault, match="no such folder"):
        process.run(["true"], cwd=tmp_path / "none")


def test_path_with_a_space_is_refused_at_once(project, capfd):
    moved = project.root.with_name("my queue")
    project.root.rename(moved)
    assert program.main(["kunit"], moved) == 2
    assert "with ' ' in it" in capfd.readouterr().err


@pytest.mark.parametrize("words", [("tree",), ("tree", "-q"), ("status",)])
def test_output_that_nobody_reads_is_no_traceback(project, words):
    """Whether it is written at once, or when the call ends."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, "-c", CALL, SCRIPTS, project.root, *words],
                          stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert done.returncode == 130 and "Traceback" not in done.stderr, done.stderr
    assert done.stderr.endswith("gup: whoever read the output has gone; the next call goes on "
                                "from here\n")


def test_output_in_a_poor_encoding_is_no_traceback(project):
    done = subprocess.run([sys.executable, "-c", CALL, SCRIPTS, project.root, "tree"],
                          env={**os.environ, "PYTHONIOENCODING": "ascii"},
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
