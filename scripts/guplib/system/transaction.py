# SPDX-License-Identifier: GPL-2.0-only
"""Rewrite several stored files as if in one step.

All new contents go to one file first. Once that stands, the change counts as
made: whoever is killed while putting the contents in place leaves the rest to
the next call of gup.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import files, schema
from .errors import UsageError
from .paths import Layout
from .terminal import say

Changes = Mapping[Path, str | None]


@contextlib.contextmanager
def hold(layout: Layout) -> Iterator[None]:
    """Hold the stored files against other calls of gup that rewrite them."""
    with files.locked(layout.queue_lock, "the stored queue"):
        _finish(layout)
        yield


def commit(layout: Layout, changes: Changes) -> None:
    """Put new contents into files, all or none; None removes a file.

    The queue must be held. Raises EnvironmentFault when the disk is full:
    nothing is changed then, or the next call ends it.
    """
    named = {_name(layout, path): text for path, text in changes.items()}
    files.write(layout.journal, json.dumps(named) + "\n")
    _finish(layout)


def recover(layout: Layout) -> None:
    """End what a killed call has begun; costs nothing if there is none."""
    if layout.journal.exists():
        with hold(layout):
            pass


def _name(layout: Layout, path: Path) -> str:
    """A path as the journal holds it: the project may move meanwhile."""
    inside = path.is_relative_to(layout.root)
    return str(path.relative_to(layout.root) if inside else path)


def _finish(layout: Layout) -> None:
    """Put the contents of the journal in place, as often as it takes."""
    if not layout.journal.exists():
        return
    try:
        named = schema.value(dict[str, str | None],
                             schema.read_json(layout.journal, "it is put aside"), "journal")
    except UsageError as error:
        aside = layout.journal.with_suffix(".damaged")
        layout.journal.rename(aside)
        say(f"{error}; a change of stored files may have been cut off: see what git status "
            f"says of them; it is now {aside.name}")
        return
    for name, text in named.items():
        path = layout.root / name
        if text is None:
            path.unlink(missing_ok=True)
        else:
            files.write(path, text)
    layout.journal.unlink()
