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


def branch(place: TreeSpec) -> str:
    """Where a person resolves conflicts in a trial's tree."""
    return f"resolve/{place.base.name}"


def leave(place: TreeSpec, state: State) -> None:
    """Put the files back as the tool needs them, if the person is done."""
    git = place.git
    loose = work.unfinished_work(place) + work.uncommitted_work(place)
    if loose:
        raise UsageError(f"{place.path}: {loose[0]}: resolve and commit it, or remove "
                         f"{place.layout.root}")
    if git.resolve("HEAD") != state.head:
        git.run("checkout", "-q", "-B", place.branch, state.head)


def of_person(place: TreeSpec, base: str, step: Step) -> Commit | None:
    """The commit by which a person has resolved a patch, known by its subject.

    If it has no body, that of the patch is its own.
    """
    git, ref = place.git, f"refs/heads/{branch(place)}"
    if not git.resolve(ref):
        return None
    for line in git.lines("log", "--format=%H %P %s", f"{base}..{ref}"):
        commit, parent, subject = line.split(" ", 2)
        if subject == step.patch.subject:
            if left := three_way.marks_left(git, parent, commit):
                raise UsageError(f"{place.path}: the commit '{subject}' has marks of the "
                                 f"conflict in {left[0]}; resolve it, git commit --amend, "
                                 "and call again")
            body = SIGN_OFF.sub("", git.out("log", "-1", "--format=%b", commit))
            return Commit(commit, parent, subject, body.strip("\n") or step.patch.body)
    return None


def forget(place: TreeSpec) -> None:
    """Remove what a person has resolved, once it is stored."""
    place.git.run("branch", "-q", "-D", branch(place), check=False)
