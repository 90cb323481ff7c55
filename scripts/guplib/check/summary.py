# SPDX-License-Identifier: GPL-2.0-only
"""One count of many checks."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..system.terminal import say


@dataclass
class Summary:
    """What the checks came to; failures holds their names, said a line for each fault."""

    passed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def record(self, name: str, problems: list[str]) -> None:
        """Count one check; it has passed when nothing is wrong."""
        if problems:
            self.failures.append(name)
            for problem in problems:
                self._say(f"FAILED {name}: {problem}")
        else:
            self.passed += 1

    def record_all(self, checks: Iterable[tuple[str, list[str]]]) -> None:
        """Count checks by name, as they are made."""
        for name, found in checks:
            self.record(name, found)

    def skip(self, name: str, reason: str) -> None:
        """Count one check that could not be made."""
        self.skipped += 1
        self._say(f"skipped {name}: {reason}")

    def add(self, other: "Summary") -> None:
        """Count what another one has counted."""
        self.passed += other.passed
        self.skipped += other.skipped
        self.failures += other.failures
        self.said += other.said

    def _say(self, line: str) -> None:
        self.said.append(line)
        say(line)

    @property
    def data(self) -> dict[str, object]:
        """The counts, the names of what failed, and what was said of it."""
        return {"passed": self.passed, "failed": len(self.failures), "skipped": self.skipped,
                "failures": self.failures, "said": self.said}

    @property
    def line(self) -> str:
        """The closing line."""
        text = f"{self.passed} passed, {len(self.failures)} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")
