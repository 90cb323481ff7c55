# SPDX-License-Identifier: GPL-2.0-only
"""A person's work in a tree: what it is, and how it is put aside without being lost."""

from dataclasses import dataclass

from ..system.terminal import say
from .place import Place, State, git_dir

# The words ahead of the path of a file, by what a line of git status begins with.
FIELDS = {"1": 8, "u": 10, "?": 1}


@dataclass(frozen=True)
class Status:
    """A tree as git status has it: its commit, its branch, and the files that differ.

    There is no commit if HEAD has none, and no branch if it is detached.
    """

    head: str
    branch: str
    files: tuple[str, ...]


def status(place: Place) -> Status:
    """What git says of a tree, by one call."""
    about: dict[str, str] = {}
    files = []
    for line in place.git.lines("status", "--porcelain=v2", "--branch", "--no-renames"):
        kind, _, rest = line.partition(" ")
        if kind == "#":
            name, _, value = rest.partition(" ")
            about[name] = value.removeprefix("(initial)").removeprefix("(detached)")
        else:
            files.append(line.split(" ", FIELDS[kind])[-1])
    return Status(about["branch.oid"], about["branch.head"], tuple(files))


def work_in(place: Place, state: State) -> list[str]:
    """What is in a tree that gup did not put there, a line each."""
    git, now, branch = place.git, status(place), f"refs/heads/{place.branch}"
    found = unfinished_work(place)
    tip = now.head if now.branch == place.branch else git.resolve(branch)
    for name, commit in (("HEAD", now.head), (branch, tip)):
        if commit and commit != state.head:
            found.append(git.out("log", "-1", f"--format=commit %h (%s) at {name}",
                                 commit))
    return found + _changed(now)


def unfinished_work(place: Place) -> list[str]:
    """The operations of git that a person has begun in a tree, a line each."""
    folder = git_dir(place.git)
    return [f"an unfinished {name.replace('_HEAD', '').lower()}" for name in
            ("rebase-merge", "rebase-apply", "MERGE_HEAD", "CHERRY_PICK_HEAD")
            if (folder / name).exists()]


def uncommitted_work(place: Place) -> list[str]:
    """The files of a tree that differ from its HEAD, a line each."""
    return _changed(status(place))


def _changed(now: Status) -> list[str]:
    return [f"changed file {name}" for name in now.files]


def in_the_way(place: Place, edits: list[str], current: bool) -> str:
    tree = place.layout.shown(place.path)
    shown = "; ".join(edits[:4]) + ("; …" if len(edits) > 4 else "")
    why = "" if current else " and the stored queue has changed since"
    return (f"{place.layout.named(place.path)} holds work that is not in the queue "
            f"({shown}){why}; nothing was changed. Keep it: git -C {tree} switch "
            f"-c NAME, commit, then call again. Put it aside: {place.call} --set-aside")


def put_aside(place: Place, state: State) -> None:
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
