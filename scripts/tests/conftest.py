# SPDX-License-Identifier: GPL-2.0-only
"""A made-up queue on a made-up kernel, small enough to try everything on."""

import functools
import hashlib
import io
import json
import lzma
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SCRIPTS))

from guplib.cli import program  # noqa: E402
from guplib.system.paths import Layout  # noqa: E402

# Runs gup on a made-up queue in a process of its own: SCRIPTS, the root, words.
CALL = ("import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; "
        "from guplib.cli import program; "
        "sys.exit(program.main(sys.argv[3:], Path(sys.argv[2])))")
PROGRESS = re.compile(r" …$|: (?:done|stopped) in [\d.]+ s$")
FOREIGN = ("GIT_", "QUILT", "XDG_", "LC_", "LANG", "EMAIL", "MAKE", "PYTHON", "SOURCE_DATE")
GUP_C = [f"int line_{number:02};" for number in range(1, 61)]
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
# The made-up kernel's kunit.py: does what plan.json says, which is beside the queue.
FIND_PLAN = """\
words = dict(w.lstrip("-").split("=", 1) for w in sys.argv[2:] if "=" in w)
out = pathlib.Path(words["build_dir"])
plan_file = next(found for above in out.parents if (found := above / "plan.json").exists())
plan = json.loads(plan_file.read_text())
"""
KUNIT_PY = """\
import json, pathlib, sys
""" + FIND_PLAN + """\
verb = sys.argv[1]
with open(f"{plan_file}.calls", "a") as calls:
    calls.write(" ".join(sys.argv[1:]) + chr(10))
if verb == "config":
    (out / ".config").write_text("CONFIG_MMU=y" + chr(10) + "CONFIG_THP=y" + chr(10)
                                 + (out / ".kunitconfig").read_text())
if verb == "build":
    for name in plan["objects"]:
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.exists() or (path.write_text(""), print(plan["warning"]))
if verb == "exec" and plan["log"] is not None:
    (out / "test.log").write_text(plan["log"])
    pathlib.Path(words["json"]).write_text(json.dumps(plan["json"]))
print(plan["says"][verb])
sys.exit(plan["codes"][verb])
"""
# The made-up kernel's kernel-doc: does not like a word.
KERNEL_DOC = """\
#!/usr/bin/env python3
import sys
for name in sys.argv[2:]:
    for number, line in enumerate(open(name), 1):
        if "undocumented" in line:
            print(f"{name}:{number}: warning: undocumented")
"""
# The made-up kernel's get_maintainer.pl: wants to see the folders of a kernel.
GET_MAINTAINER = """\
#!/bin/sh
[ -d mm ] && [ -d tools ] || exit 1
case "$*" in
*--nom*) echo linux-mm@example.org;;
*) echo "Mary M. Maintainer <mary@example.org>";;
esac
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


def unified(old: list[str], new: list[str], name: str) -> str:
    """A git-style diff between two versions of a file."""
    import difflib
    lines = difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", lineterm="")
    return f"diff --git a/{name} b/{name}\n" + "\n".join(lines) + "\n"


def stored(subject: str, diff: str) -> str:
    """A patch in its stored form."""
    return f"Subject: {subject}\n\nThe body of it.\n---\n 1 file changed\n\n{diff}"


def with_line(number: int, text: str, lines: list[str] | None = None) -> list[str]:
    """mm/gup.c of the made-up kernel with one line changed."""
    changed = list(lines or GUP_C)
    changed[number - 1] = text
    return changed


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text in a file, which has to be there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def blob_id(lines: list[str]) -> str:
    """git's id of a file with these lines."""
    content = ("\n".join(lines) + "\n").encode()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def kernel_files(version: str, gup_c: list[str] | None = None) -> dict[str, str]:
    """The files of a made-up kernel."""
    major, minor, patch = version.split(".")
    return {
        "Makefile": f"VERSION = {major}\nPATCHLEVEL = {minor}\nSUBLEVEL = {patch}\n",
        "mm/gup.c": "\n".join(gup_c or GUP_C) + "\n",
        "mm/Makefile": "obj-y += gup.o\n",
        ".gitignore": "*.o\n\n#\n# Debian packaging: ignore everything at the top "
                      "level, since\n#\n/*\n",
        "tools/testing/kunit/kunit.py": KUNIT_PY,
        "scripts/kernel-doc": KERNEL_DOC,
        "scripts/checkpatch.pl": "#!/usr/bin/env perl\n",
        "scripts/checkincludes.pl": "#!/usr/bin/env perl\n",
        "scripts/get_maintainer.pl": GET_MAINTAINER,
    }


def as_module(script: str) -> str:
    """A kunit.py with the two functions that a real one has."""
    body = script.replace("sys.argv", "argv").replace(
        'calls.write("', 'calls.write("in " + get_kernel_root_path() + " " + "')
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    return ("import sys\n\ndef get_kernel_root_path():\n    return 'its own tree'\n\n"
            f"def main(words):\n    argv = ['', *words]\n{indented}\n"
            "if __name__ == '__main__':\n    main(sys.argv[1:])\n")


def write_tarball(path: Path, version: str, gup_c: list[str] | None = None,
                  replaced: dict[str, str] | None = None,
                  wrap_kunit: bool = False) -> Path:
    """Pack a made-up kernel, with some files replaced."""
    if wrap_kunit:
        replaced = {"tools/testing/kunit/kunit.py": as_module(KUNIT_PY)}
    path.parent.mkdir(parents=True, exist_ok=True)
    names = kernel_files(version, gup_c) | (replaced or {})
    path.write_bytes(packed(f"linux-{version}", tuple(names.items()), path.suffix == ".xz"))
    return path


@functools.cache
def packed(folder: str, names: tuple[tuple[str, str], ...], compressed: bool) -> bytes:
    """A tarball of some files; each is made once in a run of the tests."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, text in names:
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(text.encode())
            entry.mode = mode_of(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return lzma.compress(stream.getvalue(), preset=0) if compressed else stream.getvalue()


def tarball(root: Path, base: str, version: str) -> Path:
    """Where the source of a base in a version is, once it was fetched."""
    return root / f"build/packages/{base}/linux-source-{base}_{version}-1.tar.xz"


def write_folder(path: Path, version: str) -> Path:
    """Write a made-up kernel as an unpacked tree."""
    for name, text in kernel_files(version).items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
        (path / name).chmod(mode_of(text))
    return path


def mode_of(text: str) -> int:
    """The mode of a made-up file: a script can be called."""
    return 0o755 if text.startswith("#!") else 0o644


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
        now = json.loads(self.plan.read_text())
        self.plan.write_text(json.dumps(now | changes))

    def calls(self) -> list[str]:
        """The calls of kunit.py so far."""
        path = Path(f"{self.plan}.calls")
        return path.read_text().splitlines() if path.exists() else []

    def results(self, base: str = "6.1", patched: bool = True) -> dict:
        """What results.json holds."""
        name = "" if patched else "unpatched"
        return json.loads(self.layout.results(base, "um", name).read_text())


def kunit_json(**cases: str) -> dict:
    """kunit.py's JSON for the made-up suite."""
    return {"name": "KUnit Test Group", "test_cases": [], "sub_groups": [{
        "name": "put_user_page", "sub_groups": [],
        "test_cases": [{"name": name, "status": status}
                       for name, status in cases.items()]}]}


@pytest.fixture(autouse=True)
def nobodys_machine(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
                    ) -> None:
    """No home folder, locale or setting of whoever calls has a part in a test.

    Nor has the speed of the disk: nobody pulls the plug meanwhile.
    """
    for name in os.environ:
        if name.startswith(FOREIGN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.getbasetemp()))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A sound queue whose packages are already downloaded."""
    root = tmp_path / "queue"
    texts = {f"config/{name}": text.replace("GUP_C_BLOB", blob_id(GUP_C))
             for name, text in CONFIG.items()}
    texts |= {f"series/{base}": "one-line/6.1.patch\n" for base in ("6.1", "7.2")}
    texts |= {f"kunit/hookup/{base}.patch": stored(
        "mm/gup: add KUnit tests",
        unified(["obj-y += gup.o"], ["obj-y += gup.o", "obj-y += tests/"],
                "mm/Makefile")) for base in ("6.1", "7.2")}
    texts |= {
        "patches/one-line/topic.toml": TOPIC,
        "patches/one-line/6.1.patch": stored(
            "mm/gup: change a line",
            unified(GUP_C, with_line(30, "int changed;"), "mm/gup.c")),
        "kunit/put_user_page_kunit.c": SUITE,
        "kunit/kunitconfig": "CONFIG_KUNIT=y\n",
        "kunit/Kconfig": "config PUT_USER_PAGE_KUNIT_TEST\n\tbool\n",
        "kunit/Makefile": "obj-y += put_user_page_kunit.o\n",
        "kunit/compat/6.1.h": "/* what 6.1 lacks */\n",
        "config/export.toml": (SCRIPTS.parent / "config/export.toml").read_text(),
    }
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for base, version in (("6.1", "6.1.9"), ("7.2", "7.2.1")):
        write_tarball(tarball(root, base, version), version)
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({
        "objects": ["mm/gup.o"], "warning": "", "log": GOOD_LOG,
        "json": kunit_json(adds="PASS", drops="PASS"),
        "says": {"config": "", "build": "", "exec": ""},
        "codes": {"config": 0, "build": 0, "exec": 0}}))
    return Project(root, plan)


@dataclass(frozen=True)
class Said:
    """What a call of gup came to."""

    code: int
    out: str
    err: str


@pytest.fixture
def gup(project: Project, capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Call gup on the made-up queue."""
    def call(*words: object) -> Said:
        capfd.readouterr()
        code = program.main([str(word) for word in words], project.root)
        said = capfd.readouterr()
        return Said(code, said.out, said.err)
    return call


@pytest.fixture
def ready(project: Project, gup: Callable[..., Said]) -> Project:
    """A queue in its stored form, with the trees of both bases."""
    for base in ("6.1", "7.2"):
        assert gup("refresh", "--base", base).code == 0
    return project


@pytest.fixture
def newer(tmp_path: Path) -> Callable[..., Path]:
    """Make a tarball of a newer point release with some other mm/gup.c."""
    return lambda lines, version="6.1.12": write_tarball(tmp_path / "newer.tar",
                                                         version, lines)


@pytest.fixture
def own(ready: Project) -> Project:
    """Let the patch serve 6.1 alone."""
    edit(ready.layout.topic("one-line"), '"7.2" = "needed"', '"7.2" = "in-base"')
    ready.layout.series("7.2").write_text("")
    path = ready.layout.config / "bases.toml"
    path.write_text(path.read_text().rpartition('"mm/gup.c"')[0])
    return ready


@pytest.fixture
def refused(gup: Callable[..., Said]) -> Callable[..., str]:
    """Call gup, expect exactly one line of error and an exit code; return it."""
    def call(code: int, *words: object) -> str:
        said = gup(*words)
        assert said.code == code, said
        *steps, last = said.err.splitlines(keepends=True)
        assert last.startswith("gup: ") and last.endswith("\n"), said.err
        assert all(PROGRESS.search(step) for step in steps), said.err
        assert "Traceback" not in said.err + said.out
        return last
    return call


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Put a shell script of a program's name first in PATH."""
    folder = tmp_path / "stubs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def make(name: str, script: str) -> Path:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path
    return make


@dataclass
class MadeUpMirror:
    """What apt finds: packages with made-up kernels, by suite."""

    root: Path

    def offer(self, package: str, version: str, suite: str = "stable",
              lines: list[str] | None = None, **replaced: str) -> None:
        """Let a suite have a version of a package, with some mm/gup.c.

        A package linux is a source package, and any other one is binary.
        """
        kind = "deb-src" if package == "linux" else "deb"
        self._write(f"{kind}-{package}", f"{package} | {version} | "
                    f"http://mirror.example/debian {suite}/main all Packages\n")
        self._write("names", f"{package}\n")
        upstream = version.partition("-")[0]
        number, _, candidate = upstream.partition("~")
        number += ".0" if number.count(".") == 1 else ""
        if candidate:
            replaced["Makefile"] = kernel_files(number)["Makefile"] \
                + f"EXTRAVERSION = -{candidate}\n"
        if kind == "deb-src":
            write_tarball(self.root / f"linux_{upstream}.orig.tar.xz", number, lines,
                          replaced)
            return
        inside = write_tarball(self.root / "inside.tar.xz", number, lines, replaced)
        with tarfile.open(self.root / f"{package}_{version}_all.deb", "w") as package_file:
            package_file.add(inside, f"./usr/src/{package}.tar.xz")

    def withdraw(self, package: str) -> None:
        """Let no suite have a package any more."""
        for kind in ("deb", "deb-src"):
            (self.root / f"{kind}-{package}").unlink(missing_ok=True)
        names = self.root / "names"
        names.write_text(names.read_text().replace(f"{package}\n", ""))

    def say(self, text: str, code: int = 100, times: int = 9) -> None:
        """Let apt-get update fail for so many times."""
        (self.root / "update").write_text(f"{text}\n")
        (self.root / "fails").write_text(f"{code} {times}")

    def calls(self, word: str) -> list[str]:
        """The calls of apt-get with a word, less their options."""
        log = self.root / "calls"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line for line in lines if word in line]

    def _write(self, name: str, line: str) -> None:
        with (self.root / name).open("a") as stream:
            stream.write(line)


@pytest.fixture
def mirror(stub: Callable[[str, str], Path], tmp_path: Path,
           monkeypatch: pytest.MonkeyPatch) -> MadeUpMirror:
    """A mirror that has the verified kernels, and nothing newer."""
    root = tmp_path / "mirror"
    root.mkdir()
    for name in ("keyring", "names"):
        (root / name).write_text("")
    monkeypatch.setattr("guplib.kernel.mirror.KEYRING", root / "keyring")
    stub("apt-get", f"""cd=; for word; do case $word in -o) cd=1;;
        *) [ "$cd" ] || set -- "$@" "$word"
        cd=; esac; shift; done; echo "$*" >>{root}/calls
        case "$*" in
        indextargets*) echo "stable http://mirror.example/debian/"
            echo "stable-security http://mirror.example/debian-security/";;
        update) [ -e {root}/fails ] || exit 0; read code times <{root}/fails
            [ "$times" -gt 0 ] || exit 0
            echo "$code $((times - 1))" >{root}/fails; cat {root}/update; exit "$code";;
        download*) package=${{2%%=*}}; cp "{root}/${{package}}_${{2#*=}}_all.deb" .;;
        source*) for last; do :; done; version=${{last#*=}}
            cp "{root}/linux_${{version%-*}}.orig.tar.xz" .;; esac""")
    stub("apt-cache", f"""kind=deb
        for word; do case $word in *deb-src*) kind=deb-src;; esac; last=$word; done
        case "$*" in *pkgnames*) sort -u {root}/names;;
        *) cat {root}/$kind-$last 2>/dev/null;; esac; exit 0""")
    stub("dpkg-deb", 'cat "$2"')
    made = MadeUpMirror(root)
    for base, version in (("6.1", "6.1.9-1"), ("7.2", "7.2.1-1")):
        made.offer(f"linux-source-{base}", version)
    return made
