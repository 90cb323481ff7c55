# SPDX-License-Identifier: GPL-2.0-only
"""The one way to run another program: what it gets, what comes back, what is left."""

import os
import time
from pathlib import Path

import pytest

from guplib.system import process
from guplib.system.errors import EnvironmentFault
from guplib.system.git import EMAIL, EPOCH, NAME, Git


def shell(script, **more):
    return process.run(["sh", "-c", script], **more)


def test_program_gets_where_things_are_and_nothing_else_of_the_environment(monkeypatch):
    for name in ("MAKEFLAGS", "GIT_DIR", "KBUILD_OUTPUT", "CC", "HTTP_PROXY", "ODD"):
        monkeypatch.setenv(name, "outer")
    said = process.run(["env"], env={"ODD": "given", "HOME": "/elsewhere"}).output
    found = dict(line.partition("=")[::2] for line in said.splitlines())
    assert found["ODD"] == "given" and found["HOME"] == "/elsewhere"
    assert found["HTTP_PROXY"] == "outer" and found["PATH"] == os.environ["PATH"]
    assert {*found} <= process.PASSED_ON | {"ODD"}


def test_output_is_in_order_unless_stderr_is_kept_apart():
    script = "echo 1; echo 2 >&2; echo 3"
    assert shell(script).output == "1\n2\n3\n"
    assert shell(script, stderr_apart=True).output == "1\n3\n"
    failed = shell(f"{script}; exit 4", stderr_apart=True, check=False)
    assert (failed.output, failed.returncode) == ("1\n3\n2\n", 4)


def test_bytes_that_are_no_text_are_shown_as_such():
    assert shell(r"printf 'a\377b'").output == "a\\xffb"


def test_program_reads_what_it_is_given_and_else_nothing():
    assert process.run(["cat"], stdin=b"given").output == "given"
    assert process.run(["cat"]).output == ""


def test_program_that_does_not_read_what_it_is_given_is_no_fault():
    assert process.run(["true"], stdin=b"x" * 1_000_000).returncode == 0


def test_reason_begins_with_the_first_line_that_is_called_an_error():
    result = process.Result(("x",), 1, "hint\nerror: one\n  two\n\nthree\nfour\nfive\n")
    assert result.reason == "error: one; two; three; four"
    assert process.Result(("x",), 1, "a\nb \n\n").reason == "b"
    assert process.Result(("x",), 7, " \n").reason == "exit status 7"


def test_failure_names_the_step_and_the_log(tmp_path):
    with pytest.raises(EnvironmentFault, match=r"^sh -c 'exit 3' … failed: exit status 3$"):
        shell("exit 3")
    log = tmp_path / "log"
    with pytest.raises(EnvironmentFault, match=rf"^a step failed: no \(log: {log}\)$"):
        shell("echo no; exit 3", what="a step", log=log)
    assert log.read_text() == "no\n"


def test_program_that_is_not_there():
    with pytest.raises(EnvironmentFault, match="^no-such-program: program not found"):
        process.run(["no-such-program"])


def test_log_of_an_earlier_run_does_not_stay(tmp_path):
    for word in ("earlier", "now"):
        assert shell(f"echo {word}", log=tmp_path / "log").output == f"{word}\n"
    assert (tmp_path / "log").read_text() == "now\n"


def gone(pid):
    """Whether a process ends within a few seconds."""
    stat = Path(f"/proc/{pid}/stat")
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            if stat.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.01)
    return False


def test_interrupt_ends_the_program_and_what_it_started(tmp_path):
    """Also a program that would rather not end, and not only at its end."""
    seen = []

    def interrupt():
        if (tmp_path / "pids").exists() and (tmp_path / "pids").read_text().endswith("\n"):
            seen.append((tmp_path / "pids").read_text())
            raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        shell(f"sleep 60 & echo $$ $! >{tmp_path}/pids; wait", watch=interrupt)
    assert len(seen) == 1 and all(gone(pid) for pid in seen[0].split())


def test_child_that_ignores_the_request_to_end_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.1)
    shell(f"sh -c 'trap \"\" TERM; : >{tmp_path}/ready; sleep 60 & echo $! >{tmp_path}/pid; "
          f"wait' & while [ ! -s {tmp_path}/pid ]; do sleep 0.01; done")
    assert gone((tmp_path / "pid").read_text().strip())


def test_interrupt_from_the_terminal_reaches_gup_and_not_the_program():
    group = shell("cut -d' ' -f5 /proc/$$/stat").output.strip()
    assert group.isdecimal() and group != str(os.getpgid(0))


def test_program_is_watched_while_it_runs(monkeypatch):
    monkeypatch.setattr(process, "POLL_SECONDS", 0.02)
    seen = []
    shell("sleep 0.2", watch=lambda: seen.append(1))
    assert len(seen) >= 2


@pytest.fixture
def git(tmp_path):
    """A repository with one commit."""
    made = Git(tmp_path)
    made.run("init", "-q", "-b", "main")
    (tmp_path / "a").write_text("1\n")
    made.run("add", "a")
    made.run("update-ref", "HEAD", made.commit(made.out("write-tree"), [], "first\n", 0))
    return made


def test_commit_is_the_same_everywhere(git, monkeypatch):
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_EMAIL", "GIT_AUTHOR_DATE", "EMAIL"):
        monkeypatch.setenv(name, "2001-01-01 someone")
    first = git.resolve("HEAD")
    second = git.commit(git.out("write-tree"), [first], "second\n", 5)
    assert git.out("log", "--format=%an %ae %at %cn %ce %ct %s", second).splitlines() == [
        f"{NAME} {EMAIL} {EPOCH + order} {NAME} {EMAIL} {EPOCH + order} {subject}"
        for order, subject in ((5, "second"), (0, "first"))]
    assert git.commit(git.out("write-tree"), [first], "second\n", 5) == second


def test_commit_that_is_not_there_has_no_id(git):
    assert git.resolve("none") == "" and git.resolve("HEAD^{tree}") == ""
    assert len(git.resolve("HEAD")) == 40


def test_history_of_a_commit(git):
    first = git.resolve("HEAD")
    second = git.commit(git.out("write-tree"), [first], "second\n", 1)
    assert git.contains(second, first) and not git.contains(first, second)


def test_change_is_known_wherever_it_is_and_blanks_count_if_asked(git):
    diff = "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -{0} +{0} @@\n-1\n+{1}\n"
    here, there = diff.format(1, "2 3"), diff.format(7, "2 3")
    blank = diff.format(1, "2  3")
    assert git.patch_id(here) == git.patch_id(there) == git.patch_id(blank) != ""
    assert git.patch_id(here, blanks=True) == git.patch_id(there, blanks=True)
    assert git.patch_id(here, blanks=True) != git.patch_id(blank, blanks=True)


def test_index_of_its_own_leaves_that_of_the_tree_alone(git, tmp_path):
    aside = Git(tmp_path, tmp_path / "aside")
    aside.run("read-tree", "--empty")
    assert aside.lines("ls-files") == [] and git.lines("ls-files") == ["a"]


def test_log_may_be_in_a_folder_that_is_not_there_yet(tmp_path):
    process.run(["echo", "said"], log=tmp_path / "a/b/log")
    assert (tmp_path / "a/b/log").read_text() == "said\n"
