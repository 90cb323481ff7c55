# SPDX-License-Identifier: GPL-2.0-only
"""The one way to run another program."""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from . import settings
from .errors import EnvironmentFault
from .terminal import tell

DISK_FULL = "No space left on device"
POLL_SECONDS = 0.1
GRACE_SECONDS = 5.0
FULL_BYTES = 64 << 10       # a disk with less is full
REASON = re.compile(r"(?:fatal|error|E): ")
REASON_LINES = 4
# All that a program gets of this process's environment: where things are, proxies,
# and where a compiler's cache is. Whatever else a shell, git or make has exported
# speaks of another repository, kernel or compiler than gup does.
PASSED_ON = frozenset("""
    PATH HOME USER LOGNAME SHELL TMPDIR XDG_CACHE_HOME XDG_CONFIG_HOME XDG_RUNTIME_DIR
    PYENV_ROOT PYENV_VERSION LD_LIBRARY_PATH APT_CONFIG
    http_proxy https_proxy ftp_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY
    CCACHE_DIR CCACHE_CONFIGPATH CCACHE_MAXSIZE CCACHE_REMOTE_STORAGE
    """.split())


@dataclass(frozen=True)
class Result:
    """What a program left behind; `output` is stdout and stderr in order.

    Where stderr was kept apart, it comes behind stdout, and only of a program that
    has failed.
    """

    argv: tuple[str, ...]
    returncode: int
    output: str

    @property
    def last_line(self) -> str:
        """The last line that says something, or the exit status."""
        lines = [line for line in self.output.splitlines() if line.strip()]
        return lines[-1].strip() if lines else f"exit status {self.returncode}"

    @property
    def reason(self) -> str:
        """Why it failed, on one line: from the first line that is called an error on."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        for number, line in enumerate(lines):
            if REASON.match(line):
                return "; ".join(lines[number:number + REASON_LINES])
        return self.last_line


def run(argv: Sequence[str | Path], *, cwd: Path | None = None,
        env: Mapping[str, str] | None = None, stdin: bytes = b"",
        check: bool = True, log: Path | None = None,
        watch: Callable[[], None] | None = None,
        stderr_apart: bool = False, what: str = "", where: Path | None = None) -> Result:
    """Run a program to its end and return what it printed.

    The program's environment is PASSED_ON and env. With log, the output is also
    kept in that file, growing while the program runs. watch is called every
    POLL_SECONDS. With stderr_apart, output holds stdout alone, followed by stderr if
    the program fails. The program gets a process group of its own, which is ended
    with the program, and when this call is interrupted. what is how an error calls
    the step, and where the folder that the program writes to, if that is not cwd.

    Raises EnvironmentFault when the program is missing, when the disk is
    full, or, with check, when it fails.
    """
    words = tuple(str(word) for word in argv)
    if settings.of_call.verbose:
        tell(f"+ {shlex.join(words)}" + (f"    (in {cwd})" if cwd else ""))
    with _sink(log) as sink, tempfile.TemporaryFile() as aside:
        try:
            child = subprocess.Popen(
                words, cwd=cwd, env={**_surroundings(), **(env or {})},
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=sink, stderr=aside if stderr_apart else subprocess.STDOUT,
                start_new_session=True, close_fds=False)
        except FileNotFoundError as error:
            if cwd is not None and not cwd.is_dir():
                raise EnvironmentFault(f"{cwd}: no such folder") from error
            raise EnvironmentFault(
                f"{words[0]}: program not found; install it and call again"
            ) from error
        _wait(child, stdin, watch)
        _end_group(child)
        output, errors = _contents(sink), _contents(aside)
    result = Result(words, child.returncode,
                    output + errors if child.returncode else output)
    if result.returncode and (full := _full(result.output, where or cwd)):
        raise disk_full(full)
    if check and result.returncode:
        raise EnvironmentFault(f"{what or shlex.join(words[:3]) + ' …'} failed: {result.reason}"
                               + (f" (log: {log})" if log else ""))
    return result


def _surroundings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items()
            if name in PASSED_ON}


def _full(said: str, where: Path | None) -> Path | None:
    """The folder whose disk is full, by what a program said, or as it is."""
    for folder in (where or Path.cwd(), Path(tempfile.gettempdir())):
        with contextlib.suppress(OSError):
            disk = os.statvfs(folder)
            if disk.f_blocks and disk.f_bavail * disk.f_frsize < FULL_BYTES:
                return folder
    return (where or Path.cwd()) if DISK_FULL in said else None


def disk_full(where: Path) -> EnvironmentFault:
    """The error for a full disk, naming the folder that was written to."""
    return EnvironmentFault(
        f"disk full while writing below {where}; make room and call again")


def _sink(log: Path | None) -> IO[bytes]:
    if log is None:
        return tempfile.TemporaryFile()
    log.parent.mkdir(parents=True, exist_ok=True)
    return log.open("w+b")


def _contents(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode(errors="backslashreplace")


def _wait(child: subprocess.Popen[bytes], stdin: bytes,
          watch: Callable[[], None] | None) -> None:
    try:
        if child.stdin:
            try:
                child.stdin.write(stdin)
                child.stdin.close()
            except BrokenPipeError:
                pass
        if watch is None:
            child.wait()
            return
        while True:
            try:
                child.wait(POLL_SECONDS)
                return
            except subprocess.TimeoutExpired:
                watch()
    except BaseException:
        _end_group(child)
        raise


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """End what is left of a program and of the programs that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_SECONDS)
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
