# SPDX-License-Identifier: GPL-2.0-only
"""Files that are whole or absent, whatever happens meanwhile, and locks."""

import errno
import fcntl
import os
import subprocess
import threading

import pytest

from guplib.system import files
from guplib.system.errors import UsageError


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("link", [False, True])
def test_draft_that_a_killed_call_has_left_is_replaced(tmp_path, link):
    victim, path = tmp_path / "victim", tmp_path / "a"
    victim.write_text("mine\n")
    draft = path.with_name(f"a{files.DRAFT}")
    if link:
        draft.symlink_to(victim)
    else:
        draft.write_text("half")
    assert files.write(path, "whole\n")
    assert path.read_text() == "whole\n" and not path.is_symlink()
    assert victim.read_text() == "mine\n" and names(tmp_path) == ["a", "victim"]


def test_write_that_fails_leaves_the_old_contents_and_no_draft(tmp_path, monkeypatch):
    path = tmp_path / "a"
    files.write(path, "old\n")

    def fails(*_):
        raise OSError(errno.EIO, "Input/output error")
    monkeypatch.setattr(files.os, "replace", fails)
    with pytest.raises(OSError, match="Input/output error"):
        files.write(path, "new\n")
    assert path.read_text() == "old\n" and names(tmp_path) == ["a"]


def test_contents_are_on_disk_before_the_name_and_the_name_before_the_end(
        tmp_path, monkeypatch):
    done = []
    real = os.replace
    monkeypatch.setattr(files.os, "fsync", lambda handle: done.append(
        (os.readlink(f"/proc/self/fd/{handle}"), os.fstat(handle).st_size)))
    monkeypatch.setattr(files.os, "replace",
                        lambda *names: (done.append("renamed"), real(*names)))
    open_before = os.listdir("/proc/self/fd")
    files.write(tmp_path / "a", "text\n")
    (draft, size), renamed, (folder, _) = done
    assert (draft, size) == (str(tmp_path / f"a{files.DRAFT}"), 5)
    assert renamed == "renamed" and folder == str(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == len(open_before)


def test_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "a").write_bytes(b"good\n\xff")
    with pytest.raises(UsageError, match="a: not UTF-8 text .* at byte 5"):
        files.read(tmp_path / "a")


def test_text_is_read_byte_for_byte(tmp_path):
    files.write(tmp_path / "a", "one\r\ntwo\rthree\n")
    assert files.read(tmp_path / "a") == "one\r\ntwo\rthree\n"


def test_folders_of_a_file_are_made(tmp_path):
    files.scratch(tmp_path / "deep/er/a", "x")
    files.write(tmp_path / "deep/est/a", "x")
    assert names(tmp_path / "deep") == ["er", "est"]


def test_lock_tells_who_has_it_and_nothing_of_who_had_it(tmp_path):
    lock = tmp_path / "locks/a"
    files.scratch(lock, "1234567890\n")
    with files.locked(lock, "it"):
        assert lock.read_text() == f"{os.getpid()}\n"


def free(lock):
    """Whether nobody holds a lock."""
    with lock.open() as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_lock_is_let_go_of_with_the_block(tmp_path):
    with files.locked(tmp_path / "lock", "it"):
        assert not free(tmp_path / "lock")
    assert free(tmp_path / "lock")


def test_lock_outlives_the_call_in_the_programs_that_it_started(tmp_path):
    with files.locked(tmp_path / "lock", "it"):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        assert not free(tmp_path / "lock")
    finally:
        child.kill()
        child.wait()
    assert free(tmp_path / "lock")


@pytest.mark.parametrize("text, who", [("{}\n", "process {}"), ("", "another call"),
                                       ("half a", "another call")])
def test_holder_of_a_lock_is_named_while_it_is_waited_for(tmp_path, capfd, text, who):
    holder, who = (tmp_path / "lock").open("w+"), who.format(os.getpid())
    fcntl.flock(holder, fcntl.LOCK_EX)
    holder.write(text.format(os.getpid()))
    holder.flush()
    later = threading.Timer(0.1, holder.close)
    later.start()
    with files.locked(tmp_path / "lock", "base 6.1"):
        assert holder.closed
    later.join()
    assert "".join(capfd.readouterr()) == f"base 6.1 is in use by {who}; waiting for it\n"
