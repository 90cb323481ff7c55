# SPDX-License-Identifier: GPL-2.0-only
"""The commits of a tree: how the stored patches and suites become them.

They are made in an index of their own, away from the working files.
"""

import contextlib
import hashlib
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import queue
from ..config import Base
from ..queue import patchfile
from ..queue.patchfile import Patch
from ..system import files, process
from ..system.errors import UsageError
from ..system.git import Git
from ..system.paths import Layout
from .spec import TreeSpec

SUITE_FOLDER = "mm/tests"
SUITE_GLOBS = ("*.[ch]", "Kconfig", "Makefile")
COMPAT = f"{SUITE_FOLDER}/gup_compat.h"
COMPAT_INCLUDE = re.compile(r'^#include "gup_compat_(\d+\.\d+)\.h"', re.MULTILINE)
APPLY_ERROR = re.compile(r"^error: patch failed: (\S+):(\d+)$", re.MULTILINE)
MISSING_FILE = re.compile(r"^error: (\S+): (?:does not exist|No such file)", re.MULTILINE)
FUZZ = re.compile(r"with fuzz (\d)")
REFRESH = "; refresh it for this base"


@dataclass(frozen=True)
class Step:
    """One commit of the queue: a patch, and files that it brings along."""

    patch: Patch
    extra: dict[str, Path]


def plan(spec: TreeSpec) -> list[Step]:
    """The commits of a tree: its patches, then the suites with their hookup.

    A change that it has on top comes last.
    """
    layout, base, contents = spec.layout, spec.base.name, spec.contents
    steps = [Step(patchfile.read(path), {})
             for path in contents.of(queue.series(layout, base))]
    steps.append(Step(patchfile.read(layout.hookup(base)), suite_files(layout, base)))
    if contents.change:
        steps.append(Step(patchfile.read(contents.change), {}))
    return steps


def suite_files(layout: Layout, base_name: str) -> dict[str, Path]:
    """The files that go to mm/tests/, by the name they have in the tree.

    Raises UsageError if a compat header includes one that is not stored.
    """
    found = {f"{SUITE_FOLDER}/{path.name}": path
             for glob in SUITE_GLOBS for path in sorted(layout.suites.glob(glob))}
    found[f"{SUITE_FOLDER}/.kunitconfig"] = layout.kunitconfig
    return found | _compat_files(layout, base_name)


def _compat_files(layout: Layout, base_name: str) -> dict[str, Path]:
    """A base's compat header, if it has one, and those of later bases that it includes.

    What two bases lack is said by the header of the later one, once.
    """
    found: dict[str, Path] = {}
    own = layout.compat(base_name)
    wanted = [(COMPAT, own)] if own.exists() else []
    while wanted:
        name, path = wanted.pop()
        if not path.exists():
            raise UsageError(f"{path}: no such file, but {own} or what it includes asks for "
                             "it; restore it, or include another one")
        if path not in found.values():
            found[name] = path
            wanted += [(f"{SUITE_FOLDER}/gup_compat_{later}.h", layout.compat(later))
                       for later in COMPAT_INCLUDE.findall(files.read(path))]
    return found


def digest(steps: list[Step]) -> str:
    """A digest of all stored files that the steps are made of."""
    summed = hashlib.sha256()
    for step in steps:
        for name, path in [("patch", step.patch.path), *step.extra.items()]:
            content = path.read_bytes()
            summed.update(f"{name} {len(content)}\n".encode() + content)
    return summed.hexdigest()


def commit_steps(spec: TreeSpec, steps: list[Step], commits: list[str],
                 base: Base | None = None) -> None:
    """Commit the steps on the last of commits, and append the id of each.

    Only the object store of the tree is written to. Raises UsageError naming
    base, patch and hunk; commits then holds what was good. base is whose steps and
    commits these are, if not the tree's.
    """
    with aside(spec, commits[-1]) as git:
        for order, step in enumerate(steps, 1):
            stage(base or spec.base, git, step)
            commits.append(git.commit(git.out("write-tree"), commits[-1:],
                                      step.patch.message, order))


@contextlib.contextmanager
def aside(spec: TreeSpec, commit: str) -> Iterator[Git]:
    """Git in a tree with an index of its own, filled from a commit."""
    with tempfile.TemporaryDirectory() as scratch:
        git = Git(spec.path, Path(scratch, "index"))
        git.run("read-tree", commit)
        yield git


def stage(base: Base, aside: Git, step: Step) -> None:
    """Put one step into the index; raises UsageError naming patch and hunk."""
    patch = step.patch
    result = aside.run("apply", "--cached", "--whitespace=nowarn",
                       str(patch.path), check=False)
    if result.returncode:
        name = f"{patch.path.parent.name}/{patch.path.name}"
        raise UsageError(f"base {base.name}: {name} "
                         f"{why_refused(aside, patch, result.output)}")
    add_extra(aside, step)


def add_extra(aside: Git, step: Step) -> None:
    """Put the files that a step brings along into the index."""
    if not step.extra:
        return
    names = "".join(f"{path}\n" for path in step.extra.values())
    blobs = aside.out("hash-object", "-w", "--no-filters", "--stdin-paths",
                      stdin=names.encode()).split()
    aside.run("update-index", "--add", "--index-info", stdin="".join(
        f"100644 {blob}\t{inside}\n" for blob, inside in zip(blobs, step.extra)).encode())


def why_refused(aside: Git, patch: Patch, said: str) -> str:
    """Say which hunk of a patch is refused, and whether fuzz would help."""
    if match := MISSING_FILE.search(said):
        return f"does not apply: the base has no {match[1]}"
    match = APPLY_ERROR.search(said)
    if match is None:
        return f"does not apply: {said.strip().splitlines()[0]}"
    where = f"{match[1]}, {patch.hunk_at(match[1], int(match[2]))}"
    with tempfile.TemporaryDirectory() as scratch:
        aside.run("checkout-index", f"--prefix={scratch}/", "--", *patch.files,
                  check=False)
        tried = process.run(["patch", "-p1", "--dry-run", "-F3", "-f", "-i", patch.path],
                            cwd=Path(scratch), check=False)
    if tried.returncode == 0 and (fuzz := FUZZ.findall(tried.output)):
        most = max(fuzz)
        return f"applies only with fuzz {most} ({where}){REFRESH}"
    return f"does not apply: {where}"
