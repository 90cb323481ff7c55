# SPDX-License-Identifier: GPL-2.0-only
"""What can be said of patches and suites without running a kernel.

Each check is a pair: its name, and what is wrong, a line each.
"""

import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import config
from ..kernel import apply
from ..kernel.state import Tree
from ..queue.message import message_faults
from ..queue.patchfile import Patch
from ..system import debian_python, files, process
from ..system.errors import EnvironmentFault
from ..system.git import Git
from .baseline import unheard

Check = tuple[str, list[str]]
SPELLING = re.compile(r"^[^:]*:\d+: (.* ==> .*)$", re.MULTILINE)
# Debian's modules, also for a Python of another origin that comes first in PATH.
SPDX_MODULES = {"PYTHONPATH": debian_python.FOLDER}
# What a script that cannot run says, on whatever files.
BROKEN = re.compile(r"^(?:Traceback \(most recent call last\):|Can't locate \S+ in @INC)",
                    re.MULTILINE)
COUNTED = re.compile(r"warning:|error:|included more than once", re.IGNORECASE)


@dataclass(frozen=True)
class Applied:
    """A stored patch, and the commit that it is in a tree."""

    ready: Tree
    patch: Patch
    parent: str
    commit: str
    name: str

    def files(self, suffixes: tuple[str, ...]) -> list[str]:
        """The files with such an ending that the patch changes or adds."""
        return [file for file in self.ready.git.lines(
            "diff", "--name-only", "--diff-filter=d", self.parent, self.commit)
            if file.endswith(suffixes)]


def base(ready: Tree, suites: bool) -> Iterator[Check]:
    """The checks of all patches of a base; with suites, of the suites as well."""
    layout, name = ready.spec.layout, ready.base.name
    require_spdx_check(ready)
    for applied in _applied(ready):
        for what, found in (("checkpatch", checkpatch(
                ready, applied.patch.path, ["--no-signoff"])),
                ("message", message_faults(applied.patch)),
                ("whitespace", _whitespace(applied)), ("codespell", _spelling(applied)),
                ("kernel-doc", _news(applied, "kernel-doc", ["-none"], (".c", ".h"))),
                ("includes", _news(applied, "checkincludes.pl", [], (".c", ".h")))):
            yield f"{what} {name} {applied.name}", found
        outs = [out for arch in config.arches(layout)
                if (out := layout.out(name, arch)).joinpath("mm").is_dir()]
        if outs and applied.patch.path != layout.hookup(name):
            yield f"compiled {name} {applied.name}", _never_compiled(applied, outs)
    sources = [path for path in [layout.compat(name)] if path.exists()]
    if suites:
        sources += sorted(layout.suites.glob("*.[ch]"))
    for path in sources:
        yield (f"checkpatch {name} {path.relative_to(layout.root)}",
               checkpatch(ready, path, ["--file"]))


def require_spdx_check(ready: Tree) -> None:
    """Raise EnvironmentFault if checkpatch cannot look at licences, which it does not say.

    It has that done by another script, and takes it for good if that ends in an error.
    """
    script = ready.path / "scripts/spdxcheck.py"
    if not script.exists():
        return
    result = process.run([script, "-"], cwd=ready.path, check=False, env=SPDX_MODULES,
                         stdin=b"SPDX-License-Identifier: GPL-2.0-only\n")
    if result.returncode:
        raise EnvironmentFault(f"{script}, which checkpatch calls, fails: {result.last_line}; "
                               "gup setup --only lint installs what it needs")


def checkpatch(ready: Tree, path: Path, words: list[str],
               stands_for: Iterable[Path] = ()) -> list[str]:
    """What a base's own checkpatch --strict says of a file of this project.

    If the file is made from others, those are what config/lint.toml speaks of.
    """
    layout = ready.spec.layout
    ignored = [kind for file in (stands_for or [path]) for kind in config.exemptions(
        layout, "checkpatch", str(layout.named(file)))]
    if ignored:
        words = [*words, f"--ignore={','.join(dict.fromkeys(ignored))}"]
    result = process.run(
        ["perl", "scripts/checkpatch.pl", "--strict", "--terse", "--show-types",
         "--no-summary", *words, path], cwd=ready.path, check=False, stderr_apart=True,
        env=SPDX_MODULES)
    name = str(layout.named(path))
    return [line.replace(f"{path}:", f"{name}:", 1)
            for line in result.output.splitlines() if line.strip()]


def _applied(ready: Tree) -> list[Applied]:
    """The patches of a base with their commits."""
    git = ready.git
    commits = [ready.state.base, *git.lines("rev-list", "--reverse",
                                            f"{ready.state.base}..{ready.state.head}")]
    return [Applied(ready, step.patch, parent, commit,
                    str(step.patch.path.relative_to(ready.spec.layout.root)))
            for step, parent, commit in zip(apply.plan(ready.spec), commits, commits[1:],
                                            strict=False)]


def _whitespace(applied: Applied) -> list[str]:
    result = applied.ready.git.run("diff", "--check", applied.parent, applied.commit,
                                   check=False)
    return [line for line in result.output.splitlines() if not line.startswith("+")]


def _spelling(applied: Applied) -> list[str]:
    """What codespell says of a message and of the lines that a patch adds."""
    git = applied.ready.git
    added = [line[1:] for line in git.lines("diff", applied.parent, applied.commit)
             if line.startswith("+") and not line.startswith("+++ ")]
    words = config.exemptions(applied.ready.spec.layout, "codespell", applied.name)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as text:
        text.write("\n".join([applied.patch.message, *added]) + "\n")
        text.flush()
        result = process.run(["codespell", f"--ignore-words-list={','.join(words)}",
                              text.name], check=False)
    if result.returncode and not SPELLING.search(result.output):
        raise EnvironmentFault(f"codespell failed: {result.last_line}")
    return list(dict.fromkeys(SPELLING.findall(result.output)))


def _news(applied: Applied, script: str, words: list[str],
          suffixes: tuple[str, ...]) -> list[str]:
    """What a script of the kernel says of touched files, but not of the parent's."""
    touched = applied.files(suffixes)
    if not touched:
        return []
    tool = "kernel-doc" if script == "kernel-doc" else "includes"
    with tempfile.TemporaryDirectory() as scratch:
        after, before = (_of_commit(applied.ready, commit, touched, script, words,
                                    Path(scratch) / commit)
                         for commit in (applied.commit, applied.parent))
    return unheard(after, before, config.exemptions(
        applied.ready.spec.layout, tool, applied.name))


def _of_commit(ready: Tree, commit: str, names: list[str], script: str,
               words: list[str], place: Path) -> list[str]:
    """What a script says of some files as they are in a commit."""
    there = ready.git.lines("ls-tree", "-r", "--name-only", commit, "--", *names)
    _check_out(ready.git, commit, there, place)
    path = ready.path / "scripts" / script
    if not path.exists():
        raise EnvironmentFault(f"{path}: no such script in this base")
    python = "python" in path.open(encoding="utf-8", errors="replace").readline()
    result = process.run([sys.executable if python else "perl", path, *words, *there],
                         cwd=place, check=False)
    if BROKEN.search(result.output):
        raise EnvironmentFault(f"{path} fails: {result.last_line}")
    return [line for line in result.output.splitlines() if COUNTED.search(line)]


def _check_out(git: Git, commit: str, names: list[str], place: Path) -> None:
    """Write some files of a commit to a folder."""
    place.mkdir()
    for file in names:
        files.scratch(place / file, git.run("show", f"{commit}:{file}").output)


def _never_compiled(applied: Applied, outs: list[Path]) -> list[str]:
    """The .c files of a patch that no cell has compiled; outs: their folders.

    Those that config/lint.toml speaks of are left out.
    """
    exempt = config.exemptions(applied.ready.spec.layout, "compiled", applied.name)
    return [f"no cell of base {applied.ready.base.name} compiles {file}; switch on what "
            "it needs in config/*.config" for file in applied.files((".c",))
            if file not in exempt
            and not any((out / file).with_suffix(".o").exists() for out in outs)]
