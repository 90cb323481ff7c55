# SPDX-License-Identifier: GPL-2.0-only
"""A folder outside the queue that gup fills, and knows again.

A manifest in it has the digest of every file that gup has written. What is
not in it, or not as it says, is a person's and is never touched. While files
are being written it knows old and new contents of each, so whoever is killed
leaves a folder that the next call takes for what it is.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..system import files
from ..system.errors import UsageError
from ..system.paths import Layout

MANIFEST = ".gup-export.json"


@dataclass(frozen=True)
class Manifest:
    """The files that gup wrote: by name, the digests that each may have."""

    finished: bool
    digests: dict[str, list[str]]


def require_usable(layout: Layout, place: Path, force: bool) -> None:
    """Raise UsageError when a folder cannot take files.

    It may not exist yet, be empty, or hold what a killed call has left. With
    force it may hold anything; fill() still replaces nobody's file.
    """
    if place.resolve().is_relative_to(layout.root.resolve()):
        raise UsageError(f"{place} is inside the queue; name a folder elsewhere")
    if not place.is_dir():
        if os.path.lexists(place):
            raise UsageError(f"{place} is no folder; name another one")
        return
    if force or not {path.name for path in place.iterdir()} - {MANIFEST + files.DRAFT}:
        return
    earlier = _manifest(place)
    if earlier is None or earlier.finished:
        raise UsageError(f"{place} is not empty; name another folder, or replace what an "
                         "earlier export has left there, and no other file, by --force")


def fill(place: Path, contents: Mapping[str, str]) -> None:
    """Let a folder hold these files in the place of an earlier export's.

    contents is by name in the folder. Raises UsageError, and changes nothing,
    when a file is in the way that gup has not written, or that was changed.
    """
    earlier = _manifest(place) or Manifest(True, {})
    digests = {name: _digest(text.encode()) for name, text in contents.items()}
    for name in sorted({*contents, *earlier.digests}):
        _require_ours(place, name, earlier)
    _save(place, Manifest(False, {
        name: sorted({*earlier.digests.get(name, []),
                      *([digests[name]] if name in digests else [])})
        for name in {*contents, *earlier.digests}}))
    for name, text in contents.items():
        files.write(place / name, text)
    for name in {*earlier.digests} - {*contents}:
        _remove(place, name)
    _save(place, Manifest(True, {name: [digest] for name, digest in digests.items()}))


def _require_ours(place: Path, name: str, earlier: Manifest) -> None:
    """Raise UsageError when what stands at a name is not what gup has put there."""
    for parent in list(PurePosixPath(name).parents)[-2::-1]:
        inside = place / parent
        if inside.is_symlink() or (os.path.lexists(inside) and not inside.is_dir()):
            raise UsageError(f"{inside} is in the way: {name} goes below it; move it, or "
                             "name another folder")
    path = place / name
    draft = path.with_name(path.name + files.DRAFT)
    if os.path.lexists(draft):
        if name not in earlier.digests or earlier.finished:
            raise UsageError(f"{draft} is in the way; move it, or name another folder")
        draft.unlink()
    if not os.path.lexists(path):
        return
    if name not in earlier.digests:
        raise UsageError(f"{path} is in the way, and no earlier export has written it; "
                         "move it, or name another folder")
    if path.is_symlink() or not path.is_file() \
            or _digest(path.read_bytes()) not in earlier.digests[name]:
        raise UsageError(f"{path} was changed since it was exported; move it, or name "
                         "another folder")


def _remove(place: Path, name: str) -> None:
    """Remove a file, and the folders that are empty without it."""
    (place / name).unlink(missing_ok=True)
    for parent in list(PurePosixPath(name).parents)[:-1]:
        with contextlib.suppress(OSError):
            (place / parent).rmdir()


def _manifest(place: Path) -> Manifest | None:
    """What an earlier call has written; None if there was none."""
    path = place / MANIFEST
    if not path.exists():
        return None
    try:
        table = json.loads(files.read(path))
        found = Manifest(bool(table["finished"]),
                         {str(name): list(known) for name, known in
                          table["files"].items()})
    except (UsageError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is damaged; remove it, and what the earlier export has "
                         "left beside it") from error
    for name in found.digests:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise UsageError(f"{path} names {name}, which is elsewhere; remove it")
    return found


def _save(place: Path, manifest: Manifest) -> None:
    files.write(place / MANIFEST, json.dumps(
        {"finished": manifest.finished, "files": dict(sorted(manifest.digests.items()))},
        indent=1) + "\n")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
