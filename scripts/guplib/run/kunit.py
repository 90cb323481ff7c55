# SPDX-License-Identifier: GPL-2.0-only
"""One cell, from its tree to a verdict: built, run and judged."""

from .. import config
from ..kernel import tree
from ..setup import packages
from ..system import files
from ..system.errors import TestsFailed
from ..system.paths import Layout
from ..system.terminal import say
from . import build, cell, kernellog, results
from .boot import Boot, boot
from .cell import Cell, Request
from .image import Image
from .verdict import PASSED, Verdict, judge


def run(layout: Layout, request: Request) -> Verdict:
    """Build and run a cell, and write its results.json.

    An image that is run several times is so until one run fails. Raises UsageError for
    an unknown base, arch or suite, EnvironmentFault for what the machine lacks,
    TestsFailed when nothing could be built or run.
    """
    wanted = cell.of(layout, request)
    packages.ensure(layout, wanted.arch.needs)
    env = build.environment(layout, request.ccache)
    with tree.use(wanted.tree, request.ksrc,
                  edits_welcome=request.contents.for_people) as ready, \
            files.locked(wanted.lock, f"cell {wanted.shown}"):
        if ready.edits:
            say(f"base {request.base}: testing the tree with your work in it "
                f"({'; '.join(ready.edits[:3])})")
        try:
            made = build.Build(wanted, ready, env).image()
            for number in range(1, request.times + 1):
                verdict = judged(wanted, made, boot(made, request.part, env), request.part)
                results.store(wanted, ready, verdict, request.part)
                if request.times > 1:
                    say(f"{wanted.shown}: run {number} of {request.times}: {verdict.word}")
                if verdict.word != PASSED:
                    break
        except TestsFailed as failure:
            results.store(wanted, ready, Verdict((), (str(failure),)), request.part)
            raise
    return verdict


def judged(ran: Cell, image: Image, came_to: Boot, part: cell.Part) -> Verdict:
    """The verdict on one run of an image of a cell."""
    layout = ran.layout
    log = kernellog.read(came_to.log, config.reports(layout, ran.name))
    return judge(config.cells(layout).without(frozenset(image.absent)), image.kernel,
                 came_to.statuses, log, image.against, part.suite, part.case)
