# SPDX-License-Identifier: GPL-2.0-only
"""What a patch was made for, and its merge with another kernel.

A patch that does not apply as it is has three sides: the file that it was made for,
the same file with the patch, and that of the other kernel. The first two come from the
nearest kernel on which the series was verified: of its tarball, or of its tree, the
files that the series touches are committed, and each patch on those before it.
"""

import difflib
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..config import Base, version_key
from ..kernel import apply, create, fetch, source
from ..kernel.apply import Step
from ..kernel.spec import TreeSpec
from ..kernel.state import git_dir, state_of
from ..system import process
from ..system.errors import EnvironmentFault
from ..system.git import Git
from ..system.paths import Layout
from ..system.terminal import Progress

MARK = re.compile(r"^(?:<{7}|\|{7}|>{7}) ", re.MULTILINE)
CONFLICT = re.compile(r"^<{7} .*\n((?s:.*?))^\|{7} .*\n((?s:.*?))^={7}\n((?s:.*?))^>{7} .*\n",
                      re.MULTILINE)
# What tar says of a file that a kernel does not have.
ABSENT = re.compile(r": Not found in archive$|: Exiting with failure status")
# In these, lines of their own stand for things of their own: their order is free.
LISTS = ("Kconfig", "Makefile", "Kbuild", "MAINTAINERS")


@dataclass(frozen=True)
class Pair:
    """A patch on the kernel that it was made for: the commits without and with it."""

    without: str
    with_it: str


@dataclass(frozen=True)
class Origin:
    """What the patches of a series were made for: its version, and a pair a subject.

    why says what keeps it from being known, if anything does.
    """

    version: str = ""
    pairs: dict[str, Pair] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True)
class Merge:
    """A patch merged with a kernel.

    tree is the outcome if nothing is in conflict. Otherwise files has the contents of
    those that the patch touches, None if there is none, and torn the paths in conflict,
    with their sides: the blobs of origin, kernel and patch, empty where there is none.
    """

    tree: str
    files: dict[str, bytes | None] = field(default_factory=dict)
    torn: dict[str, tuple[str, str, str]] = field(default_factory=dict)


def nearest(bases: dict[str, Base], name: str) -> Base:
    """The verified base that a series is closest to: itself, or an older one first."""
    own = bases.get(name)
    if own and own.version:
        return own
    others = [base for base in bases.values() if base.version and base.name != name]
    older = [base for base in others if version_key(base.name) < version_key(name)]
    return [*others[:1], *older][-1] if others else bases[name]


def origin(layout: Layout, spec: TreeSpec, near: Base, steps: list[Step]) -> Origin:
    """What the steps of a series were made for, committed in a trial's repository.

    spec is the trial's tree, near the base that the series was verified on, steps
    what that base has. The kernel comes from the tree of that base, if there is one,
    or from Debian, in the verified version, or from the source package of the same
    release. Patches that do not apply there have no pair.
    """
    try:
        version, commit = part(layout, spec, near, steps)
    except EnvironmentFault as fault:
        return Origin(near.version, {}, str(fault))
    pairs: dict[str, Pair] = {}
    for order, step in enumerate(steps, 1):
        with apply.aside(spec, commit) as git:
            if git.run("apply", "--cached", "--whitespace=nowarn", str(step.patch.path),
                       check=False).returncode:
                continue
            made = git.commit(git.out("write-tree"), [commit], step.patch.message, order)
        pairs[step.patch.subject] = Pair(commit, made)
        commit = made
    return Origin(version, pairs)


def merge(spec: TreeSpec, tip: str, step: Step, made: Pair | None, labels: tuple[str, str]
          ) -> Merge:
    """Merge a patch with a kernel, whose commit is tip.

    labels name the origin and the kernel in the marks of a conflict. Lines that only
    stand beside each other are no conflict. Without a pair, the origin is what
    the patch itself shows, which is good for marks alone.
    """
    names = step.patch.files
    with tempfile.TemporaryDirectory() as scratch:
        folders = [Path(scratch) / side for side in ("origin", "kernel", "patch")]
        commits = [made.without, tip, made.with_it] if made else [tip]
        for folder, commit in zip(folders if made else folders[1:], commits):
            with apply.aside(spec, commit) as git:
                _check_out(git, names, folder)
        if not made:
            return _marked_by_patch(folders[1], step)
        sides = {name: [_content(folder / name) for folder in folders] for name in names}
        torn: dict[str, tuple[str, str, str]] = {}
        merged: dict[str, bytes | None] = {}
        topic = step.patch.path.parent.name
        for name, (old, ours, theirs) in sides.items():
            good, merged[name] = _merge_file(
                Path(scratch), name, (old, ours, theirs), (*labels, topic))
            if not good:
                torn[name] = (_blob(spec.git, old), _blob(spec.git, ours),
                              _blob(spec.git, theirs))
    if torn:
        return Merge("", merged, torn)
    with apply.aside(spec, tip) as git:
        for name, content in merged.items():
            _stage(git, name, content)
        return Merge(git.out("write-tree"))


def show(spec: TreeSpec, step: Step, found: Merge) -> None:
    """Put a merge into the files of a tree, as git does with one that is torn."""
    lines = []
    for name, content in found.files.items():
        path = spec.path / name
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if name not in found.torn:
            spec.git.run("add", "-A", "-f", "--", name)
        elif any(found.torn[name]):
            lines.append(f"0 {'0' * 40}\t{name}\n")
            lines += [f"100644 {blob} {stage}\t{name}\n"
                      for stage, blob in enumerate(found.torn[name], 1) if blob]
    spec.git.run("update-index", "--index-info", stdin="".join(lines).encode())


def marks_left(git: Git, before: str, commit: str) -> list[str]:
    """The files in which a commit adds the marks of a conflict."""
    return [name for name in git.lines("diff", "--name-only", before, commit)
            if len(MARK.findall(git.run("show", f"{commit}:{name}", check=False).output))
            > len(MARK.findall(git.run("show", f"{before}:{name}", check=False).output))]


def merged_lines(old: list[str], ours: list[str], theirs: list[str], free: bool
                 ) -> list[str] | None:
    """Join two versions of some lines; None if both change the same of them.

    Changes of lines that stand beside each other are joined, other than git does,
    but not two insertions at one spec, unless the order of lines is free.
    """
    changes = sorted((*_changes(old, ours, 0), *_changes(old, theirs, 1)))
    for number, (first, last, side, _) in enumerate(changes):
        for start, end, other, _ in changes[number + 1:]:
            both_insert = first == last == start == end
            if side != other and (start < last and first < end
                                  or both_insert and not free):
                return None
    found, at = [], 0
    for first, last, _, lines in changes:
        found += [*old[at:first], *lines]
        at = last
    return found + old[at:]


def _changes(old: list[str], new: list[str], side: int
             ) -> Iterator[tuple[int, int, int, list[str]]]:
    """The lines of old that new has others for: first, last, whose side, the others."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for word, first, last, start, end in matcher.get_opcodes():
        if word != "equal":
            yield first, last, side, new[start:end]


def part(layout: Layout, spec: TreeSpec, near: Base, steps: list[Step]) -> tuple[str, str]:
    """The files of a base that some steps touch, committed in a trial's repository.

    They come from where origin() says. Returns the version and the commit. Raises
    EnvironmentFault when there is nothing to take them from.
    """
    names = sorted({file for step in steps for file in step.patch.files})
    theirs = TreeSpec(layout, near)
    state = state_of(theirs) if theirs.path.exists() else None
    scratch = spec.path.with_name("near")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    folder, index = scratch / "linux", scratch / "index"
    if state and state.version == near.version:
        git = Git(theirs.path, index)
        git.run("read-tree", state.base)
        _check_out(git, names, folder)
        index.unlink()
        version = state.version
    else:
        version = _from_tarball(layout, near, names, folder)
    commit = create.commit_folder(folder, git_dir(spec.git), index,
                                  f"Linux {version}, in part")
    shutil.rmtree(scratch)
    return version, commit


def _from_tarball(layout: Layout, near: Base, names: list[str], folder: Path) -> str:
    """Unpack some files of a near kernel; returns its version."""
    found = _near_tarball(layout, near)
    folder.mkdir()
    with Progress(f"base {near.name}: what the patches were made for, from "
                  f"{found.path.name}") as step:
        result = process.run(
            ["tar", "-x", "--strip-components=1", "-C", folder, "--wildcards",
             "--no-wildcards-match-slash", "-f", found.path, "*/Makefile",
             *(f"*/{name}" for name in names)], check=False, env={"LC_ALL": "C"},
            watch=step.tick)
    bad = [line for line in result.output.splitlines() if not ABSENT.search(line)]
    if bad:
        raise EnvironmentFault(f"{found.path}: damaged or no tarball ({bad[0]}); remove it "
                               "and call again")
    return source.version((folder / "Makefile").read_text("utf-8", errors="replace"))


def _near_tarball(layout: Layout, near: Base) -> fetch.Tarball:
    """The verified kernel of a base, else the same release, else what there is."""
    return fetch.verified(layout, near) or fetch.of_release(layout, near) \
        or fetch.tarball(layout, near)


def _check_out(git: Git, names: Iterable[str], folder: Path) -> None:
    """Write files of an index to a folder, if the index has them."""
    folder.mkdir()
    there = set(git.lines("ls-files", "--", *names))
    if there:
        git.run("checkout-index", f"--prefix={folder}/", "--", *sorted(there))


def _merge_file(scratch: Path, name: str, sides: tuple[bytes | None, ...],
                labels: tuple[str, str, str]) -> tuple[bool, bytes | None]:
    """Merge the sides of a file, which are the origin's, the kernel's and the patch's.

    Returns whether that went well, and the outcome, with marks if it did not.
    """
    old, ours, theirs = sides
    if old == theirs or ours == theirs:
        return True, ours
    if old == ours:
        return True, theirs
    if old is None or ours is None or theirs is None:
        return False, theirs if ours is None else ours
    paths = []
    for side, content in zip(("old", "ours", "theirs"), (old, ours, theirs)):
        paths.append(scratch / side)
        paths[-1].write_bytes(content)
    words = [word for label in (labels[1], labels[0], labels[2]) for word in ("-L", label)]
    Git(scratch).run("merge-file", "--diff3", *words, *(
        str(path) for path in (paths[1], paths[0], paths[2])), check=False)
    text = paths[1].read_bytes().decode(errors="surrogateescape")
    good, joined = _join(text, Path(name).name in LISTS)
    return good, joined.encode(errors="surrogateescape")


def _join(text: str, free: bool) -> tuple[bool, str]:
    """A merged file with what is no conflict joined; whether none is left."""
    good = True

    def replaced(conflict: re.Match[str]) -> str:
        nonlocal good
        ours, old, theirs = (part.splitlines(keepends=True)
                             for part in conflict.groups())
        found = merged_lines(old, ours, theirs, free)
        good = good and found is not None
        return conflict[0] if found is None else "".join(found)
    joined = CONFLICT.sub(replaced, text)
    return good, joined


def _marked_by_patch(folder: Path, step: Step) -> Merge:
    """A merge by what a patch itself shows; whatever it moves counts as torn."""
    process.run(["patch", "-p1", "-f", "--merge=diff3", "--no-backup-if-mismatch", "-i",
                 step.patch.path], cwd=folder, check=False)
    merged = {name: _content(folder / name) for name in step.patch.files}
    return Merge("", merged, {name: ("", "", "") for name in merged})


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _blob(git: Git, content: bytes | None) -> str:
    """Store a file's content; returns its id, empty if there is none."""
    return "" if content is None else git.out("hash-object", "-w", "--no-filters",
                                              "--stdin", stdin=content)


def _stage(git: Git, name: str, content: bytes | None) -> None:
    """Put a file into an index, or take it out."""
    if content is None:
        git.run("update-index", "--force-remove", "--", name)
    else:
        git.run("update-index", "--add", "--cacheinfo",
                f"{_mode(git, name)},{_blob(git, content)},{name}")


def _mode(git: Git, name: str) -> str:
    """The mode of a file in an index; that of a plain one if it is new."""
    return (git.out("ls-files", "-s", "--", name) or "100644").split()[0]
