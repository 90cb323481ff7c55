# SPDX-License-Identifier: GPL-2.0-only
"""The reader of a series, and what keeps the series from being applied."""

import re
from pathlib import Path

from .. import config
from ..system import files
from ..system.errors import UsageError
from ..system.paths import Layout
from . import patchfile

PATCH_NAME = re.compile(r"\w[\w.+-]*/\w[\w.+-]*\.patch")


def series(layout: Layout, base: str) -> list[Path]:
    """The patch files of a base, in order.

    Raises UsageError, with the line, when one does not exist, or when a topic
    stands twice.
    """
    path = layout.series(base)
    if not path.exists():
        raise UsageError(f"{path}: no series for base {base}; add the file, "
                         "empty if no patch is needed")
    found: list[Path] = []
    for number, line in enumerate(files.read(path).splitlines(), 1):
        name = line.partition("#")[0].strip()
        if not name:
            continue
        patch = layout.patches / name
        if not PATCH_NAME.fullmatch(name):
            raise UsageError(f"{path}:{number}: '{name}' is not of the form TOPIC/BASE.patch; "
                             "mend the line")
        if not patch.is_file() \
                or not patch.resolve().is_relative_to(layout.patches.resolve()):
            raise UsageError(f"{path}:{number}: {name} is not in patches/; "
                             "mend the line or restore the file")
        if patch.parent in (other.parent for other in found):
            raise UsageError(f"{path}:{number}: {patch.parent.name} stands twice; "
                             "remove one")
        found.append(patch)
    return found


def touched(layout: Layout, base: str) -> list[str]:
    """The files that the series of a base touches, sorted."""
    return sorted({file for path in series(layout, base)
                   for file in patchfile.read(path).files})


def defects(layout: Layout) -> list[str]:
    """What keeps the series from being applied as they stand, a line each."""
    found: list[str] = []
    listed: set[Path] = set()
    for base in config.bases(layout):
        try:
            patches = series(layout, base)
            listed.update(patches)
            for patch in (*patches, layout.hookup(base)):
                patchfile.read(patch)
        except UsageError as error:
            found.append(str(error))
    return found + [f"{path}: in no series; add it to series/{path.stem} or remove it"
                    for path in sorted(layout.patches.glob("*/*.patch"))
                    if path not in listed]


def require_sound(layout: Layout) -> None:
    """Raise UsageError with the first defect of the series."""
    found = defects(layout)
    if found:
        raise UsageError(found[0])
