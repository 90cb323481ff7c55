# SPDX-License-Identifier: GPL-2.0-only
"""What is read from disk: every mistake in a file is one line with file and key."""

import ast
import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from conftest import SCRIPTS, edit
from guplib.system import files, schema
from guplib.system.errors import UsageError


@pytest.mark.parametrize("kind, words", [
    (str, "a string"), (int | None, "a whole number"), (list[str | None], "a list of strings"),
    (tuple[tuple[str, str], ...], "a list of lists of strings"),
    (dict[str, list[int]], "a table of lists of whole numbers"), (dict[str, Any], "a table"),
    (list[dict[str, Any]], "a list of tables")])
def test_what_was_expected_is_told_in_words(kind, words):
    assert schema.expected(kind) == words


@pytest.mark.parametrize("text", ["", "{", "nonsense"])
def test_damaged_json_is_told_with_its_cure(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UsageError, match=r"a\.json: damaged \(.*\); remove it"):
        schema.read_json(tmp_path / "a.json", "remove it")


@dataclass(frozen=True)
class Part:
    name: str


@dataclass(frozen=True)
class Whole:
    text: str
    number: int
    flag: bool
    words: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    table: dict[str, list[int]]
    part: Part | None = None


GOOD = {"text": "a", "number": 1, "flag": False, "words": ["b"], "pairs": [["c", "d"]],
        "table": {"e": [1]}, "part": {"name": "f"}}


def test_a_good_table_becomes_an_object():
    assert schema.fill(Whole, GOOD, "x") == Whole(
        "a", 1, False, ("b",), (("c", "d"),), {"e": [1]}, Part("f"))
    assert schema.fill(Whole, GOOD | {"part": None}, "x").part is None


@pytest.mark.parametrize("change, says", [
    ({"text": 3}, "x: 'text' has to be a string, and is 3"),
    ({"number": "1"}, "x: 'number' has to be a whole number, and is '1'"),
    ({"number": True}, "x: 'number' has to be a whole number, and is True"),
    ({"flag": 0}, "x: 'flag' has to be true or false, and is 0"),
    ({"words": "b"}, "x: 'words' has to be a list of strings, and is 'b'"),
    ({"words": ["b", 3]}, "x: 'words', item 2 has to be a string, and is 3"),
    ({"pairs": [["c"]]}, "x: 'pairs', item 1 has to be a list of strings, and is ['c']"),
    ({"table": []}, "x: 'table' has to be a table of lists of whole numbers, and is []"),
    ({"table": {"e": 1}}, "x: 'table', 'e' has to be a list of whole numbers, and is 1"),
    ({"part": {"name": 1}}, "x: 'part': 'name' has to be a string, and is 1"),
    ({"part": 3}, "x: 'part': has to be a table, and is 3"),
    ({"extra": 1}, "x: unknown key 'extra'; remove it")])
def test_each_mistake_is_named(change, says):
    with pytest.raises(UsageError, match=re.escape(says)):
        schema.fill(Whole, GOOD | change, "x")


def test_what_is_missing_is_named():
    with pytest.raises(UsageError, match="x: 'text' is missing; add it, it has to be a string"):
        schema.fill(Whole, {key: GOOD[key] for key in GOOD if key != "text"}, "x")


@pytest.mark.parametrize("name, old, new, says", [
    ("config/bases.toml", 'version = "6.1.9"', "version = 6", "base 6.1: 'version' has to be"),
    ("config/bases.toml", 'default = "6.1"', "default = 6", "'default' has to be a string"),
    ("config/arches.toml", 'needs = ["kernel"]', 'needs = ["nope"]', "no group [nope]"),
    ("config/arches.toml", 'needs = ["kernel"]', "needs = [1]", "'needs', item 1 has to be"),
    ("config/packages.toml", 'git = "git"', "git = 1", "'git' has to be a string"),
    ("config/cells.toml", 'cases = ["adds", "drops"]', 'cases = ["adds", 1]', "'cases', item 2"),
    ("config/cells.toml", '["dr*"]', '"dr*"', "'put_user_page' has to be a list of strings"),
    ("config/reports.toml", "patterns = [", "patterns = [3, ", "'patterns', item 1 has to be"),
    ("patches/one-line/topic.toml", '"6.1" = "needed"', '"6.1" = 3', "'6.1' has to be a string"),
    ("patches/one-line/topic.toml", "[base]", "depends = [3]\n[base]", "'depends', item 1"),
    ("patches/one-line/topic.toml", "[base]", "adds = 1\n[base]", "'adds' has to be true")])
def test_mistake_in_a_stored_file_is_one_line(project, gup, refused, name, old, new, says):
    edit(project.root / name, old, new)
    words = ("kunit", "--unpatched") if "needs" in old or "config" in name else (
        "export", "--base", "6.1", "--format", "quilt", "--out", project.root.parent / "out")
    said = refused(2, *words)
    assert says in said and ".toml" in said


@pytest.mark.parametrize("name, text, says", [
    ("bases.toml", "base = 3", "'base' has to be a table of tables, and is 3"),
    ("bases.toml", "base = { x = 3 }", "'base', 'x' has to be a table, and is 3"),
    ("cells.toml", "suite = 3", "'suite' has to be a list of tables, and is 3"),
    ("arches.toml", "arch = []", "'arch' has to be a table of tables, and is []"),
    ("lint.toml", "exempt = 3", "'exempt' has to be a list of tables, and is 3")])
def test_file_of_another_shape_is_one_line(project, refused, name, text, says):
    (project.root / "config" / name).write_text(f"{text}\n")
    words = ("lint",) if name == "lint.toml" else ("kunit",)
    assert f"{name}: {says}" in refused(2, *words)


def test_adds_may_be_false(project, gup):
    edit(project.layout.topic("one-line"), "[base]", "adds = false\n[base]")
    assert gup("status").code == 0 and "rules are broken" not in gup("status").out


def test_text_that_is_no_utf_8(project, refused):
    (project.root / "series/6.1").write_bytes(b"one-line/6.1.patch # J\xf6rg\n")
    assert "series/6.1: not UTF-8 text" in refused(2, "tree")


@pytest.mark.parametrize("name", ["patches/one-line/.6.1.patch.swp", "kunit/Makefile~",
                                  "config/__pycache__/x.pyc"])
def test_what_editors_leave_is_no_part_of_the_queue(project, gup, name):
    gup("tree")
    (project.root / name).parent.mkdir(exist_ok=True)
    (project.root / name).write_bytes(b"b0VIM \xff\xfe\0")
    said = gup("refresh", "--base", "6.1")
    assert said.code == 0, said
    assert (project.root / name).exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"source": {}}', '{"version": 3}'])
def test_damaged_state_of_a_tree_is_one_line(project, gup, refused, text):
    gup("tree")
    (project.tree / ".git/gup.json").write_text(text)
    assert "gup.json" in refused(2, "tree")


@pytest.mark.parametrize("text", ["", "[1]", '{"series/6.1": 3}'])
def test_damaged_journal_is_put_aside_and_blocks_nothing(project, gup, text):
    project.layout.journal.write_text(text)
    said = gup("status")
    assert said.code == 0 and "damaged" in said.out and "git status" in said.out
    assert not project.layout.journal.exists()
    assert "damaged" not in gup("status").out


def test_damaged_record_of_measures_is_one_line(project, refused):
    project.layout.measured.parent.mkdir()
    for text in ("", "{}", json.dumps([{"base": "6.1"}])):
        project.layout.measured.write_text(text)
        assert "measured.json" in refused(2, "status")


@pytest.mark.parametrize("line", ["../../evil.patch", "/tmp/evil.patch", "one-line/../x.patch",
                                  "one-line", "a/b/c.patch", "./one-line/6.1.patch"])
def test_series_names_nothing_outside_of_patches(project, refused, line):
    (project.root.parent / "evil.patch").write_text(project.patch.read_text())
    (project.root / "series/6.1").write_text(f"{line}\n")
    said = refused(2, "tree")
    assert "series/6.1:1: " in said and "is not of the form TOPIC/BASE.patch" in said


def test_series_follows_no_link_out_of_patches(project, refused):
    real = project.root.parent / "evil.patch"
    project.patch.rename(real)
    project.patch.symlink_to(real)
    assert "is not in patches/" in refused(2, "tree")


def test_draft_that_is_a_link_is_not_written_through(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "a.new").symlink_to(victim)
    files.write(tmp_path / "a", "ours")
    assert victim.read_text() == "mine" and (tmp_path / "a").read_text() == "ours"
    assert not (tmp_path / "a.new").exists()


def test_manifest_is_not_written_through_a_link(project, gup, tmp_path):
    victim, out = tmp_path / "victim", tmp_path / "out"
    victim.write_text("mine")
    out.mkdir()
    (out / ".gup-export.json.new").symlink_to(victim)
    gup("export", "--base", "6.1", "--format", "quilt", "--out", out)
    assert victim.read_text() == "mine"


def test_content_is_on_the_disk_before_its_name(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(files.os, "fsync", lambda handle: done.append("sync"))
    real = files.os.replace
    monkeypatch.setattr(files.os, "replace",
                        lambda *words: (done.append("name"), real(*words)))
    files.write(tmp_path / "a", "x")
    assert done == ["sync", "name", "sync"]


def unencoded(text: str) -> list[str]:
    """The calls in a module that read or write text in whatever encoding there is."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        mode = [word.value for word in node.args[:2] if isinstance(word, ast.Constant)
                and isinstance(word.value, str) and re.fullmatch(r"[rwax+bt]+", word.value)]
        binary = any("b" in word for word in mode)
        if name in ("read_text", "write_text") or name in (
                "open", "NamedTemporaryFile") and not binary \
                and "os.open" not in ast.unparse(node):
            if not any(word.arg == "encoding" for word in node.keywords) and not (
                    name == "read_text" and node.args):
                found.append(ast.unparse(node))
    return found


def test_every_text_is_read_and_written_as_utf_8():
    assert unencoded("path.read_text()") and unencoded("path.open()")
    assert unencoded("open(x, 'w')") and not unencoded("path.open('rb')")
    found = {f"{path.name}: {call}" for path in (SCRIPTS / "guplib").rglob("*.py")
             for call in unencoded(path.read_text())}
    assert found == set()
