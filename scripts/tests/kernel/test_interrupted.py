# SPDX-License-Identifier: GPL-2.0-only
"""kill -9 and Ctrl-C while unpacking, committing, checking out and building."""

import os
import signal
import subprocess
import sys
import time

import pytest

from conftest import CALL, GUP_C, SCRIPTS, stored, unified, with_line

SECONDS = 20


def hear_interrupts():
    """Undo what a shell does to its background jobs: there, Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(project, *words, stdout=subprocess.DEVNULL):
    return subprocess.Popen([sys.executable, "-c", CALL, SCRIPTS, project.root, *words],
                            stdout=stdout, stderr=subprocess.PIPE, text=True,
                            preexec_fn=hear_interrupts)


def wait_for(path):
    end = time.monotonic() + SECONDS
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not come within {SECONDS} s"
        time.sleep(0.01)


@pytest.fixture
def stopping(stub, tmp_path):
    """Make a program report that it has begun, and hang until it may go on."""
    def make(name, before="", when="true"):
        began, go = tmp_path / f"{name}.began", tmp_path / f"{name}.go"
        real = subprocess.run(["sh", "-c", f"PATH=${{PATH#*:}}; command -v {name}"],
                              capture_output=True, text=True, check=True).stdout.strip()
        stub(name, f'if {when}; then {before}\n: >{began}; n=0\n'
             f'while [ ! -e {go} ] && [ $n -lt 2000 ]; do sleep 0.01; n=$((n+1)); done\n'
             f'fi; exec {real} "$@"')
        return began, go
    return make


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 130)])
def test_interrupt_ends_the_children_and_says_one_line(project, gup, stopping, number,
                                                       code):
    began, go = stopping("tar")
    child = start(project, "tree")
    wait_for(began)
    child.send_signal(number)
    _, err = child.communicate(timeout=SECONDS)
    assert child.returncode == code
    assert err.splitlines()[-1] == "gup: interrupted; the next call goes on from here"
    assert "Traceback" not in err
    assert not project.tree.exists()
    go.touch()
    assert gup("tree").code == 0


def test_kill_while_unpacking(project, gup, stopping):
    began, go = stopping("tar", before="mkdir -p $4/mm; echo half >$4/mm/gup.c")
    child = start(project, "tree")
    wait_for(began)
    child.kill()
    child.wait()
    assert not project.tree.exists()
    go.touch()
    assert gup("tree").code == 0
    assert "int changed;" in (project.tree / "mm/gup.c").read_text()


def test_next_call_waits_for_what_a_killed_one_left_running(project, stopping):
    began, go = stopping("tar", when="[ ! -e $0.began ]", before=": >$0.began")
    first = start(project, "tree")
    wait_for(began)
    first.kill()
    first.wait()
    second = start(project, "tree", stdout=subprocess.PIPE)
    said = second.stdout.readline()
    assert said == (f"base 6.1 is in use by what a call that was killed (process {first.pid}) "
                    "has left running; waiting for it\n")
    go.touch()
    assert second.wait(SECONDS) == 0


def test_kill_while_committing_the_base(project, gup, stopping):
    began, go = stopping("git", when='case " $* " in *" add "*) true;; *) false;; esac')
    child = start(project, "tree")
    wait_for(began)
    child.kill()
    child.wait()
    go.touch()
    assert not project.tree.exists()
    assert gup("tree").code == 0


def cut_off_checkout(project, gup, content):
    """Leave the tree as a checkout killed in the middle leaves it."""
    gup("tree")
    head = project.git("rev-parse", "HEAD")
    project.patch.write_text(stored("mm/gup: change a line", unified(
        GUP_C, with_line(30, "int newer;"), "mm/gup.c")))
    gup("tree")
    state = project.tree / ".git/gup.json"
    target = project.git("rev-parse", "HEAD")
    project.git("checkout", "-q", "-B", "gup/6.1", head)
    state.write_text(state.read_text().replace(f'"head": "{target}"', f'"head": "{head}"')
                     .replace('"target": ""', f'"target": "{target}"'))
    (project.tree / ".git/index.lock").write_text("")
    (project.tree / "mm/gup.c").write_text(content)
    return target


@pytest.mark.parametrize("lines", [0, 12, 60])
def test_kill_while_checking_out(project, gup, lines):
    text = "".join(f"{line}\n" for line in with_line(30, "int newer;")[:lines])
    target = cut_off_checkout(project, gup, text)
    said = gup("tree")
    assert said.code == 0 and "interrupted checkout" in said.out
    assert project.git("rev-parse", "HEAD") == target
    assert project.git("status", "--porcelain") == ""


def test_kill_while_the_first_checkout_creates_files(project, gup):
    gup("tree")
    base, target = (project.git("rev-parse", name) for name in ("base", "HEAD"))
    project.git("checkout", "-q", "-B", "gup/6.1", base)
    state = project.tree / ".git/gup.json"
    state.write_text(state.read_text().replace(f'"head": "{target}"', f'"head": "{base}"')
                     .replace('"target": ""', f'"target": "{target}"'))
    half = project.tree / "mm/tests/put_user_page_kunit.c"
    half.parent.mkdir()
    half.write_text("static struct kunit_case")
    assert gup("tree").code == 0
    assert project.git("rev-parse", "HEAD") == target
    assert project.git("status", "--porcelain") == ""


def test_edit_after_an_interrupted_checkout_is_not_overwritten(project, gup, refused):
    cut_off_checkout(project, gup, "int mine;\n")
    assert "mm/gup.c" in refused(2, "tree")
    assert (project.tree / "mm/gup.c").read_text() == "int mine;\n"


def test_kill_while_building(project, gup, tmp_path):
    gup("tree")
    began = tmp_path / "began"
    script = project.tree / "tools/testing/kunit/kunit.py"
    real = script.read_text()
    script.write_text(f"import pathlib, time, sys\nif sys.argv[1] == 'build':\n"
                      f"    pathlib.Path({str(began)!r}).touch()\n"
                      f"    time.sleep({SECONDS})\n" + real)
    child = start(project, "kunit")
    wait_for(began)
    os.kill(child.pid, signal.SIGINT)
    child.wait(SECONDS)
    script.write_text(real)
    said = gup("kunit")
    assert said.code == 0 and "cut off" in said.out
    assert "cut off" not in gup("kunit").out


def test_full_disk_is_one_line_and_leaves_no_tree(project, gup, refused, stub):
    tar = stub("tar", "echo 'tar: x: Cannot write: No space left on device' >&2; exit 2")
    assert f"disk full while writing below {project.tree}.new;" in refused(3, "tree")
    assert not project.tree.exists()
    tar.unlink()
    assert gup("tree").code == 0


def test_full_disk_while_a_file_is_stored(project, refused, monkeypatch):
    from guplib.system import files

    def full(*_):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(files.os, "replace", full)
    assert "disk full" in refused(3, "tree")
