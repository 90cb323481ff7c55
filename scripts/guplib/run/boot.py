# SPDX-License-Identifier: GPL-2.0-only
"""From an image to what its kernel said: run by kunit.py, in UML or QEMU."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..system import files, process, settings
from ..system.errors import TestsFailed
from ..system.terminal import Progress
from .cell import EVERY, Part
from .image import Image
from .verdict import FAILED, PASSED, SKIPPED

RUN_SECONDS = 300
STATUS = {"PASS": PASSED, "SKIP": SKIPPED}


@dataclass(frozen=True)
class Boot:
    """One run of an image: each case's status by (suite, case), and the kernel's log."""

    statuses: dict[tuple[str, str], str]
    log: tuple[str, ...]


def boot(image: Image, part: Part, env: dict[str, str]) -> Boot:
    """Run the part of the suites that is asked for, or all where kunit.py cannot.

    Raises TestsFailed when kunit.py gives no result.
    """
    result_file, log = image.folder / "kunit.json", image.folder / "run.log"
    console = Path(image.out) / "test.log"
    for stale in (result_file, console):
        stale.unlink(missing_ok=True)
    words = [f"--json={result_file}", f"--timeout={settings.of_call.timeout or RUN_SECONDS}",
             *image.run]
    if image.filters and part.glob != EVERY:
        words.append(part.glob)
    with Progress(f"{image.name}: running") as progress:
        result = process.run(
            [*image.program, "exec", f"--build_dir={image.out}", *image.words, *words],
            cwd=Path(image.tree), env=env, check=False, log=log, watch=progress.tick)
    if not result_file.exists():
        raise TestsFailed(f"{image.name}: kunit.py gave no result: {result.last_line} "
                          f"(log: {log})")
    return Boot(_statuses(json.loads(files.read(result_file))), _lines(console))


def _lines(console: Path) -> tuple[str, ...]:
    if not console.exists():
        return ()
    return tuple(console.read_text(encoding="utf-8", errors="backslashreplace").splitlines())


def _statuses(group: dict[str, Any]) -> dict[tuple[str, str], str]:
    """The statuses in kunit.py's JSON, by (suite, case)."""
    found = {(group["name"], case["name"]): STATUS.get(case["status"], FAILED)
             for case in group["test_cases"]} if "test_cases" in group else {}
    for part in group.get("sub_groups", []):
        found |= _statuses(part)
    return found
