# SPDX-License-Identifier: GPL-2.0-only
"""Where everything stands, on one screen."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from .. import config, queue
from ..config import Base
from ..evidence import recorded_results
from ..kernel import apply, work
from ..kernel.spec import TreeSpec
from ..kernel.state import state_of
from ..system import files
from ..system.errors import UsageError
from ..system.paths import Layout


@dataclass(frozen=True)
class Table:
    """A part of the screen: what it is of, the names of its columns, its rows."""

    name: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(layout: Layout) -> list[Table]:
    """Bases with their trees, topics, and the cells that have run.

    Reads only; nothing is fetched, built or moved.
    """
    bases = config.bases(layout)
    record, topics = recorded_results.load(layout), _topics(layout)
    return [
        Table("bases", ("base", "verified", "package", "tree"), tuple(
            (base.name, base.version, f"{base.package} {base.package_version}",
             _tree(layout, base)) for base in bases.values())),
        Table("topics", ("topic", *bases, "severity", "affected", "upstream"), tuple(
            (topic.name, *(recorded_results.standing(topic, base, record, topics)
                           for base in bases),
             topic.reached_by, topic.affected, _upstream(topic)) for topic in topics)),
        Table("cells", ("cell", "last run", "verdict", "last green", "queue"), tuple(
            row for base in bases for arch in config.arches(layout)
            if (row := _cell(layout, base, arch))))]


def data(layout: Layout) -> dict[str, object]:
    """The screen as data: the rows of each table by their columns, and broken rules."""
    found: dict[str, object] = {
        table.name: [dict(zip(table.head, row)) for row in table.rows]
        for table in tables(layout)}
    return {**found, "problems": queue.problems(layout)}


def lines(layout: Layout) -> list[str]:
    """The screen."""
    parts = [_table(table.head, table.rows) for table in tables(layout)]
    found = [line for part in parts for line in (*part, "")][:-1]
    defects = queue.problems(layout)
    if defects:
        found += ["", f"{len(defects)} rules are broken, see gup check --only rules; "
                  f"the first: {defects[0]}"]
    return found


def _upstream(topic: queue.Topic) -> str:
    """Where a topic stands upstream; what does the same there, by its commit."""
    since = topic.standing.since
    return f"{since.release} does the same, by {since.commit[:12]}" if since \
        else topic.upstream


def _topics(layout: Layout) -> list[queue.Topic]:
    """The topics that can be read, and whose bases are all named."""
    good = []
    for entry in sorted(layout.patches.iterdir()):
        try:
            topic = queue.topic(layout, entry.name)
        except UsageError:
            continue
        if set(config.bases(layout)) <= set(topic.status):
            good.append(topic)
    return good


def _tree(layout: Layout, base: Base) -> str:
    """What stands in a tree: nothing, the queue, a person's work."""
    spec = TreeSpec(layout, base)
    try:
        state = state_of(spec)
        wanted = apply.digest(apply.plan(spec))
    except UsageError as error:
        return str(error)
    if state is None:
        return "none yet"
    said = []
    if state.version != base.version:
        said.append(f"is {state.version}")
    if state.target:
        said.append("checkout was interrupted")
    elif found := work.work_in(spec, state):
        said.append(f"your work ({found[0]}"
                    + (f", and {len(found) - 1} more)" if found[1:] else ")"))
    if state.inputs != wanted:
        said.append("behind the queue")
    return "; ".join(said) or "clean"


def _cell(layout: Layout, base: str, arch: str) -> tuple[str, ...] | None:
    """A row for a cell that has run."""
    path = layout.results(base, arch)
    if not path.exists():
        return None
    try:
        results = json.loads(files.read(path))
        commit = results["commit"][:12] + ("+" if results["dirty"] else "")
        part = results.get("suite", "*")
        return (f"{base}/{arch}", results["time"],
                results["verdict"] + ("" if part == "*" else f" ({part})"),
                results.get("last_green") or "never", commit)
    except (UsageError, ValueError, KeyError, TypeError):
        return f"{base}/{arch}", "damaged results.json; run it again", "", "", ""


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Rows in columns; the last column is as long as it needs to be."""
    table = [head, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    return ["  ".join(f"{text:{width}}" for text, width in zip(row, widths)).rstrip()
            for row in table]
