# SPDX-License-Identifier: GPL-2.0-only
"""Files that are whole or absent, and a lock that outlives a kill."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from . import process
from .errors import UsageError
from .terminal import say

DRAFT = ".new"      # what write() appends to a name while it writes
OWNERS_BYTES = 256  # of the list of who has shared a lock, before it begins anew


def read(path: Path) -> str:
    """The text of a file, byte for byte; raises UsageError when it is not UTF-8."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start}); "
                         "save it as UTF-8, or move it elsewhere") from error


def write(path: Path, text: str) -> bool:
    """Put text into path in one step; return whether anything changed.

    A file that already holds the text keeps its time stamp. After a power failure it
    has its old contents or the new. Nothing that stands at the name of the draft is
    written through. Raises EnvironmentFault when the disk is full.
    """
    content = text.encode("utf-8")
    with contextlib.suppress(FileNotFoundError):
        if path.read_bytes() == content:
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + DRAFT)
    try:
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(draft, path)
        _sync_folder(path.parent)
    except OSError as error:
        draft.unlink(missing_ok=True)
        if error.errno == errno.ENOSPC:
            raise process.disk_full(path.parent) from error
        raise
    return True


def scratch(path: Path, text: str) -> None:
    """Put text into a file that nobody needs any more after this call of gup."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))


def _sync_folder(folder: Path) -> None:
    """Have the names in a folder outlive a power failure."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def locked(path: Path, what: str, shared: bool = False) -> Iterator[None]:
    """Hold the lock file path while the block runs, waiting for others.

    A shared lock can be held by many at a time, and by nobody who wants it alone. The
    programs that the block starts inherit the lock. So when gup itself is killed, the
    next call waits until its left-over children are gone, too.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{what} is in use by {_owner(handle)}; waiting for it")
            fcntl.flock(handle, kind)
        if not shared or os.fstat(handle).st_size > OWNERS_BYTES:
            os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        os.set_inheritable(handle, True)
        yield
    finally:
        os.close(handle)


def _owner(handle: int) -> str:
    """Who holds a lock, by what its file says and by who is still there."""
    text = os.pread(handle, 2 * OWNERS_BYTES, 0).decode("ascii", "replace")
    owners = [word for word in text.split() if word.isdecimal()]
    alive = [owner for owner in dict.fromkeys(owners) if Path("/proc", owner).exists()]
    if alive:
        return f"process {', '.join(alive)}"
    if owners:
        return f"what a call that was killed (process {owners[-1]}) has left running"
    return "another call"
