# SPDX-License-Identifier: GPL-2.0-only
"""Every prefix of a series on its own, and the first patch that breaks."""

from .. import config, queue
from ..kernel import tree
from ..kernel.spec import TreeSpec, prefix
from ..run import kunit
from ..run.cell import Request
from ..run.show import show
from ..run.verdict import FAILED, PASSED, Verdict
from ..system.errors import TestsFailed
from ..system.paths import Layout
from ..system.terminal import say


def run(layout: Layout, base: str, arch: str, drop: bool = False) -> None:
    """Build and run the prefixes of a base's series, the shortest first.

    Raises TestsFailed with the patch behind which a prefix fails; errors of
    the machine or of the stored files are raised as they are.
    """
    own = config.base(layout, base)
    config.cell_arch(layout, base, arch)
    queue.require_sound(layout)
    patches = queue.series(layout, base)
    if drop:
        spec = TreeSpec(layout, own, prefix(0))
        with tree.hold(spec):
            tree.prepare(spec, drop=True)
    for first in range(len(patches) + 1):
        name = f"{patches[first - 1].relative_to(layout.patches)}" if first \
            else "the base without a patch"
        say(f"\n== {first} of {len(patches)} patches: {name}")
        try:
            verdict = kunit.run(layout, Request(base, arch, contents=prefix(first)))
        except TestsFailed as failure:
            raise TestsFailed(_first_bad(base, first, len(patches), name, str(failure))
                              ) from failure
        show(f"{base}/{arch} with {first} of {len(patches)} patches", verdict)
        if verdict.word != PASSED:
            raise TestsFailed(_first_bad(base, first, len(patches), name,
                                         _reason(verdict)))
    say(f"\nbase {base}: every prefix of {len(patches)} patches passed")


def _first_bad(base: str, first: int, count: int, name: str, reason: str) -> str:
    return (f"base {base}: {first} of {count} patches do not pass, and the first to "
            f"break is {name}: {reason}")


def _reason(verdict: Verdict) -> str:
    """What stands against a prefix, on one line."""
    found = [f"{case.suite}.{case.name}" for case in verdict.cases
             if case.status == FAILED] + list(verdict.against)
    return "; ".join(found[:3]) + (f"; and {len(found) - 3} more" if found[3:] else "")
