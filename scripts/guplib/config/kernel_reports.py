# SPDX-License-Identifier: GPL-2.0-only
"""What in a kernel's log is a report, and which ones do not count."""

import fnmatch
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..system import schema
from ..system.errors import UsageError
from ..system.paths import Layout
from .toml_file import listed, load


@dataclass(frozen=True)
class KnownReport:
    """A report in a kernel log that does not count in some cells, and why."""

    pattern: str
    cells: tuple[str, ...]
    reason: str


def reports(layout: Layout, cell: str) -> Callable[[str], bool]:
    """Tells of a log line whether it begins a report that counts in a cell."""
    path = layout.config / "reports.toml"
    table = load(path)
    patterns = schema.value(list[str], table.get("patterns", []), f"{path}: 'patterns'")
    if not patterns:
        raise UsageError(f"{path}: no patterns; the kernel log would go unread")
    here = [known.pattern for known in listed(path, table, KnownReport, "known")
            if any(fnmatch.fnmatch(cell, glob) for glob in known.cells)]
    report, spared = _any_of(path, patterns), _any_of(path, here)
    return lambda line: bool(report.search(line)) and not spared.search(line)


def _any_of(path: Path, patterns: list[str]) -> re.Pattern[str]:
    try:
        return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or "(?!)")
    except re.error as error:
        raise UsageError(f"{path}: {error}; mend the pattern") from error
