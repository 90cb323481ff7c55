# SPDX-License-Identifier: GPL-2.0-only
"""A copy of the stored files in which a change is tried, on each base that it touches."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from .. import config, queue
from ..kernel import apply, tree
from ..kernel.tree import Place, State
from ..queue import stored
from ..queue.patch_form import Commit, stored_text
from ..queue.stored import BESIDE, STORED
from ..system import files
from ..system.errors import UsageError
from ..system.git import Git
from ..system.paths import Layout


def copy_stored(layout: Layout, place: Path) -> None:
    """Make a folder hold the stored files, and none that it held before."""
    for name in STORED:
        shutil.rmtree(place / name, ignore_errors=True)
        shutil.copytree(layout.root / name, place / name,
                        ignore=shutil.ignore_patterns(*BESIDE))


def draft_changes(layout: Layout, draft: Layout) -> dict[Path, str | None]:
    """How the draft differs from the stored files, by path; None: removed."""
    before, after = stored_files(layout.root), stored_files(draft.root)
    return {layout.root / name: after.get(name)
            for name in dict.fromkeys((*before, *after))
            if before.get(name) != after.get(name)}


def stored_files(root: Path) -> dict[Path, str]:
    """The contents of all stored files below a folder, by their place in it."""
    return stored.texts(root)


def require_unchanged(layout: Layout, base: str, before: dict[Path, str]) -> None:
    """Raise UsageError if a person has edited a stored file in the meantime."""
    now = stored_files(layout.root)
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            raise UsageError(f"base {base}: {name} has changed meanwhile; nothing was "
                             "stored, call again")


def served_by(layout: Layout) -> dict[Path, list[str]]:
    """The bases that each patch file of a series serves, oldest first."""
    found: dict[Path, list[str]] = {}
    for base in config.bases(layout):
        for path in queue.series(layout, base):
            found.setdefault(path, []).append(base)
    return found


def series_text(old: str, names: list[str]) -> str:
    """A series in a new order; what stands above or behind a line goes with it."""
    lines: dict[str, str] = {}
    above = ""
    for line in old.splitlines(keepends=True):
        name = line.partition("#")[0].strip()
        above += line
        if name:
            lines[name], above = above, ""
    return "".join(lines.get(name, f"{name}\n") for name in names) + above


def set_blobs(draft: Layout, place: Place, state: State) -> None:
    """Let bases.toml name the files that the series of a base touches."""
    known = place.base.blobs
    touched = queue.touched(draft, place.base.name)
    if touched == sorted(known):
        return
    blobs = {file: known.get(file) or blob(place.git, state.base, file)
             for file in touched}
    path = draft.config / "bases.toml"
    files.write(path, config.with_blobs(files.read(path), place.base.name, blobs))


def blob(git: Git, commit: str, file: str) -> str:
    """The id of a file's content in a commit; empty when it has none."""
    found = git.run("rev-parse", "--verify", "--quiet", f"{commit}:{file}", check=False)
    return found.output.strip() if found.returncode == 0 else ""


def sharing(layout: Layout, draft: Layout, base: str) -> Iterator[str]:
    """The other bases whose series have a patch that the draft changes."""
    for other in config.bases(layout):
        if other != base and any(
                files.read(path) != files.read(
                    layout.root / path.relative_to(draft.root))
                for path in queue.series(draft, other)):
            yield other


def follow(layout: Layout, draft: Layout, name: str) -> None:
    """Apply the draft on another base, and store its own patches anew."""
    base = config.base(layout, name)
    place = Place(layout, base)
    with tree.hold(layout, name):
        state = tree.base_of(place)
        commits = [state.base]
        steps = apply.plan(Place(draft, base))
        apply.commit_steps(place, steps, commits)
    served = served_by(draft)
    for step, parent, commit in zip(steps, commits, commits[1:]):
        if served.get(step.patch.path, [name])[0] == name:
            made = Commit(commit, parent, step.patch.subject, step.patch.body)
            files.write(step.patch.path,
                        stored_text(place.git, made, tuple(step.extra)))
    set_blobs(draft, place, state)
