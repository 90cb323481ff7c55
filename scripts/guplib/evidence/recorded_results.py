# SPDX-License-Identifier: GPL-2.0-only
"""What was measured: doc/measured.json, and the tables of README from it."""

import fnmatch
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from .. import config, queue
from ..queue import Topic
from ..run.verdict import FAILED, STATUSES
from ..system import files, schema
from ..system.errors import UsageError
from ..system.paths import Layout
from . import proofs

BEGIN = "<!-- measured: made by `gup matrix --record`, begin -->\n"
END = "<!-- measured: end -->\n"
ADDED, FIXED, IN_BASE, NOT_APPLICABLE = "added", "fixed", "in base", "n/a"
UNPROVEN, BROKEN, UNMEASURED, NO_SUITE = "unproven", "broken", "?", "-"
NO_CELL = "-"
MEASURE_AGAIN = "measure again by gup matrix --unpatched --record"
NONE = (0,) * len(STATUSES)


@dataclass(frozen=True)
class Measured:
    """What a cell came to; suites holds counts of verdict.STATUSES, by suite.

    failed: the cases that failed, as SUITE.CASE; None if they were not recorded.
    """

    base: str
    arch: str
    patched: bool
    version: str
    verdict: str
    suites: dict[str, list[int]]
    failed: list[str] | None = None

    @property
    def key(self) -> tuple[str, str, bool]:
        """What tells this cell from the others."""
        return self.base, self.arch, self.patched

    def count(self, which: int) -> int:
        """How many cases passed (0), failed (1), skipped (2), or do not apply (3)."""
        return sum(counts[which] for counts in self.suites.values())


Table = dict[tuple[str, str, bool], Measured]


def of_results(results: dict[str, Any]) -> Measured:
    """The measure of a cell's results.json."""
    suites: dict[str, list[int]] = {}
    for case in results["cases"]:
        counts = suites.setdefault(case["suite"], list(NONE))
        counts[STATUSES.index(case["status"])] += 1
    return Measured(results["base"], results["arch"], results["patched"],
                    results["version"], results["verdict"],
                    dict(sorted(suites.items())),
                    _failed(results["cases"]))


def _failed(cases: list[dict[str, Any]]) -> list[str]:
    """The cases that failed; of those that did not run, the one that each suite ended in.

    Cases stand in the order in which they run.
    """
    found, ended = [], set()
    for case in cases:
        if case["status"] != FAILED or case["suite"] in ended:
            continue
        if case["duration_ms"] is None:
            ended.add(case["suite"])
        found.append(f"{case['suite']}.{case['name']}")
    return found


def load(layout: Layout) -> Table:
    """What doc/measured.json holds; empty if there is none yet."""
    if not layout.measured.exists():
        return {}
    cells = schema.value(list[Measured], schema.read_json(layout.measured, MEASURE_AGAIN),
                         f"{layout.measured}")
    return {cell.key: replace(cell, suites={
        suite: [*counts, *NONE[len(counts):]] for suite, counts in cell.suites.items()})
        for cell in cells}


def record(layout: Layout, new: list[Measured]) -> None:
    """Put new measures into doc/measured.json, and the tables into README."""
    table = load(layout) | {cell.key: cell for cell in new}
    order = list(config.bases(layout))
    cells = sorted(table.values(), key=lambda cell: (
        order.index(cell.base), cell.arch, not cell.patched))
    lines = ",\n".join(json.dumps(asdict(cell)) for cell in cells)
    files.write(layout.measured, f"[\n{lines}\n]\n")
    text = files.read(layout.readme)
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise UsageError(f"{layout.readme}: the lines '{BEGIN.strip()}' and "
                         f"'{END.strip()}' are missing; put them back")
    files.write(layout.readme, f"{before}{BEGIN}{tables(layout)}{END}{after}")


def problems(layout: Layout) -> list[str]:
    """Where README and the last measured table disagree."""
    shown = files.read(layout.readme).partition(BEGIN)[2].partition(END)[0]
    if shown != tables(layout):
        return ["README.md: the tables differ from doc/measured.json; write them by "
                "gup matrix --record"]
    if found := proofs.problems(layout):
        return found
    return [f"topic {name}, base {base}: {BROKEN}; see doc/measured.json"
            for name, base, status in _standings(layout) if status == BROKEN]


def gaps(layout: Layout) -> list[tuple[str, str]]:
    """The topics, each with a base, that nothing measured proves, and why not."""
    why = {UNMEASURED: "its suites were not run there both with the series and without",
           UNPROVEN: "its suites do not fail without the series on the cells that were run"}
    cure = "gup matrix --unpatched --record, or gup prove --record"
    return [(f"{name} on {base}", f"{why[status]}; {cure}")
            for name, base, status in _standings(layout) if status in why]


def _standings(layout: Layout) -> list[tuple[str, str, str]]:
    """Topic, base and what was measured of them."""
    topics, table = queue.topics(layout), load(layout)
    proved = {(proof.base, proof.topic) for proof in proofs.load(layout).values()
              if proof.word == proofs.PROVED}
    return [(topic.name, base, FIXED if status in (UNPROVEN, UNMEASURED)
             and (base, topic.name) in proved else status)
            for topic in topics for base in config.bases(layout)
            for status in [standing(topic, base, table, topics)]]


def disagreement(layout: Layout, cell: Measured) -> list[str]:
    """How a cell just run differs from what was measured last."""
    before = load(layout).get(cell.key)
    if before is None:
        return [f"{cell.base}/{cell.arch} is not in doc/measured.json; record it"]
    return [f"{cell.base}/{cell.arch} {suite}: {cell.suites.get(suite)} passed, failed, "
            f"skipped, n/a; doc/measured.json has {before.suites.get(suite)}"
            for suite in sorted({*before.suites, *cell.suites})
            if before.suites.get(suite) != cell.suites.get(suite)]


def standing(topic: Topic, base: str, table: Table, topics: Iterable[Topic] = ()) -> str:
    """What a topic does for a base, as measured with and without the series.

    `added`: its suites run on the patched base and cannot exist on the other;
    `fixed`: its cases fail before and pass after, or without it alone; `in base`: they
    pass on a series that has no patch of the topic, and without the series where that
    was run, unless another of the topics, which the base needs, has them fail there;
    `-`: nothing to run, as of a topic that corrects comments.
    """
    status = topic.status[base]
    if status.startswith("not-applicable"):
        return NOT_APPLICABLE
    if not topic.suites:
        return NO_SUITE
    after = _counts(topic, base, table, True)
    if not after[0]:
        return UNMEASURED
    if after[1]:
        return BROKEN
    if status == "needed" and topic.adds:
        return ADDED
    if status == "in-base":
        shared = not topic.cases and any(
            other.status[base] == "needed" and {*other.suites} & {*topic.suites}
            for other in topics)
        failed = any(_ran(topic, cell) and _turned(topic, cell) for cell in table.values()
                     if (cell.base, cell.patched) == (base, False))
        return BROKEN if failed and not shared else IN_BASE
    runs = [cell for cell in table.values()
            if (cell.base, cell.patched) == (base, False)
            and (base, cell.arch, True) in table and _ran(topic, cell)]
    if not runs:
        return UNMEASURED
    return FIXED if any(_turned(topic, cell) for cell in runs) else UNPROVEN


def _ran(topic: Topic, cell: Measured) -> bool:
    """Whether a cell tells anything of a topic: its suites ran, its cases are named."""
    return any(sum(cell.suites.get(suite, NONE)[:2]) for suite in topic.suites) \
        and not (topic.cases and cell.failed is None)


def _turned(topic: Topic, cell: Measured) -> bool:
    """Whether a cell without the series failed as it does for want of a topic."""
    if not topic.cases:
        return any(cell.suites.get(suite, NONE)[1] for suite in topic.suites)
    return any(fnmatch.filter(cell.failed or (), glob) for glob in topic.cases)


def _counts(topic: Topic, base: str, table: Table, patched: bool) -> list[int]:
    """Passed, failed and skipped cases of a topic's suites, over all arches."""
    rows = [cell.suites.get(suite, NONE) for cell in table.values()
            if (cell.base, cell.patched) == (base, patched) for suite in topic.suites]
    return [sum(row[which] for row in rows) for which in range(3)]


def tables(layout: Layout) -> str:
    """The tables of README, in Markdown."""
    table = load(layout)
    bases = list(config.bases(layout))
    arches = [arch for arch in config.arches(layout).values()
              if any(cell.arch == arch.name for cell in table.values())]
    head = [*bases, "severity", "affected"]
    lines = ["", _row("topic", head), _row("---", ["---"] * len(head))]
    stands = {(name, base): status for name, base, status in _standings(layout)}
    lines += [_row(f"`{topic.name}`", [*(stands[topic.name, base] for base in bases),
                                       topic.reached_by, topic.affected])
              for topic in queue.topics(layout)]
    lines += ["", _row("cases passed", bases), _row("---", ["---"] * len(bases))]
    lines += [_row(arch.name, [_cell_text(table.get((base, arch.name, True)))
                               if arch.serves(base) else NO_CELL for base in bases])
              for arch in arches]
    return "\n".join([*lines, "", ""])


def _row(first: str, rest: list[str]) -> str:
    return f"| {' | '.join([first, *rest])} |"


def _cell_text(cell: Measured | None) -> str:
    if cell is None:
        return UNMEASURED
    text = str(cell.count(0))
    if cell.count(2):
        text += f", {cell.count(2)} skipped"
    if cell.count(3):
        text += f", {cell.count(3)} n/a"
    if cell.verdict == FAILED:
        text += f", **{cell.count(1)} failed**"
    return text
