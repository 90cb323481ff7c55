# SPDX-License-Identifier: GPL-2.0-only
"""A copy of the stored files in which a change is tried, on each base that it touches."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from .. import config, queue
from ..config import Base
from ..kernel import apply, tree
from ..kernel.apply import Step
from ..kernel.spec import TreeSpec
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


def set_blobs(draft: Layout, base: Base, git: Git, commit: str) -> None:
    """Let bases.toml name the files that the series of a base touches."""
    touched = queue.touched(draft, base.name)
    if touched == sorted(base.blobs):
        return
    blobs = {file: base.blobs.get(file) or blob(git, commit, file) for file in touched}
    path = draft.config / "bases.toml"
    files.write(path, config.with_blobs(files.read(path), base.name, blobs))


def blob(git: Git, commit: str, file: str) -> str:
    """The id of a file's content in a commit; empty when it has none."""
    found = git.run("rev-parse", "--verify", "--quiet", f"{commit}:{file}", check=False)
    return found.output.strip() if found.returncode == 0 else ""


def sharing(layout: Layout, draft: Layout, base: str) -> Iterator[str]:
    """The other bases whose series have a patch that the draft changes."""
    for other in config.bases(layout):
        if other != base and _texts(draft, other) != _texts(layout, other):
            yield other


def _texts(layout: Layout, base: str) -> list[str]:
    """The patches of a base, in whatever files they are."""
    return [files.read(path) for path in queue.series(layout, base)]


def follow(layout: Layout, draft: Layout, name: str,
           part: tuple[TreeSpec, str] | None = None) -> None:
    """Apply the draft on another base, and store its own patches anew.

    That is done in the tree of the base, which is made if there is none; or in part:
    another tree, whose repository has a commit with the files of the base that are
    touched.
    """
    base = config.base(layout, name)
    steps = apply.plan(TreeSpec(draft, base))
    if part:
        _follow_in(*part, draft, base, steps)
        return
    spec = TreeSpec(layout, base)
    with tree.use_base(spec) as state:
        _follow_in(spec, state.base, draft, base, steps)


def _follow_in(spec: TreeSpec, commit: str, draft: Layout, base: Base, steps: list[Step]
               ) -> None:
    commits = [commit]
    apply.commit_steps(spec, steps, commits, base)
    served = served_by(draft)
    for step, parent, made in zip(steps, commits, commits[1:]):
        if served.get(step.patch.path, [base.name])[0] == base.name:
            text = stored_text(spec.git, Commit(made, parent, step.patch.subject,
                                                step.patch.body), tuple(step.extra))
            files.write(step.patch.path, text)
    set_blobs(draft, base, spec.git, commit)
