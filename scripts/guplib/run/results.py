# SPDX-License-Identifier: GPL-2.0-only
"""What a run came to: results.json in the folder of its cell, and what failed last."""

import contextlib
import json
import shutil
import time
from dataclasses import asdict

from ..kernel.state import Tree
from ..system import files
from ..system.errors import UsageError
from ..system.git import Git
from ..system.paths import Layout
from .build import compiler
from .cell import EVERYTHING, Cell, Part
from .verdict import FAILED, PASSED, Verdict

LOGS = ("config.log", "build.log", "run.log", "out/test.log")


def store(cell: Cell, ready: Tree, verdict: Verdict, part: Part) -> None:
    """Write results.json; last_green is when all suites last passed.

    A run of some suites, or of a tree with a person's work in it, is no such time. The
    results and logs of a run that failed stay in the folder `failed` until the next one
    fails.
    """
    commit, dirty = _queue_commit(cell.layout)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    green = verdict.word == PASSED and part == EVERYTHING and not ready.edits
    results = {
        "base": ready.base.name, "version": ready.state.version,
        "arch": cell.arch.name, "patched": cell.tree.contents.whole,
        "commit": commit, "dirty": dirty,
        "edits": list(ready.edits), "kconfig": list(cell.kconfig),
        "instrument": cell.instrument.name,
        "compiler": compiler(cell.arch),
        "suite": part.glob, "time": now,
        "last_green": now if green else _last_green(cell),
        "verdict": verdict.word, "against": list(verdict.against),
        "cases": [asdict(case) for case in verdict.cases],
    }
    files.write(cell.results, json.dumps(results, indent=1) + "\n")
    if verdict.word == FAILED:
        _keep(cell)


def _keep(cell: Cell) -> None:
    """Keep the results and logs of a run that has failed."""
    kept = cell.folder / "failed"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir()
    for path in (cell.results, *(cell.folder / name for name in LOGS)):
        if path.exists():
            shutil.copy2(path, kept)


def _last_green(cell: Cell) -> str:
    """What the results of an earlier run say of it; empty if nothing."""
    with contextlib.suppress(OSError, ValueError, UsageError):
        return str(json.loads(files.read(cell.results)).get("last_green", ""))
    return ""


def _queue_commit(layout: Layout) -> tuple[str, bool]:
    """The commit of the queue itself, and whether files differ from it."""
    git = Git(layout.root)
    commit = git.resolve("HEAD") if (layout.root / ".git").exists() else ""
    return (commit or "unknown",
            bool(commit and git.lines("status", "--porcelain")))
