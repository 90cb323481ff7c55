# SPDX-License-Identifier: GPL-2.0-only
"""gup prove: the cases that fail without a topic, and those that should not."""

import json

import pytest

from conftest import (FIND_PLAN, GUP_C, edit, stored, tarball, unified, with_line,
                      write_tarball)
from guplib.evidence import proofs as stored_proofs, prove, recorded_results
from guplib.evidence.proofs import Proof

# Fails the cases that plan.json has for a text that mm/gup.c lacks; "ends" are those in
# which the kernel ends.
KUNIT_PY = FIND_PLAN + """\
verb = sys.argv[1]
text = open("mm/gup.c").read()
if verb == "config":
    open(f"{out}/.config", "w").write("CONFIG_MMU=y" + chr(10) + "CONFIG_THP=y" + chr(10)
                                      + open(f"{out}/.kunitconfig").read())
if verb == "build" and any(line not in text for line in plan.get("breaks", [])):
    sys.exit("mm/gup.c:1:1: error: broken")
if verb == "build" and plan.get("calls"):
    caller, callee = plan["calls"]
    if caller in text and callee not in text:
        sys.exit("mm/gup.c:1:1: error: broken")
if verb == "exec":
    import fnmatch, json
    open(f"{out}/test.log", "w").write(plan.get("said", ""))
    glob = sys.argv[-1] if not sys.argv[-1].startswith("--") else "*"
    bad = [name for line, names in plan.get("needs", {}).items() if line not in text
           for name in names]
    groups = []
    for suite, cases in (("put_user_page", ["adds", "drops"]), ("base", ["stands", "falls"])):
        if not fnmatch.fnmatch(suite, glob):
            continue
        done = []
        for case in cases:
            name = suite + "." + case
            if name in bad and name in plan.get("ends", []):
                break
            done.append({"name": case, "status": "FAIL" if name in bad else "PASS"})
        groups.append({"name": suite, "sub_groups": [], "test_cases": done})
        if len(done) < len(cases):
            break
    open(words["json"], "w").write(json.dumps(
        {"name": "all", "test_cases": [], "sub_groups": groups}))
"""


@pytest.fixture
def three(project):
    """Three topics on 6.1: the second on line 50, the third where one-line is."""
    for name, lines in (("second", with_line(50, "int second;")),
                        ("third", with_line(30, "int third;"))):
        folder = project.root / "patches" / name
        folder.mkdir()
        (folder / "topic.toml").write_text(
            project.layout.topic("one-line").read_text()
            .replace('"7.2" = "needed"', '"7.2" = "in-base"')
            .replace('suites = ["put_user_page"]', 'suites = ["base"]\n'
                     f'cases = ["base.{"stands" if name == "second" else "falls"}"]'))
        before = GUP_C if name == "second" else with_line(30, "int changed;")
        (folder / "6.1.patch").write_text(stored(f"mm/gup: {name}", unified(
            before, lines, "mm/gup.c")))
    (project.root / "series/6.1").write_text(
        "second/6.1.patch\none-line/6.1.patch\nthird/6.1.patch\n")
    (project.root / "kunit/kunitconfig").write_text(
        "CONFIG_KUNIT=y\nCONFIG_PUT_USER_PAGE_KUNIT_TEST=y\nCONFIG_BASE_KUNIT_TEST=y\n")
    write_tarball(tarball(project.root, "6.1", "6.1.9"), "6.1.9",
                  replaced={"tools/testing/kunit/kunit.py": KUNIT_PY})
    cells = project.root / "config/cells.toml"
    cells.write_text(cells.read_text() + '[[suite]]\nname = "base"\n'
                     'cases = ["stands", "falls"]\n')
    project.behave(needs={"int second;": ["base.stands"], "int third;": ["base.falls"]})
    return project


@pytest.fixture
def proofs(gup):
    def call(*words):
        said = gup("prove", "--base", "6.1", "--json", *words)
        assert said.out, said.err
        return said.code, {proof["topic"]: proof for proof in json.loads(said.out)}
    return call


def test_topic_is_proved_by_its_own_cases(three, proofs):
    code, found = proofs("--topics", "second")
    assert code == 0
    assert found["second"]["verdict"] == "proved"
    assert found["second"]["turned"] == ["base.stands"]
    assert "int third;" in (three.layout.tree("6.1", "without") / "mm/gup.c").read_text()


def test_topic_that_nothing_fails_without_is_not_shown(three, proofs):
    three.behave(needs={})
    assert proofs("--topics", "second")[1]["second"]["verdict"] == "not shown"


def test_case_of_another_topic_that_fails_is_an_error(three, proofs):
    three.behave(needs={"int second;": ["base.stands", "put_user_page.adds"]})
    code, found = proofs("--topics", "second")
    assert code == 1
    assert found["second"]["verdict"] == "mixed"
    assert found["second"]["others"] == ["put_user_page.adds"]


def test_report_of_the_kernel_outside_a_case_is_an_error(three, proofs):
    three.behave(said="WARNING: odd\n")
    code, found = proofs("--topics", "second")
    assert code == 1 and found["second"]["turned"] == ["base.stands"]
    assert found["second"]["others"] == ["outside a case: WARNING: odd (log line 1)"]


def test_report_of_the_kernel_in_a_case_of_its_own_counts_as_that(three, proofs):
    three.behave(needs={}, said="# Subtest: base\nWARNING: odd\n    ok 1 stands\n")
    code, found = proofs("--topics", "second")
    assert code == 0 and found["second"]["turned"] == ["base.stands"]


def test_topic_that_builds_on_another_goes_along(three, proofs):
    three.behave(needs={"int third;": ["base.falls"], "int changed;": ["put_user_page.adds"]})
    code, found = proofs("--topics", "one-line")
    assert code == 0
    assert found["one-line"]["along"] == ["third"]
    assert found["one-line"]["turned"] == ["put_user_page.adds"]


def test_suites_behind_one_that_ends_the_kernel_are_run_alone(three, proofs):
    three.behave(needs={"int second;": ["put_user_page.adds", "base.stands"]},
                 ends=["put_user_page.adds"])
    _, found = proofs("--topics", "second")
    assert found["second"]["turned"] == ["base.stands"]
    assert found["second"]["others"] == ["put_user_page.adds"]


def test_base_that_cannot_run_a_part_says_what_is_not_known(three, proofs):
    edit(three.layout.config / "bases.toml", "kunit_filter = true", "kunit_filter = false")
    three.behave(needs={"int second;": ["put_user_page.adds", "base.stands"]},
                 ends=["put_user_page.adds"])
    _, found = proofs("--topics", "second")
    assert found["second"]["others"] == ["put_user_page.adds"]
    assert found["second"]["unknown"] == ["base"]


def test_tree_that_does_not_build_without_a_topic_is_told(three, proofs):
    three.behave(breaks=["int second;"])
    code, found = proofs("--topics", "second")
    assert code == 1 and "broken" in found["second"]["broken"]


def test_what_does_not_build_without_a_topic_goes_along_if_it_says_so(three, proofs):
    # third calls what second adds, as its topic.toml says.
    edit(three.layout.topic("third"), "severity", 'depends = ["second"]\nseverity')
    three.behave(needs={"int second;": ["base.stands"], "int third;": ["base.falls"]},
                 calls=["int third;", "int second;"])
    code, found = proofs("--topics", "second")
    assert code == 0
    assert found["second"]["along"] == ["third"]
    assert found["second"]["turned"] == ["base.stands"]


def test_suites_that_call_what_a_topic_adds_are_left_out(three, proofs):
    edit(three.layout.topic("one-line"), "severity", "adds = true\nseverity")
    three.behave(needs={})
    _, found = proofs("--topics", "one-line")
    assert found["one-line"]["verdict"] == "adds"
    assert found["one-line"]["left_out"] == ["put_user_page"]


def test_all_topics_are_taken_out_one_at_a_time(three, gup):
    three.behave(needs={"int second;": ["base.stands"], "int changed;": [],
                        "int third;": ["base.falls"]})
    said = gup("prove", "--base", "6.1")
    table = said.out[said.out.rindex("\n\n"):]
    assert [line.split()[:2] for line in table.split("\n") if line] == [
        ["second", "proved"], ["one-line", "not"], ["third", "proved"]]


def test_unknown_topic_is_refused(three, refused):
    assert "base 6.1 has no patch of 'x'; choose from second, one-line, third" in refused(
        2, "prove", "--base", "6.1", "--topics", "x")


def test_what_was_cut_off_is_not_run_again(three, gup, monkeypatch):
    real, ran = prove._one, []

    def cut(spec, arch, name):
        ran.append(name)
        if len(ran) == 2:
            raise KeyboardInterrupt
        return real(spec, arch, name)
    monkeypatch.setattr(prove, "_one", cut)
    assert gup("prove", "--base", "6.1").code == 130
    gup("prove", "--base", "6.1", "--resume")
    assert ran == ["second", "one-line", "one-line", "third"]


def test_work_in_the_tree_is_neither_run_nor_lost(three, proofs, gup, refused):
    proofs("--topics", "second")
    mine = three.layout.tree("6.1", "without") / "mm/gup.c"
    mine.write_text("int mine;\n")
    said = refused(2, "prove", "--base", "6.1", "--topics", "second")
    assert "Put it aside: gup prove --base 6.1 --set-aside" in said
    assert gup("prove", "--base", "6.1", "--topics", "second", "--set-aside").code == 0
    kept = three.git("for-each-ref", "--format=%(refname)", "refs/heads/aside")
    assert three.git("show", f"{kept}:mm/gup.c") == "int mine;"


def test_record_is_kept_and_damage_is_named(three, gup, refused):
    readme = three.root / "README.md"
    readme.write_text(f"{recorded_results.BEGIN}{recorded_results.END}")
    gup("prove", "--base", "6.1", "--topics", "second", "--record")
    assert stored_proofs.load(three.layout)["6.1", "um", "second"].turned == ("base.stands",)
    gup("prove", "--base", "6.1", "--topics", "third", "--record")
    assert len(stored_proofs.load(three.layout)) == 2
    assert "## second\n\n- 6.1/um: `base.stands`\n" in three.layout.proof_page.read_text()
    assert "| `second` | fixed |" in readme.read_text()
    edit(three.layout.proof_page, "base.stands", "base.rises")
    assert "doc/proved.md differs" in recorded_results.problems(three.layout)[0]
    three.layout.proved.write_text("[1]")
    assert "proved.json" in refused(2, "prove", "--base", "6.1", "--topics", "third", "--record")


def test_word_of_a_proof():
    proof = Proof("6.1", "um", "t", (), (), ())
    assert proof.word == "not shown"
    assert Proof("6.1", "um", "t", (), ("a.b",), ()).word == "proved"
    assert Proof("6.1", "um", "t", (), ("a.b",), ("c.d",)).word == "mixed"
