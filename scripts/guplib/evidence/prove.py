# SPDX-License-Identifier: GPL-2.0-only
"""Each topic of a series is needed: what fails without it alone."""

import fnmatch
from collections.abc import Iterable
from dataclasses import asdict, replace

from .. import config, queue
from ..kernel import removal, tree
from ..kernel.removal import Removal
from ..kernel.spec import TreeSpec, all_but
from ..queue import Topic
from ..run import cell, kunit
from ..run.cell import Part, Request
from ..run.verdict import DID_NOT_RUN, FAILED, REPORT, Verdict
from ..system import schema
from ..system.errors import TestsFailed, UsageError
from ..system.paths import Layout
from ..system.terminal import say
from . import proofs, recorded_results
from .proofs import MIXED, Proof
from .resume import Log


def run(layout: Layout, base: str, arch: str, wanted: Iterable[str] = (), record: bool = False,
        resume: bool = False, drop: bool = False) -> list[Proof]:
    """Take each topic of a base out, one at a time, and run a cell without it.

    wanted: the topics, all that the base needs if empty. Raises UsageError for one that
    it does not need.
    """
    config.cell_arch(layout, base, arch)
    spec = TreeSpec(layout, config.base(layout, base))
    names = [path.parent.name for path in queue.series(layout, base)]
    for name in wanted:
        if name not in names:
            raise UsageError(f"base {base} has no patch of '{name}'; choose from "
                             f"{', '.join(names)}")
    if drop:
        empty = replace(spec, contents=all_but(names, None))
        with tree.hold(empty):
            tree.prepare(empty, drop=True)
    log = Log(layout, layout.prove(base) / f"{arch}.done.json", resume)
    found = [_kept(spec, arch, name, log) for name in wanted or names]
    say("\n" + "\n".join(lines(found)))
    if record:
        proofs.keep(layout, found)
        recorded_results.record(layout, [])
    log.close()
    return found


def _kept(spec: TreeSpec, arch: str, name: str, log: Log) -> Proof:
    """A proof as a call that was cut off has left it, or made now."""
    if earlier := log.get(name):
        say(f"{name}: as it was run before")
        return schema.fill(Proof, earlier, f"{log.path}: {name}")
    made = _one(spec, arch, name)
    log.put(name, asdict(made))
    return made


def _one(spec: TreeSpec, arch: str, name: str) -> Proof:
    """Run a cell without a topic, and if that does not build, without what depends on it."""
    alone = _without(spec, arch, name, dependents=False)
    return _without(spec, arch, name, dependents=True) if alone.broken else alone


def _without(spec: TreeSpec, arch: str, name: str, dependents: bool) -> Proof:
    layout, base = spec.layout, spec.base.name
    with tree.use(spec) as ready:
        out = removal.of_topic(spec, ready.state, name, layout.prove(base), dependents)
    along = f", and {', '.join(out.along)}" if out.along else ""
    say(f"\n== {base}/{arch} without {name}{along}")
    request = Request(base, arch, contents=all_but(out.topics, out.change))
    left_out = tuple(sorted(cell.left_out(cell.of(layout, request))))
    try:
        failed, unknown = _failed(layout, request)
    except TestsFailed as failure:
        return Proof(base, arch, name, out.along, (), (), left_out=left_out,
                     broken=str(failure))
    turned, others = _told_apart(layout, out, failed)
    return Proof(base, arch, name, out.along, turned, others, unknown, left_out)


def _failed(layout: Layout, request: Request) -> tuple[list[str], tuple[str, ...]]:
    """The cases that fail in a cell, and the suites of which that is not known.

    Where a kernel does not survive a suite, that one and those behind it are run one by
    one, if the base can do that.
    """
    verdict = kunit.run(layout, request)
    reported = _reported(verdict)
    cut = list(dict.fromkeys(case.suite for case in verdict.cases
                             if case.reason == DID_NOT_RUN))
    failed = [name for suite in dict.fromkeys(case.suite for case in verdict.cases)
              if suite not in cut for name in _bad(verdict, suite)]
    if not cut:
        return [*failed, *(name for name in reported if name not in failed)], ()
    if not config.base(layout, request.base).kunit_filter:
        return failed + _bad(verdict, cut[0]), tuple(cut[1:])
    for suite in cut:
        failed += _bad(kunit.run(layout, replace(request, part=Part(suite))), suite)
    return failed, ()


def _reported(verdict: Verdict) -> list[str]:
    """The cases during which the kernel has reported something, and what it did outside."""
    reports = [text.removeprefix(REPORT) for text in verdict.against
               if text.startswith(REPORT)]
    return list(dict.fromkeys(text if text.startswith("outside") else text.partition(":")[0]
                              for text in reports))


def _bad(verdict: Verdict, suite: str) -> list[str]:
    """The cases of a suite that failed, and that in which the kernel ended."""
    cases = [case for case in verdict.cases if case.suite == suite and case.status == FAILED]
    ended = [case for case in cases if case.reason == DID_NOT_RUN]
    return [f"{case.suite}.{case.name}" for case in cases if case not in ended[1:]]


def _told_apart(layout: Layout, out: Removal, failed: Iterable[str]
                ) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of the cases that failed, those of the topic, and those of no topic that is out."""
    own = _globs(queue.topic(layout, out.topic))
    any_of_them = [glob for name in out.topics for glob in _globs(queue.topic(layout, name))]
    return (tuple(name for name in failed if _matches(name, own)),
            tuple(name for name in failed if not _matches(name, any_of_them)))


def _globs(topic: Topic) -> list[str]:
    return list(topic.cases) or [f"{suite}.*" for suite in topic.suites]


def _matches(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatch.fnmatch(name, glob) for glob in globs)


def lines(found: list[Proof]) -> list[str]:
    """A line for each proof, and one for each case that failed and should not."""
    width = max(len(proof.topic) for proof in found)
    told = []
    for proof in found:
        told.append(f"{proof.topic:{width}}  {proof.word:9}  {len(proof.turned)} of its "
                    f"cases, {len(proof.others)} others"
                    + (f", without {', '.join(proof.along)}" if proof.along else ""))
        told += [f"{'':{width}}  {text}" for text in (
            *proof.others, *(f"{suite}: not known" for suite in proof.unknown),
            *([proof.broken] if proof.broken else []))]
    return told


def exit_code(found: Iterable[Proof]) -> int:
    """0 if no case failed that should not; what is not shown here may be elsewhere."""
    return TestsFailed.exit_code if any(proof.word == MIXED for proof in found) else 0
