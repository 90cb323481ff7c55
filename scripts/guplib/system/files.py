# SPDX-License-Identifier: GPL-2.0-only
"""Files that are whole or absent, and a lock that outlives a kill."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from . import process
from .terminal import say


def write(path: Path, text: str) -> bool:
    """Put text into path in one step; return whether anything changed.

    A file that already holds the text keeps its time stamp. Raises
    EnvironmentFault when the disk is full.
    """
    with contextlib.suppress(FileNotFoundError):
        if path.read_text() == text:
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    try:
        draft.write_text(text)
        os.replace(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        if error.errno == errno.ENOSPC:
            raise process.disk_full(path.parent) from error
        raise
    return True


@contextlib.contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file path while the block runs, waiting for others.

    The programs that the block starts inherit the lock. So when gup itself is
    killed, the next call waits until its left-over children are gone, too.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(handle, 32, 0).decode().strip() or "unknown"
            say(f"{what} is in use by process {owner}; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        os.set_inheritable(handle, True)
        yield
    finally:
        os.close(handle)
