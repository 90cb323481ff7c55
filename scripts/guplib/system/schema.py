# SPDX-License-Identifier: GPL-2.0-only
"""What is read from disk, held against types: the one place that checks its shape.

A type is what a data class says of its fields: str, bool, int, list[X], tuple[X, …],
dict[str, X], X | None, Any, or another data class. Each error names the file, the key
and what it has to be.
"""

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from . import files
from .errors import UsageError

Made = TypeVar("Made")
SIMPLE: dict[Any, tuple[str, str]] = {
    str: ("a string", "strings"), bool: ("true or false", "true or false"),
    int: ("a whole number", "whole numbers"), Any: ("anything", "anything")}


def read_json(path: Path, cure: str) -> Any:
    """What a JSON file holds; raises UsageError, with the cure, if it is damaged."""
    try:
        return json.loads(files.read(path))
    except ValueError as error:
        raise UsageError(f"{path}: damaged ({error}); {cure}") from error


def fill(kind: type[Made], table: object, where: str, **given: Any) -> Made:
    """An object of a data class from a table with just its fields as keys.

    given are fields that do not come from the table. Raises UsageError, which begins
    with where, for a key that is missing, unknown or of another type.
    """
    hints = typing.get_type_hints(kind)
    optional = {field.name for field in dataclasses.fields(kind)
                if field.default is not dataclasses.MISSING
                or field.default_factory is not dataclasses.MISSING}
    wanted = {name: hints[name] for name in hints if name not in given}
    return kind(**given, **check(table, wanted, where, optional))


def check(table: object, wanted: Mapping[str, Any], where: str,
          optional: typing.Collection[str] = ()) -> dict[str, Any]:
    """A table with the wanted keys, each of its type; raises UsageError if it is none."""
    if not isinstance(table, dict):
        raise UsageError(f"{where}: has to be a table, and is {table!r}; mend it")
    for key, kind in wanted.items():
        if key not in table and key not in optional:
            raise UsageError(f"{where}: '{key}' is missing; add it, it has to be "
                             f"{expected(kind)}")
    unknown = sorted(str(key) for key in set(table) - set(wanted))
    if unknown:
        raise UsageError(f"{where}: unknown key '{unknown[0]}'; remove it")
    return {key: value(wanted[key], found, f"{where}: '{key}'")
            for key, found in table.items()}


def value(kind: Any, found: object, where: str) -> Any:
    """A value of a type, with lists as tuples where those are wanted."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return found
    if origin in (typing.Union, types.UnionType):
        if found is None and types.NoneType in parts:
            return None
        return value(_given(parts), found, where)
    if dataclasses.is_dataclass(kind):
        return fill(kind, found, where)
    if origin in (list, tuple) and isinstance(found, list) and (
            origin is list or parts[-1] is Ellipsis or len(parts) == len(found)):
        kinds = parts if origin is tuple and parts[-1] is not Ellipsis \
            else parts[:1] * len(found)
        return origin(value(each, item, f"{where}, item {number}")
                      for number, (each, item) in enumerate(zip(kinds, found), 1))
    if origin is dict and isinstance(found, dict):
        return {key: value(parts[1], item, f"{where}, '{key}'")
                for key, item in found.items()}
    if origin is None and isinstance(found, kind) \
            and (kind is bool or not isinstance(found, bool)):
        return found
    raise UsageError(f"{where} has to be {expected(kind)}, and is {found!r}; mend it")


def _given(parts: tuple[Any, ...]) -> Any:
    """What X | None is if it is not None."""
    return next(part for part in parts if part not in (None, types.NoneType))


def expected(kind: Any, many: bool = False) -> str:
    """A type in words, of one thing or of many."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if kind in SIMPLE:
        return SIMPLE[kind][many]
    if origin in (typing.Union, types.UnionType):
        return expected(_given(parts), many)
    if origin in (list, tuple):
        return f"{'lists' if many else 'a list'} of {expected(parts[0], True)}"
    if origin is dict and parts[1] is not Any:
        return f"{'tables' if many else 'a table'} of {expected(parts[1], True)}"
    return "tables" if many else "a table"
