# SPDX-License-Identifier: GPL-2.0-only
"""Run one cell: the suites on a base, built and run by the tree's kunit.py."""

import contextlib
import fnmatch
import json
import os
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .. import config, queue
from ..config import Arch, Base, Cells, Kernel
from ..kernel import tree
from ..kernel.source import Source
from ..kernel.tree import Place, Tree
from ..setup import packages
from ..system import files, process, settings
from ..system.errors import TestsFailed, UsageError
from ..system.git import Git
from ..system.paths import RESULTS, Layout
from ..system.terminal import Progress, say
from . import buildlog, kernellog, kunit_from_other_tree
from .verdict import FAILED, NOT_APPLICABLE, PASSED, SKIPPED, Case, Verdict, judge

CCACHE_FOLDER = Path("/usr/lib/ccache")
RUN_SECONDS = 300
SETTLE_SECONDS = 30.0
JSON_STATUS = {"PASS": PASSED, "SKIP": SKIPPED}
FILTER_ALL = "*"
KUNIT_PY = "tools/testing/kunit/kunit.py"
SHOWN_ERRORS = 20
CONFIG_LINE = re.compile(r"(CONFIG_\w+)=(.*)|# (CONFIG_\w+) is not set")
HEADERS = ("include", "mm/internal.h")
UNBUILDABLE = re.compile(r"[^\w/.,+@^-]")      # for make, or for a shell that it calls
COMMENT = re.compile(r"\s*(?:/\*|\*|//)")


@dataclass(frozen=True)
class Request:
    """What to run: a cell, and what is special about this run.

    first: take that many patches of the series, in a tree of their own.
    kconfig: options on top of the cell's fragments, each as CONFIG_X=y. suite and
    case: globs of what to run.
    """

    base: str
    arch: str
    suite: str = FILTER_ALL
    ksrc: Source | None = None
    ccache: bool = True
    patched: bool = True
    first: int | None = None
    kconfig: tuple[str, ...] = ()
    case: str = FILTER_ALL

    @property
    def part(self) -> str:
        """What of the suites is run, as KUnit takes it; FILTER_ALL for all."""
        return self.suite if self.case == FILTER_ALL else f"{self.suite}.{self.case}"


@dataclass(frozen=True)
class Cell:
    """The files of one cell and what it is made of.

    kunit is the program that drives it, with the words that come first; absent
    are the suites that the architecture is not there for, or whose functions the
    tree does not have.
    """

    layout: Layout
    tree: Tree
    arch: Arch
    kunit: tuple[Path, ...]
    absent: frozenset[str]
    kconfig: tuple[str, ...]

    @property
    def name(self) -> str:
        """BASE/ARCH, as in cells.toml."""
        return f"{self.tree.base.name}/{self.arch.name}"

    @property
    def folder(self) -> Path:
        """Where results and logs go."""
        return self.layout.cell(self.tree.base.name, self.arch.name,
                                self.tree.place.patched, self.tree.place.bisect,
                                self.kconfig)

    @property
    def out(self) -> Path:
        """kunit.py's build folder, with its log of the kernel in test.log."""
        return self.folder / "out"


def run(layout: Layout, request: Request) -> Verdict:
    """Build and run a cell, write its results.json and show its table.

    Raises UsageError for an unknown base, arch or suite, EnvironmentFault for
    what the machine lacks, TestsFailed when nothing could be built or run.
    """
    base = config.base(layout, request.base)
    arch = config.cell_arch(layout, request.base, request.arch)
    _require_suite(layout, request)
    require_plain_path(layout)
    packages.ensure(layout, arch.needs)
    place = Place(layout, base, request.patched and request.first is None, request.first)
    cells = config.cells(layout)
    elsewhere = cells.elsewhere(arch)
    if not {*fnmatch.filter(cells.suites, request.suite)} - elsewhere:
        raise UsageError(f"no suite that runs on {arch.name} matches '{request.suite}'")
    absent = _absent(place) | elsewhere
    lent = _lent_kunit(layout, base, arch)
    with tree.hold(layout, request.base):
        ready = tree.prepare(place, request.ksrc, edits_welcome=not place.bisect)
        kunit = (Path(kunit_from_other_tree.__file__), lent, ready.path) if lent \
            else (ready.path / KUNIT_PY,)
        cell = Cell(layout, ready, arch, kunit, absent, request.kconfig)
        for suite in sorted(absent - elsewhere):
            say(f"{cell.name}: {suite} is left out: it needs a topic of the queue")
        if ready.edits:
            say(f"base {request.base}: testing the tree with your work in it "
                f"({'; '.join(ready.edits[:3])})")
        env = environment(layout, request.ccache)
        try:
            built = _build(cell, env)
            ran = _execute(cell, env, request.part)
        except TestsFailed as failure:
            _store(cell, Verdict((), (str(failure),)), request.part)
            raise
        log = kernellog.read(_log_lines(cell), config.reports(layout, cell.name))
        kernel = _kernel(cell, cells)
        against = [*_lost(cell, kernel),
                   *(f"build warning: {text}" for text in built.warnings)]
        verdict = judge(cells.without(absent), kernel, ran, log, against, request.suite,
                        request.case)
        _store(cell, verdict, request.part)
    return verdict


def results(layout: Layout, request: Request) -> Path:
    """Where a cell's results.json is."""
    return layout.cell(request.base, request.arch, request.patched, False,
                       request.kconfig) / RESULTS


def show(cell_name: str, verdict: Verdict, every: bool = False) -> None:
    """Print a cell's table, what it lacks, what failed, and last of all the verdict.

    Cases that have skipped or do not apply are one line for each thing that they
    need; if every one is wanted, they are also named, ahead of the table.
    """
    if every:
        for case in verdict.cases:
            if case.status in (SKIPPED, NOT_APPLICABLE):
                _show_case(case)
    _show_table(verdict)
    for status in (SKIPPED, NOT_APPLICABLE):
        counts = Counter(case.lacking for case in verdict.cases if case.status == status)
        for lacking, count in counts.most_common():
            say(f"{count} need{'s' if count == 1 else ''} {lacking}")
    for case in verdict.cases:
        if case.status == FAILED:
            _show_case(case)
    for line in verdict.against:
        say(f"failed: {line}")
    say(f"{cell_name}: {verdict.word}, {len(verdict.cases)} cases")


def _show_case(case: Case) -> None:
    reason = case.reason.replace("\n", "\n    ")
    say(f"{case.status}: {case.suite}.{case.name}\n    {reason}")


def _show_table(verdict: Verdict) -> None:
    """Print a row for each suite, and one for all of them."""
    rows = [(name, Verdict(tuple(case for case in verdict.cases if case.suite == name), ()))
            for name in dict.fromkeys(case.suite for case in verdict.cases)]
    rows.append(("all", verdict))
    width = max(len(name) for name in ("suite", *(name for name, _ in rows)))
    say(f"\n{'suite':{width}}  passed  failed  skipped  n/a")
    for name, part in rows:
        say(f"{name:{width}}  {part.count(PASSED):6}  {part.count(FAILED):6}  "
            f"{part.count(SKIPPED):7}  {part.count(NOT_APPLICABLE):3}")


def _require_suite(layout: Layout, request: Request) -> None:
    suites = config.cells(layout).suites
    if not fnmatch.filter(suites, request.suite):
        raise UsageError(f"no suite matches '{request.suite}'; there are: "
                         f"{', '.join(suites)}")
    cases = sorted(case for suite in fnmatch.filter(suites, request.suite)
                   for case in suites[suite])
    if not fnmatch.filter(cases, request.case):
        raise UsageError(f"no case of '{request.suite}' matches '{request.case}'; there are: "
                         f"{', '.join(cases)}")


def require_plain_path(layout: Layout) -> None:
    """Raise UsageError for a path that the kernel's Makefile, or a shell, would not take."""
    if bad := UNBUILDABLE.search(str(layout.build)):
        raise UsageError(f"{layout.build}: a kernel cannot be built below a path with "
                         f"'{bad[0]}' in it; move the clone")


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


def _absent(place: Place) -> frozenset[str]:
    """The suites that cannot run because a topic is not in the tree.

    Without the series these are the suites that do not compile then; behind
    a part of the series, those of all topics that are still to come.
    """
    if place.patched:
        return frozenset()
    topics, base = queue.topics(place.layout), place.base.name
    if place.bisect:
        behind = {path.parent.name for path in
                  queue.series(place.layout, base)[place.first:]}
        missing = [topic for topic in topics if topic.name in behind]
    else:
        missing = [topic for topic in topics
                   if topic.adds and topic.status[base] == "needed"]
    return frozenset(suite for topic in missing for suite in topic.suites)


def _lent_kunit(layout: Layout, base: Base, arch: Arch) -> Path | None:
    """The kunit.py of another base, where the own one knows UML only."""
    if not base.kunit_of or not arch.kunit_arguments:
        return None
    other = Place(layout, config.base(layout, base.kunit_of))
    with tree.hold(layout, other.base.name):
        lender = tree.prepare(other, edits_welcome=True)
    return lender.path / KUNIT_PY


def _kunit(cell: Cell, verb: str, *words: str) -> list[str | Path]:
    # The folder of what drives another tree's kunit.py is no place to import from.
    safe = ["-P"] if len(cell.kunit) > 1 else []
    return [sys.executable, *safe, *cell.kunit, verb, f"--build_dir={cell.out}",
            *(word.replace("{config}", str(cell.layout.config))
              for word in cell.arch.kunit_arguments), *words]


def _build(cell: Cell, env: dict[str, str]) -> buildlog.BuildLog:
    """Configure and build; raises TestsFailed when the tree does not build."""
    touched = cell.tree.touched()
    _configure(cell, env)
    with _unfinished(cell, touched):
        log = cell.folder / "build.log"
        began = time.time()
        with Progress(f"{cell.name}: building", lambda: _made(cell, began)) as progress:
            result = process.run(
                _kunit(cell, "build", f"--jobs={settings.of_call.parallel}"),
                cwd=cell.tree.path, env=env, check=False, log=log, watch=progress.tick)
        found = buildlog.read(result.output, cell.tree.path, touched)
        _forget(cell, found.units)
    if result.returncode:
        for line in found.errors[:SHOWN_ERRORS]:
            say(line)
        raise TestsFailed(f"{cell.name}: the tree does not build: "
                          f"{(found.errors or (result.last_line,))[0]} (log: {log})")
    return found


def _configure(cell: Cell, env: dict[str, str]) -> None:
    """Write the joined fragments and let kunit.py make .config of them."""
    base, arch = cell.tree.base.name, cell.arch.name
    joined = "".join(f"# {path.name}\n{files.read(path)}"
                     for path in config.fragments(cell.layout, base, arch))
    for suite in cell.absent:
        joined = joined.replace(f"{config.suite_option(suite)}=y\n", "")
    for line in cell.kconfig:
        joined = _with_option(joined, line)
    changed = files.write(cell.out / ".kunitconfig", joined)
    if not changed and (cell.out / ".config").exists():
        return
    (cell.out / ".config").unlink(missing_ok=True)
    log = cell.folder / "config.log"
    with Progress(f"{cell.name}: configuring") as progress:
        result = process.run(_kunit(cell, "config"), cwd=cell.tree.path, env=env,
                             check=False, log=log, watch=progress.tick)
    if result.returncode:
        with contextlib.suppress(FileNotFoundError):
            (cell.out / ".config").rename(cell.out / ".config.refused")
        said = [line for line in result.output.splitlines()
                if line.startswith(("Missing", "ERROR"))]
        raise TestsFailed(f"{cell.name}: kunit.py refuses the configuration: "
                          f"{(said or [result.last_line])[-1]} (log: {log})")


def _with_option(fragment: str, line: str) -> str:
    """The fragment with `CONFIG_X=VALUE` in place of what it says of CONFIG_X."""
    name, _, value = line.partition("=")
    rest = re.sub(rf"^(?:# )?{name}(?:=| is not set).*\n", "", fragment, flags=re.MULTILINE)
    return rest + (f"# {name} is not set\n" if value == "n" else f"{line}\n")


@contextlib.contextmanager
def _unfinished(cell: Cell, touched: list[str]) -> Iterator[None]:
    """Mark the build folder while a build is under way.

    A build that was killed can leave a half-written object that looks up to
    date, and the warnings that it printed are lost. The next call therefore
    removes what was written last, and the objects of the touched files.
    """
    mark = cell.folder / "building"
    if mark.exists():
        say(f"{cell.name}: an earlier build was cut off; going on from there")
        _remove_latest(cell.out)
        _forget(cell, touched)
    files.write(mark, "")
    yield
    mark.unlink()


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


def _forget(cell: Cell, units: list[str] | frozenset[str]) -> None:
    """Remove the objects of C files, so that their warnings come again."""
    for name in units:
        if name.endswith(".c"):
            (cell.out / name).with_suffix(".o").unlink(missing_ok=True)


def _made(cell: Cell, since: float) -> str:
    """How many objects were made since then, in seconds of time.time()."""
    count = 0
    for folder, _, names in os.walk(cell.out):
        for name in names:
            if name.endswith(".o"):
                with contextlib.suppress(FileNotFoundError):
                    count += os.stat(os.path.join(folder, name)).st_mtime >= since
    return f"{count} objects made"


def _execute(cell: Cell, env: dict[str, str], part: str) -> dict[tuple[str, str], str]:
    """Run the kernel; returns each case's status by (suite, case)."""
    result_file = cell.folder / "kunit.json"
    log = cell.folder / "run.log"
    for stale in (result_file, cell.out / "test.log"):
        stale.unlink(missing_ok=True)
    words = [f"--json={result_file}", f"--timeout={settings.of_call.timeout or RUN_SECONDS}",
             *cell.arch.exec_arguments]
    if cell.tree.base.kunit_filter:
        words.append(part)
    with Progress(f"{cell.name}: running") as progress:
        result = process.run(_kunit(cell, "exec", *words), cwd=cell.tree.path, env=env,
                             check=False, log=log, watch=progress.tick)
    if not result_file.exists():
        raise TestsFailed(f"{cell.name}: kunit.py gave no result: {result.last_line} "
                          f"(log: {log})")
    return _statuses(json.loads(files.read(result_file)))


def _statuses(group: dict[str, Any]) -> dict[tuple[str, str], str]:
    """The statuses in kunit.py's JSON, by (suite, case)."""
    found = {(group["name"], case["name"]): JSON_STATUS.get(case["status"], FAILED)
             for case in group["test_cases"]} if "test_cases" in group else {}
    for part in group.get("sub_groups", []):
        found |= _statuses(part)
    return found


def _kernel(cell: Cell, cells: Cells) -> Kernel:
    """What the kernel of a cell is and has, by its .config and its headers."""
    options: set[str] = set()
    for line in files.read(cell.out / ".config").splitlines():
        if match := CONFIG_LINE.fullmatch(line):
            name, value = match[1] or match[3], match[2] or "n"
            options = options - {name} if value == "n" else options | {name}
    return Kernel(cell.tree.base.name, frozenset(options),
                  frozenset(_in_headers(cell.tree, sorted(cells.names))))


def _in_headers(ready: Tree, names: list[str]) -> Iterator[str]:
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


def _lost(cell: Cell, kernel: Kernel) -> Iterator[str]:
    """Options that an architecture is there for, and that .config does not have.

    What was asked for by --kconfig-add counts as intended.
    """
    asked = {line.partition("=")[0] for line in cell.kconfig}
    for options in cell.arch.options:
        names = options.split("|")
        if not kernel.meets(names) and not asked & {n.removeprefix("!") for n in names}:
            yield (f"{cell.arch.name} is there for {' or '.join(names)}, and .config has it "
                   "otherwise (config/arches.toml)")


def _log_lines(cell: Cell) -> list[str]:
    path = cell.out / "test.log"
    if not path.exists():
        return []
    return path.read_text(encoding="utf-8", errors="backslashreplace").splitlines()


def _store(cell: Cell, verdict: Verdict, part: str) -> None:
    """Write results.json; last_green is when all suites last passed.

    A run of some suites, or of a tree with a person's work in it, is no such
    time.
    """
    commit, dirty = _queue_commit(cell.layout)
    path = cell.folder / RESULTS
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    green = verdict.word == PASSED and part == FILTER_ALL and not cell.tree.edits
    results = {
        "base": cell.tree.base.name, "version": cell.tree.state.version,
        "arch": cell.arch.name, "patched": cell.tree.place.patched,
        "commit": commit, "dirty": dirty,
        "edits": list(cell.tree.edits), "kconfig": list(cell.kconfig),
        "compiler": _compiler(cell.arch),
        "suite": part, "time": now,
        "last_green": now if green else _last_green(path),
        "verdict": verdict.word, "against": list(verdict.against),
        "cases": [asdict(case) for case in verdict.cases],
    }
    files.write(path, json.dumps(results, indent=1) + "\n")


def _last_green(path: Path) -> str:
    """What the results of an earlier run say of it; empty if nothing."""
    with contextlib.suppress(OSError, ValueError, UsageError):
        return str(json.loads(files.read(path)).get("last_green", ""))
    return ""


def _queue_commit(layout: Layout) -> tuple[str, bool]:
    """The commit of the queue itself, and whether files differ from it."""
    git = Git(layout.root)
    commit = git.resolve("HEAD") if (layout.root / ".git").exists() else ""
    return (commit or "unknown",
            bool(commit and git.lines("status", "--porcelain")))


def _compiler(arch: Arch) -> str:
    if not shutil.which(arch.compiler):
        return "unknown"
    return process.run([arch.compiler, "--version"]).output.splitlines()[0]
