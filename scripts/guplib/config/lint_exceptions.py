# SPDX-License-Identifier: GPL-2.0-only
"""What is known and argued of messages of gup lint (config/lint.toml)."""

import fnmatch
from dataclasses import dataclass

from ..system.errors import UsageError
from ..system.paths import Layout
from .toml_file import listed, load

LINT_TOOLS = ("checkpatch", "codespell", "kernel-doc", "includes", "compiled", "build")


@dataclass(frozen=True)
class Exemption:
    """Messages of a tool that are not to be heard, and why."""

    tool: str
    types: tuple[str, ...]
    files: tuple[str, ...]
    reason: str


def exemptions(layout: Layout, tool: str, file: str) -> list[str]:
    """What is known and argued of a tool's messages on a file of this project."""
    path = layout.config / "lint.toml"
    known = listed(path, load(path), Exemption, "exempt")
    for entry in known:
        if entry.tool not in LINT_TOOLS or not entry.reason:
            raise UsageError(f"{path}: an entry has tool '{entry.tool}' and reason "
                             f"'{entry.reason}'; name one of {', '.join(LINT_TOOLS)}, "
                             "and say why")
    return [kind for entry in known for kind in entry.types if entry.tool == tool
            and any(fnmatch.fnmatch(file, glob) for glob in entry.files)]
