# SPDX-License-Identifier: GPL-2.0-only
"""The commits in a trial's tree by which a person has resolved conflicts."""

from ..kernel import work
from ..kernel.apply import Step
from ..kernel.spec import TreeSpec
from ..kernel.state import State
from ..queue.message import SIGN_OFF
from ..queue.patch_form import Commit
from ..system.errors import UsageError
from . import three_way


def branch(spec: TreeSpec) -> str:
    """Where a person resolves conflicts in a trial's tree."""
    return f"resolve/{spec.base.name}"


def leave(spec: TreeSpec, state: State) -> None:
    """Put the files back as the tool needs them, if the person is done."""
    git = spec.git
    loose = work.unfinished_work(spec) + work.uncommitted_work(spec)
    if loose:
        raise UsageError(f"{spec.path}: {loose[0]}: resolve and commit it, or remove "
                         f"{spec.layout.root}")
    if git.resolve("HEAD") != state.head:
        git.run("checkout", "-q", "-B", spec.branch, state.head)


def of_person(spec: TreeSpec, base: str, step: Step) -> Commit | None:
    """The commit by which a person has resolved a patch, known by its subject.

    If it has no body, that of the patch is its own.
    """
    git, ref = spec.git, f"refs/heads/{branch(spec)}"
    if not git.resolve(ref):
        return None
    for line in git.lines("log", "--format=%H %P %s", f"{base}..{ref}"):
        commit, parent, subject = line.split(" ", 2)
        if subject == step.patch.subject:
            if left := three_way.marks_left(git, parent, commit):
                raise UsageError(f"{spec.path}: the commit '{subject}' has marks of the "
                                 f"conflict in {left[0]}; resolve it, git commit --amend, "
                                 "and call again")
            body = SIGN_OFF.sub("", git.out("log", "-1", "--format=%b", commit))
            return Commit(commit, parent, subject, body.strip("\n") or step.patch.body)
    return None


def forget(spec: TreeSpec) -> None:
    """Remove what a person has resolved, once it is stored."""
    spec.git.run("branch", "-q", "-D", branch(spec), check=False)
