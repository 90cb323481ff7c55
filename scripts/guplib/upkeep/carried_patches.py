# SPDX-License-Identifier: GPL-2.0-only
"""The patches of a base on another kernel, each on those before it."""

import functools
from dataclasses import dataclass, replace

from .. import queue
from ..config import Base
from ..kernel import apply
from ..kernel.apply import Step
from ..kernel.spec import TreeSpec
from ..kernel.state import State
from ..queue import patchfile
from ..queue.patch_form import stored_text
from ..system import files
from ..system.errors import UsageError
from ..system.git import Git
from ..system.paths import Layout
from ..system.terminal import say
from . import resolution, three_way
from .three_way import Merge

CLEAN, MOVED = "clean", "context moved"
ALREADY, CONFLICT = "already there", "conflict"


@dataclass(frozen=True, eq=False)
class Carried:
    """What became of one patch; commit is empty unless it was applied.

    resolved: a person has settled the conflict. merge: the sides of a conflict.
    """

    step: Step
    outcome: str
    parent: str
    commit: str
    why: str = ""
    resolved: bool = False
    merge: Merge | None = None

    @property
    def topic(self) -> str:
        """The folder that the patch is in."""
        return self.step.patch.path.parent.name

    @property
    def name(self) -> str:
        """The patch, as messages have it."""
        return f"{self.topic}/{self.step.patch.path.name}"


class Origin:
    """What the patches of a base were made for, got when it is first asked for."""

    def __init__(self, layout: Layout, spec: TreeSpec, near: Base):
        self.layout, self.spec, self.near = layout, spec, near

    @functools.cached_property
    def made(self) -> three_way.Origin:
        """The kernel, and each patch on it."""
        found = three_way.origin(self.layout, self.spec, self.near,
                                 apply.plan(TreeSpec(self.layout, self.near)))
        if found.why:
            say(f"base {self.near.name}: what the patches were made for is not to be had: "
                f"{found.why}")
        return found

    def pair(self, step: Step) -> three_way.Pair | None:
        """A patch on the kernel that it was made for."""
        return self.made.pairs.get(step.patch.subject)


def carry(spec: TreeSpec, state: State, origin: Origin) -> list[Carried]:
    """Try the patches of a series and the hookup in a trial's tree, and say how it went.

    Raises UsageError if the kernel has the hookup, and with it suites, already.
    """
    found: list[Carried] = []
    tip = state.base
    for order, step in enumerate(apply.plan(spec), 1):
        found.append(_try(spec, state, tip, step, order, origin))
        if found[-1].outcome == ALREADY and _is_hookup(spec, step):
            raise UsageError(f"base {spec.base.name}: {state.version} has the suites already; "
                             "give a kernel without them")
        tip = found[-1].commit or tip
    for each in found:
        say(f"{'resolved' if each.resolved else each.outcome:14} {each.name}"
            + (f": {each.why}" if each.why else ""))
    return found


def _try(spec: TreeSpec, state: State, tip: str, step: Step, order: int, origin: Origin
         ) -> Carried:
    """Try a patch on top of a commit; commit it, as that number, unless in conflict."""
    with apply.aside(spec, tip) as git:
        said = _apply(git, step)
        if not said:
            return Carried(step, CLEAN, tip, _commit(git, tip, step, order))
        if not git.run("apply", "--cached", "-R", str(step.patch.path),
                       check=False).returncode:
            return Carried(step, ALREADY, tip, "")
        why = apply.why_refused(git, step.patch, said).removesuffix(apply.REFRESH)
    pair = origin.pair(step)
    merge = three_way.merge(spec, tip, step, pair, (
        f"Linux {origin.made.version}" if pair else "the patch", f"Linux {state.version}"))
    if merge.tree == spec.git.out("rev-parse", f"{tip}^{{tree}}"):
        return Carried(step, ALREADY, tip, "")
    if merge.tree:
        with apply.aside(spec, merge.tree) as git:
            return Carried(step, MOVED, tip, _commit(git, tip, step, order), why)
    if made := resolution.of_person(spec, state.base, step):
        files.write(step.patch.path, stored_text(spec.git, made, tuple(step.extra)))
        step = replace(step, patch=patchfile.read(step.patch.path))
        with apply.aside(spec, tip) as git:
            if not _apply(git, step):
                return Carried(step, MOVED, tip, _commit(git, tip, step, order), why, True)
    if over := _over(spec, step):
        return Carried(step, ALREADY, tip, "", f"topic.toml has affected = '{over}'")
    return Carried(step, CONFLICT, tip, "", why, merge=merge)


def _is_hookup(spec: TreeSpec, step: Step) -> bool:
    return step.patch.path == spec.layout.hookup(spec.base.name)


def _over(spec: TreeSpec, step: Step) -> str:
    """The releases that a patch's topic says are affected, if they end before the base."""
    if _is_hookup(spec, step):
        return ""
    topic = queue.topic(spec.layout, step.patch.path.parent.name)
    return topic.affected if topic.is_over(spec.base.name) else ""


def _commit(git: Git, tip: str, step: Step, order: int) -> str:
    """Commit what is in an index, with the files that a step brings along."""
    apply.add_extra(git, step)
    return git.commit(git.out("write-tree"), [tip], step.patch.message, order)


def _apply(git: Git, step: Step) -> str:
    """Apply a patch to an index; returns what git said when it refused."""
    result = git.run("apply", "--cached", "--whitespace=nowarn", str(step.patch.path),
                     check=False)
    return (result.output or "refused") if result.returncode else ""
