# SPDX-License-Identifier: GPL-2.0-only
"""From a cell and its tree to an image: configured and built by the tree's kunit.py."""

import contextlib
import hashlib
import os
import re
import shlex
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from .. import config
from ..config import Arch, Base
from ..kernel import tree
from ..kernel.spec import TreeSpec
from ..kernel.state import Tree
from ..system import files, process, settings
from ..system.errors import TestsFailed
from ..system.paths import Layout
from ..system.terminal import Progress, say
from . import buildlog, image, kunit_from_other_tree
from .buildlog import BuildLog
from .cell import Cell, left_out
from .image import Image

CCACHE_FOLDER = Path("/usr/lib/ccache")
SETTLE_SECONDS = 30.0
KUNIT_PY = "tools/testing/kunit/kunit.py"
SHOWN_ERRORS = 20
CONFIG_LINE = re.compile(r"(CONFIG_\w+)=(.*)|# (CONFIG_\w+) is not set")
HEADERS = ("include", "mm/internal.h")
MAKE_CALL = re.compile(r"^\$ make (?:[\w.]+ )*((?:\w+=\S+ )+--jobs=.+)$", re.MULTILINE)
COMMENT = re.compile(r"\s*(?:/\*|\*|//)")
TELLING = (".config", "vmlinux")    # files that any other build would have written anew


class Build:
    """One build of a cell in a tree that is in use."""

    def __init__(self, cell: Cell, ready: Tree, env: dict[str, str]):
        self.cell, self.ready, self.env = cell, ready, env
        cells = config.cells(cell.layout)
        self.names = sorted(cells.names)
        elsewhere = cells.elsewhere(cell.arch)
        self.missing = left_out(cell) - elsewhere
        self.absent = self.missing | elsewhere
        self.program = _program(cell, ready)
        self.settings = self._settings()

    def image(self) -> Image:
        """Build the kernel, if it is not there already, and say what it is.

        Raises TestsFailed when the tree does not build.
        """
        for suite in sorted(self.missing):
            say(f"{self.cell.name}: {suite} is left out: it needs a topic of the queue")
        there = image.load(self.cell.image)
        if there and there.settings == self.settings \
                and there.made_from == self._made_from() != "" \
                and there.stamps == _stamps(self.cell.out):
            return there
        self.cell.image.unlink(missing_ok=True)
        warnings = self._build(there)
        made = self._described(warnings, there)
        image.save(self.cell.image, made)
        return made

    def _settings(self) -> str:
        """A digest of all that the kernel is configured by, and of what is asked of it."""
        parts = [self.ready.state.base, self._fragments(), *self.program,
                 repr(self.cell.arch), repr(self.cell.instrument),
                 repr(self.cell.tree.base), *self.names,
                 *sorted(self.absent), compiler(self.cell.arch)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _made_from(self) -> str:
        """What the kernel is compiled from; empty if there is a person's work in it."""
        return "" if self.ready.edits else self.ready.state.head

    def _described(self, warnings: tuple[str, ...], there: Image | None) -> Image:
        cell, ready = self.cell, self.ready
        log = files.read(cell.folder / "build.log")
        options = _options(files.read(cell.out / ".config"))
        against = [*_lost(cell, options), *(f"build warning: {text}" for text in warnings)]
        return Image(
            cell.name, str(cell.out), str(ready.path), self.program, self._words(),
            cell.arch.exec_arguments + cell.instrument.arguments, cell.tree.base.kunit_filter,
            cell.tree.base.name, tuple(sorted(options)),
            tuple(names_in_headers(ready, self.names)), tuple(sorted(self.absent)),
            tuple(against), self.settings, "" if warnings else self._made_from(),
            _make_call(log) or (there.make if there else ()), _stamps(cell.out))

    def _words(self) -> tuple[str, ...]:
        """What kunit.py is told for the architecture."""
        return tuple(word.replace("{config}", str(self.cell.layout.config))
                     for word in self.cell.arch.kunit_arguments)

    def _kunit(self, verb: str, *words: str) -> list[str]:
        return [*self.program, verb, f"--build_dir={self.cell.out}", *self._words(), *words]

    def _fragments(self) -> str:
        """The joined Kconfig fragments."""
        base, arch = self.cell.tree.base.name, self.cell.arch.name
        joined = "".join(f"# {path.name}\n{files.read(path)}"
                         for path in config.fragments(self.cell.layout, base, arch))
        for suite in self.absent:
            joined = joined.replace(f"{config.suite_option(suite)}=y\n", "")
        for line in self.cell.options:
            joined = _with_option(joined, line)
        return joined

    def _configure(self) -> None:
        """Write the joined fragments and let kunit.py make .config of them."""
        out = self.cell.out
        changed = files.write(out / ".kunitconfig", self._fragments())
        if not changed and (out / ".config").exists():
            return
        (out / ".config").unlink(missing_ok=True)
        log = self.cell.folder / "config.log"
        with Progress(f"{self.cell.name}: configuring") as progress:
            result = process.run(self._kunit("config"), cwd=self.ready.path, env=self.env,
                                 check=False, log=log, watch=progress.tick)
        if result.returncode:
            with contextlib.suppress(FileNotFoundError):
                (out / ".config").rename(out / ".config.refused")
            said = [line for line in result.output.splitlines()
                    if line.startswith(("Missing", "ERROR"))]
            raise TestsFailed(f"{self.cell.name}: kunit.py refuses the configuration: "
                              f"{(said or [result.last_line])[-1]} (log: {log})")

    def _compile(self, touched: list[str], there: Image | None) -> list[str]:
        """What builds the kernel: kunit.py, or where nothing is to be configured, its make.

        kunit.py makes .config and compile_commands.json anew each time, which takes longer
        than the compiler does. A Kconfig that was changed is a reason to let it.
        """
        out = self.cell.out
        settled = there and there.make and there.settings == self.settings \
            and there.stamps.get(".config") == _stamps(out).get(".config") \
            and not any(_is_newer(self.ready.path / name, out / ".config") for name in touched
                        if Path(name).name.startswith("Kconfig"))
        jobs = f"--jobs={settings.of_call.parallel}"
        if not there or not settled:
            return self._kunit("build", jobs)
        return [*(word for word in there.make if not word.startswith("--jobs=")), "-s", jobs]

    def _build(self, there: Image | None) -> tuple[str, ...]:
        """Configure and build; returns the warnings that count."""
        touched = self.ready.touched()
        self._configure()
        with self._unfinished(touched):
            log = self.cell.folder / "build.log"
            began = time.time()
            with Progress(f"{self.cell.name}: building",
                          lambda: _made(self.cell.out, began)) as progress:
                result = process.run(
                    self._compile(touched, there), cwd=self.ready.path, env=self.env,
                    check=False, log=log, watch=progress.tick)
            found = buildlog.read(result.output, self.ready.path, touched)
            _forget(self.cell.out, found.units)
        if result.returncode:
            raise TestsFailed(self._why_not(found, result.last_line, log))
        return found.warnings

    def _why_not(self, found: BuildLog, last_line: str, log: Path) -> str:
        for line in found.errors[:SHOWN_ERRORS]:
            say(line)
        return (f"{self.cell.name}: the tree does not build: "
                f"{(found.errors or (last_line,))[0]} (log: {log})")

    @contextlib.contextmanager
    def _unfinished(self, touched: list[str]) -> Iterator[None]:
        """Mark the build folder while a build is under way.

        A build that was killed can leave a half-written object that looks up to
        date, and the warnings that it printed are lost. The next call therefore
        removes what was written last, and the objects of the touched files.
        """
        mark = self.cell.folder / "building"
        if mark.exists():
            say(f"{self.cell.name}: an earlier build was cut off; going on from there")
            _remove_latest(self.cell.out)
            _forget(self.cell.out, touched)
        files.write(mark, "")
        yield
        mark.unlink()


def environment(layout: Layout, ccache: bool) -> dict[str, str]:
    """The environment of a build: ccache if wanted and there, fixed stamps.

    With paths below the project taken as relative, clones share ccache's store.
    What is included is read off the list that the compiler writes for make, so a
    file that is not in the store is not preprocessed once more for ccache.
    """
    env = {"KBUILD_BUILD_TIMESTAMP": "2026-01-01", "KBUILD_BUILD_USER": "gup",
           "KBUILD_BUILD_HOST": "queue", "LC_ALL": "C", "PYTHONUNBUFFERED": "1"}
    if ccache and CCACHE_FOLDER.is_dir():
        env |= {"PATH": f"{CCACHE_FOLDER}{os.pathsep}{os.environ['PATH']}",
                "CCACHE_BASEDIR": str(layout.root), "CCACHE_NOHASHDIR": "1",
                "CCACHE_DEPEND": "1", "CCACHE_SLOPPINESS": "time_macros"}
    elif not ccache:
        env["CCACHE_DISABLE"] = "1"
    return env


def compiler(arch: Arch) -> str:
    """The compiler of an architecture, in its own words."""
    if not shutil.which(arch.compiler):
        return "unknown"
    return process.run([arch.compiler, "--version"]).output.splitlines()[0]


def _program(cell: Cell, ready: Tree) -> tuple[str, ...]:
    """kunit.py, with the words ahead of its verb."""
    lent = _lent_kunit(cell.layout, cell.tree.base, cell.arch)
    if lent is None:
        return sys.executable, str(ready.path / KUNIT_PY)
    # The folder of what drives another tree's kunit.py is no place to import from.
    return (sys.executable, "-P", kunit_from_other_tree.__file__, str(lent),
            str(ready.path))


def _lent_kunit(layout: Layout, base: Base, arch: Arch) -> Path | None:
    """The kunit.py of another base, where the own one knows UML only."""
    if not base.kunit_of or not arch.kunit_arguments:
        return None
    with tree.use(TreeSpec(layout, config.base(layout, base.kunit_of)),
                  edits_welcome=True) as lender:
        return lender.path / KUNIT_PY


def _make_call(log: str) -> tuple[str, ...]:
    """How kunit.py has called make, less what else it makes; empty if the log has none."""
    found = MAKE_CALL.search(log)
    return ("make", "all", *shlex.split(found[1])) if found else ()


def _is_newer(path: Path, other: Path) -> bool:
    return path.exists() and path.stat().st_mtime_ns > other.stat().st_mtime_ns


def _with_option(fragment: str, line: str) -> str:
    """The fragment with `CONFIG_X=VALUE` in place of what it says of CONFIG_X."""
    name, _, value = line.partition("=")
    rest = re.sub(rf"^(?:# )?{name}(?:=| is not set).*\n", "", fragment, flags=re.MULTILINE)
    return rest + (f"# {name} is not set\n" if value == "n" else f"{line}\n")


def _stamps(out: Path) -> dict[str, int]:
    """When the files of a build folder that tell of a build were written, in ns."""
    return {name: (out / name).stat().st_mtime_ns for name in TELLING
            if (out / name).exists()}


def _remove_latest(out: Path) -> None:
    """Remove the outputs of the last SETTLE_SECONDS of an earlier build."""
    outputs = [(path.stat().st_mtime, path) for path in out.rglob("*")
               if (path.suffix in (".o", ".a", ".cmd", ".dbg")
                   or path.name in ("linux", "vmlinux", "modules.order"))
               and path.is_file()]
    newest = max((stamp for stamp, _ in outputs), default=0.0)
    for stamp, path in outputs:
        if newest - stamp <= SETTLE_SECONDS:
            path.unlink()


def _forget(out: Path, units: Iterable[str]) -> None:
    """Remove the objects of C files, so that their warnings come again."""
    for name in units:
        if name.endswith(".c"):
            (out / name).with_suffix(".o").unlink(missing_ok=True)


def _made(out: Path, since: float) -> str:
    """How many objects were made since then, in seconds of time.time()."""
    count = 0
    for folder, _, names in os.walk(out):
        for name in names:
            if name.endswith(".o"):
                with contextlib.suppress(FileNotFoundError):
                    count += os.stat(os.path.join(folder, name)).st_mtime >= since
    return f"{count} objects made"


def _options(text: str) -> set[str]:
    """The options that a .config sets."""
    options: set[str] = set()
    for line in text.splitlines():
        if match := CONFIG_LINE.fullmatch(line):
            name, value = match[1] or match[3], match[2] or "n"
            options = options - {name} if value == "n" else options | {name}
    return options


def names_in_headers(ready: Tree, names: list[str]) -> Iterator[str]:
    """Which names the headers of a tree declare; f() has to be a function or macro."""
    if not names:
        return
    words = "|".join(name.removesuffix("()") for name in names)
    said = ready.git.run("grep", "-hwE", words, "--", *HEADERS, check=False).output
    lines = "\n".join(line for line in said.splitlines() if not COMMENT.match(line))
    for name in names:
        word = re.escape(name.removesuffix("()"))
        if re.search(rf"^(?:[\w#].*\W)?{word}\(" if name.endswith("()") else rf"\b{word}\b",
                     lines, re.MULTILINE):
            yield name


def _lost(cell: Cell, there: set[str]) -> Iterator[str]:
    """Options that an architecture is there for, and that .config does not have.

    What was asked for by --kconfig-add counts as intended.
    """
    asked = {line.partition("=")[0] for line in cell.options}
    for options in cell.arch.options:
        names = options.split("|")
        met = any((name.removeprefix("!") in there) != name.startswith("!")
                  for name in names)
        if not met and not asked & {name.removeprefix("!") for name in names}:
            yield (f"{cell.arch.name} is there for {' or '.join(names)}, and .config has it "
                   "otherwise (config/arches.toml)")
