# SPDX-License-Identifier: GPL-2.0-only
"""The forms of gup export (config/export.toml)."""

from dataclasses import dataclass

from ..system.paths import Layout
from .toml_file import choose, fields, load, named


@dataclass(frozen=True)
class Form:
    """A form that patches leave the queue in (config/export.toml)."""

    name: str
    title: str
    signed: bool
    where: str
    apply: tuple[str, ...]
    listed: tuple[str, ...]
    names: str
    rules: tuple[tuple[str, str], ...]
    notes: str


def export_forms(layout: Layout) -> dict[str, Form]:
    """The forms of gup export by name."""
    path = layout.config / "export.toml"
    return named(path, load(path), Form, "form")


def export_form(layout: Layout, name: str) -> Form:
    """One form; raises UsageError when there is none of that name."""
    return choose("format", name, export_forms(layout))


def export_texts(layout: Layout) -> dict[str, str]:
    """The parts of README in an exported folder that all forms share."""
    path = layout.config / "export.toml"
    return fields(path, "text", load(path).get("text", {}),
                  {"head": str, "apply": str, "tests": str})


def kunit_lines(layout: Layout, base: str) -> tuple[str, ...]:
    """The commands that run the suites in an exported tree of a base."""
    path = layout.config / "export.toml"
    table = fields(path, "kunit", load(path).get("kunit", {}),
                   {"lines": list[str], "base": dict[str, list[str]]})
    return tuple(table["base"].get(base, table["lines"]))
