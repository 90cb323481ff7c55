# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel-doc of each base promises, and which cases hold it."""

from collections.abc import Iterator

from .. import config, queue
from ..config import Kernel
from ..kernel.state import Tree
from ..queue import kernel_doc, promises
from ..run import build
from ..system import files
from ..system.errors import UsageError
from ..system.paths import Layout

# Of this file every comment counts, and of others those that the series has changed.
GUP_C = "mm/gup.c"


def problems(layout: Layout) -> list[str]:
    """What is wrong with config/promises that needs no tree to be seen."""
    try:
        return promises.problems(layout)
    except UsageError as error:
        return [str(error)]


def missing(layout: Layout) -> Iterator[tuple[str, str]]:
    """The promises that want a case, and what that has to do."""
    try:
        yield from promises.missing(layout)
    except UsageError:
        return      # which is said of the files


def base(ready: Tree) -> list[str]:
    """How config/promises and a tree differ, a line each."""
    layout = ready.spec.layout
    told: dict[str, list[str]] = {}
    needed: dict[str, str] = {}
    for file in dict.fromkeys((GUP_C, *queue.touched(layout, ready.base.name))):
        if file.endswith((".c", ".h")) and (ready.path / file).exists():
            own = _own_comments(ready, file)
            told |= own
            needed |= dict.fromkeys(own, file)
    try:
        known, cells = config.promises(layout), config.cells(layout)
    except UsageError as error:
        return [str(error)]
    names = build.names_in_headers(ready, sorted(cells.names))
    kernel = Kernel(ready.base.name, frozenset(), frozenset(names))
    return promises.unlike(known, ready.base.name, told, needed) \
        + promises.unheld(known, cells, kernel)


def _own_comments(ready: Tree, file: str) -> dict[str, list[str]]:
    """The comments of a file that count."""
    now = kernel_doc.comments(files.read(ready.path / file))
    if file == GUP_C:
        return now
    shown = ready.git.run("show", f"{ready.state.base}:{file}", check=False)
    before = kernel_doc.comments(shown.output) if shown.returncode == 0 else {}
    return {name: told for name, told in now.items() if before.get(name) != told}
