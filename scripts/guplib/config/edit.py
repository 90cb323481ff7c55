# SPDX-License-Identifier: GPL-2.0-only
"""Changes of TOML files that leave the rest of the text as it stands.

Each function takes the text of a file and returns it changed; path is for messages.
All raise UsageError if the text is no TOML, or a table of it cannot be changed, and
EnvironmentFault without python3-tomlkit.
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from ..system import debian_python
from ..system.errors import UsageError

Order = Callable[[str], Any]        # what keys of a table are sorted by


def with_values(path: Path, text: str, table: tuple[str, ...], values: Mapping[str, str]
                ) -> str:
    """Other values of some keys of a table; comments and the form of each line stay.

    Raises UsageError if there is no such table or key.
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
    """A table that has these keys and no others; raises UsageError if there is none.

    What comes behind the last key stays behind it: an empty line, and a comment on
    the next table.
    """
    document = _parsed(path, text)
    found = _table(path, document, table)
    made = _with_body(found, [*values.items(), *_tail(found)])
    return str(_replaced(document, table, made).as_string())


def with_entry(path: Path, text: str, table: str, key: str, value: str, order: Order) -> str:
    """A key more in a table, in its place by order; the table is made if there is none."""
    document = _parsed(path, text)
    if table not in document:
        made = _tomlkit().table()
        made.add(key, value)
        document.add(table, made)
    else:
        found = _table(path, document, (table,))
        body = list(found.value.body)
        body.insert(_place(body, key, order), (key, value))
        document = _replaced(document, (table,), _with_body(found, body))
    return _ended(document)


def without_entries(path: Path, text: str, table: str, gone: Collection[str]) -> str:
    """A table without some of its keys; it goes if it has no other, but for comments.

    Those behind its last key stay, as they are on the next table.
    """
    document = _parsed(path, text)
    if table not in document:
        return text
    found = _table(path, document, (table,))
    left = [(key, item) for key, item in found.value.body if key is None or key.key not in gone]
    if any(key is not None for key, _ in left):
        return _ended(_replaced(document, (table,), _with_body(found, left)))
    whitespace = _tomlkit().items.Whitespace
    tail = _tail(found)
    while tail and isinstance(tail[0][1], whitespace):
        del tail[0]
    return _ended(_with_body(document, [
        part for key, item in document.body
        for part in (tail if key is not None and key.key == table else [(key, item)])]))


def with_new_table(path: Path, text: str, above: str, name: str, values: Mapping[str, Any],
                   order: Order) -> str:
    """A table more among those of another, [ABOVE.NAME], in its place by order.

    A value that is a mapping becomes a table below it. What is behind the table before
    it comes to be behind the new one: an empty line, and a comment on the next table.
    """
    document = _parsed(path, text)
    siblings = _table(path, document, (above,))
    body = list(siblings.value.body)
    at = _place(body, name, order)
    tail = [(None, _tomlkit().nl())]
    if at:
        key, before = body[at - 1]
        body[at - 1], tail = (key, _without_tail(before)), _tail(before)
    made = _tomlkit().table()
    for key, value in values.items():
        made.add(key, value)
    made = _with_tail(made, tail)
    made.trivia.indent = "\n" if at else ""
    body.insert(at, (name, made))
    made = _with_body(siblings, body)
    return str(_replaced(document, (above,), made).as_string())


def _tomlkit() -> Any:
    return debian_python.load("tomlkit")


def _parsed(path: Path, text: str) -> Any:
    tomlkit = _tomlkit()
    try:
        return tomlkit.parse(text)
    except tomlkit.exceptions.ParseError as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from error


def _table(path: Path, document: Any, names: tuple[str, ...]) -> Any:
    """A table of a document by its names.

    Raises UsageError if there is none, or if it is not of the form [NAME], in one place.
    """
    found = document
    for name in names:
        if name not in found:
            raise UsageError(f"{path}: no table [{'.'.join(names)}]; add it")
        found = found[name]
        if not isinstance(found, _tomlkit().items.Table):
            raise UsageError(f"{path}: {'.'.join(names)} is not written as one table "
                             f"[{'.'.join(names)}]; write it so")
    return found


def _place(body: list[Any], key: str, order: Order) -> int:
    """Where in the body of a table a key belongs: right behind the one before it."""
    before = [at for at, (other, _) in enumerate(body)
              if other is not None and order(other.key) < order(key)]
    return before[-1] + 1 if before else 0


def _replaced(whole: Any, names: tuple[str, ...], table: Any) -> Any:
    """A document, or a table, with another one in place of the one of these names."""
    name, *below = names
    return _with_body(whole, [
        (key, item if key is None or key.key != name else
         _replaced(item, tuple(below), table) if below else table)
        for key, item in _body(whole)])


def _body(whole: Any) -> Any:
    """The lines of a document or a table, each a key, if it has one, and an item."""
    return whole.body if isinstance(whole, _tomlkit().TOMLDocument) else whole.value.body


def _with_body(table: Any, body: Collection[Any]) -> Any:
    """A table with the same heading and another body; or a document."""
    tomlkit = _tomlkit()
    document = isinstance(table, tomlkit.TOMLDocument)
    made = tomlkit.TOMLDocument(True) if document else tomlkit.container.Container(True)
    for key, item in body:
        made.append(key, item)
    return made if document else tomlkit.items.Table(
        made, table.trivia, table.is_aot_element(), table.is_super_table(), table.name,
        table.display_name)


def _last(table: Any) -> int:
    """The place of the last key in the body of a table; -1 if it has none."""
    return max((at for at, (key, _) in enumerate(table.value.body) if key is not None),
               default=-1)


def _tail(table: Any) -> list[Any]:
    """What comes behind the last key of a table, or of the last one below it."""
    at = _last(table)
    last = table.value.body[at][1] if at >= 0 else None
    if isinstance(last, _tomlkit().items.Table):
        return _tail(last)
    return list(table.value.body[at + 1:])


def _without_tail(table: Any) -> Any:
    """A table less its tail."""
    at = _last(table)
    *body, (key, last) = table.value.body[:at + 1] or [(None, None)]
    if isinstance(last, _tomlkit().items.Table):
        last = _without_tail(last)
    return _with_body(table, [*body, (key, last)] if key is not None else [])


def _with_tail(table: Any, tail: list[Any]) -> Any:
    """A table that has no tail, with one."""
    *body, (key, last) = table.value.body
    if isinstance(last, _tomlkit().items.Table):
        return _with_body(table, [*body, (key, _with_tail(last, tail))])
    return _with_body(table, [*table.value.body, *tail])


def _ended(document: Any) -> str:
    """The text of a document, which ends with its last line."""
    return str(document.as_string()).rstrip("\n") + "\n"
