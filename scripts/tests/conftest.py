# SPDX-License-Identifier: GPL-2.0-only
"""The fixtures of all tests: a made-up queue, calls of gup on it, a made-up mirror."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SCRIPTS))

from guplib.cli import program  # noqa: E402
from made_up import warm_b4  # noqa: E402
from made_up.kernel import (FIND_PLAN, GUP_C, KUNIT_PY, VERSIONS, as_module,  # noqa: E402
                            blob_id, kernel_files, tarball, unified, with_line,
                            write_folder, write_tarball)
from made_up.mirror import MadeUpMirror  # noqa: E402
from made_up.project import (GOOD_LOG, TOPIC, Copy, Project, edit, kunit_json,  # noqa: E402
                             packed_trees, stored, write_project)

# What tests take from here besides what is defined below.
__all__ = ["FIND_PLAN", "GOOD_LOG", "GUP_C", "KUNIT_PY", "MadeUpMirror", "Project", "TOPIC",
           "as_module", "blob_id", "edit", "kernel_files", "kunit_json", "stored", "tarball",
           "unified", "with_line", "write_folder", "write_tarball"]

# Runs gup on a made-up queue in a process of its own: SCRIPTS, the root, words.
CALL = ("import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; "
        "from guplib.cli import program; "
        "sys.exit(program.main(sys.argv[3:], Path(sys.argv[2])))")
PROGRESS = re.compile(r" …$|: (?:done|stopped) in [\d.]+ s$")
FOREIGN = ("GIT_", "QUILT", "XDG_", "LC_", "LANG", "EMAIL", "MAKE", "PYTHON", "SOURCE_DATE")


def leave_out_the_machine(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Let no home folder, locale or setting of whoever calls have a part in what follows.

    Nor has the speed of the disk: nobody pulls the plug meanwhile.
    """
    for name in os.environ:
        if name.startswith(FOREIGN):
            patch.delenv(name)
    patch.setenv("HOME", str(home))
    patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    patch.setenv("LC_ALL", "C.UTF-8")
    patch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture(autouse=True)
def nobodys_machine(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
                    ) -> None:
    """A test has no part in the machine, and the machine none in the test."""
    leave_out_the_machine(monkeypatch, tmp_path_factory.getbasetemp())


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A sound queue whose packages are already downloaded."""
    return write_project(tmp_path)


@dataclass(frozen=True)
class Said:
    """What a call of gup came to."""

    code: int
    out: str
    err: str


@pytest.fixture
def gup(project: Project, capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Call gup on the made-up queue."""
    def call(*words: object) -> Said:
        capfd.readouterr()
        code = program.main([str(word) for word in words], project.root)
        said = capfd.readouterr()
        return Said(code, said.out, said.err)
    return call


def copy_of(folder: Path, verb: str, *stored: str) -> Copy:
    """What a call of gup for each base makes of a queue: some stored files, and the trees."""
    root = write_project(folder).root
    with pytest.MonkeyPatch.context() as patch:
        leave_out_the_machine(patch, folder)
        for base in VERSIONS:
            assert program.main([verb, "--base", base], root) == 0
        return packed_trees(root, *stored)


@pytest.fixture(scope="session")
def trees_as_made(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The trees of both bases as `gup tree` makes them, made once for all tests."""
    return copy_of(tmp_path_factory.mktemp("made"), "tree")


@pytest.fixture(scope="session")
def queue_as_refreshed(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The stored files and the trees as `gup refresh` makes them, once for all tests."""
    return copy_of(tmp_path_factory.mktemp("refreshed"), "refresh",
                   "patches", "series", "kunit", "config")


@pytest.fixture
def with_trees(project: Project, trees_as_made: Copy) -> Project:
    """A sound queue with the trees of both bases."""
    trees_as_made.write(project.root)
    return project


@pytest.fixture
def ready(project: Project, queue_as_refreshed: Copy) -> Project:
    """A queue in its stored form, with the trees of both bases."""
    queue_as_refreshed.write(project.root)
    return project


@pytest.fixture
def newer(tmp_path: Path) -> Callable[..., Path]:
    """Make a tarball of a newer point release with some other mm/gup.c."""
    return lambda lines, version="6.1.12": write_tarball(tmp_path / "newer.tar",
                                                         version, lines)


@pytest.fixture
def own(ready: Project) -> Project:
    """Let the patch serve 6.1 alone."""
    edit(ready.layout.topic("one-line"), '"7.2" = "needed"', '"7.2" = "in-base"')
    ready.layout.series("7.2").write_text("")
    path = ready.layout.config / "bases.toml"
    path.write_text(path.read_text().rpartition('"mm/gup.c"')[0])
    return ready


@pytest.fixture
def refused(gup: Callable[..., Said]) -> Callable[..., str]:
    """Call gup, expect exactly one line of error and an exit code; return it."""
    def call(code: int, *words: object) -> str:
        said = gup(*words)
        assert said.code == code, said
        *steps, last = said.err.splitlines(keepends=True)
        assert last.startswith("gup: ") and last.endswith("\n"), said.err
        assert all(PROGRESS.search(step) for step in steps), said.err
        assert "Traceback" not in said.err + said.out
        return last
    return call


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Put a shell script of a program's name first in PATH."""
    folder = tmp_path / "stubs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def make(name: str, script: str) -> Path:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path
    return make


@pytest.fixture(scope="session")
def b4_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """How a shell calls Debian's b4, which has been started already."""
    with warm_b4.served(tmp_path_factory.mktemp("b4")) as words:
        yield words


@pytest.fixture
def warm_b4_call(b4_server: str, stub: Callable[[str, str], Path]) -> str:
    """Let b4 in PATH be one that has nothing to import any more; gives the words for it."""
    stub("b4", f'exec {b4_server} "$@"')
    return b4_server


@pytest.fixture
def mirror(stub: Callable[[str, str], Path], tmp_path: Path,
           monkeypatch: pytest.MonkeyPatch) -> MadeUpMirror:
    """A mirror that has the verified kernels, and nothing newer."""
    root = tmp_path / "mirror"
    root.mkdir()
    for name in ("keyring", "names"):
        (root / name).write_text("")
    monkeypatch.setattr("guplib.kernel.mirror.KEYRING", root / "keyring")
    stub("apt-get", f"""cd=; for word; do case $word in -o) cd=1;;
        *) [ "$cd" ] || set -- "$@" "$word"
        cd=; esac; shift; done; echo "$*" >>{root}/calls
        case "$*" in
        indextargets*) echo "stable http://mirror.example/debian/"
            echo "stable-security http://mirror.example/debian-security/";;
        update) [ -e {root}/fails ] || exit 0; read code times <{root}/fails
            [ "$times" -gt 0 ] || exit 0
            echo "$code $((times - 1))" >{root}/fails; cat {root}/update; exit "$code";;
        download*) package=${{2%%=*}}; cp "{root}/${{package}}_${{2#*=}}_all.deb" .;;
        source*) for last; do :; done; version=${{last#*=}}
            cp "{root}/linux_${{version%-*}}.orig.tar.xz" .;; esac""")
    stub("apt-cache", f"""kind=deb
        for word; do case $word in *deb-src*) kind=deb-src;; esac; last=$word; done
        case "$*" in *pkgnames*) sort -u {root}/names;;
        *) cat {root}/$kind-$last 2>/dev/null;; esac; exit 0""")
    stub("dpkg-deb", 'cat "$2"')
    made = MadeUpMirror(root)
    for base, version in (("6.1", "6.1.9-1"), ("7.2", "7.2.1-1")):
        made.offer(f"linux-source-{base}", version)
    return made
