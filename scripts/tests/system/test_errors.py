# SPDX-License-Identifier: GPL-2.0-only
"""What an error says: which step, in which folder, why."""

import os
import shutil

import pytest

from guplib.system import files, process
from guplib.system.errors import EnvironmentFault
from guplib.system.git import Git


def test_failure_of_git_names_the_command_the_folder_and_all_of_the_reason(tmp_path):
    git = Git(tmp_path)
    git.run("init", "-q")
    (tmp_path / "a").write_text("1\n")
    git.run("add", "a")
    commit = git.commit(git.out("write-tree"), [], "x\n", 0)
    git.run("rm", "-q", "--cached", "a")
    with pytest.raises(EnvironmentFault) as failure:
        git.run("checkout", "-q", "-B", "x", commit)
    said = str(failure.value)
    assert said.startswith(f"git checkout in {tmp_path} failed: error: ")
    assert "would be overwritten by checkout" in said and "; a; " in said
    assert "gc.auto" not in said and "\n" not in said


def test_full_disk_is_told_by_the_disk_where_the_program_writes(tmp_path, monkeypatch):
    real = os.statvfs

    def full(path):
        found = list(real(path))
        found[4] = 0 if str(path).startswith(str(tmp_path)) else found[4]
        return os.statvfs_result(found)
    monkeypatch.setattr(process.os, "statvfs", full)
    Git(tmp_path).run("init", "-q")
    with pytest.raises(EnvironmentFault, match=f"disk full .* below {tmp_path};"):
        Git(tmp_path).run("apply", "--cached", "none.patch", check=False)


def test_full_disk_that_a_program_of_git_tells_of_is_that_of_the_tree(tmp_path, stub):
    stub("git", "echo 'fatal: write error: No space left on device' >&2; exit 128")
    with pytest.raises(EnvironmentFault, match=f"disk full .* below {tmp_path}/tree;"):
        Git(tmp_path / "tree").run("add", "-A")


def test_lock_that_a_dead_call_has_left_to_its_children_says_so(tmp_path, capfd):
    ended = process.run(["sh", "-c", "echo $$"]).output.strip()
    lock = tmp_path / "lock"
    # A program that holds the lock for a moment, as one does that a killed call started.
    child = os.fork()
    if not child:
        import fcntl
        import time
        handle = os.open(lock, os.O_RDWR | os.O_CREAT)
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.pwrite(handle, f"{ended}\n".encode(), 0)
        (tmp_path / "held").touch()
        time.sleep(0.3)
        os._exit(0)
    while not (tmp_path / "held").exists():
        pass
    with files.locked(lock, "base 6.1"):
        pass
    os.waitpid(child, 0)
    said = "".join(capfd.readouterr())
    assert f"base 6.1 is in use by what a call that was killed (process {ended}) has left" in said


@pytest.mark.skipif(not shutil.which("quilt"), reason="quilt is missing")
def test_path_of_the_queue_is_no_part_of_a_script(project, capfd, tmp_path):
    from guplib.cli import program
    moved = tmp_path / 'a; touch "$HOME" b\'c'
    moved.mkdir()
    project.root.rename(moved / "queue")
    (moved / "queue/scripts/tests").mkdir(parents=True)
    (moved / "queue/config/packages.toml").write_text(
        (moved / "queue/config/packages.toml").read_text() + "[check]\n[debian]\n")
    code = program.main(["check", "--only", "quilt,export", "--bases", "6.1"], moved / "queue")
    said = capfd.readouterr()
    assert code == 0, said
    place = moved / "queue/build/packages/6.1/debian"
    place.mkdir()
    (place / "linux_6.1.8-1.dsc").write_text("")
    code = program.main(["check", "--only", "debian", "--bases", "6.1"], moved / "queue")
    assert code == 1 and "cannot be built below a path with ';'" in capfd.readouterr().out
    assert program.main(["kunit"], moved / "queue") == 2
