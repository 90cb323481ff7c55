# SPDX-License-Identifier: GPL-2.0-only
"""The options that commands share, their help, and what goes to which stream."""

import argparse
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import CALL, SCRIPTS, edit, kunit_json
from guplib.cli import program
from guplib.run import boot, kunit
from guplib.system import process, terminal
from guplib.system.paths import Layout

pytestmark = pytest.mark.usefixtures("with_trees")


def commands() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command."""
    parser = program._parser(Layout(SCRIPTS.parent))
    return next(action for action in parser._actions if action.dest == "verb").choices


def test_help_has_every_command_in_a_group():
    done = subprocess.run([sys.executable, SCRIPTS / "gup", "--help"], text=True,
                          capture_output=True, check=True)
    listed = re.findall(r"^  ([a-z-]+)  +[A-Z]", done.stdout, re.MULTILINE)
    assert sorted(listed) == sorted(program.COMMANDS) and len(listed) == len({*listed})


@pytest.mark.parametrize("name", program.COMMANDS)
def test_example_in_the_help_is_a_call_that_is_taken(name):
    parser = program._parser(Layout(SCRIPTS.parent))
    example = program.COMMANDS[name].EXAMPLE
    assert f"Example:\n  {example}\n" in commands()[name].format_help()
    words = [word.strip("'") for word in example.split()[1:]]
    assert parser.parse_args(words).verb == name
    assert "--no-install" in commands()[name].format_help()


@pytest.mark.parametrize("words", [
    ("tree", "--set"), ("tree", "--unp"), ("kunit", "--bas", "6.1"), ("tree", "--d"),
    ("export", "--base", "6.1", "--format", "quilt", "--dest", "x"), ("tree", "--drop"),
    ("kunit", "-v", "-q"), ("kunit", "--jobs", "0"), ("kunit", "--timeout", "x")])
def test_words_that_are_not_taken(refused, words):
    refused(2, *words)


def test_version_is_that_of_the_clone():
    done = subprocess.run([sys.executable, SCRIPTS / "gup", "--version"], text=True,
                          capture_output=True, check=True)
    assert re.fullmatch(r"gup \S+(?: \S+)?, Python 3\.\d+\.\d+\n", done.stdout)


def test_how_it_goes_is_on_stderr_and_what_comes_of_it_on_stdout(project, gup):
    said = gup("kunit")
    assert "building …" in said.err and "building" not in said.out
    assert said.out.endswith("6.1/um: passed, 2 cases\n") and "passed" not in said.err


def test_v_shows_each_command_and_q_the_last_line(project, gup):
    project.remove_tree()
    said = gup("kunit", "-v")
    calls = [line for line in said.err.splitlines() if line.startswith("+ ")]
    assert any("kunit.py build " in call for call in calls)
    assert any(call.startswith("+ git ") and " apply " in call for call in calls)
    said = gup("kunit", "-q")
    assert (said.out, said.err) == ("6.1/um: passed, 2 cases\n", "")
    assert "+ " not in gup("kunit").err


def test_kunit_as_data(project, gup):
    project.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    said = gup("kunit", "--json")
    found = json.loads(said.out)
    assert said.code == 1 and found == project.results() and found["verdict"] == "failed"
    assert "6.1/um: failed" in said.err


def test_tree_that_does_not_build_as_data(project, gup):
    project.behave(codes={"config": 0, "build": 1, "exec": 0})
    said = gup("kunit", "--json")
    assert said.code == 1 and "does not build" in json.loads(said.out)["against"][0]
    assert "does not build" in said.err.splitlines()[-1]


def test_status_as_data(project, gup):
    gup("kunit")
    edit(project.layout.topic("one-line"), '"7.2" = "needed"', '"7.2" = "in-base"')
    found = json.loads(gup("status", "--json").out)
    assert found["bases"][0]["base"] == "6.1" and found["bases"][0]["tree"] == "clean"
    assert found["topics"][0]["topic"] == "one-line"
    assert found["cells"][0]["verdict"] == "passed" and "in-base" in found["problems"][0]


def test_matrix_and_check_as_data(project, gup):
    edit(project.root / "config/packages.toml", "[lint]", "[check]\n[lint]")
    found = json.loads(gup("matrix", "--arches", "um", "--json").out)
    assert [row["verdict"] for row in found["cells"]] == ["passed", "passed"]
    (project.root / "series/6.2").write_text("")
    said = gup("check", "--only", "rules", "--json")
    found = json.loads(said.out)
    assert said.code == 1 and (found["failed"], found["failures"]) == (1, ["rules"])
    assert "series/6.2: no base of that name" in found["said"][0]


def test_jobs_and_timeout_reach_the_build_and_the_kernel(project, gup):
    gup("kunit", "--jobs", "7", "--timeout", "11")
    assert any("--jobs=7" in call for call in project.calls())
    assert any("--timeout=11" in call for call in project.calls())
    gup("kunit", "--kconfig-add", "CONFIG_B=y")
    assert f"--jobs={len(os.sched_getaffinity(0)) + 1}" in " ".join(project.calls()[2:])
    assert f"--timeout={boot.RUN_SECONDS}" in project.calls()[-1]


def test_one_case_alone(project, gup, refused):
    project.behave(json=kunit_json(adds="PASS"))
    said = gup("kunit", "--case", "a*")
    assert said.code == 0 and said.out.endswith("passed, 1 cases\n"), said
    assert project.calls()[-1].endswith(" *.a*")
    assert project.results()["suite"] == "*.a*" and not project.results()["last_green"]
    assert gup("kunit", "--case", "dr*").code == 1
    assert "no case of '*' matches 'x*'; there are: adds, drops" in refused(
        2, "kunit", "--case", "x*")


def test_one_case_of_a_base_that_cannot_run_it_alone(project, gup):
    assert gup("kunit", "--base", "7.2", "--case", "adds").out.endswith("passed, 1 cases\n")
    assert not project.calls()[-1].endswith("*.adds")


def test_everything_is_made_in_another_folder(project, gup, tmp_path):
    (project.root / "build").rename(tmp_path / "made")
    words = ("--build-dir", tmp_path / "made")
    assert gup("kunit", *words).code == 0
    assert (tmp_path / "made/6.1/linux/mm/gup.c").exists()
    assert "clean" in gup("status", *words).out
    (tmp_path / "made/6.1/linux/mm/gup.c").write_text("int mine;\n")
    assert f"git -C {tmp_path}/made/6.1/linux switch" in gup("tree", *words).err
    gup("tree", "--set-aside", *words)
    assert gup("refresh", "--base", "6.1", "--check", *words).code == 1
    assert gup("matrix", "--bases", "6.1", "--arches", "um", *words).code == 0
    assert not (project.root / "build/6.1").exists()


def test_matrix_goes_on_where_it_was_cut_off(project, gup, monkeypatch):
    real, ran = kunit.run, []

    def cut(layout, request):
        ran.append(request.base)
        if len(ran) == 2:
            raise KeyboardInterrupt
        return real(layout, request)
    monkeypatch.setattr(kunit, "run", cut)
    assert gup("matrix", "--arches", "um").code == 130
    said = gup("matrix", "--arches", "um", "--resume")
    assert said.code == 0 and ran == ["6.1", "7.2", "7.2"]
    assert "6.1/um: passed, as it was run before" in said.out
    rows = json.loads((project.root / "build/matrix.json").read_text())["cells"]
    assert [(row["base"], row["passed"]) for row in rows] == [("6.1", 2), ("7.2", 2)]
    assert "nothing was cut off" in gup("matrix", "--arches", "um", "--resume").out


def test_matrix_begins_anew_if_the_queue_has_changed(project, gup, monkeypatch):
    real, ran = kunit.run, []

    def cut(layout, request):
        ran.append(request.base)
        if len(ran) == 2:
            raise KeyboardInterrupt
        return real(layout, request)
    monkeypatch.setattr(kunit, "run", cut)
    gup("matrix", "--arches", "um")
    edit(project.root / "kunit/put_user_page_kunit.c", "{}", "{ }")
    said = gup("matrix", "--arches", "um", "--resume")
    assert "files of the queue have changed since" in said.out
    assert ran == ["6.1", "7.2", "6.1", "7.2"]


def test_check_goes_on_where_it_was_cut_off(project, gup, monkeypatch):
    from guplib.check import steps
    edit(project.root / "config/packages.toml", "[lint]", "[check]\n[lint]")
    edit(project.layout.topic("one-line"), 'severity = "driver', 'severity = "nobody')
    made = []

    def cut(layout, request, summary, compare):
        made.append(request.base)
        if len(made) == 2:
            raise KeyboardInterrupt
        summary.passed += 5
    monkeypatch.setattr(steps, "_kunit", cut)
    assert gup("check", "--only", "rules,kunit").code == 130
    said = gup("check", "--only", "rules,kunit", "--resume")
    assert made == ["6.1", "7.2", "7.2"] and said.code == 1
    assert said.out.endswith("10 passed, 1 failed\n") and "as it was checked before" in said.out


def on_a_terminal(project, *words, **env) -> bytes:
    """What gup says on a terminal, all of it."""
    master, slave = pty.openpty()
    child = subprocess.Popen([sys.executable, "-c", CALL, SCRIPTS, project.root, *words],
                             stdout=slave, stderr=slave, env={**os.environ, **env})
    os.close(slave)
    said = b""
    try:
        while part := os.read(master, 4096):
            said += part
    except OSError:
        pass
    child.wait()
    os.close(master)
    return said


@pytest.mark.parametrize("env, controls", [
    ({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({"TERM": ""}, False),
    ({"TERM": "xterm", "NO_COLOR": "1"}, False)])
def test_no_control_characters_where_they_are_not_wanted(project, env, controls):
    project.remove_tree()
    assert (b"\x1b" in on_a_terminal(project, "tree", **env)) == controls


def test_no_control_characters_in_a_file(project, gup):
    said = gup("kunit")
    assert "\x1b" not in said.out + said.err and "\r" not in said.out + said.err
    assert not terminal.rewrites_lines()


def test_setup_installs_what_all_commands_need(project, gup, stub, monkeypatch):
    from guplib.setup import packages
    stub("apt-get", "case \"$*\" in *install*) exit 0;; esac")
    monkeypatch.setattr(packages.os, "geteuid", lambda: 0)
    said = gup("setup")
    assert said.code == 0 and "apt-get install qemu-system-far" in said.out
    assert gup("setup", "--only", "kernel").out == "all packages are there\n"
    assert "no group [lunch]" in gup("setup", "--only", "lunch").err


def completed(line: str) -> set[str]:
    """What a shell is offered behind a line."""
    done = subprocess.run(
        ["sh", "-c", f'exec "{sys.executable}" "{SCRIPTS}/gup" 8>&1 9>/dev/null >/dev/null'],
        env={**os.environ, "_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n",
             "COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "9"},
        capture_output=True, text=True)
    return {word.strip() for word in done.stdout.splitlines()}


@pytest.mark.skipif(not Path("/usr/lib/python3/dist-packages/argcomplete").exists(),
                    reason="python3-argcomplete is missing")
def test_words_are_completed():
    assert completed("gup ma") == {"mail", "matrix"}
    assert completed("gup matrix --un") == {"--unpatched"}
    assert {"6.1", "7.2"} <= completed("gup kunit --base ")
    assert "zero-page" in completed("gup range-diff --topic ")
    assert "um" in completed("gup kunit --arch ")


def test_commands_of_the_readme_are_taken():
    text = (SCRIPTS.parent / "README.md").read_text(encoding="utf-8") \
        + "".join(re.findall(r"^ {2,}scripts/gup.*\n", (
            SCRIPTS.parent / "MAINTAINERS-notes").read_text(encoding="utf-8"), re.MULTILINE))
    parser = program._parser(Layout(SCRIPTS.parent))
    calls = re.findall(r"^ *scripts/gup ([^#\n]*?)(?:  .*| *#.*)?$", text, re.MULTILINE)
    assert len(calls) > 20
    for call in calls:
        words = [word.strip("'") for word in call.split()]
        assert parser.parse_args(words).verb == words[0], call


def test_nothing_of_one_call_is_left_to_the_next(gup):
    from guplib.system import settings
    gup("status", "-v")
    assert settings.of_call.verbose
    gup("status")
    assert not settings.of_call.verbose
    assert process.run(["true"]).returncode == 0
