# SPDX-License-Identifier: GPL-2.0-only
"""gup lint: what it says of patches and scripts, and what it leaves alone."""

import shutil

import pytest

from conftest import GUP_C, edit, stored, unified, with_line
from guplib.lint import scripts
from guplib.system.paths import Layout
from made_up.kernel import KERNEL_DOC_PY

GOOD = "The body of it."
TOOLS = ("flake8", "autopep8", "mypy", "shellcheck", "codespell")
pytestmark = [pytest.mark.usefixtures("with_trees"), pytest.mark.skipif(
    not all(map(shutil.which, TOOLS)), reason="a package of group lint is missing")]


@pytest.fixture
def sources(project):
    """A tool and a .ci/run, both without fault."""
    (project.root / "scripts/guplib").mkdir(parents=True)
    (project.root / "scripts/guplib/one.py").write_text("X: int = 1\n")
    (project.root / ".ci").mkdir()
    project.layout.ci.write_text("#!/bin/sh\ntrue\n")
    return project


@pytest.fixture
def linted(sources, gup, stub):
    """Call gup lint, with those of the tools that are named; the others find no fault."""
    def call(*words, real=()):
        for tool in {*TOOLS} - {*real}:
            stub(tool, "true")
        return gup("lint", "--base", "6.1", *words)
    return call


def change(project, line, body=GOOD, subject="mm/gup: change a line"):
    project.patch.write_text(stored(subject, unified(
        GUP_C, with_line(30, line), "mm/gup.c")).replace(GOOD, body))


def exempt(project, tool, kind):
    (project.root / "config/lint.toml").write_text(
        f'[[exempt]]\ntool = "{tool}"\ntypes = ["{kind}"]\nfiles = ["patches/*"]\n'
        'reason = "made up"\n')


def test_good_queue_has_nothing_to_say(linted):
    said = linted(real=TOOLS)
    assert said.code == 0 and said.out.endswith(" passed, 0 failed\n"), said


@pytest.mark.parametrize("line, body, part", [
    ("int changed; ", GOOD, "trailing whitespace"),
    ("int recieve;", GOOD, "recieve ==> receive"),
    ("int x;", "We recieve it.", "recieve ==> receive"),
    ("/* undocumented */", GOOD, "warning: undocumented"),
    ("int x;", "many words " * 7, "body has a line of 77 columns")])
def test_fault_of_a_patch_is_found(project, linted, line, body, part):
    change(project, line, body)
    said = linted(real=["codespell"])
    assert said.code == 1 and part in said.out and ", 1 failed\n" in said.out


def test_long_subject_is_found(project, linted):
    change(project, "int x;", subject="mm/gup: " + "x" * 68)
    assert "subject has 76 columns" in linted().out


@pytest.mark.parametrize("line", [
    "  int quoted = " + "1 + " * 20, "Link: https://example.org/" + "x " * 40,
    "> " + "word " * 20, "https://example.org/" + "x" * 60, "| " + "x " * 40])
def test_line_that_may_be_long(project, linted, line):
    change(project, "int x;", line)
    assert linted().code == 0


def test_what_the_base_says_itself_does_not_count(project, linted):
    lines = with_line(3, "/* undocumented */")
    project.another_kernel("6.1", lines)
    change(project, "int x;")
    assert linted().code == 0


def test_checkpatch_message_fails(linted, stub):
    stub("perl", 'case "$*" in *checkpatch*) echo "$*" | sed '
         '"s/.* //; s/$/:3: WARNING:LONG_LINE: too long/";; esac')
    said = linted()
    assert said.code == 1
    assert "patches/one-line/6.1.patch:3: WARNING:LONG_LINE" in said.out


def test_exempt_message_is_passed_to_checkpatch(project, linted, stub):
    exempt(project, "checkpatch", "LONG_LINE")
    stub("perl", 'case "$*" in *--ignore=LONG_LINE*|*hookup*|*--file*|*includes*) ;; '
         "*) echo bad;; esac")
    assert linted().code == 0


@pytest.mark.parametrize("tool, kind, line", [
    ("codespell", "recieve", "int recieve;"),
    ("kernel-doc", "undocumented", "/* undocumented */")])
def test_exempt_message_does_not_count(project, linted, tool, kind, line):
    change(project, line)
    exempt(project, tool, kind)
    assert linted(real=["codespell"]).code == 0


def test_exemption_for_no_tool_is_refused(project, linted):
    exempt(project, "colour", "red")
    assert "name one of checkpatch" in linted().err


def test_doubled_include_fails(linted, stub):
    stub("perl", 'case "$*" in *checkincludes*) [ -e mm/gup.c ] && grep -q changed '
         'mm/gup.c && echo "mm/gup.c: x.h is included more than once.";; esac; true')
    assert "included more than once" in linted().out


def test_topic_that_no_cell_compiles_is_an_error(project, gup, linted):
    out = project.layout.out("6.1", "um")
    (out / "mm").mkdir(parents=True)
    said = linted()
    assert said.code == 1 and "no cell of base 6.1 compiles mm/gup.c" in said.out
    (out / "mm/gup.o").write_text("")
    assert linted().code == 0


def test_file_that_is_known_not_to_be_compiled(project, linted):
    (project.layout.out("6.1", "um") / "mm").mkdir(parents=True)
    exempt(project, "compiled", "mm/slub.c")
    assert linted().code == 1
    exempt(project, "compiled", "mm/gup.c")
    assert linted().code == 0


FAULTS = {          # by the file that has it, which no other tool finds fault with
    "unused.py": ("import os\n", "flake8", "'os' imported but unused"),
    "typed.py": ("X: int = 'a'\n", "mypy", "Incompatible types"),
    "untyped.py": ("def f(x):\n    return x\n", "mypy", "missing a type annotation"),
    "blank.py": ("X: int=1\n", "flake8", "E225 missing whitespace"),
    "form.py": ("X: int=1\n", "autopep8", "+X: int = 1"),
    "run": ("#!/bin/sh\necho $1\n", "shellcheck", "SC2086")}


@pytest.fixture(scope="module")
def said_of_faults(tmp_path_factory):
    """What each tool says of all faults, each in a file of its own, and of nothing else."""
    layout = Layout(tmp_path_factory.mktemp("faults"))
    package = layout.scripts / "guplib"
    package.mkdir(parents=True)
    layout.ci.parent.mkdir()
    for name, (text, _, _) in FAULTS.items():
        (layout.ci if name == "run" else package / name).write_text(text)
    return {name.partition(" ")[0]: lines for name, lines in scripts.check(layout)}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_of_a_script_is_found(said_of_faults, name):
    _, tool, part = FAULTS[name]
    said = "\n".join(said_of_faults[tool])
    assert name in said and part in said


@pytest.mark.parametrize("tool", TOOLS[:4])
def test_tool_that_finds_fault_with_scripts_fails_the_lint(sources, gup, stub, tool):
    for each in TOOLS:
        stub(each, "echo odd; exit 1" if each == tool else "true")
    said = gup("lint", "--base", "6.1")
    assert said.code == 1 and f"FAILED {tool} of scripts: odd\n" in said.out, said
    assert said.out.endswith(", 1 failed\n")


def test_kernel_doc_in_python(project, linted):
    project.another_kernel("6.1", replaced={"scripts/kernel-doc": KERNEL_DOC_PY})
    change(project, "/* undocumented */")
    said = linted()
    assert said.code == 1 and "warning: undocumented" in said.out, said


def test_broken_rule_is_found(project, linted):
    edit(project.layout.topic("one-line"), '"not-submitted"', '"soon"')
    assert "is none of 'merged" in linted().out


@pytest.fixture
def configured(project, gup):
    """Cells that were configured, with and without the series."""
    for patched in (True, False):
        out = project.layout.out("6.1", "um", "" if patched else "unpatched")
        out.mkdir(parents=True)
        (out / ".config").write_text("")
        (out / "mm").mkdir()
        (out / "mm/gup.o").write_text("")


MAKE = ('case "$*" in *unpatched*) n=1;; *) n=2;; esac; '
        'for o; do case $o in O=*) : >${o#O=}/mm/gup.o;; esac; done; '
        'for i in $(seq $n); do echo "../linux/mm/gup.c:$i:2: warning: odd"; done')


def test_new_message_of_the_compiler_fails(project, configured, linted, stub):
    stub("make", MAKE)
    said = linted("--build")
    assert said.code == 1 and said.out.count("warning: odd") == 1


def test_compiler_is_asked_for_all_that_it_has_to_say(project, configured, linted, stub,
                                                      tmp_path):
    stub("make", f'echo "$*" >>{tmp_path}/log\n' + MAKE)
    linted("--build")
    calls = (tmp_path / "log").read_text().splitlines()
    assert calls and all(" W=1 C=1 " in call for call in calls)


@pytest.mark.parametrize("base, code", [("6.1", 0), ("7.2", 1)])
def test_suites_are_looked_at_once_by_the_newest_base(sources, gup, stub, base, code):
    for tool in TOOLS:
        stub(tool, "true")
    stub("perl", 'case "$*" in *--file*_kunit.c) echo "x:1: ERROR: ODD: bad";; esac')
    said = gup("lint", "--base", base)
    assert said.code == code, said
    assert ("FAILED checkpatch 7.2 kunit/put_user_page_kunit.c" in said.out) == bool(code)


def test_checkpatch_is_asked_to_be_strict(linted, stub, tmp_path):
    stub("perl", f'case "$1" in *checkpatch.pl) echo "$*" >>{tmp_path}/log;; esac')
    linted()
    calls = (tmp_path / "log").read_text().splitlines()
    assert calls and all(" --strict " in call for call in calls)


def test_exempt_message_of_the_compiler(project, configured, linted, stub):
    stub("make", MAKE.replace("warning", "warning"))
    (project.root / "config/lint.toml").write_text(
        '[[exempt]]\ntool = "build"\ntypes = ["odd"]\nfiles = ["mm/gup.c"]\n'
        'reason = "made up"\n')
    assert linted("--build").code == 0


def test_build_failure_is_one_line(configured, linted, stub):
    stub("make", "echo 'gup.c:1: error: no'; exit 2")
    said = linted("--build")
    assert said.code == 3 and "does not build with W=1" in said.err


def test_build_needs_a_configured_cell(linted):
    said = linted("--build")
    assert said.code == 3 and "run gup kunit --base 6.1" in said.err


def replaced(project, **scripts):
    """Let the kernel have other scripts."""
    project.another_kernel("6.1", replaced={f"scripts/{name}": text
                                            for name, text in scripts.items()})


def test_checkpatch_that_cannot_look_at_licences_is_named(project, linted):
    replaced(project, **{"spdxcheck.py": "#!/bin/sh\ncat >&2; echo no module >&2; exit 1\n"})
    said = linted()
    assert said.code == 3 and "spdxcheck.py, which checkpatch calls, fails: no module; gup " \
        "setup --only lint installs what it needs" in said.err


def test_licences_are_looked_at_with_the_modules_of_debian(project, linted, stub):
    replaced(project, **{"spdxcheck.py": '#!/bin/sh\nread line; [ "$line" = '
                         '"SPDX-License-Identifier: GPL-2.0-only" ] && [ "$PYTHONPATH" = '
                         "/usr/lib/python3/dist-packages ]\n"})
    stub("perl", 'case "$*" in *checkpatch*) [ "$PYTHONPATH" ] || echo "no modules";; esac')
    said = linted()
    assert said.code == 0, said


@pytest.mark.parametrize("script, says", [
    ("#!/usr/bin/env python3\nimport nosuchmodule\n", "No module named 'nosuchmodule'"),
    ("#!/usr/bin/env perl\nuse No::Such;\n", "BEGIN failed")])
def test_script_of_the_kernel_that_cannot_run_is_named(project, linted, script, says):
    """It says the same of all files, so it would count as nothing new."""
    replaced(project, **{"kernel-doc": script})
    said = linted()
    assert said.code == 3 and "scripts/kernel-doc fails: " in said.err and says in said.err
