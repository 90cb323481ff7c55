# SPDX-License-Identifier: GPL-2.0-only
"""A cell: the suites of a tree on an architecture, and where its files are."""

import fnmatch
import re
from dataclasses import dataclass
from pathlib import Path

from .. import config, queue
from ..config import PLAIN, Arch, Cells, Instrument
from ..kernel.source import Source
from ..kernel.spec import UNPATCHED, WHOLE, Contents, TreeSpec
from ..system.errors import UsageError
from ..system.paths import IMAGE, RESULTS, Layout

EVERY = "*"
UNBUILDABLE = re.compile(r"[^\w/.,+@^-]")      # for make, or for a shell that it calls


@dataclass(frozen=True)
class Part:
    """What of a cell is run: the suites and the cases whose names match two globs."""

    suite: str = EVERY
    case: str = EVERY

    @property
    def glob(self) -> str:
        """The part as KUnit takes it; EVERY for all."""
        return self.suite if self.case == EVERY else f"{self.suite}.{self.case}"


EVERYTHING = Part()


@dataclass(frozen=True)
class Cell:
    """A tree on an architecture, with an instrument and options of the person.

    kconfig: options on top of all others, as CONFIG_X=y.
    """

    tree: TreeSpec
    arch: Arch
    kconfig: tuple[str, ...] = ()
    instrument: Instrument = PLAIN

    @property
    def layout(self) -> Layout:
        """The project that it is a cell of."""
        return self.tree.layout

    @property
    def name(self) -> str:
        """BASE/ARCH, as in cells.toml."""
        return f"{self.tree.base.name}/{self.arch.name}"

    @property
    def shown(self) -> str:
        """The name, and what sets this cell apart from others of that name."""
        apart = (self.tree.contents.name, self.instrument.name)
        return " ".join([self.name, *(name for name in apart if name), *self.kconfig])

    @property
    def options(self) -> tuple[str, ...]:
        """The options on top of the fragments, the last word on each last."""
        return self.instrument.options + self.kconfig

    @property
    def folder(self) -> Path:
        """Where image, results and logs go."""
        return self.layout.cell(self.tree.base.name, self.arch.name,
                                self.tree.contents.name, self.kconfig,
                                self.instrument.name)

    @property
    def out(self) -> Path:
        """kunit.py's build folder, with its log of the kernel in test.log."""
        return self.folder / "out"

    @property
    def image(self) -> Path:
        """What is known of the kernel that was built."""
        return self.folder / IMAGE

    @property
    def results(self) -> Path:
        """What the last run came to."""
        return self.folder / RESULTS

    @property
    def lock(self) -> Path:
        """Held while the cell is built or run."""
        return self.folder / "lock"


@dataclass(frozen=True)
class Request:
    """A call to run a cell: its names, and what is special about this run.

    kconfig: options on top of the cell's fragments, each as CONFIG_X=y. ksrc: the
    kernel instead of the base's package. times: how often the image is run.
    """

    base: str
    arch: str
    part: Part = EVERYTHING
    contents: Contents = WHOLE
    kconfig: tuple[str, ...] = ()
    ksrc: Source | None = None
    ccache: bool = True
    times: int = 1
    instrument: str = ""

    @property
    def patched(self) -> bool:
        """Whether the series is to make a difference."""
        return self.contents != UNPATCHED


def of(layout: Layout, request: Request) -> Cell:
    """The cell that a request names.

    Raises UsageError for an unknown base, arch, suite or case, for a suite that is not
    there on the arch, and for a path that nothing can be built in.
    """
    base = config.base(layout, request.base)
    arch = config.cell_arch(layout, request.base, request.arch)
    _require_part(config.cells(layout), arch, request.part)
    require_plain_path(layout)
    return Cell(TreeSpec(layout, base, request.contents), arch, request.kconfig,
                config.instrument(layout, request.instrument, arch.name))


def _require_part(cells: Cells, arch: Arch, part: Part) -> None:
    meant = fnmatch.filter(cells.suites, part.suite)
    if not meant:
        raise UsageError(f"no suite matches '{part.suite}'; there are: "
                         f"{', '.join(cells.suites)}")
    cases = sorted(case for suite in meant for case in cells.suites[suite])
    if not fnmatch.filter(cases, part.case):
        raise UsageError(f"no case of '{part.suite}' matches '{part.case}'; there are: "
                         f"{', '.join(cases)}")
    if not {*meant} - cells.elsewhere(arch):
        raise UsageError(f"no suite that runs on {arch.name} matches '{part.suite}'")


def require_plain_path(layout: Layout) -> None:
    """Raise UsageError for a path that the kernel's Makefile, or a shell, would not take."""
    if bad := UNBUILDABLE.search(str(layout.build)):
        raise UsageError(f"{layout.build}: a kernel cannot be built below a path with "
                         f"'{bad[0]}' in it; move the clone")


def left_out(cell: Cell) -> frozenset[str]:
    """The suites that cannot run because a topic is not in the tree.

    In a tree that is to pass, these are the suites of all topics that are missing. In
    one that is to fail, those that do not compile without them.
    """
    contents, base = cell.tree.contents, cell.tree.base.name
    missing = contents.lacks(queue.series(cell.layout, base))
    return frozenset(suite for topic in queue.topics(cell.layout)
                     if topic.name in missing and (contents.green or topic.adds)
                     for suite in topic.suites)
