# SPDX-License-Identifier: GPL-2.0-only
"""The suites, run again and again in a running system.

The kernel is that of the x86_64 cell, with KUnit's files in debugfs: a write to
"run" there has a suite run once more. selftest/rerun.c does so as the init of the
machine, while khugepaged is busy.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from .. import config
from ..kernel import tree
from ..kernel.spec import TreeSpec
from ..setup import packages
from ..system import files
from ..system.errors import UsageError
from ..system.paths import Layout
from . import build, kernellog, selftest

ROOT_FILES = """\
dir /dev 755 0 0
nod /dev/console 600 0 0 c 5 1
nod /dev/kmsg 600 0 0 c 1 11
"""
STARTED = re.compile(r"^rerun: (\S+), round (\d+)$")
RESULT = re.compile(r"^\s*(not )?ok \d+ (?:- )?(\S+)(?:.*# SKIP (.*))?")
TROUBLE = re.compile(r"^(?:/sys/|rerun: mount: )")     # what init says by perror()
NO_HUGE_PAGES, THP = "never", "transparent_hugepage="


def run(layout: Layout, base_name: str) -> list[str]:
    """Build and run the machine; returns what went wrong, a line each.

    Raises EnvironmentFault for what this machine lacks, UsageError for a base
    whose KUnit cannot run a suite again, and TestsFailed if something does not
    build.
    """
    plan = config.rerun(layout)
    if not config.is_among(base_name, plan.bases):
        there = [known for known in config.bases(layout)
                 if config.is_among(known, plan.bases)]
        raise UsageError(f"base {base_name}: KUnit has no file \"run\" in debugfs; take "
                         f"one of {', '.join(there)}")
    packages.ensure(layout, plan.needs)
    folder = layout.rerun(base_name)
    with tree.use(TreeSpec(layout, config.base(layout, base_name)), edits_welcome=True
                  ) as ready, files.locked(folder / "lock", f"gup rerun of base {base_name}"):
        machine = selftest.Machine(layout, ready, _with_rounds(plan),
                                   build.environment(layout, ccache=True), folder)
        init = machine.folder / "init"
        selftest.make(machine, ["gcc", "-Wall", "-O2", "-static",
                                layout.selftest_source / "rerun.c", "-o", init])
        files.write(machine.folder / "root", f"{ROOT_FILES}file /init {init} 755 0 0\n")
        selftest.kernel(machine, config.rerun_fragments(layout, base_name))
        lines = selftest.boot(machine)
    here, cells = f"{base_name}/x86_64", config.cells(layout)
    suites = set(cells.suites) - cells.elsewhere(config.arches(layout)["x86_64"])
    reports = kernellog.read(lines, config.reports(layout, here)).reports
    return faults(sorted(suites), plan.rounds, lines) \
        + [f"kernel report: {text}" for text in reports]


def _with_rounds(plan: config.Rerun) -> config.Rerun:
    """The plan, with the rounds as arguments of the machine's init."""
    return replace(plan, append=f"{plan.append} -- {' '.join(plan.rounds)}")


def faults(suites: list[str], rounds: Sequence[str], lines: list[str]) -> list[str]:
    """What a log has against the rounds of each suite.

    A case that needs huge pages may be skipped in a round that is without.
    """
    found: list[str] = []
    begun: set[tuple[str, int]] = set()
    done: set[tuple[str, int]] = set()
    here = ("", 0)
    for raw in lines:
        line = kernellog.PRINTK_PREFIX.sub("", raw.rstrip("\r\n"))
        if match := STARTED.match(line):
            here = match[1], int(match[2])
            begun.add(here)
        elif (match := RESULT.match(line)) and here[0]:
            if match[2] == here[0]:
                done.add(here)
            elif match[1]:
                found.append(f"{here[0]}.{match[2]} failed in round {here[1]}")
            elif THP in (match[3] or "") and rounds[here[1] - 1] != NO_HUGE_PAGES:
                found.append(f"{here[0]}.{match[2]} was skipped in round {here[1]}: "
                             f"{match[3]}")
        elif TROUBLE.match(line):
            found.append(f"init: {line}")
    for suite in suites:
        for number in range(1, len(rounds) + 1):
            if (suite, number) not in done:
                word = "end" if (suite, number) in begun else "run"
                found.append(f"{suite} did not {word} in round {number}")
    return found
