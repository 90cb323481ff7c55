# SPDX-License-Identifier: GPL-2.0-only
"""The stored files as a whole: which they are, and what they hold at the moment."""

import fnmatch
import hashlib
from collections.abc import Iterator
from pathlib import Path

from ..system import files
from ..system.paths import Layout

STORED = ("patches", "series", "kunit", "config")
PROJECT = (*STORED, "selftest", "scripts", "doc", "README.md")
BESIDE = (".*", "*~", "*.orig", "*.rej", "__pycache__")     # what editors and others leave


def texts(root: Path) -> dict[Path, str]:
    """The contents of all stored files below a folder, by their place in it."""
    return {path.relative_to(root): files.read(path) for path in _paths(root, STORED)}


def digest(layout: Layout) -> str:
    """What tells one state of the project's files from another, the tool's included."""
    summed = hashlib.sha256()
    for path in _paths(layout.root, PROJECT):
        content = path.read_bytes()
        summed.update(f"{path.relative_to(layout.root)} {len(content)}\n".encode() + content)
    return summed.hexdigest()


def _paths(root: Path, names: tuple[str, ...]) -> Iterator[Path]:
    """The files of some names below a folder, less what is no part of the project."""
    for name in names:
        for path in sorted((root / name).rglob("*")) if (root / name).is_dir() \
                else [root / name]:
            if path.is_file() and not any(fnmatch.fnmatch(part, glob) for glob in BESIDE
                                          for part in path.relative_to(root).parts):
                yield path
