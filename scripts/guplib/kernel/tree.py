# SPDX-License-Identifier: GPL-2.0-only
"""The kernel tree of a base: one commit `base`, then one for each patch.

The commits are made in an index of their own, away from the working files.
Only then git moves the tree to the new tip, which touches the files that
differ and no other. What gup has made is written down in gup.json in the
tree's git folder; all else in the tree is a person's work.
"""

import contextlib
import hashlib
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .. import queue
from ..config import Base
from ..queue import patchfile
from ..queue.patchfile import Patch
from ..system import files, process, schema
from ..system.errors import UsageError
from ..system.git import EMAIL, Git
from ..system.paths import Layout
from ..system.terminal import Progress, say
from . import fetch, source
from .source import Source

STATE = "gup.json"
DAMAGED = "keep what work you have in that tree, and remove the tree"
SUITE_FOLDER = "mm/tests"
SUITE_GLOBS = ("*.[ch]", "Kconfig", "Makefile")
COMPAT = f"{SUITE_FOLDER}/gup_compat.h"
COMPAT_INCLUDE = re.compile(r'^#include "gup_compat_(\d+\.\d+)\.h"', re.MULTILINE)
APPLY_ERROR = re.compile(r"^error: patch failed: (\S+):(\d+)$", re.MULTILINE)
MISSING_FILE = re.compile(r"^error: (\S+): (?:does not exist|No such file)", re.MULTILINE)
FUZZ = re.compile(r"with fuzz (\d)")


@dataclass
class State:
    """What gup made of a tree.

    inputs is the digest of the stored files that head was made from; target
    is the tip that a checkout was on its way to, or empty when none is.
    """

    source: Source
    version: str
    base: str
    head: str
    inputs: str
    target: str = ""


@dataclass(frozen=True)
class Place:
    """Where a tree of a base goes, with the series or with the suites alone.

    With first, it is a tree of its own with that many patches of the series.
    """

    layout: Layout
    base: Base
    patched: bool = True
    first: int | None = None

    @property
    def bisect(self) -> bool:
        """Whether this is the tree in which prefixes of the series are tried."""
        return self.first is not None

    @property
    def path(self) -> Path:
        """The tree."""
        return self.layout.tree(self.base.name, self.patched, self.bisect)

    @property
    def draft(self) -> Path:
        """The tree while it is being made."""
        return self.path.with_name(f"{self.path.name}.new")

    @property
    def git(self) -> Git:
        """Git in the tree."""
        return Git(self.path)

    @property
    def branch(self) -> str:
        """The branch that carries the commits."""
        kind = "gup-bisect" if self.bisect else \
            "gup" if self.patched else "gup-unpatched"
        return f"{kind}/{self.base.name}"

    @property
    def call(self) -> str:
        """The words that prepare this tree."""
        if self.bisect:
            return f"gup bisect --base {self.base.name}"
        return f"gup tree --base {self.base.name}" + \
            ("" if self.patched else " --unpatched")


@dataclass(frozen=True)
class Tree:
    """A tree that is ready for use; edits is what a person did in it."""

    place: Place
    state: State
    edits: tuple[str, ...]

    @property
    def base(self) -> Base:
        """The kernel that this is a tree of."""
        return self.place.base

    @property
    def path(self) -> Path:
        """Where the tree is."""
        return self.place.path

    @property
    def git(self) -> Git:
        """Git in this tree."""
        return self.place.git

    def touched(self) -> list[str]:
        """The files in which the tree differs from its base, edits included."""
        return self.git.lines("diff", "--name-only", self.state.base)


@dataclass(frozen=True)
class Step:
    """One commit of the queue: a patch, and files that it brings along."""

    patch: Patch
    extra: dict[str, Path]


def prepare(place: Place, ksrc: Source | None = None, *,
            edits_welcome: bool = False, drop: bool = False) -> Tree:
    """Bring a tree up to the stored queue and return it.

    An unpatched tree is a worktree beside the patched one, which is made first
    if there is none. With edits_welcome, a tree that a person has worked in is
    returned as it stands, as long as the stored queue has not changed below
    that work. With drop, the work is put aside in git first. Raises UsageError
    when work is in the way or a patch does not apply; the lock of the base must
    be held.
    """
    queue.require_sound(place.layout)
    steps = plan(place)
    wanted = digest(steps)
    if not place.patched:
        ksrc = _beside(place, ksrc)
    state = _existing(place, ksrc) or _create(place, ksrc)
    if state.target:
        state = _resume(place, state)
    edits = work_in(place, state)
    if edits and drop:
        _put_aside(place, state)
        edits = []
    if edits:
        if not (edits_welcome and state.inputs == wanted):
            raise UsageError(_in_the_way(place, edits, state.inputs == wanted))
        return Tree(place, state, tuple(edits))
    if place.patched:
        _tell_version(place, state)
    if state.inputs != wanted:
        state = _apply(place, state, steps, wanted)
    return Tree(place, state, ())


@contextlib.contextmanager
def hold(layout: Layout, base_name: str) -> Iterator[None]:
    """Hold a base against other calls of gup while the block runs."""
    with files.locked(layout.lock(base_name), f"base {base_name}"):
        yield


def plan(place: Place) -> list[Step]:
    """The commits of a tree: the series, then the suites with their hookup."""
    layout, base = place.layout, place.base.name
    stored = queue.series(layout, base) if place.patched or place.bisect else []
    stored = stored[:place.first]
    steps = [Step(patchfile.read(path), {}) for path in stored]
    return [*steps, Step(patchfile.read(layout.hookup(base)),
                         suite_files(layout, base))]


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


def work_in(place: Place, state: State) -> list[str]:
    """What is in a tree that gup did not put there, a line each."""
    git = place.git
    found = unfinished_work(place)
    for name in ("HEAD", f"refs/heads/{place.branch}"):
        commit = git.resolve(name)
        if commit and commit != state.head:
            found.append(git.out("log", "-1", f"--format=commit %h (%s) at {name}",
                                 commit))
    return found + uncommitted_work(place)


def unfinished_work(place: Place) -> list[str]:
    """The operations of git that a person has begun in a tree, a line each."""
    git_dir = _git_dir(place.git)
    return [f"an unfinished {name.replace('_HEAD', '').lower()}" for name in
            ("rebase-merge", "rebase-apply", "MERGE_HEAD", "CHERRY_PICK_HEAD")
            if (git_dir / name).exists()]


def uncommitted_work(place: Place) -> list[str]:
    """The files of a tree that differ from its HEAD, a line each."""
    return [f"changed file {line[3:]}" for line in
            place.git.lines("status", "--porcelain", "--no-renames")]


def base_of(place: Place, ksrc: Source | None = None) -> State:
    """The state of a patched tree, made with the base alone if there is none."""
    return _existing(place, ksrc) or _create(place, ksrc)


def _in_the_way(place: Place, edits: list[str], current: bool) -> str:
    tree = place.layout.shown(place.path)
    shown = "; ".join(edits[:4]) + ("; …" if len(edits) > 4 else "")
    why = "" if current else " and the stored queue has changed since"
    return (f"{place.layout.named(place.path)} holds work that is not in the queue ({shown}){why}; nothing was "
            f"changed. Keep it: git -C {tree} switch -c NAME, commit, then call again. "
            f"Put it aside: {place.call} --set-aside")


def _put_aside(place: Place, state: State) -> None:
    """Move a person's work to a branch, where git keeps it, and clean up."""
    git = place.git
    kept = [git.resolve("HEAD")]
    if git.lines("status", "--porcelain"):
        git.run("add", "-A")
        kept = [git.commit(git.out("write-tree"), kept,
                           "Work put aside by gup tree --set-aside\n", 0)]
    for operation in ("rebase", "merge", "cherry-pick"):
        git.run(operation, "--abort", check=False)
    kept += [git.resolve("HEAD"), git.resolve(f"refs/heads/{place.branch}")]
    tips = {commit for commit in kept if commit}
    for commit in sorted(tips):
        if not any(git.contains(tip, commit) for tip in {state.head, *tips} - {commit}):
            git.run("branch", "-f", f"aside/{commit[:12]}", commit)
            say(f"your work is kept on branch aside/{commit[:12]}")
    git.run("checkout", "-q", "-f", "-B", place.branch, state.head)


def _beside(place: Place, ksrc: Source | None) -> Source:
    """The source of an unpatched tree: the base in the patched tree's repository."""
    main = Place(place.layout, place.base)
    state = _existing(main, ksrc) or _create(main, ksrc)
    return Source("clone", str(main.path), "base", state.base)


def state_of(place: Place) -> State | None:
    """What gup made of a tree; None if there is none. Changes nothing."""
    return _existing(place, None)


def _existing(place: Place, ksrc: Source | None) -> State | None:
    """The state of a tree that exists and is from the source asked for."""
    if not place.path.exists():
        return None
    state = _load(place.git) if (place.path / ".git").exists() else None
    if state is None:
        raise UsageError(f"{place.path} is no tree that gup made; move it out of the way")
    if ksrc is None or ksrc == state.source:
        return state
    _discard(place, state)
    return None


def _discard(place: Place, state: State) -> None:
    """Remove a tree, and those beside it, if no work is in them."""
    others = [Place(place.layout, place.base, patched=False),
              Place(place.layout, place.base, patched=False, first=0)]
    all_of_them = [(place, state)]
    if place.patched:
        all_of_them[:0] = [(beside, _load(beside.git) or state)
                           for beside in others if beside.path.exists()]
    for each, its_state in all_of_them:
        if edits := work_in(each, its_state):
            raise UsageError(_in_the_way(each, edits, False))
    if mine := _own_branches(place, others):
        raise UsageError(f"{place.path} has branches of yours ({', '.join(mine)}); to "
                         "have another source there, move the folder away first")
    say(f"base {place.base.name}: {place.path.name} is from {state.source}; "
        "making it anew")
    for each, _ in all_of_them:
        source.discard(each.path)


def _own_branches(place: Place, others: list[Place]) -> list[str]:
    """The branches, and the stash, that would go if a tree were removed."""
    if (place.path / ".git").is_file():
        return []
    names = place.git.lines("for-each-ref", "--format=%(refname:short)", "refs/heads",
                            "refs/stash")
    ours = {each.branch for each in (place, *others)}
    return [name for name in names if name not in ours]


def _create(place: Place, ksrc: Source | None) -> State:
    """Make a tree with the base alone; it appears whole or not at all."""
    layout, base, draft = place.layout, place.base, place.draft
    origin = ksrc or Source("package", f"{base.package}")
    source.discard(draft)
    if origin.kind == "clone":
        _free_branch(place, Git(Path(origin.path)))
        source.check_out(origin, draft, base.name)
        git = Git(draft)
        commit = git.resolve("HEAD")
        git.run("update-ref", "refs/worktree/base", commit)
    else:
        draft.mkdir(parents=True)
        where = origin if ksrc else Source("tarball", str(fetch.tarball(layout, base)))
        source.unpack(where, draft, base.name)
        git = Git(draft)
        commit = _commit_base(git, base)
    version = source.require_kernel(draft, str(origin))
    state = State(origin, version, commit, commit, "")
    _save(git, state)
    if origin.kind == "clone":
        git.run("worktree", "move", str(draft), str(place.path))
    else:
        draft.rename(place.path)
    return state


def _free_branch(place: Place, git: Git) -> None:
    """Remove from a clone what is left of an earlier tree: its worktree, its branch."""
    branch = place.branch
    for path in (place.draft, place.path):
        if path in _worktrees(git) and not path.exists():
            git.run("worktree", "remove", "--force", str(path))
    if not git.resolve(f"refs/heads/{branch}"):
        return
    for path, its_branch in _worktrees(git).items():
        if its_branch == branch:
            raise UsageError(f"{git.tree} has {branch} checked out in {path}, the tree of "
                             "another queue; give each queue a clone of its own, by git clone "
                             "--shared")
    if git.out("log", "-1", "--format=%ce", f"refs/heads/{branch}") != EMAIL:
        raise UsageError(f"the clone has a branch {branch} with commits of yours; "
                         f"rename it: git branch -m {branch} NAME")
    git.run("branch", "-D", branch)


def _worktrees(git: Git) -> dict[Path, str]:
    """The worktrees of a clone, each with its branch; empty if HEAD is on none."""
    found: dict[Path, str] = {}
    for block in git.out("worktree", "list", "--porcelain").split("\n\n"):
        says = dict(line.partition(" ")[::2] for line in block.splitlines())
        if "worktree" in says:
            found[Path(says["worktree"])] = says.get("branch", "").removeprefix("refs/heads/")
    return found


def _commit_base(git: Git, base: Base) -> str:
    """Commit an unpacked kernel as `base`; returns the commit's id.

    A low big-file threshold makes git stream all files into one pack, which
    is half as large and no slower than 80,000 loose objects.
    """
    git.run("init", "-q", "-b", f"gup/{base.name}")
    with Progress(f"base {base.name}: committing the base") as progress:
        git.run("-c", "core.bigFileThreshold=1", "-c", "core.compression=1",
                "add", "-f", "-A", watch=progress.tick)
        version = source.require_kernel(git.tree, base.name)
        commit = git.commit(git.out("write-tree"), [], f"Linux {version}\n", 0)
    git.run("update-ref", f"refs/heads/gup/{base.name}", commit)
    git.run("update-ref", "refs/tags/base", commit)
    return commit


def _tell_version(place: Place, state: State) -> None:
    """Say so when the base is not the one that the queue was verified on."""
    git, base = place.git, place.base
    other = [name for name, blob in base.blobs.items()
             if git.run("rev-parse", f"{state.base}:{name}",
                        check=False).output.strip() != blob]
    if state.version != base.version:
        say(f"base {base.name}: this is {state.version}, last verified was "
            f"{base.version}; going on, for no patch may need fuzz"
            + (f" (differs: {', '.join(other)})" if other else ""))
    elif other:
        say(f"base {base.name}: {', '.join(other)} differ from the verified "
            f"{base.version}; going on, for no patch may need fuzz")


def _apply(place: Place, state: State, steps: list[Step], wanted: str) -> State:
    """Commit the steps on the base and move the tree to the last of them."""
    commits = [state.base]
    try:
        commit_steps(place, steps, commits)
    except UsageError as error:
        _move(place, state, commits[-1], "")
        raise UsageError(f"{error}; the tree stays at {commits[-1][:12]}, the last "
                         "good commit") from error
    say(f"base {place.base.name}: {len(steps)} commits on {state.version}, "
        f"tip {commits[-1][:12]}")
    return _move(place, state, commits[-1], wanted)


def commit_steps(place: Place, steps: list[Step], commits: list[str]) -> None:
    """Commit the steps on the last of commits, and append the id of each.

    Only the object store of the tree is written to. Raises UsageError naming
    base, patch and hunk; commits then holds what was good.
    """
    with aside(place, commits[-1]) as git:
        for order, step in enumerate(steps, 1):
            stage(place.base, git, step)
            commits.append(git.commit(git.out("write-tree"), commits[-1:],
                                      step.patch.message, order))


@contextlib.contextmanager
def aside(place: Place, commit: str) -> Iterator[Git]:
    """Git in a tree with an index of its own, filled from a commit."""
    index = place.layout.base(place.base.name) / "apply.index"
    index.with_name("apply.index.lock").unlink(missing_ok=True)
    index.unlink(missing_ok=True)
    git = Git(place.path, index)
    git.run("read-tree", commit)
    try:
        yield git
    finally:
        index.unlink(missing_ok=True)


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
        return f"applies only with fuzz {most} ({where}); refresh it for this base"
    return f"does not apply: {where}"


def adopted(place: Place, state: State, tip: str, inputs: str) -> dict[Path, str]:
    """The file by which a tree whose commits are now stored counts as gup's own.

    It says that a checkout of tip is under way; adopt() or any later call
    ends it. The files of tip are those of the tree, so none is touched.
    """
    taken = replace(state, head=place.git.resolve("HEAD"), target=tip, inputs=inputs)
    return {_git_dir(place.git) / STATE: _text(taken)}


def adopt(place: Place) -> None:
    """Move a tree to the commits that adopted() spoke of."""
    state = _load(place.git)
    if state and state.target:
        _move(place, state, state.target, state.inputs)


def _move(place: Place, state: State, tip: str, inputs: str) -> State:
    """Check a commit out on the tree's branch, in a way that can resume."""
    git = place.git
    state.target = tip
    state.inputs = inputs
    _save(git, state)
    git.run("checkout", "-q", "--no-overwrite-ignore", "-B", place.branch, tip)
    state.head, state.target = tip, ""
    _save(git, state)
    return state


def _resume(place: Place, state: State) -> State:
    """Finish a checkout that was killed, unless a person has edited since."""
    git = place.git
    say(f"base {place.base.name}: finishing an interrupted checkout")
    (_git_dir(git) / "index.lock").unlink(missing_ok=True)
    ours = set(git.lines("diff", "--name-only", "--no-renames", state.head,
                         state.target))
    new = []
    for line in git.lines("status", "--porcelain", "--no-renames", "-uall"):
        name = line[3:]
        if name not in ours or not _half_written(git, state, name):
            raise UsageError(_in_the_way(place, [f"changed file {name}"], False))
        if line.startswith("??"):
            new.append(place.path / name)
    git.run("reset", "-q", "--hard")
    for path in new:
        path.unlink()
    return _move(place, state, state.target, state.inputs)


def _half_written(git: Git, state: State, name: str) -> bool:
    """Whether a file is what an interrupted checkout can leave of it."""
    path = git.tree / name
    if not path.exists():
        return True
    content = path.read_bytes()
    for commit in (state.head, state.target):
        result = git.run("cat-file", "blob", f"{commit}:{name}", check=False)
        if result.returncode == 0 and result.output.encode().startswith(content):
            return True
    return False


def _git_dir(git: Git) -> Path:
    """The folder that a tree's own index and HEAD are in."""
    mark = git.tree / ".git"
    if mark.is_file():
        return git.tree / files.read(mark).removeprefix("gitdir: ").rstrip("\n")
    return mark


def _load(git: Git) -> State | None:
    path = _git_dir(git) / STATE
    if not path.exists():
        return None
    return schema.fill(State, schema.read_json(path, DAMAGED), f"{path}")


def _save(git: Git, state: State) -> None:
    files.write(_git_dir(git) / STATE, _text(state))


def _text(state: State) -> str:
    return json.dumps(asdict(state), indent=1) + "\n"
