# SPDX-License-Identifier: GPL-2.0-only
"""The stored files as a whole: which they are, and what they hold at the moment."""

import fnmatch
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from ..system import files
from ..system.paths import Layout

STORED = ("patches", "series", "kunit", "config")
PROJECT = (*STORED, "selftest", "scripts", "doc", "README.md")
BESIDE = (".*", "*~", "*.orig", "*.rej", "__pycache__")     # what editors and others leave
LEFT_OUT = re.compile("|".join(map(fnmatch.translate, BESIDE)))


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
    for top in (root / name for name in names):
        found = [] if top.is_dir() else [top]
        for folder, inside, leaves in os.walk(top):
            inside[:] = [name for name in inside if not LEFT_OUT.match(name)]
            found += [Path(folder, name) for name in leaves if not LEFT_OUT.match(name)]
        yield from (path for path in sorted(found) if path.is_file())
