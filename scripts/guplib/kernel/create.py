# SPDX-License-Identifier: GPL-2.0-only
"""How a tree comes to be, with its base alone, and how it gets another base."""

from dataclasses import replace
from pathlib import Path

from ..system import files
from ..system.errors import UsageError
from ..system.git import EMAIL, Git
from ..system.terminal import Progress, say
from . import checkout, fetch, source
from .source import Source
from .spec import Contents, TreeSpec
from .state import State, git_dir, load, save, state_of
from .work import in_the_way, work_in


def existing(spec: TreeSpec, ksrc: Source | None) -> State | None:
    """The state of a tree that exists, and is brought to the source asked for.

    Without one, a tree from a package follows what config/bases.toml says of that,
    unless there is work in it.
    """
    state = state_of(spec)
    if state is None or is_from(spec, state, ksrc):
        return state
    if ksrc and "clone" in (ksrc.kind, state.source.kind):
        _discard(spec, state)
        return None
    if state.target:
        state = checkout.finish(spec, state)
    edits = work_in(spec, state)
    if edits and ksrc:
        raise UsageError(in_the_way(spec, edits, False))
    if edits:
        tell_it_stays(spec, state)
        return state
    return _renew(spec, state, ksrc)


def is_from(spec: TreeSpec, state: State, ksrc: Source | None) -> bool:
    """Whether a tree is from the source asked for; if none is, from the base's package.

    A tree from a package counts as that if it was made as there was no other to be
    had. One of which it is not known from what package it is goes by the version of
    its kernel.
    """
    base, made = spec.base, state.source
    if ksrc:
        return ksrc == made
    if made.kind != "package" or not base.package_version:
        return True
    if not made.stamp:
        return state.version == base.version
    return f"{base.package} {base.package_version}" in (made.ref, made.stamp)


def tell_it_stays(spec: TreeSpec, state: State) -> None:
    """Say that a tree keeps its base, though config/bases.toml has another."""
    say(f"base {spec.base.name}: {spec.path.name} stays {state.source}, for it has "
        f"work in it; config/bases.toml has {spec.base.package_version}")


def create(spec: TreeSpec, ksrc: Source | None) -> State:
    """Make a tree with the base alone; it appears whole or not at all."""
    base, draft = spec.base, spec.draft
    if ksrc and ksrc.kind == "clone":
        source.discard(draft)
        origin = ksrc
        _free_branch(spec, Git(Path(origin.path)))
        source.check_out(origin, draft, base.name)
        git = Git(draft)
        commit = git.resolve("HEAD")
        git.run("update-ref", "refs/worktree/base", commit)
        version = source.require_kernel(draft, str(origin))
    else:
        origin, draft = _unpack(spec, ksrc)
        git = Git(draft)
        git.run("init", "-q", "-b", spec.branch)
        version = source.require_kernel(draft, base.name)
        commit = commit_folder(draft, draft / ".git", draft / ".git" / "index",
                               f"Linux {version}")
        git.run("update-ref", f"refs/heads/{spec.branch}", commit)
        git.run("update-ref", "refs/tags/base", commit)
    state = State(origin, version, commit, commit, "")
    save(git, state)
    if origin.kind == "clone":
        git.run("worktree", "move", str(draft), str(spec.path))
    else:
        draft.rename(spec.path)
    return state


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


def _renew(spec: TreeSpec, state: State, ksrc: Source | None) -> State:
    """Commit another kernel as base beside the one before.

    Nothing is checked out: that is for whoever applies the queue to it. Branches
    stay, and so does the kernel before, which 3-way merges have use for.
    """
    origin, draft = _unpack(spec, ksrc)
    say(f"base {spec.base.name}: {spec.path.name} goes from {state.source} to {origin}")
    version = source.require_kernel(draft, str(origin))
    index = draft.with_name(f"{draft.name}.index")
    index.unlink(missing_ok=True)
    commit = commit_folder(draft, git_dir(spec.git), index, f"Linux {version}")
    index.unlink()
    source.discard(draft)
    spec.git.run("update-ref", "refs/tags/base", commit)
    renewed = replace(state, source=origin, version=version, base=commit, inputs="")
    save(spec.git, renewed)
    return renewed


def _unpack(spec: TreeSpec, ksrc: Source | None) -> tuple[Source, Path]:
    """Unpack a package, tarball or folder; returns what it is, and where it is now."""
    base, draft = spec.base, spec.draft
    source.discard(draft)
    draft.mkdir(parents=True)
    origin = where = ksrc
    if origin is None or where is None:
        found = fetch.tarball(spec.layout, base)
        origin = Source("package", found.package, f"{base.package} {base.package_version}",
                        f"{found.package} {found.version}")
        where = Source("tarball", str(found.path))
    source.unpack(where, draft, base.name)
    return origin, draft


def _discard(spec: TreeSpec, state: State) -> None:
    """Remove a tree, and those beside it, if no work is in them."""
    beside = list(_beside(spec)) if spec.is_main else []
    for other in beside:
        with files.locked(other.lock, f"{other.path.name} of base {spec.base.name}"):
            _require_no_work(other, load(other.git) or state)
    _require_no_work(spec, state)
    if mine := _own_branches(spec, beside):
        raise UsageError(f"{spec.path} has branches of yours ({', '.join(mine)}); to "
                         "have another source there, move the folder away first")
    say(f"base {spec.base.name}: {spec.path.name} is from {state.source}; "
        "making it anew")
    for each in (*beside, spec):
        source.discard(each.path)


def _require_no_work(spec: TreeSpec, state: State) -> None:
    if edits := work_in(spec, state):
        raise UsageError(in_the_way(spec, edits, False))


def _beside(spec: TreeSpec) -> list[TreeSpec]:
    """The trees that gup has made in the repository of a main one."""
    ahead = f"{spec.path.name}-"
    return [TreeSpec(spec.layout, spec.base, Contents(path.name.removeprefix(ahead)))
            for path in sorted(spec.path.parent.glob(f"{ahead}*/"))
            if (path / ".git").is_file()]


def _own_branches(spec: TreeSpec, beside: list[TreeSpec]) -> list[str]:
    """The branches, and the stash, that would go if a tree were removed."""
    if (spec.path / ".git").is_file():
        return []
    names = spec.git.lines("for-each-ref", "--format=%(refname:short)", "refs/heads",
                           "refs/stash")
    ours = {each.branch for each in (spec, *beside)}
    return [name for name in names if name not in ours]


def _free_branch(spec: TreeSpec, git: Git) -> None:
    """Remove from a clone what is left of an earlier tree: its worktree, its branch."""
    branch = spec.branch
    worktrees = _worktrees(git)
    for path in (spec.draft, spec.path):
        if path in worktrees and not path.exists():
            git.run("worktree", "remove", "--force", str(path))
            del worktrees[path]
    if not git.resolve(f"refs/heads/{branch}"):
        return
    for path, its_branch in worktrees.items():
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
