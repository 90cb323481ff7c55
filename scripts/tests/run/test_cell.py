# SPDX-License-Identifier: GPL-2.0-only
"""gup kunit from end to end, on a kunit.py that does as it is told."""

import json
import os

import pytest

from conftest import GOOD_LOG, edit, kunit_json, write_tarball
from guplib import config
from guplib.run import build
from guplib.run.show import show
from guplib.run.verdict import Case, FAILED, NOT_APPLICABLE, PASSED, SKIPPED, Verdict

pytestmark = pytest.mark.usefixtures("with_trees")

WARNING = "mm/gup.c:30:5: warning: unused variable"


def test_good_run_is_told_and_stored(project, gup):
    said = gup("kunit")
    assert said.code == 0, said
    assert "6.1/um: passed, 2 cases" in said.out
    results = project.results()
    assert {key: results[key] for key in ("base", "version", "arch", "verdict")} == {
        "base": "6.1", "version": "6.1.9", "arch": "um", "verdict": "passed"}
    assert results["cases"][0] == {"suite": "put_user_page", "name": "adds",
                                   "status": "passed", "duration_ms": 3.5, "reason": "",
                                   "lacking": ""}
    assert set(results) >= {"commit", "compiler"}


def test_fragments_become_the_kunitconfig(project, gup):
    gup("kunit")
    text = (project.layout.cell("6.1", "um") / "out/.kunitconfig").read_text()
    assert "CONFIG_KUNIT=y" in text and "CONFIG_DEBUG_VM=y" in text


@pytest.mark.parametrize("base, held", [
    ("5.10", "abx"), ("6.1", "bcx"), ("6.12", "cxy"), ("7.2", "cxyz"), ("7.3", "cxyz"),
    ("9.9", "cxyz"), ("10.0", "cxyz")])
def test_fragments_hold_since_a_release_or_before_one(project, base, held):
    names = ["um", "um-before-6.1", "um-before-6.12", "um-since-6.1", "um-since-6.12",
             "um-since-7.2", "far-since-5.4", "selftest", "selftest-since-6.1",
             "rerun-since-6.1", "x"]
    marks = dict(zip(names, ("x", "a", "b", "c", "y", "z")))
    for name in names[:-1]:
        (project.root / f"config/{name}.config").write_text("")
    found = config.fragments(project.layout, base, "um")
    assert [path.name for path in found[:2]] == ["kunitconfig", "um.config"]
    assert "".join(sorted(marks[path.stem] for path in found[1:])) == held
    assert [path.stem for path in config.selftest_fragments(project.layout, base)] == [
        "selftest", *(["selftest-since-6.1"] if base != "5.10" else [])]


def test_fragments_are_joined_oldest_release_first(project):
    for name in ("um-since-6.12", "um-since-6.2", "um-before-10.0", "um-since-5.4"):
        (project.root / f"config/{name}.config").write_text("")
    assert [path.stem for path in config.fragments(project.layout, "7.2", "um")[1:]] == [
        "um", "um-since-5.4", "um-since-6.2", "um-since-6.12", "um-before-10.0"]


@pytest.mark.parametrize("name", ["um-7.2", "um-until-7.2", "um-since-7", "um-since-",
                                  "vax", "vax-since-7.2", ""])
def test_fragment_that_no_cell_would_take_is_refused(project, refused, name):
    (project.root / f"config/{name}.config").write_text("CONFIG_B=y\n")
    assert f"config/{name}.config: no cell has a fragment of this name" in refused(
        2, "kunit")


@pytest.mark.parametrize("name", ["7.3", "9.9"])
def test_base_that_is_added_needs_no_line(project, gup, name):
    (project.root / "config/um-since-7.2.config").write_text("CONFIG_B=y\n")
    (project.root / "config/um-before-7.2.config").write_text("CONFIG_OLD=y\n")
    edit(project.root / "config/cells.toml", 'options = ["CONFIG_THP"]',
         'since = "7.2"\nwhat = "it never drops"\nreason = "It came with v7.2."')
    edit(project.root / "config/arches.toml", 'options = ["CONFIG_MMU"]\nchecked = ["*"]',
         'options = ["CONFIG_MMU", "CONFIG_B"]\nchecked = ["*"]')
    assert gup("new-base", name).code == 0
    tarball = write_tarball(project.layout.build / "new.tar", f"{name}.0")
    said = gup("kunit", "--base", name, "--ksrc", tarball)
    assert said.code == 0 and f"{name}/um: passed, 2 cases" in said.out, said
    lines = (project.layout.out(name, "um") / ".kunitconfig").read_text().splitlines()
    assert "CONFIG_B=y" in lines and "CONFIG_OLD=y" not in lines
    (project.root / "config/um-since-7.2.config").unlink()
    said = gup("kunit", "--base", name)
    assert said.code == 1
    assert "failed: um is there for CONFIG_B, and .config has it otherwise" in said.out


def verbs(project):
    return [call.split()[0] for call in project.calls()]


def test_second_run_neither_configures_nor_builds(project, gup):
    gup("kunit")
    assert gup("kunit").code == 0
    assert verbs(project) == ["config", "build", "exec", "exec"]


@pytest.mark.parametrize("name, old, new", [
    ("arches.toml", '["CONFIG_MMU"]', '["CONFIG_MMU", "CONFIG_DEBUG_VM"]'),
    ("arches.toml", "exec_arguments = []", 'exec_arguments = ["--x"]'),
    ("cells.toml", '[need.cases]', '[need.cases]\nput_user_page = ["ad*"]\n[[need]]\n'
     'has = "f()"\n[need.cases]'),
    ("bases.toml", "kunit_filter = true", "kunit_filter = false"),
])
def test_what_an_image_was_made_for_is_part_of_it(project, gup, name, old, new):
    gup("kunit")
    edit(project.layout.config / name, old, new)
    gup("kunit")
    assert verbs(project)[-2:] == ["build", "exec"]


def test_image_that_somebody_else_has_built_anew_is_built_again(project, gup):
    gup("kunit")
    (project.layout.out("6.1", "um") / "vmlinux").write_text("")
    gup("kunit")
    assert verbs(project)[-2:] == ["build", "exec"]


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_damaged_image_is_built_again(project, gup, text):
    gup("kunit")
    (project.layout.cell("6.1", "um") / "image.json").write_text(text)
    assert gup("kunit").code == 0
    assert verbs(project)[-2:] == ["build", "exec"]


def test_tree_with_work_in_it_is_always_built(project, gup):
    gup("kunit")
    (project.tree / "mm/gup.c").write_text("int mine;\n")
    gup("kunit")
    gup("kunit")
    assert verbs(project)[-4:] == ["build", "exec", "build", "exec"]


CALL = "$ make ARCH=um O=/out olddefconfig\n$ make all scripts_gdb ARCH=um O=/out --jobs=3 X=y\n"


@pytest.fixture
def made(stub, project, gup):
    """A cell whose kunit.py says how it calls make, which prints a warning."""
    made = project.root / "made"
    stub("make", f'echo "$*" >>{made}; echo "{WARNING}"')
    project.behave(says={"config": "", "build": CALL, "exec": ""})
    assert gup("kunit").code == 0
    (project.tree / "mm/gup.c").write_text("int mine;\n")
    return made


def test_after_an_edit_make_is_called_as_kunit_py_does(project, gup, made):
    said = gup("kunit", "--jobs", "5")
    assert made.read_text() == "all ARCH=um O=/out X=y -s --jobs=5\n"
    assert said.code == 1 and f"failed: build warning: {WARNING}" in said.out
    gup("kunit")
    assert verbs(project) == ["config", "build", "exec", "exec", "exec"]


@pytest.mark.parametrize("spoil", [
    lambda project: (project.tree / "mm/Kconfig").write_text("config X\n"),
    lambda project: (project.layout.out("6.1", "um") / ".config").write_text("CONFIG_MMU=y\n"),
    lambda project: edit(project.layout.config / "um.config", "VM=y", "VM=n"),
], ids=["Kconfig", ".config", "fragment"])
def test_where_something_is_to_be_configured_kunit_py_builds(project, gup, made, spoil):
    project.git("add", "-A", "-N")
    spoil(project)
    project.git("add", "-A", "-N")
    gup("kunit")
    assert verbs(project)[-2:] == ["build", "exec"] and not made.exists()


def test_image_is_run_as_often_as_is_asked_for(project, gup):
    said = gup("kunit", "--repeat", "3")
    assert said.code == 0
    assert verbs(project) == ["config", "build", "exec", "exec", "exec"]
    assert "6.1/um: run 3 of 3: passed" in said.out


def test_repeated_runs_end_with_the_first_that_fails(project, gup):
    project.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    assert gup("kunit", "--repeat", "3").code == 1
    assert verbs(project) == ["config", "build", "exec"]


def test_what_failed_last_stays_when_a_run_passes(project, gup):
    project.behave(json=kunit_json(adds="FAIL", drops="PASS"))
    gup("kunit")
    project.behave(json=kunit_json(adds="PASS", drops="PASS"))
    gup("kunit")
    kept = project.layout.cell("6.1", "um") / "failed"
    assert json.loads((kept / "results.json").read_text())["verdict"] == FAILED
    assert (kept / "test.log").exists()
    assert project.results()["verdict"] == PASSED


def test_changed_fragment_configures_again(project, gup):
    gup("kunit")
    (project.root / "config/um.config").write_text("CONFIG_OTHER=y\n")
    gup("kunit")
    assert [call.split()[0] for call in project.calls()].count("config") == 2


def test_added_option_is_built_in_a_folder_of_its_own(project, gup):
    (project.root / "config/um.config").write_text("# CONFIG_A is not set\nCONFIG_B=y\n")
    said = gup("kunit", "--kconfig-add", "CONFIG_A=y", "--kconfig-add", "CONFIG_B=n")
    assert "6.1/um CONFIG_A=y CONFIG_B=n: passed" in said.out
    folder = project.layout.cell("6.1", "um", kconfig=["CONFIG_A=y", "CONFIG_B=n"])
    lines = (folder / "out/.kunitconfig").read_text().splitlines()
    assert {"CONFIG_A=y", "# CONFIG_B is not set"} <= set(lines)
    assert not {"# CONFIG_A is not set", "CONFIG_B=y"} & set(lines)
    assert json.loads((folder / "results.json").read_text())["kconfig"] == [
        "CONFIG_A=y", "CONFIG_B=n"]
    assert not project.layout.results("6.1", "um").exists()


@pytest.mark.parametrize("word", ["A=y", "CONFIG_A", "CONFIG_A=/etc", "CONFIG_A=m"])
def test_what_is_no_option_is_refused(refused, word):
    assert "is no option; write CONFIG_X=y" in refused(2, "kunit", "--kconfig-add", word)


def test_suite_goes_to_kunit_py_where_it_can_filter(project, gup):
    gup("kunit", "--suite", "put_*")
    assert project.calls()[-1].split()[-1] == "put_*"
    gup("kunit", "--base", "7.2", "--suite", "put_*")
    assert "put_*" not in project.calls()[-1]


def test_edit_in_the_tree_is_tested_as_it_stands(project, gup):
    gup("kunit")
    file = project.tree / "mm/gup.c"
    file.write_text(file.read_text() + "int mine;\n")
    said = gup("kunit")
    assert said.code == 0 and "with your work in it" in said.out
    assert "int mine;" in file.read_text()
    assert project.results()["edits"] == ["changed file mm/gup.c"]


def test_edit_on_a_queue_that_has_changed_stops(project, gup, refused):
    gup("kunit")
    (project.tree / "mm/gup.c").write_text("int mine;\n")
    (project.root / "kunit/kunitconfig").write_text("CONFIG_KUNIT=y\n#\n")
    assert "the stored queue has changed since" in refused(2, "kunit")
    assert (project.tree / "mm/gup.c").read_text() == "int mine;\n"


def test_case_that_vanished_fails_the_run(project, gup):
    project.behave(json=kunit_json(adds="PASS"))
    said = gup("kunit")
    assert said.code == 1
    assert "put_user_page.drops" in said.out and "did not run" in said.out
    assert project.results()["verdict"] == "failed"


def test_failed_and_crashed_cases_fail_the_run(project, gup):
    project.behave(json=kunit_json(adds="FAIL", drops="ERROR"))
    assert gup("kunit").code == 1
    assert {case["status"] for case in project.results()["cases"]} == {"failed"}


def test_option_decides_whether_a_case_has_to_run_or_to_skip(project, gup):
    project.behave(json=kunit_json(adds="PASS", drops="SKIP"),
                   log=GOOD_LOG.replace("ok 2 drops", "ok 2 drops # SKIP CONFIG_THP"))
    (project.root / "config/um-since-7.0.config").write_text("# CONFIG_THP is not set\n")
    said = gup("kunit", "--base", "7.2")
    assert said.code == 0
    assert said.out.endswith(
        "\nsuite          passed  failed  skipped  n/a\n"
        "put_user_page       1       0        1    0\n"
        "all                 1       0        1    0\n"
        "1 needs CONFIG_THP\n7.2/um: passed, 2 cases\n")
    assert "put_user_page.drops" not in said.out
    assert "skipped: put_user_page.drops\n    CONFIG_THP\n" in gup(
        "kunit", "--base", "7.2", "--skipped").out
    assert project.results("7.2")["cases"][1]["status"] == "skipped"
    assert project.results("7.2")["cases"][1]["lacking"] == "CONFIG_THP"
    said = gup("kunit", "--base", "6.1")
    assert said.code == 1 and "nothing that cells.toml says it needs is lacking" in said.out
    project.behave(json=kunit_json(adds="PASS", drops="PASS"), log=GOOD_LOG)
    said = gup("kunit", "--base", "7.2")
    assert said.code == 1
    assert "put_user_page.drops\n    passed, but cells.toml has: needs CONFIG_THP" in said.out


MIXED = Verdict((
    Case("s", "a", PASSED), Case("s", "b", SKIPPED, None, "needs CONFIG_A", "CONFIG_A"),
    Case("s", "c", SKIPPED, None, "needs CONFIG_B", "CONFIG_B or CONFIG_C"),
    Case("s", "d", SKIPPED, None, "needs CONFIG_B", "CONFIG_B or CONFIG_C"),
    Case("longer", "e", NOT_APPLICABLE, None, "no f()", "f(), not in 6.1"),
    Case("longer", "f", NOT_APPLICABLE, None, "no f()", "f(), not in 6.1"),
    Case("longer", "g", NOT_APPLICABLE, None, "it sleeps", "6.5, before which it sleeps"),
    Case("longer", "h", FAILED, 1.0, "1 is not 2\nat x.c:3")), ("kernel report: BUG: x",))
MIXED_TEXT = """
suite   passed  failed  skipped  n/a
s            1       0        3    0
longer       0       1        0    3
all          1       1        3    3
2 need CONFIG_B or CONFIG_C
1 needs CONFIG_A
2 need f(), not in 6.1
1 needs 6.5, before which it sleeps
failed: longer.h
    1 is not 2
    at x.c:3
failed: kernel report: BUG: x
6.1/um: failed, 8 cases
"""


def test_a_run_ends_with_its_table_and_the_verdict_is_last(capsys):
    show("6.1/um", MIXED)
    assert capsys.readouterr().out == MIXED_TEXT
    show("6.1/um", MIXED, every=True)
    assert capsys.readouterr().out == (
        "skipped: s.b\n    needs CONFIG_A\nskipped: s.c\n    needs CONFIG_B\n"
        "skipped: s.d\n    needs CONFIG_B\nnot applicable: longer.e\n    no f()\n"
        "not applicable: longer.f\n    no f()\nnot applicable: longer.g\n    it sleeps\n"
    ) + MIXED_TEXT


def test_a_run_without_a_case_has_a_table_too(capsys):
    show("6.1/um", Verdict((), ("no case ran",)))
    assert capsys.readouterr().out == (
        "\nsuite  passed  failed  skipped  n/a\nall         0       0        0    0\n"
        "failed: no case ran\n6.1/um: failed, 0 cases\n")


@pytest.mark.parametrize("has, code, header", [
    ("drop_it()", 0, " * drop_it() does it\n#define DROP_IT 1\nint redrop_it(void);\n"),
    ("drop_it()", 1, "int drop_it(void);\n"), ("drop_it()", 1, "void *\ndrop_it(int a,\n"),
    ("DROP_IT", 1, "enum {\n\tDROP_IT = 1,\n};\n"), ("DROP_IT", 0, "/* no DROP_IT */\n")])
def test_case_without_its_function_does_not_apply(project, gup, has, code, header):
    edit(project.root / "config/cells.toml", 'options = ["CONFIG_THP"]', f'has = "{has}"')
    project.another_kernel("6.1", replaced={"include/linux/mm.h": header})
    project.behave(json=kunit_json(adds="PASS", drops="SKIP"), log=GOOD_LOG.replace(
        "ok 2 drops", f"ok 2 drops # SKIP not applicable: there is no {has}"))
    said = gup("kunit")
    assert said.code == code, said
    if not code:
        assert f"\n1 needs {has}, not in 6.1\n" in said.out
        assert "put_user_page       1       0        0    1\n" in said.out
        assert project.results()["cases"][1]["status"] == "not applicable"


def test_option_that_an_architecture_is_there_for_must_not_be_lost(project, gup):
    edit(project.root / "config/arches.toml", 'options = ["CONFIG_MMU"]\nchecked = ["*"]',
         'options = ["CONFIG_THP", "CONFIG_A|CONFIG_MMU", "!CONFIG_B"]\nchecked = ["*"]')
    assert gup("kunit").code == 0
    (project.root / "config/um.config").write_text("# CONFIG_THP is not set\nCONFIG_B=y\n")
    project.behave(json=kunit_json(adds="PASS", drops="SKIP"),
                   log=GOOD_LOG.replace("ok 2 drops", "ok 2 drops # SKIP CONFIG_THP"))
    said = gup("kunit")
    assert said.code == 1
    assert "failed: um is there for CONFIG_THP, and .config has it otherwise" in said.out
    assert "failed: um is there for !CONFIG_B, and" in said.out
    assert gup("kunit", "--kconfig-add", "CONFIG_THP=n", "--kconfig-add",
               "CONFIG_B=y").code == 0


def test_suite_of_another_architecture_is_neither_built_nor_expected(project, gup, refused):
    edit(project.root / "config/cells.toml", '["CONFIG_MMU"]', '["!CONFIG_MMU"]')
    assert "no suite that runs on um matches '*'" in refused(2, "kunit")
    path = project.root / "config/cells.toml"
    path.write_text(path.read_text() + '[[suite]]\nname = "other"\ncases = ["x"]\n'
                    'compiled_with = ["CONFIG_MMU"]\n')
    (project.root / "kunit/kunitconfig").write_text(
        "CONFIG_KUNIT=y\nCONFIG_PUT_USER_PAGE_KUNIT_TEST=y\n")
    project.behave(json={"name": "KUnit Test Group", "sub_groups": [{
        "name": "other", "sub_groups": [], "test_cases": [{"name": "x", "status": "PASS"}]}]})
    said = gup("kunit")
    assert said.code == 0 and "is left out" not in said.out, said
    assert "PUT_USER_PAGE" not in (project.layout.out("6.1", "um") / ".kunitconfig").read_text()


def test_suite_that_crashes_has_no_case_without_a_name(project, gup):
    project.behave(json=kunit_json(**{"adds": "PASS", "drops": "PASS", "": "ERROR"}))
    said = gup("kunit")
    assert said.code == 1
    assert "failed: suite put_user_page crashed: kunit.py has a failure in it" in said.out
    assert [case["name"] for case in project.results()["cases"]] == ["adds", "drops"]


def test_report_in_the_kernel_log_fails_the_run(project, gup):
    project.behave(log="WARNING: at mm/gup.c:3\n" + GOOD_LOG)
    said = gup("kunit")
    assert said.code == 1 and "kernel report" in said.out


def test_build_warning_in_a_touched_file_fails_every_run(project, gup):
    project.behave(warning=WARNING)
    for _ in range(2):
        said = gup("kunit")
        assert said.code == 1 and WARNING in said.out


def test_build_warning_elsewhere_does_not_matter(project, gup):
    project.behave(warning="mm/slab.c:1:1: warning: x")
    assert gup("kunit").code == 0


def test_build_warning_of_a_build_that_was_cut_off_is_not_lost(project, gup):
    project.behave(warning=WARNING)
    gup("tree")
    folder = project.layout.cell("6.1", "um")
    (folder / "out/mm").mkdir(parents=True)
    (folder / "out/mm/gup.o").write_text("half an obj")
    (folder / "out/include/linux").mkdir(parents=True)
    (folder / "building").write_text("")
    said = gup("kunit")
    assert "cut off" in said.out and said.code == 1 and WARNING in said.out


def test_tree_that_does_not_build_is_a_failure_with_its_first_error(project, refused):
    project.behave(codes={"config": 0, "build": 1, "exec": 0},
                   says={"config": "", "build": "mm/gup.c:3:1: error: no", "exec": ""})
    assert "does not build: mm/gup.c:3:1: error: no" in refused(1, "kunit")
    assert project.results()["verdict"] == "failed"
    assert "does not build" in project.results()["against"][0]


def test_refused_configuration_is_a_failure(project, gup, refused):
    project.behave(codes={"config": 1, "build": 0, "exec": 0})
    assert "refuses the configuration" in refused(1, "kunit")
    project.behave(codes={"config": 0, "build": 0, "exec": 0})
    assert gup("kunit").code == 0


def test_kernel_that_gives_no_result_is_a_failure(project, refused):
    project.behave(log=None)
    assert "kunit.py gave no result" in refused(1, "kunit")


def test_result_of_an_earlier_run_is_not_taken_for_this_one(project, gup, refused):
    gup("kunit")
    project.behave(log=None)
    refused(1, "kunit")


@pytest.mark.parametrize("words, part", [
    (("--base", "9.9"), "unknown base '9.9'; choose from 6.1, 7.2"),
    (("--arch", "vax"), "unknown arch 'vax'; choose from um, far"),
    (("--suite", "nothing*"), "no suite matches 'nothing*'; there are: put_user_page"),
])
def test_unknown_names_list_the_known_ones(refused, words, part):
    assert part in refused(2, "kunit", *words)


KNOWN = """
[[known]]
pattern = "^BUG: no init"
cells = ["7.2/*"]
reason = "That is how it ends."
"""


def test_known_report_is_spared_in_its_cells_alone(project, gup):
    path = project.root / "config/reports.toml"
    path.write_text(path.read_text() + KNOWN)
    project.behave(log=GOOD_LOG + "BUG: no init found\n")
    assert gup("kunit", "--base", "7.2").code == 0
    assert gup("kunit", "--base", "6.1").code == 1


def test_known_report_without_a_reason_is_refused(project, refused):
    path = project.root / "config/reports.toml"
    path.write_text(path.read_text() + KNOWN.replace('reason = ', '# '))
    assert "'reason' is missing" in refused(2, "kunit")


def test_kunit_arguments_may_name_a_file_of_config(project, gup):
    edit(project.root / "config/arches.toml", "kunit_arguments = []",
         'kunit_arguments = ["--qemu_config={config}/far.py"]')
    gup("kunit")
    assert f"--qemu_config={project.root}/config/far.py" in project.calls()[0]


def test_what_a_killed_build_wrote_last_is_made_again(tmp_path):
    out = tmp_path / "out"
    for name, age in (("new.o", 0), ("linux", 29), ("a/near.o", 29), ("a/.near.o.cmd", 29),
                      ("old.o", 31), ("vmlinux", 60), ("new.c", 0)):
        path = out / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text("")
        os.utime(path, (1_000_000 - age,) * 2)
    build._remove_latest(out)
    left = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert left == {"old.o", "vmlinux", "new.c"}
