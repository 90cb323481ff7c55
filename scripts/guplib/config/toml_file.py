# SPDX-License-Identifier: GPL-2.0-only
"""The reader of every TOML file, and of the tables in it."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from ..system import schema
from ..system.errors import UsageError

Made = TypeVar("Made")


def load(path: Path) -> dict[str, Any]:
    """Read a TOML file; raises UsageError with the line of a mistake."""
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such file; restore it from git") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from error


def fields(path: Path, what: str, table: dict[str, Any],
           wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A table of a file with just these keys; lists become tuples."""
    return {key: tuple(found) if isinstance(found, list) else found for key, found
            in schema.check(table, wanted, f"{path}: {what}").items()}


def named(path: Path, table: dict[str, Any], kind: type[Made], key: str, **usual: Any
          ) -> dict[str, Made]:
    """The objects that the tables of a file, [KEY.NAME], speak of, by name."""
    found = schema.value(dict[str, dict[str, Any]], table.get(key, {}), f"{path}: '{key}'")
    return {name: schema.fill(kind, {**usual, **own}, f"{path}: {key} {name}", name=name)
            for name, own in found.items()}


def listed(path: Path, table: dict[str, Any], kind: type[Made], key: str) -> list[Made]:
    """The objects that the tables of a file, [[KEY]], speak of, in order."""
    found = schema.value(list[dict[str, Any]], table.get(key, []), f"{path}: '{key}'")
    return [schema.fill(kind, own, f"{path}: {key} {number}")
            for number, own in enumerate(found, 1)]


def choose(kind: str, name: str, known: Mapping[str, Made]) -> Made:
    if name not in known:
        raise UsageError(f"unknown {kind} '{name}'; choose from {', '.join(known)}")
    return known[name]
