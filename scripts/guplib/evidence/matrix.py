# SPDX-License-Identifier: GPL-2.0-only
"""Many cells in a row, and one table of them."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product

from .. import config
from ..kernel.spec import UNPATCHED, WHOLE
from ..run import kunit
from ..run.cell import Request
from ..run.show import show
from ..run.verdict import FAILED, PASSED, STATUSES
from ..system import files, schema
from ..system.errors import EnvironmentFault, GupError, TestsFailed, UsageError
from ..system.paths import Layout
from ..system.terminal import say
from . import recorded_results
from .recorded_results import Measured
from .resume import Log

MISSING = "missing"


@dataclass(frozen=True)
class Row:
    """One cell of the matrix; reason says why it has no measure."""

    request: Request
    verdict: str
    measure: Measured | None
    reason: str = ""


def run(layout: Layout, requests: list[Request], record: bool, resume: bool = False
        ) -> list[Row]:
    """Run the cells, show the table and write build/matrix.json.

    With resume, cells that a call which was cut off has run are not run again.
    """
    log = Log(layout, layout.matrix_done, resume)
    rows = [_kept(layout, request, log) for request in requests]
    say("\n" + "\n".join(_lines(rows)))
    files.write(layout.build / "matrix.json",
                json.dumps(data(layout, rows), indent=1) + "\n")
    if record:
        recorded_results.record(layout, [row.measure for row in rows if row.measure])
    log.close()
    return rows


def data(layout: Layout, rows: list[Row]) -> dict[str, object]:
    """What build/matrix.json has."""
    return {"cells": [_fields(layout, row) for row in rows]}


def _kept(layout: Layout, request: Request, log: Log) -> Row:
    """A row as a call that was cut off has left it, or made now."""
    name = _name(request)
    if (found := log.get(name)) and found["verdict"] != MISSING:
        say(f"{name}: {found['verdict']}, as it was run before")
        measure = schema.value(Measured | None, found["measure"], f"{log.path}: {name}")
        return Row(request, found["verdict"], measure, found["reason"])
    row = _one(layout, request)
    log.put(name, {"verdict": row.verdict, "reason": row.reason,
                   "measure": asdict(row.measure) if row.measure else None})
    return row


def requests(layout: Layout, bases: list[str], arches: list[str],
             unpatched: bool) -> list[Request]:
    """The cells of some bases and arches, each unpatched one behind its own.

    Raises UsageError if no architecture of them is a cell of any of the bases.
    """
    wanted = [WHOLE, UNPATCHED] if unpatched else [WHOLE]
    known = [(config.base(layout, base).name, config.arch(layout, arch))
             for base, arch in product(bases, arches)]
    found = [Request(base, arch.name, contents=contents)
             for (base, arch), contents in product(known, wanted) if arch.serves(base)]
    if not found:
        raise UsageError(f"no cell is on {', '.join(arches)} for {', '.join(bases)}; "
                         "config/arches.toml says which are")
    return found


def _one(layout: Layout, request: Request) -> Row:
    say(f"\n== {_name(request)}")
    try:
        verdict = kunit.run(layout, request)
    except EnvironmentFault as fault:
        say(str(fault))
        return Row(request, MISSING, None, str(fault))
    except TestsFailed as failure:
        say(str(failure))
        return Row(request, FAILED, _measure(layout, request), str(failure))
    except GupError as error:
        say(str(error))
        return Row(request, FAILED, None, str(error))
    show(_name(request), verdict)
    return Row(request, verdict.word, _measure(layout, request))


def _measure(layout: Layout, request: Request) -> Measured:
    path = layout.results(request.base, request.arch, request.contents.name)
    return recorded_results.of_results(json.loads(files.read(path)))


def _name(request: Request) -> str:
    return f"{request.base}/{request.arch}" + ("" if request.patched else " unpatched")


def _lines(rows: list[Row]) -> Iterator[str]:
    width = max(len(_name(row.request)) for row in rows)
    yield f"{'cell':{width}}  verdict  passed  failed  skipped  n/a"
    for row in rows:
        counts = [row.measure.count(which) if row.measure else 0 for which in range(len(STATUSES))]
        yield (f"{_name(row.request):{width}}  {row.verdict:7}  {counts[0]:6}  "
               f"{counts[1]:6}  {counts[2]:7}  {counts[3]:3}  {row.reason}").rstrip()


def _fields(layout: Layout, row: Row) -> dict[str, object]:
    request = row.request
    path = layout.results(request.base, request.arch, request.contents.name)
    counts = [row.measure.count(which) if row.measure else 0 for which in range(len(STATUSES))]
    return {"base": request.base, "arch": request.arch, "patched": request.patched,
            "verdict": row.verdict, "passed": counts[0], "failed": counts[1],
            "skipped": counts[2], "not_applicable": counts[3], "reason": row.reason,
            "results": str(layout.named(path)) if row.measure else ""}


def exit_code(rows: list[Row]) -> int:
    """0 if all patched cells passed; unpatched ones are there to fail."""
    patched = [row for row in rows if row.request.patched]
    if any(row.verdict == MISSING for row in rows):
        return EnvironmentFault.exit_code
    good = all(row.verdict == PASSED for row in patched)
    return 0 if good else TestsFailed.exit_code
