# SPDX-License-Identifier: GPL-2.0-only
"""The queue of a base on another kernel: its patches, and the cell on UML.

A trial is a copy of the stored files below build/bump, with a tree and a
cell of its own, so the project is as it was until the outcome is stored.
"""

from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

from .. import config, queue
from ..config import Base
from ..evidence import recorded_results
from ..kernel import checkout, fetch, source, tree
from ..kernel.fetch import Tarball
from ..kernel.source import Source
from ..kernel.spec import TreeSpec
from ..run import kunit
from ..run.cell import Request
from ..run.show import show
from ..run.verdict import PASSED, Verdict
from ..system import transaction
from ..system.errors import TestsFailed
from ..system.paths import Layout
from ..system.terminal import say
from . import carried_patches, conflict, draft, resolution, three_way, trial_files
from .carried_patches import ALREADY, CONFLICT, Carried, Origin


@dataclass(frozen=True)
class Attempt:
    """A base's queue on another kernel: what became of it, and what is to be stored.

    spec: the trial's tree, of the base as it will be verified; version: the kernel's;
    before: the stored files that it was made from; verdict: the cell's, if it could be
    run.
    """

    spec: TreeSpec
    version: str
    patches: tuple[Carried, ...]
    before: dict[Path, str]
    verdict: Verdict | None

    @property
    def passed(self) -> bool:
        """Whether the cell has passed."""
        return self.verdict is not None and self.verdict.word == PASSED


def attempt(layout: Layout, base: Base, kernel: Tarball | None, ksrc: Source | None
            ) -> Attempt:
    """Try a base's queue on a kernel, from Debian or from elsewhere; stores nothing.

    Raises ConflictFound when a patch needs a person, and leaves its sides in the
    trial's tree.
    """
    trial = layout.bump(base.name)
    with transaction.hold(layout), tree.hold(TreeSpec(trial, base)):
        draft.copy_stored(layout, trial.root)
        before = draft.stored_files(trial.root)
        spec = TreeSpec(trial, _of_kernel(base, kernel))
        ksrc = source.classify(kernel.path, "") if kernel else ksrc
        if spec.path.exists() and (state := checkout.resume(spec)):
            resolution.leave(spec, state)
        state = tree.base_of(spec, ksrc)
        near = three_way.nearest(config.bases(layout), base.name)
        origin = Origin(layout, spec, near)
        patches = carried_patches.carry(spec, state, origin)
        telling = {each: _telling(layout, spec, near, each) for each in patches
                   if each.outcome == CONFLICT}
        for each, cases in telling.items():
            if not cases:
                raise conflict.shown(layout, spec, state, each, origin)
            say(f"{'':14} {each.name}: does the kernel do the same by itself? "
                "trying its cases without it")
        trial_files.bring(layout, spec, state, patches)
    verdict = _cell(trial, base.name, ksrc)
    for each, cases in telling.items():
        if not _pass(cases, verdict):
            with tree.hold(TreeSpec(trial, base)):
                raise conflict.shown(layout, spec, state, each, origin)
        say(f"{ALREADY:14} {each.name}: {', '.join(cases)} passed without it")
    return Attempt(spec, state.version, tuple(patches), before, verdict)


def _of_kernel(base: Base, kernel: Tarball | None) -> Base:
    """A base as it will be verified, as far as the package goes."""
    if kernel:
        return replace(base, package=kernel.package, package_version=kernel.version)
    return replace(base, package=fetch.package_of(base.name), package_version="")


def _telling(layout: Layout, spec: TreeSpec, near: Base, patch: Carried) -> tuple[str, ...]:
    """The cases, as SUITE.CASE, that can tell on UML whether a kernel does without a patch.

    Those are cases of its topic that have failed there without the series, as
    doc/measured.json has it of the near base. None can for the hookup, and none for a
    topic that adds what they call.
    """
    path = patch.step.patch.path
    record = recorded_results.load(layout).get((near.name, "um", False))
    if path == spec.layout.hookup(spec.base.name) or record is None:
        return ()
    topic = queue.topic(layout, path.parent.name)
    globs = topic.cases or tuple(f"{suite}.*" for suite in topic.suites)
    return () if topic.adds else tuple(
        case for case in record.failed or () if any(fnmatch(case, glob) for glob in globs))


def _pass(cases: tuple[str, ...], verdict: Verdict | None) -> bool:
    """Whether all of some cases, as SUITE.CASE, have passed."""
    return verdict is not None and {*cases} <= {
        f"{case.suite}.{case.name}" for case in verdict.cases if case.status == PASSED}


def _cell(trial: Layout, name: str, ksrc: Source | None) -> Verdict | None:
    """Run the trial's cell on UML; returns None if it could not be run."""
    try:
        verdict = kunit.run(trial, Request(name, "um", ksrc=ksrc))
    except TestsFailed as failure:
        say(str(failure))
        return None
    show(f"{name}/um", verdict)
    return verdict
