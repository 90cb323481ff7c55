# SPDX-License-Identifier: GPL-2.0-only
"""A made-up queue: its stored files, and what a person does to it."""

import functools
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from guplib.system.paths import Layout

from .kernel import GUP_C, VERSIONS, blob_id, tarball, unified, with_line, write_tarball

SCRIPTS = Path(__file__).resolve().parents[2]
SUITE = """\
static struct kunit_case cases[] = {
\tKUNIT_CASE(adds),
\tKUNIT_CASE(drops),
\t{}
};

static struct kunit_suite suite = {
\t.name = "put_user_page",
\t.test_cases = cases,
};
"""
CONFIG = {
    "bases.toml": """\
default = "6.1"
suites = ["stable", "sid"]
[base."6.1"]
package = "linux-source-6.1"
package_version = "6.1.9-1"
version = "6.1.9"
kunit_filter = true
kunit_of = ""
[base."6.1".blobs]
"mm/gup.c" = "GUP_C_BLOB"
[base."7.2"]
package = "linux-source-7.2"
package_version = "7.2.1-1"
version = "7.2.1"
kunit_filter = false
kunit_of = ""
[base."7.2".blobs]
"mm/gup.c" = "GUP_C_BLOB"
""",
    "arches.toml": """\
[arch.um]
kunit_arguments = []
exec_arguments = []
compiler = "gcc"
needs = ["kernel"]
bases = ["*"]
options = ["CONFIG_MMU"]
checked = ["*"]
[arch.far]
kunit_arguments = ["--arch=far"]
exec_arguments = []
compiler = "gcc"
needs = ["far"]
bases = ["*"]
options = ["CONFIG_MMU"]
checked = []
""",
    "packages.toml": """\
[tree]
git = "git"
[toml]
[kernel]
git = "git"
[lint]
[mail]
b4 = "b4"
[far]
qemu-system-far = "qemu-system-far"
""",
    "cells.toml": """\
compiled_with = ["CONFIG_MMU"]
[[suite]]
name = "put_user_page"
cases = ["adds", "drops"]
[[need]]
options = ["CONFIG_THP"]
[need.cases]
put_user_page = ["dr*"]
""",
    "reports.toml": "patterns = ['^WARNING: ', '^BUG: ', '^UBSAN: ']\n",
    "lint.toml": "",
    "um.config": "CONFIG_DEBUG_VM=y\n",
    "far.config": "CONFIG_DEBUG_VM=y\n",
}
TOPIC = """\
title = "mm/gup: change a line"
why = "A line was wrong."
upstream = "not-submitted"
severity = "driver: a wrong line"
affected = "v6.0.."
suites = ["put_user_page"]
[base]
"6.1" = "needed"
"7.2" = "needed"
"""
GOOD_LOG = """\
[    0.100000] TAP version 14
[    0.200000]     # Subtest: put_user_page
[    0.200000]     1..2
[    0.203500]     ok 1 adds
[    0.204000]     ok 2 drops
[    0.204000] ok 1 put_user_page
"""


def kunit_json(**cases: str) -> dict:
    """kunit.py's JSON for the made-up suite."""
    return {"name": "KUnit Test Group", "test_cases": [], "sub_groups": [{
        "name": "put_user_page", "sub_groups": [],
        "test_cases": [{"name": name, "status": status}
                       for name, status in cases.items()]}]}


GOOD_PLAN = {
    "objects": ["mm/gup.o"], "warning": "", "log": GOOD_LOG,
    "json": kunit_json(adds="PASS", drops="PASS"),
    "says": {"config": "", "build": "", "exec": ""},
    "codes": {"config": 0, "build": 0, "exec": 0}}


def stored(subject: str, diff: str) -> str:
    """A patch in its stored form."""
    return f"Subject: {subject}\n\nThe body of it.\n---\n 1 file changed\n\n{diff}"


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text in a file, which has to be there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@dataclass
class Project:
    """A made-up queue: two bases, one topic, one suite."""

    root: Path
    plan: Path

    @property
    def layout(self) -> Layout:
        return Layout(self.root)

    @property
    def tree(self) -> Path:
        return self.layout.tree("6.1")

    @property
    def patch(self) -> Path:
        return self.root / "patches/one-line/6.1.patch"

    def git(self, *words: str, tree: Path | None = None) -> str:
        """Run git in a tree as a person would."""
        done = subprocess.run(
            ["git", "-c", "user.name=P", "-c", "user.email=p@example.org", *words],
            cwd=tree or self.tree, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def behave(self, **changes: object) -> None:
        """Change what the made-up kunit.py does."""
        now = json.loads(self.plan.read_text()) if self.plan.exists() else GOOD_PLAN
        now |= changes
        self.plan.write_text(json.dumps(now | {"result": json.dumps(now["json"])}))

    def another_kernel(self, base: str, lines: list[str] | None = None,
                       replaced: dict[str, str] | None = None) -> None:
        """Let the package of a base hold another kernel, of which there is no tree yet."""
        version = VERSIONS[base]
        write_tarball(tarball(self.root, base, version), version, lines, replaced)
        self.remove_tree(base)

    def remove_tree(self, base: str = "6.1") -> None:
        """Let there be no tree of a base, nor anything that was built from it."""
        shutil.rmtree(self.layout.base(base), ignore_errors=True)

    def calls(self) -> list[str]:
        """The calls of kunit.py so far."""
        path = Path(f"{self.plan}.calls")
        return path.read_text().splitlines() if path.exists() else []

    def results(self, base: str = "6.1", patched: bool = True) -> dict:
        """What results.json holds."""
        name = "" if patched else "unpatched"
        return json.loads(self.layout.results(base, "um", name).read_text())


@functools.cache
def stored_files() -> dict[str, str]:
    """The stored files of the queue; nobody has refreshed them."""
    hookup = stored("mm/gup: add KUnit tests", unified(
        ["obj-y += gup.o"], ["obj-y += gup.o", "obj-y += tests/"], "mm/Makefile"))
    return {
        **{f"config/{name}": text.replace("GUP_C_BLOB", blob_id(GUP_C))
           for name, text in CONFIG.items()},
        **{f"series/{base}": "one-line/6.1.patch\n" for base in VERSIONS},
        **{f"kunit/hookup/{base}.patch": hookup for base in VERSIONS},
        "patches/one-line/topic.toml": TOPIC,
        "patches/one-line/6.1.patch": stored("mm/gup: change a line", unified(
            GUP_C, with_line(30, "int changed;"), "mm/gup.c")),
        "kunit/put_user_page_kunit.c": SUITE,
        "kunit/kunitconfig": "CONFIG_KUNIT=y\n",
        "kunit/Kconfig": "config PUT_USER_PAGE_KUNIT_TEST\n\tbool\n",
        "kunit/Makefile": "obj-y += put_user_page_kunit.o\n",
        "kunit/compat/6.1.h": "/* what 6.1 lacks */\n",
        "config/export.toml": (SCRIPTS.parent / "config/export.toml").read_text(),
    }


def write_project(folder: Path) -> Project:
    """Write a sound queue, and the packages of its bases as if they were downloaded."""
    made = Project(folder / "queue", folder / "plan.json")
    for name, text in stored_files().items():
        (made.root / name).parent.mkdir(parents=True, exist_ok=True)
        (made.root / name).write_text(text)
    for base, version in VERSIONS.items():
        write_tarball(tarball(made.root, base, version), version)
    made.behave()
    return made


@dataclass(frozen=True)
class Copy:
    """The files below a folder of a queue, held in memory to be written again and again.

    Each is its place in the queue, its content and its mode.
    """

    files: tuple[tuple[str, bytes, int], ...]

    @classmethod
    def of(cls, root: Path, *folders: str) -> "Copy":
        """What some folders of a queue hold."""
        return cls(tuple((str(path.relative_to(root)), path.read_bytes(), path.stat().st_mode)
                         for folder in folders for path in sorted((root / folder).rglob("*"))
                         if path.is_file()))

    def write(self, root: Path) -> None:
        """Put the files into another queue."""
        made = set()
        for name, content, mode in self.files:
            path = f"{root}/{name}"
            folder = path.rpartition("/")[0]
            if folder not in made:
                os.makedirs(folder, exist_ok=True)
                made.add(folder)
            with open(path, "wb") as stream:
                stream.write(content)
            if mode & 0o100:
                os.chmod(path, 0o755)


def packed_trees(root: Path, *folders: str) -> Copy:
    """The trees of a queue, and some folders more, in as few files as it takes."""
    for base in VERSIONS:
        tree = Layout(root).tree(base)
        subprocess.run(["git", "repack", "-adq"], cwd=tree, check=True)
        for path in (tree / ".git/hooks").iterdir():
            path.unlink()
    return Copy.of(root, *folders, *(f"build/{base}" for base in VERSIONS))
