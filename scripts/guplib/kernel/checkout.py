# SPDX-License-Identifier: GPL-2.0-only
"""How a tree moves from one commit to another, and what ends a move that was cut off."""

from dataclasses import replace
from pathlib import Path

from ..system.errors import UsageError
from ..system.git import Git
from ..system.terminal import say
from .spec import TreeSpec
from .state import STATE, State, git_dir, load, save, state_of, state_text
from .work import in_the_way


def move(spec: TreeSpec, state: State, tip: str, inputs: str) -> State:
    """Check a commit out on the tree's branch, in a way that can be taken up again."""
    git = spec.git
    state.target = tip
    state.inputs = inputs
    save(git, state)
    git.run("checkout", "-q", "--no-overwrite-ignore", "-B", spec.branch, tip)
    state.head, state.target = tip, ""
    save(git, state)
    return state


def adopted(spec: TreeSpec, state: State, tip: str, inputs: str) -> dict[Path, str]:
    """The file by which a tree whose commits are now stored counts as gup's own.

    It says that a checkout of tip is under way; adopt() or any later call
    ends it. The files of tip are those of the tree, so none is touched.
    """
    taken = replace(state, head=spec.git.resolve("HEAD"), target=tip, inputs=inputs)
    return {git_dir(spec.git) / STATE: state_text(taken)}


def adopt(spec: TreeSpec) -> None:
    """Move a tree to the commits that adopted() spoke of."""
    state = load(spec.git)
    if state and state.target:
        move(spec, state, state.target, state.inputs)


def resume(spec: TreeSpec) -> State | None:
    """The state of a tree that exists, with a checkout that was cut off finished."""
    state = state_of(spec)
    return finish(spec, state) if state and state.target else state


def finish(spec: TreeSpec, state: State) -> State:
    """End a checkout that was killed, unless a person has edited since."""
    git = spec.git
    say(f"base {spec.base.name}: finishing an interrupted checkout")
    (git_dir(git) / "index.lock").unlink(missing_ok=True)
    ours = set(git.lines("diff", "--name-only", "--no-renames", state.head,
                         state.target))
    new = []
    for line in git.lines("status", "--porcelain", "--no-renames", "-uall"):
        name = line[3:]
        if name not in ours or not _half_written(git, state, name):
            raise UsageError(in_the_way(spec, [f"changed file {name}"], False))
        if line.startswith("??"):
            new.append(spec.path / name)
    git.run("reset", "-q", "--hard")
    for path in new:
        path.unlink()
    return move(spec, state, state.target, state.inputs)


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
