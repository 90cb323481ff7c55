# SPDX-License-Identifier: GPL-2.0-only
"""All checks of the project, and one count of them."""

import functools
import json
import os
import sys
import xml.etree.ElementTree
from collections.abc import Callable, Iterator
from dataclasses import asdict

from .. import config, queue
from ..delivery import cover_letter, selection
from ..evidence import recorded_results
from ..evidence.resume import Log
from ..kernel import tree
from ..kernel.spec import TreeSpec
from ..kernel.state import Tree
from ..lint import patches, scripts
from ..queue import patchfile
from ..run import kunit
from ..run.cell import Request
from ..run.show import show
from ..run.verdict import FAILED, PASSED, SKIPPED, Verdict
from ..setup import packages
from ..system import files, process, schema
from ..system.errors import EnvironmentFault, GupError
from ..system.paths import Layout
from ..system.terminal import Progress, say
from ..upkeep import refresh
from . import debian_source, exports, promised
from .summary import Summary

STEPS = ("unit", "rules", "tables", "promises", "refresh", "quilt", "export", "kunit", "lint")
SLOW_STEPS = ("debian",)    # made only when they are named


class _Steps:
    """The steps of one call: each is made once, also over a call that was cut off."""

    def __init__(self, layout: Layout, resume: bool):
        self.log = Log(layout, layout.check_done, resume)
        self.summary = Summary()

    def make(self, name: str, check: Callable[[Summary], None]) -> None:
        """Make a check, or count what it came to before."""
        found = self.log.get(name)
        if found is None:
            own = Summary()
            check(own)
            self.log.put(name, asdict(own))
        else:
            own = schema.fill(Summary, found, f"{self.log.path}: {name}")
            say(f"{name}: {own.line}, as it was checked before")
        self.summary.add(own)


def run(layout: Layout, steps: tuple[str, ...], bases: list[str], resume: bool = False
        ) -> Summary:
    """Make the checks of the named steps on the named bases.

    With resume, those that a call which was cut off has made are not made again.
    """
    packages.ensure(layout, ["kernel", "toml", "check", "lint", "mail",
                             *(step for step in steps if step in SLOW_STEPS)])
    made = _Steps(layout, resume)
    if "unit" in steps:
        made.make("unit tests", lambda own: _unit(layout, own))
    defects = queue.defects(layout)
    if "rules" in steps or defects:
        made.make("rules", lambda own: _rules(layout, own))
    if "lint" in steps:
        made.make("lint of scripts", lambda own: own.record_all(scripts.check(layout)))
    if "tables" in steps and not defects:
        made.make("tables", lambda own: _tables(layout, own))
    if "promises" in steps and not defects:
        made.make("promises", lambda own: _promises(layout, own))
    if not defects:
        _on_bases(layout, steps, bases, made)
    made.log.close()
    return made.summary


def _rules(layout: Layout, summary: Summary) -> None:
    summary.record("rules", queue.problems(layout) or selection.cover_problems(layout))
    _unfinished(layout, summary)


def _tables(layout: Layout, summary: Summary) -> None:
    summary.record("tables", recorded_results.problems(layout))
    for name, reason in recorded_results.gaps(layout):
        summary.skip(f"proof of {name}", reason)


def _promises(layout: Layout, summary: Summary) -> None:
    """What the cases hold, as far as no tree is needed, and which ones are not written."""
    summary.record("promises", promised.problems(layout))
    for name, reason in promised.missing(layout):
        summary.skip(name, reason)


def _unfinished(layout: Layout, summary: Summary) -> None:
    """Say of which cover letters nothing is said yet."""
    for base in config.bases(layout):
        path = layout.cover(base)
        if path.exists() and cover_letter.UNFINISHED in files.read(path):
            summary.skip(f"series/{path.name}", f"has {cover_letter.UNFINISHED} in it: it is "
                         "not finished")


def _on_bases(layout: Layout, steps: tuple[str, ...], bases: list[str], made: _Steps) -> None:
    """Make the checks that need kernel trees; a base is skipped if not to be had."""
    if not {"promises", "refresh", "quilt", "export", "kunit", "lint",
            *SLOW_STEPS} & set(steps):
        return
    had = 0
    for base in bases:
        try:
            ready = _tree(layout, base)
        except EnvironmentFault as fault:
            made.summary.skip(f"base {base}", str(fault))
            continue
        except GupError as error:
            made.summary.record(f"tree {base}", [str(error)])
            had += 1
            continue
        had += 1
        _on_base(ready, steps, made)
    if bases and not had:
        made.summary.record("bases", ["no base could be had"])


def _on_base(ready: Tree, steps: tuple[str, ...], made: _Steps) -> None:
    """Make the checks of one base, of which there is a tree."""
    layout, base = ready.spec.layout, ready.base.name
    if "promises" in steps:
        made.make(f"promises {base}", lambda own: own.record(
            f"promises {base}", promised.base(ready)))
    if "refresh" in steps:
        made.make(f"refresh {base}", lambda own: own.record(
            f"refresh {base}", _unlike(layout, base)))
    if "quilt" in steps:
        made.make(f"quilt {base}", lambda own: own.record(
            f"quilt {base}", _quilt(layout, ready)))
    if "export" in steps:
        made.make(f"export {base}", lambda own: _exports(ready, own))
    if "kunit" in steps:
        for arch in config.arches(layout).values():
            if arch.is_checked(base):
                request = Request(base, arch.name)
                made.make(f"kunit {base}/{arch.name}", functools.partial(
                    _kunit, layout, request, compare="tables" in steps))
    if "lint" in steps:
        newest = list(config.bases(layout))[-1]
        made.make(f"lint {base}", lambda own: own.record_all(
            patches.base(ready, suites=base == newest)))
    if "debian" in steps:
        made.make(f"debian {base}", lambda own: _debian(layout, base, own))


def _exports(ready: Tree, summary: Summary) -> None:
    base = ready.base.name
    with Progress(f"base {base}: exporting in every form"), tree.use_base(ready.spec):
        summary.record_all(exports.base(ready))


def _tree(layout: Layout, base: str) -> Tree:
    with tree.use(TreeSpec(layout, config.base(layout, base))) as ready:
        return ready


def _unit(layout: Layout, summary: Summary) -> None:
    """The tool's own tests, by pytest of whichever Python has it."""
    report = layout.check_log / "unit.xml"
    with Progress("unit tests") as progress:
        result = process.run(
            [_python_with_pytest(), "-m", "pytest", "-q", "-n", "auto", "-p", "no:cacheprovider",
             f"--junitxml={report}", layout.scripts / "tests"],
            cwd=layout.root, check=False, log=layout.check_log / "unit.log",
            watch=progress.tick)
    if not report.exists():
        summary.record("unit tests", [f"pytest gave no report: {result.last_line}"])
        return
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"
        if (skipped := case.find("skipped")) is not None:
            summary.skip(f"unit {name}", skipped.get("message", ""))
            continue
        bad = [bad.get("message", "").splitlines()[0] or "failed"
               for kind in ("failure", "error") for bad in case.findall(kind)]
        summary.record(f"unit {name}", bad[:1])
    report.unlink()


def _python_with_pytest() -> str:
    """A Python that has pytest and its xdist: this one, or Debian's."""
    for python in (sys.executable, "/usr/bin/python3"):
        if process.run([python, "-c", "import pytest, xdist"], check=False).returncode == 0:
            return python
    raise EnvironmentFault("no Python here has pytest and xdist; install "
                           "python3-pytest-xdist")


def _unlike(layout: Layout, base: str) -> list[str]:
    """The stored files that a refresh of an unchanged tree would change."""
    try:
        return [f"{line}; not in its stored form, run gup refresh --base {base}"
                for line in refresh.differences(layout, base)]
    except GupError as error:
        return [str(error)]


def _quilt(layout: Layout, ready: Tree) -> list[str]:
    """Push a base's series by quilt, with no fuzz, on the touched files."""
    name = ready.base.name
    place = layout.check_log / f"quilt-{name}"
    patches = queue.series(layout, name)
    if not patches:
        return []
    touched = sorted({file for path in patches for file in patchfile.read(path).files})
    process.run(["rm", "-rf", place])
    for file in touched:
        content = ready.git.run("show", f"{ready.state.base}:{file}", check=False)
        if content.returncode == 0:
            files.scratch(place / file, content.output)
    (place / "patches").symlink_to(os.path.relpath(layout.patches, place))
    env = {"QUILT_PATCHES": "patches", "LC_ALL": "C",
           "QUILT_SERIES": os.path.relpath(layout.series(name), layout.patches)}
    result = process.run(["quilt", "--quiltrc=-", "push", "-a", "--fuzz=0"], cwd=place,
                         env=env, check=False,
                         log=layout.check_log / f"quilt-{name}.log")
    if result.returncode:
        return [f"series/{name} does not push: {result.last_line}"]
    return []


def _debian(layout: Layout, base: str, summary: Summary) -> None:
    """Debian's source package with our patches; skipped where it is not to be had."""
    try:
        summary.record_all(debian_source.base(layout, base))
    except EnvironmentFault as fault:
        summary.skip(f"debian {base}", str(fault))
    except GupError as error:
        summary.record(f"debian {base}", [str(error)])


def _kunit(layout: Layout, request: Request, summary: Summary, compare: bool) -> None:
    """One cell: each case counts, and so does whatever else stands against it.

    With compare, the cell also has to agree with the tables of README.
    """
    name = f"{request.base}/{request.arch}"
    try:
        verdict = kunit.run(layout, request)
    except GupError as error:
        summary.record(f"kunit {name}", [str(error)])
        return
    show(name, verdict)
    summary.passed += verdict.count(PASSED)
    summary.skipped += verdict.count(SKIPPED)
    summary.failures += [f"{name} {text}" for text in _failed(verdict)]
    if compare:
        results = json.loads(files.read(layout.results(request.base, request.arch)))
        measure = recorded_results.of_results(results)
        summary.record(f"measured {name}",
                       recorded_results.disagreement(layout, measure))


def _failed(verdict: Verdict) -> Iterator[str]:
    for case in verdict.cases:
        if case.status == FAILED:
            yield f"{case.suite}.{case.name}"
    yield from verdict.against
