# SPDX-License-Identifier: GPL-2.0-only
"""What can be said of the tool itself, and of .ci/run."""

from collections.abc import Iterator
from pathlib import Path

from ..system import process
from ..system.paths import Layout
from .patches import Check

# The one setting of the formatter: its rules are PEP 8's, which the code has anyway.
LINES = "--max-line-length=100"


def check(layout: Layout) -> Iterator[Check]:
    """The checks of the tool itself and of .ci/run."""
    package = layout.scripts / "guplib"
    calls: tuple[tuple[str, list[str | Path]], ...] = (
        ("flake8", ["flake8", LINES, layout.scripts]),
        ("autopep8", ["autopep8", LINES, "--recursive", "--diff", "--exit-code",
                      layout.scripts]),
        ("mypy", ["mypy", "--python-version=3.11", "--strict", "--cache-dir=/dev/null",
                  "--no-error-summary", package]),
        ("shellcheck", ["shellcheck", layout.ci]))
    for name, argv in calls:
        result = process.run(argv, cwd=layout.root, check=False)
        lines = [line for line in result.output.splitlines() if line.strip()]
        yield f"{name} of scripts", (lines or [result.last_line]) \
            if result.returncode else []
