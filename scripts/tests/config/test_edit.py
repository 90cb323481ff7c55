# SPDX-License-Identifier: GPL-2.0-only
"""TOML files are changed where they have to be, and stay as they are elsewhere."""

import sys
import tomllib
from pathlib import Path

import pytest

from guplib.config import edit, version_key
from guplib.system import debian_python
from guplib.system.errors import EnvironmentFault, UsageError

pytest.importorskip("tomlkit", reason="python3-tomlkit is missing")

TEXT = """\
# The head.
default="6.1"   # no blanks

[base."6.1"]
version= "1"  # once
'package' = 'p'
[base."6.1".blobs]
"b" = "2"

# About 7.2.
[base."7.2"]
version = "2"
[base."7.2".blobs]
"""
NAME = Path("x.toml")


@pytest.mark.parametrize("table, key, old, new", [
    ((), "default", 'default="6.1" ', 'default="new" '),
    (("base", "6.1"), "version", 'version= "1" ', 'version= "new" '),
    (("base", "7.2"), "version", 'version = "2"', 'version = "new"')])
def test_value_is_changed_whatever_form_its_line_has(table, key, old, new):
    assert edit.with_values(NAME, TEXT, table, {key: "new"}) == TEXT.replace(old, new)


def test_quotes_in_a_value():
    made = edit.with_values(NAME, TEXT, (), {"default": 'say "ä“'})
    assert tomllib.loads(made)["default"] == 'say "ä“'


def test_table_is_replaced_and_what_is_behind_it_stays():
    made = edit.with_table(NAME, TEXT, ("base", "6.1", "blobs"), {"a": "1", "c": "3"})
    assert made == TEXT.replace('"b" = "2"\n', 'a = "1"\nc = "3"\n')
    made = edit.with_table(NAME, TEXT, ("base", "7.2", "blobs"), {"a": "1"})
    assert made == TEXT + 'a = "1"\n'


def test_what_is_not_there_is_named():
    with pytest.raises(UsageError, match=r"x.toml: no table \[base.9\]"):
        edit.with_values(NAME, TEXT, ("base", "9"), {"version": "1"})
    with pytest.raises(UsageError, match="x.toml: base.6.1: 'colour' is missing"):
        edit.with_values(NAME, TEXT, ("base", "6.1"), {"colour": "1"})
    with pytest.raises(UsageError, match="x.toml: not valid TOML"):
        edit.with_values(NAME, "a = \n", (), {"a": "1"})


def test_without_the_package_the_command_is_named():
    with pytest.raises(EnvironmentFault, match="apt-get install python3-nosuchmodule"):
        debian_python.load("nosuchmodule")


def test_what_runs_before_packages_needs_the_standard_library_alone(gup, monkeypatch):
    monkeypatch.setitem(sys.modules, "tomlkit", None)
    for words in (["status"], ["tree"], ["kunit"]):
        assert gup(*words).code == 0


TOPIC = '''\
title = "x"  # once

[base]  # all of them
# the first
"5.10" = "needed"    # for long
# about 6.12
"6.12" = 'in-base'

[difference]
# of what
"5.10" = """no \\
  folios"""   # none

# How it differs from mainline.
[backport]
"5.10" = "x"
'''


@pytest.mark.parametrize("key, behind", [
    ("5.4", "[base]  # all of them\n"), ("6.1", '"5.10" = "needed"    # for long\n'),
    ("7.2", "\"6.12\" = 'in-base'\n")])
def test_key_is_added_in_its_place(key, behind):
    assert edit.with_entry(NAME, TOPIC, "base", key, 'a "b" \\', version_key) == \
        TOPIC.replace(behind, behind + f'"{key}" = "a \\"b\\" \\\\"\n')


def test_table_is_added_at_the_end():
    assert edit.with_entry(NAME, TOPIC, "new", "6.1", "ä", version_key) == \
        f'{TOPIC}\n[new]\n"6.1" = "ä"\n'


def test_key_is_removed_and_nothing_beside_it():
    assert edit.without_entries(NAME, TOPIC, "base", ["5.10", "9"]) == \
        TOPIC.replace('"5.10" = "needed"    # for long\n', "")
    assert edit.without_entries(NAME, TOPIC, "nowhere", ["5.10"]) == TOPIC


def test_table_without_a_key_goes_but_not_the_comment_on_the_next():
    first, rest = TOPIC.split("[difference]\n")
    last = rest[rest.index("# How"):]
    assert edit.without_entries(NAME, TOPIC, "difference", ["5.10"]) == first + last
    assert edit.without_entries(NAME, TOPIC, "backport", ["5.10"]) == \
        TOPIC.replace('[backport]\n"5.10" = "x"\n', "")


NEW = '[base."6.6"]\nversion = ""\nkunit = true\n\n[base."6.6".blobs]\n"c" = ""\n'


@pytest.mark.parametrize("name, before, behind", [
    ("6.0", "# no blanks\n\n", '\n[base."6.1"]'),
    ("6.6", '"b" = "2"\n\n', "\n# About 7.2.\n"),
    ("7.4", '[base."7.2".blobs]\n\n', "")])
def test_table_is_added_among_others_in_its_place(name, before, behind):
    made = edit.with_new_table(NAME, TEXT, "base", name, {
        "version": "", "kunit": True, "blobs": {"c": ""}}, version_key)
    new = NEW.replace("6.6", name).replace('"c"', "c")
    assert before + new + behind in made
    assert made.replace(new, "").replace("\n", "") == TEXT.replace("\n", "")
    assert made.endswith("\n") and "\n\n\n" not in made


@pytest.mark.parametrize("text, says", [
    ('base = { "6.1" = "needed" }\n', "x.toml: base is not written as one table"),
    ('base = "6.1"\n', "x.toml: base is not written as one table"),
    ('[[base]]\n"6.1" = "x"\n', "x.toml: base is not written as one table")])
def test_table_of_another_form_is_left_to_a_person(text, says):
    with pytest.raises(UsageError, match=says):
        edit.with_entry(NAME, text, "base", "7.2", "x", version_key)
