# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's own gup_test, run on a base in a machine of QEMU.

The machine has no disk: its files are linked into the kernel. They are
selftest/init.c and the kernel's gup_test, once as it is and once with
selftest/unwritten.c.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from .. import config
from ..config import Rerun, Selftest
from ..kernel import tree
from ..kernel.spec import UNPATCHED, WHOLE, TreeSpec
from ..kernel.state import Tree
from ..setup import packages
from ..system import files, process, settings
from ..system.errors import TestsFailed, UsageError
from ..system.paths import Layout
from ..system.terminal import Progress
from . import build, kernellog

RUN_SECONDS = 120
# Where a base has the test: the folder was called vm before v6.3.
TEST_FOLDERS = ("tools/testing/selftests/mm", "tools/testing/selftests/vm")
ROOT_FILES = """\
dir /dev 755 0 0
nod /dev/console 600 0 0 c 5 1
nod /dev/zero 666 0 0 c 1 5
dir /written 755 0 0
dir /unwritten 755 0 0
"""
ENDED = re.compile(r"^selftest: '(.+)' ended with (\d+)$")
ZERO_PAGES = re.compile(r"^selftest: the zero page was (\d+) of (\d+) pages$")
REFUSED = re.compile(r"^not ok |# SKIP")


@dataclass(frozen=True)
class Machine:
    """What one run is made of, and the folder that it is made in."""

    layout: Layout
    tree: Tree
    plan: Selftest | Rerun
    env: dict[str, str]
    folder: Path        # programs, kernel and logs

    @property
    def out(self) -> Path:
        """The kernel's build folder."""
        return self.folder / "out"

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"{self.tree.base.name}/{self.folder.name.partition('-')[0]}"


def run(layout: Layout, base_name: str, patched: bool = True) -> list[str]:
    """Build and run the test; returns what went wrong, a line each.

    Raises EnvironmentFault for what the machine lacks, UsageError for a base
    without the test, and TestsFailed if something does not build.
    """
    plan = config.selftest(layout)
    packages.ensure(layout, plan.needs)
    spec = TreeSpec(layout, config.base(layout, base_name), WHOLE if patched else UNPATCHED)
    folder = layout.selftest(base_name, spec.contents.name)
    with tree.use(spec, edits_welcome=True) as ready, \
            files.locked(folder / "lock", f"gup selftest of base {base_name}"):
        machine = Machine(layout, ready, plan, build.environment(layout, ccache=True), folder)
        _programs(machine)
        _root(machine, plan)
        kernel(machine, config.selftest_fragments(layout, base_name))
        lines = boot(machine)
    reports = kernellog.read(lines, config.reports(layout, f"{base_name}/selftest")).reports
    return faults(plan, lines) + [f"kernel report: {text}" for text in reports]


def faults(plan: Selftest, lines: list[str]) -> list[str]:
    """What the log of a machine has against the runs of a plan."""
    found: list[str] = []
    ended: dict[str, int] = {}
    zero = total = 0
    for raw in lines:
        line = kernellog.PRINTK_PREFIX.sub("", raw.rstrip("\r\n"))
        if match := ZERO_PAGES.match(line):
            zero, total = int(match[1]), int(match[2])
        elif REFUSED.search(line):
            found.append(line)
        elif match := ENDED.match(line):
            ended[match[1]] = int(match[2])
            if match[1] in plan.zero and not 0 < zero == total:
                found.append(f"{match[1]}: the zero page was {zero} of {total} pages")
            zero = total = 0
    for words in (*plan.runs, *plan.zero):
        if words not in ended:
            found.append(f"{words}: did not run to its end")
        elif ended[words]:
            found.append(f"{words}: ended with {ended[words]}")
    return found


def _programs(machine: Machine) -> None:
    """Compile init, and the test in both forms, by the tree's own Makefile."""
    source, folder = machine.layout.selftest_source, machine.folder
    test = next((path for name in TEST_FOLDERS
                 if (path := machine.tree.path / name / "gup_test.c").exists()), None)
    if test is None:
        raise UsageError(f"base {machine.tree.base.name} has no gup_test.c; "
                         "take a newer one")
    folder.mkdir(parents=True, exist_ok=True)
    extra = folder / "unwritten.o"
    compiler = ["gcc", "-Wall", "-O2"]
    make(machine, [*compiler, "-static", source / "init.c", "-o", folder / "init"])
    make(machine, [*compiler, f"-I{machine.tree.path}", "-c", source / "unwritten.c",
                   "-o", extra])
    for name, more in (("written", ""), ("unwritten", f" -Wl,--wrap=ioctl {extra}")):
        program = folder / name / "gup_test"
        program.parent.mkdir(exist_ok=True)
        program.unlink(missing_ok=True)
        make(machine, ["make", "-s", "-C", test.parent, f"OUTPUT={program.parent}",
                       f"LDLIBS=-static -lpthread{more}", program])


def _root(machine: Machine, plan: Selftest) -> None:
    """Say which files the machine has."""
    folder = machine.folder
    files.write(folder / "runs", "".join(
        f"{line}\n" for line in (*plan.runs, *plan.zero)))
    files.write(folder / "root", ROOT_FILES + "".join(
        f"file /{name} {folder / name} 755 0 0\n"
        for name in ("init", "runs", "written/gup_test", "unwritten/gup_test")))


def kernel(machine: Machine, fragments: list[Path]) -> None:
    """Configure and build the kernel, with the files that "root" lists inside."""
    folder, out = machine.folder, machine.out
    wanted = "".join(files.read(path) for path in fragments) \
        + f'CONFIG_INITRAMFS_SOURCE="{folder / "root"}"\n'
    words = ["make", f"O={out}", "ARCH=x86_64"]
    if files.write(folder / "fragment", wanted) or not (out / ".config").exists():
        make(machine, [*words, f"KCONFIG_ALLCONFIG={folder / 'fragment'}",
                       "allnoconfig"])
    got = files.read(out / ".config").splitlines()
    for line in wanted.splitlines():
        if line.startswith("CONFIG_") and line not in got:
            raise TestsFailed(f"base {machine.tree.base.name}: {line} is not to be had; "
                              f"see to {fragments[-1]}")
    make(machine, [*words, f"-j{settings.of_call.parallel}", "bzImage"])


def make(machine: Machine, argv: list[str | Path]) -> None:
    """Run a step of the build; raises TestsFailed if it fails."""
    log = machine.folder / "build.log"
    what = f"{machine.name}: {Path(argv[-1]).name}"
    with Progress(what) as progress:
        result = process.run(argv, cwd=machine.tree.path, env=machine.env, check=False,
                             log=log, watch=progress.tick)
    if result.returncode:
        raise TestsFailed(f"{what} does not build: {result.last_line} (log: {log})")


def boot(machine: Machine) -> list[str]:
    """Run the machine; returns what its console said."""
    log = machine.folder / "test.log"
    with Progress(f"{machine.name}: running") as progress:
        result = process.run(
            ["timeout", str(settings.of_call.timeout or RUN_SECONDS), *machine.plan.qemu, "-kernel",
             machine.out / machine.plan.kernel, "-append", machine.plan.append],
            check=False, log=log, watch=progress.tick)
    return result.output.splitlines()
