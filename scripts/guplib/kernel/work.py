# SPDX-License-Identifier: GPL-2.0-only
"""A person's work in a tree: what it is, and how it is put aside without being lost."""

from ..system.terminal import say
from .spec import TreeSpec
from .state import State, git_dir

# How many words come ahead of a file's name in git status --porcelain=v2, by the
# kind of line: changed, unmerged, untracked.
FIELDS_AHEAD = {"1": 8, "u": 10, "?": 1}


def work_in(spec: TreeSpec, state: State) -> list[str]:
    """What is in a tree that gup did not put there, a line each."""
    git = spec.git
    said = git.lines("status", "--porcelain=v2", "--branch", "--no-renames")
    head = {words[1]: words[2] for line in said
            if line.startswith("# branch.") and (words := line.split(" "))}
    tips = {"HEAD": head["branch.oid"]}
    if head["branch.head"] != spec.branch:
        tips[f"refs/heads/{spec.branch}"] = git.resolve(f"refs/heads/{spec.branch}")
    found = unfinished_work(spec)
    for name, commit in tips.items():
        if commit and commit != state.head:
            found.append(git.out("log", "-1", f"--format=commit %h (%s) at {name}",
                                 commit))
    return found + _changed(said)


def unfinished_work(spec: TreeSpec) -> list[str]:
    """The operations of git that a person has begun in a tree, a line each."""
    folder = git_dir(spec.git)
    return [f"an unfinished {name.replace('_HEAD', '').lower()}" for name in
            ("rebase-merge", "rebase-apply", "MERGE_HEAD", "CHERRY_PICK_HEAD")
            if (folder / name).exists()]


def uncommitted_work(spec: TreeSpec) -> list[str]:
    """The files of a tree that differ from its HEAD, a line each."""
    return _changed(spec.git.lines("status", "--porcelain=v2", "--no-renames"))


def _changed(said: list[str]) -> list[str]:
    """The changed files in what git status says, a line each."""
    return [f"changed file {line.split(' ', FIELDS_AHEAD[line[0]])[-1]}" for line in said
            if line[0] in FIELDS_AHEAD]


def in_the_way(spec: TreeSpec, edits: list[str], current: bool) -> str:
    tree = spec.layout.shown(spec.path)
    shown = "; ".join(edits[:4]) + ("; …" if len(edits) > 4 else "")
    why = "" if current else " and the stored queue has changed since"
    return (f"{spec.layout.named(spec.path)} holds work that is not in the queue "
            f"({shown}){why}; nothing was changed. Keep it: git -C {tree} switch "
            f"-c NAME, commit, then call again. Put it aside: {spec.call} --set-aside")


def put_aside(spec: TreeSpec, state: State) -> None:
    """Move a person's work to a branch, where git keeps it, and clean up."""
    git = spec.git
    kept = [git.resolve("HEAD")]
    if git.lines("status", "--porcelain"):
        git.run("add", "-A")
        kept = [git.commit(git.out("write-tree"), kept,
                           "Work put aside by gup tree --set-aside\n", 0)]
    for operation in ("rebase", "merge", "cherry-pick"):
        git.run(operation, "--abort", check=False)
    kept += [git.resolve("HEAD"), git.resolve(f"refs/heads/{spec.branch}")]
    tips = {commit for commit in kept if commit}
    for commit in sorted(tips):
        if not any(git.contains(tip, commit) for tip in {state.head, *tips} - {commit}):
            git.run("branch", "-f", f"aside/{commit[:12]}", commit)
            say(f"your work is kept on branch aside/{commit[:12]}")
    git.run("checkout", "-q", "-f", "-B", spec.branch, state.head)
