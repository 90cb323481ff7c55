# SPDX-License-Identifier: GPL-2.0-only
"""The kernel tree of a base: one commit `base`, then one for each patch.

The commits are made first (apply). Only then git moves the tree to the new tip, which
touches the files that differ and no other. What gup has made is written down (place);
all else in the tree is a person's work (work).
"""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from .. import queue
from ..system import files
from ..system.errors import UsageError
from ..system.git import EMAIL, Git
from ..system.paths import Layout
from ..system.terminal import Progress, say
from . import fetch, source
from .apply import Step, commit_steps, digest, plan
from .place import STATE, Place, State, Tree, git_dir, load, save, state_text
from .source import Source
from .work import in_the_way, put_aside, work_in

# What others take from here besides what is defined below.
__all__ = ["Place", "Tree"]


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
        put_aside(place, state)
        state = _existing(place, ksrc) or _create(place, ksrc)
        edits = []
    if edits:
        if not (edits_welcome and state.inputs == wanted):
            raise UsageError(in_the_way(place, edits, state.inputs == wanted))
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


def base_of(place: Place, ksrc: Source | None = None) -> State:
    """The state of a patched tree, made with the base alone if there is none."""
    return _existing(place, ksrc) or _create(place, ksrc)


def resume(place: Place) -> State | None:
    """The state of a tree that exists, with an interrupted checkout finished."""
    state = state_of(place)
    return _resume(place, state) if state and state.target else state


def _beside(place: Place, ksrc: Source | None) -> Source:
    """The source of an unpatched tree: the base in the patched tree's repository."""
    main = Place(place.layout, place.base)
    state = _existing(main, ksrc) or _create(main, ksrc)
    return Source("clone", str(main.path), "base", state.base)


def state_of(place: Place) -> State | None:
    """What gup made of a tree; None if there is none. Changes nothing."""
    if not place.path.exists():
        return None
    state = load(place.git) if (place.path / ".git").exists() else None
    if state is None:
        raise UsageError(f"{place.path} is no tree that gup made; move it out of the way")
    return state


def _existing(place: Place, ksrc: Source | None) -> State | None:
    """The state of a tree that exists, and is brought to the source asked for.

    Without one, a tree from a package follows what config/bases.toml says of that,
    unless there is work in it.
    """
    state = state_of(place)
    if state is None or (ksrc == state.source if ksrc else not _outdated(place, state)):
        return state
    if ksrc and "clone" in (ksrc.kind, state.source.kind):
        _discard(place, state)
        return None
    if state.target:
        state = _resume(place, state)
    edits = work_in(place, state)
    if edits and ksrc:
        raise UsageError(in_the_way(place, edits, False))
    if edits:
        say(f"base {place.base.name}: {place.path.name} stays {state.source}, for it has "
            f"work in it; config/bases.toml has {place.base.package_version}")
        return state
    return _renew(place, state, ksrc)


def _outdated(place: Place, state: State) -> bool:
    """Whether a tree is from another package than config/bases.toml says.

    One is not that was made as there was no other to be had. One of which it is not
    known from what package it is goes by the version of its kernel.
    """
    base, made = place.base, state.source
    if made.kind != "package" or not base.package_version:
        return False
    if not made.stamp:
        return state.version != base.version
    return f"{base.package} {base.package_version}" not in (made.ref, made.stamp)


def _renew(place: Place, state: State, ksrc: Source | None) -> State:
    """Commit another kernel as base beside the one before.

    Nothing is checked out: that is for whoever applies the queue to it. Branches
    stay, and so does the kernel before, which 3-way merges have use for.
    """
    origin, draft = _unpack(place, ksrc)
    say(f"base {place.base.name}: {place.path.name} goes from {state.source} to {origin}")
    version = source.require_kernel(draft, str(origin))
    index = draft.with_name(f"{draft.name}.index")
    index.unlink(missing_ok=True)
    commit = commit_folder(draft, git_dir(place.git), index, f"Linux {version}")
    index.unlink()
    source.discard(draft)
    place.git.run("update-ref", "refs/tags/base", commit)
    renewed = replace(state, source=origin, version=version, base=commit, inputs="")
    save(place.git, renewed)
    return renewed


def _discard(place: Place, state: State) -> None:
    """Remove a tree, and those beside it, if no work is in them."""
    others = [Place(place.layout, place.base, patched=False),
              Place(place.layout, place.base, patched=False, first=0)]
    all_of_them = [(place, state)]
    if place.patched:
        all_of_them[:0] = [(beside, load(beside.git) or state)
                           for beside in others if beside.path.exists()]
    for each, its_state in all_of_them:
        if edits := work_in(each, its_state):
            raise UsageError(in_the_way(each, edits, False))
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
    base, draft = place.base, place.draft
    if ksrc and ksrc.kind == "clone":
        source.discard(draft)
        origin = ksrc
        _free_branch(place, Git(Path(origin.path)))
        source.check_out(origin, draft, base.name)
        git = Git(draft)
        commit = git.resolve("HEAD")
        git.run("update-ref", "refs/worktree/base", commit)
        version = source.require_kernel(draft, str(origin))
    else:
        origin, draft = _unpack(place, ksrc)
        git = Git(draft)
        git.run("init", "-q", "-b", place.branch)
        version = source.require_kernel(draft, base.name)
        commit = commit_folder(draft, draft / ".git", draft / ".git" / "index",
                               f"Linux {version}")
        git.run("update-ref", f"refs/heads/{place.branch}", commit)
        git.run("update-ref", "refs/tags/base", commit)
    state = State(origin, version, commit, commit, "")
    save(git, state)
    if origin.kind == "clone":
        git.run("worktree", "move", str(draft), str(place.path))
    else:
        draft.rename(place.path)
    return state


def _unpack(place: Place, ksrc: Source | None) -> tuple[Source, Path]:
    """Unpack a package, tarball or folder; returns what it is, and where it is now."""
    base, draft = place.base, place.draft
    source.discard(draft)
    draft.mkdir(parents=True)
    origin = where = ksrc
    if origin is None or where is None:
        found = fetch.tarball(place.layout, base)
        origin = Source("package", found.package, f"{base.package} {base.package_version}",
                        f"{found.package} {found.version}")
        where = Source("tarball", str(found.path))
    source.unpack(where, draft, base.name)
    return origin, draft


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


def commit_folder(folder: Path, repository: Path, index: Path, message: str) -> str:
    """Commit all that is in a folder to a repository, on nothing; returns the id.

    repository is the folder that git calls its own. The index stays.

    A low big-file threshold makes git stream all files into one pack, which
    is half as large and no slower than 80,000 loose objects.
    """
    git = Git(folder, index)
    git.env["GIT_DIR"] = str(repository)
    with Progress(f"committing {message}") as progress:
        git.run("-c", "core.bigFileThreshold=1", "-c", "core.compression=1",
                "add", "-f", "-A", watch=progress.tick)
    return git.commit(git.out("write-tree"), [], f"{message}\n", 0)


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


def adopted(place: Place, state: State, tip: str, inputs: str) -> dict[Path, str]:
    """The file by which a tree whose commits are now stored counts as gup's own.

    It says that a checkout of tip is under way; adopt() or any later call
    ends it. The files of tip are those of the tree, so none is touched.
    """
    taken = replace(state, head=place.git.resolve("HEAD"), target=tip, inputs=inputs)
    return {git_dir(place.git) / STATE: state_text(taken)}


def adopt(place: Place) -> None:
    """Move a tree to the commits that adopted() spoke of."""
    state = load(place.git)
    if state and state.target:
        _move(place, state, state.target, state.inputs)


def _move(place: Place, state: State, tip: str, inputs: str) -> State:
    """Check a commit out on the tree's branch, in a way that can resume."""
    git = place.git
    state.target = tip
    state.inputs = inputs
    save(git, state)
    git.run("checkout", "-q", "--no-overwrite-ignore", "-B", place.branch, tip)
    state.head, state.target = tip, ""
    save(git, state)
    return state


def _resume(place: Place, state: State) -> State:
    """Finish a checkout that was killed, unless a person has edited since."""
    git = place.git
    say(f"base {place.base.name}: finishing an interrupted checkout")
    (git_dir(git) / "index.lock").unlink(missing_ok=True)
    ours = set(git.lines("diff", "--name-only", "--no-renames", state.head,
                         state.target))
    new = []
    for line in git.lines("status", "--porcelain", "--no-renames", "-uall"):
        name = line[3:]
        if name not in ours or not _half_written(git, state, name):
            raise UsageError(in_the_way(place, [f"changed file {name}"], False))
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
