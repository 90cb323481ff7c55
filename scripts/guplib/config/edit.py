# SPDX-License-Identifier: GPL-2.0-only
"""Changes of TOML files that leave the rest of the text as it stands."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..system import debian_python
from ..system.errors import UsageError


def with_values(path: Path, text: str, table: tuple[str, ...], values: Mapping[str, str]
                ) -> str:
    """The text of a file, with other values of some keys of a table.

    Comments and the form of each line stay. Raises UsageError if there is no such table
    or key, and EnvironmentFault without python3-tomlkit.
    """
    document = _parsed(path, text)
    found = _table(path, document, table)
    for key, value in values.items():
        if key not in found:
            raise UsageError(f"{path}: {'.'.join(table) or 'the file'}: '{key}' is missing; "
                             "add it")
        found[key] = value
    return str(document.as_string())


def with_table(path: Path, text: str, table: tuple[str, ...], values: Mapping[str, str]
               ) -> str:
    """The text of a file, with a table that has these keys and no others.

    What comes behind the last key stays behind it: an empty line, and a comment on
    the next table.
    """
    document = _parsed(path, text)
    body = list(_table(path, document, table).value.body)
    last = max((at for at, (key, _) in enumerate(body) if key is not None), default=-1)
    made = debian_python.load("tomlkit").table()
    for key, value in values.items():
        made.add(key, value)
    for _, item in body[last + 1:]:
        made.add(item)
    *above, name = table
    _table(path, document, tuple(above))[name] = made
    return str(document.as_string())


def _parsed(path: Path, text: str) -> Any:
    tomlkit = debian_python.load("tomlkit")
    try:
        return tomlkit.parse(text)
    except tomlkit.exceptions.ParseError as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from error


def _table(path: Path, document: Any, names: tuple[str, ...]) -> Any:
    """A table of a document by its names; raises UsageError if there is none."""
    found = document
    for name in names:
        if name not in found:
            raise UsageError(f"{path}: no table [{'.'.join(names)}]; add it")
        found = found[name]
    return found
