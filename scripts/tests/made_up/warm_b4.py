# SPDX-License-Identifier: GPL-2.0-only
"""Debian's b4, imported once in a run of the tests: each call of it is a fork.

Nearly all that a call of b4 costs goes to its imports. As a program, this is the process
that has them; it ends when its stdin does. CLIENT stands for b4 meanwhile: it hands over
its words, folder, environment and streams, and waits for the exit code.
"""

import contextlib
import marshal
import os
import select
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

# Called as: python -IS -c CLIENT SOCKET WORD…; needs no import that takes time.
CLIENT = """\
import _socket, marshal, os, struct, sys
server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
server.connect(sys.argv[1])
said = marshal.dumps((sys.argv[2:], os.getcwd(), dict(os.environ)))
server.sendmsg([len(said).to_bytes(4, 'big')], [
    (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack('3i', 0, 1, 2))])
server.sendall(said)
code = server.recv(1)
sys.exit(code[0] if code else 70)
"""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Have b4 at hand while the block runs; gives the shell's words that call it."""
    path = folder / "b4.socket"
    with subprocess.Popen(["/usr/bin/python3", __file__, path], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as server:
        assert server.stdin and server.stdout
        assert server.stdout.readline() == b"ready\n"
        yield f"/usr/bin/python3 -IS -c \"{CLIENT}\" {path}"
        server.stdin.close()


def main(path: str) -> None:
    """Serve calls until stdin ends."""
    import b4.command
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        print("ready", flush=True)
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
            caller, _ = listener.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                caller.sendall(bytes([_call(caller, b4.command.cmd)]))
                os._exit(0)
            caller.close()


def _call(caller: socket.socket, command) -> int:
    """Be b4 for a caller; returns the exit code."""
    size, streams, _, _ = socket.recv_fds(caller, 4, 3)
    with caller.makefile("rb") as stream:
        words, folder, environment = marshal.loads(stream.read(int.from_bytes(size, "big")))
    for number, handle in enumerate(streams):
        os.dup2(handle, number)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["b4", *words]
    code = 0
    try:
        command()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    main(sys.argv[1])
