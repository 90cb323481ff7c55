# SPDX-License-Identifier: GPL-2.0-only
"""What can be said of patches and suites without running a kernel.

Each check is a pair: its name, and what is wrong, a line each.
"""

import functools
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
from ..system import debian_python, process
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
# The scripts of a kernel that read whole files, by the tool that they are in lint.toml.
KERNEL_SCRIPTS = {"kernel-doc": ("kernel-doc", "-none"), "includes": ("checkincludes.pl",)}


@dataclass(frozen=True)
class Applied:
    """A stored patch, and the commit that it is in a tree."""

    ready: Tree
    patch: Patch
    parent: str
    commit: str
    name: str

    @functools.cached_property
    def files(self) -> list[str]:
        """The files that the patch changes or adds."""
        return self.ready.git.lines("diff", "--name-only", "--diff-filter=d", self.parent,
                                    self.commit)

    @property
    def sources(self) -> list[str]:
        """Those of them that are C."""
        return [file for file in self.files if file.endswith((".c", ".h"))]


def base(ready: Tree, suites: bool) -> Iterator[Check]:
    """The checks of all patches of a base; with suites, of the suites as well."""
    layout, name = ready.spec.layout, ready.base.name
    require_spdx_check(ready)
    for applied in _applied(ready):
        for what, found in (("checkpatch", checkpatch(
                ready, applied.patch.path, ["--no-signoff"])),
                ("message", message_faults(applied.patch)),
                ("whitespace", _whitespace(applied)), ("codespell", _spelling(applied)),
                *zip(KERNEL_SCRIPTS, _news(applied))):
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


def _news(applied: Applied) -> list[list[str]]:
    """What each script of the kernel says of touched files, but not of the parent's."""
    if not applied.sources:
        return [[] for _ in KERNEL_SCRIPTS]
    ready = applied.ready
    with tempfile.TemporaryDirectory() as scratch:
        folders = [_check_out(ready.git, commit, applied.sources, Path(scratch) / name)
                   for name, commit in (("after", applied.commit),
                                        ("before", applied.parent))]
        said = [[_says(ready, folder, *script) for folder in folders]
                for script in KERNEL_SCRIPTS.values()]
    return [unheard(after, before, config.exemptions(ready.spec.layout, tool, applied.name))
            for tool, (after, before) in zip(KERNEL_SCRIPTS, said)]


def _says(ready: Tree, folder: Path, script: str, *words: str) -> list[str]:
    """What a script of a base says of all files of a folder."""
    path = ready.path / "scripts" / script
    if not path.exists():
        raise EnvironmentFault(f"{path}: no such script in this base")
    python = "python" in path.open(encoding="utf-8", errors="replace").readline()
    names = sorted(file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
    if not names:
        return []
    result = process.run([sys.executable if python else "perl", path, *words, *names],
                         cwd=folder, check=False)
    if BROKEN.search(result.output):
        raise EnvironmentFault(f"{path} fails: {result.last_line}")
    return [line for line in result.output.splitlines() if COUNTED.search(line)]


def _check_out(git: Git, commit: str, names: list[str], place: Path) -> Path:
    """Write those of some files that a commit has to a new folder; returns it."""
    place.mkdir()
    there = git.run("ls-tree", "-r", commit, "--", *names).output
    aside = Git(git.tree, place.with_suffix(".index"))
    aside.run("update-index", "--index-info", stdin=there.encode())
    aside.run("checkout-index", "--all", f"--prefix={place}/")
    return place


def _never_compiled(applied: Applied, outs: list[Path]) -> list[str]:
    """The .c files of a patch that no cell has compiled; outs: their folders.

    Those that config/lint.toml speaks of are left out.
    """
    exempt = config.exemptions(applied.ready.spec.layout, "compiled", applied.name)
    return [f"no cell of base {applied.ready.base.name} compiles {file}; switch on what "
            "it needs in config/*.config" for file in applied.files
            if file.endswith(".c") and file not in exempt
            and not any((out / file).with_suffix(".o").exists() for out in outs)]
