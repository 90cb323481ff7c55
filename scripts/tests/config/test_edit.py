# SPDX-License-Identifier: GPL-2.0-only
"""TOML files are changed where they have to be, and stay as they are elsewhere."""

import sys
import tomllib
from pathlib import Path

import pytest

from guplib.config import edit
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
