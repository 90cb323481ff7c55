# SPDX-License-Identifier: GPL-2.0-only
"""Proof by use of what gup export makes: applied from nothing, and compared.

The commands are those of the exported README, called in a tree that has only
the files that the patches touch.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .. import config, queue
from ..config import Form
from ..delivery import export, identity, output_folder
from ..delivery.export import Request
from ..delivery.formats import PatchSet
from ..kernel.state import Tree
from ..system import files, process
from ..system.errors import UsageError
from ..system.git import EMAIL, NAME, Git

# What the commands put beside the kernel's files, by its name at the top.
BESIDE = (".pc", "debian", "patches.suse", "series.conf", "target", "recipes-kernel")
MAIL = re.compile(r"^(?=From 0{40} )", re.MULTILINE)


def base(ready: Tree) -> Iterator[tuple[str, list[str]]]:
    """What is wrong with each form of a base, with all patches and the tests.

    The last check is of each topic on its own. The base must be held.
    """
    layout, name = ready.spec.layout, ready.base.name
    request = Request(name, "", layout.check_log, with_tests=True)
    patchset = export.pack(ready.spec, ready.state, queue.series(layout, name), request,
                           identity.NOBODY)
    for form in config.export_forms(layout).values():
        place = layout.check_log / f"export-{name}-{form.name}"
        yield f"export {name} {form.name}", of_form(ready, form, patchset, place)
    yield f"export {name} topic by topic", topics(ready)


def of_form(ready: Tree, form: Form, patchset: PatchSet, place: Path) -> list[str]:
    """What is wrong with one form, exported below place and applied there."""
    shutil.rmtree(place, ignore_errors=True)
    dest = place / "out"
    request = Request(patchset.base, form.name, dest, with_tests=True)
    contents = export.contents(ready.spec.layout, form, request, patchset)
    output_folder.fill(dest, contents)
    found = [fault for name, text in contents.items() if name != "README"
             for fault in header_faults(form, name, text)]
    return found + _applied(ready, form, patchset, dest, place)


def topics(ready: Tree) -> list[str]:
    """The topics that do not apply with only those that they depend on."""
    layout, name, found = ready.spec.layout, ready.base.name, []
    for path in queue.series(layout, name):
        topic = (path.parent.name,)
        chosen = export.choose(layout, name, topic, with_tests=False)
        try:
            export.pack(ready.spec, ready.state, chosen,
                        Request(name, "", layout.check_log, topic), identity.NOBODY)
        except UsageError as error:
            found.append(str(error))
    return found


def header_faults(form: Form, name: str, text: str) -> list[str]:
    """What a file lacks that the rules of its form ask for, a line each."""
    if not name.endswith((".patch", ".mbox")):
        return []
    found = [] if re.fullmatch(form.names, name) else [
        f"{name}: its name is not what {form.name} wants"]
    for mail in [part for part in MAIL.split(text) if part]:
        found += [f"{name}: lacks {says}" for pattern, says in form.rules
                  if not re.search(pattern, mail, re.MULTILINE)]
        message = mail.partition("\n---\n")[0]
        found += [f"{name}: carries '{line.strip()}'"
                  for line in export.PERSONAL.findall(message)
                  if not form.signed or line.strip() != identity.NOBODY.sign_off]
    return found


def _applied(ready: Tree, form: Form, patchset: PatchSet, dest: Path, place: Path
             ) -> list[str]:
    """Call README's commands, and compare the outcome with the queue's tree."""
    first, tip = patchset.changes[0].parent, patchset.changes[-1].commit
    touched = ready.git.lines("diff", "--name-only", "--no-renames", first, tip)
    wanted = _part(ready.git, tip, touched)
    git = _scratch(ready.git, _part(ready.git, first, touched), place / "linux")
    lines = export.commands(form, patchset.base, dest)
    env = git.env | {"HOME": str(place), "GIT_COMMITTER_NAME": NAME,
                     "GIT_COMMITTER_EMAIL": EMAIL}
    for pushing in (False, True):
        script = _push(form, git.tree, place / "series") if pushing else "\n".join(lines)
        result = process.run(["sh", "-e", "-c", script], cwd=git.tree, env=env,
                             check=False, log=place / "apply.log")
        if result.returncode:
            return [f"README's commands fail: {result.last_line} "
                    f"(log: {place / 'apply.log'})"]
    git.run("add", "-A", "-f", "--", ".", *(f":(exclude){name}" for name in BESIDE))
    got = git.out("write-tree")
    return [f"{name} is not what it is in the queue"
            for name in git.lines("diff", "--name-only", wanted, got)]


def _push(form: Form, tree: Path, series: Path) -> str:
    """The script that applies what README's commands have only put in place."""
    if not form.listed:
        return ":"
    glob, *line = form.listed
    found = sorted(tree.glob(glob))
    names = [str(path.relative_to(tree)) for path in found]
    if line:
        where = found[0].parent if found else tree
        names = [str((where / name).relative_to(tree)) for path in found
                 for name in re.findall(line[0], files.read(path), re.MULTILINE)]
    files.scratch(series, "".join(f"{name}\n" for name in names))
    return (f"QUILT_PATCHES=. QUILT_SERIES={os.path.relpath(series, tree)} "
            "quilt --quiltrc=- push -a --fuzz=0")


def _part(git: Git, commit: str, names: list[str]) -> str:
    """The id of a tree object that has only some files of a commit."""
    with tempfile.TemporaryDirectory() as scratch:
        index = Git(git.tree, Path(scratch) / "index")
        there = git.run("ls-tree", "-r", commit, "--", *names).output
        if there:
            index.run("update-index", "--index-info", stdin=there.encode())
        return index.out("write-tree")


def _scratch(origin: Git, content: str, place: Path) -> Git:
    """A repository whose one commit has a tree object of another repository."""
    git = Git(place)
    place.mkdir(parents=True)
    git.run("init", "-q", "-b", "base")
    objects = origin.out("rev-parse", "--path-format=absolute", "--git-path", "objects")
    files.scratch(place / ".git/objects/info/alternates", f"{objects}\n")
    git.run("update-ref", "HEAD", git.commit(content, [], "base\n", 0))
    git.run("reset", "-q", "--hard")
    return git
