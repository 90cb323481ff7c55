# SPDX-License-Identifier: GPL-2.0-only
"""A made-up kernel: its files, how they are packed, and changes of them."""

import difflib
import functools
import hashlib
import io
import lzma
import tarfile
from pathlib import Path

GUP_C = [f"int line_{number:02};" for number in range(1, 61)]
# The made-up kernel's kunit.py: does what plan.json says, which is beside the queue. It is
# started often, so it does with what any Python has loaded.
FIND_PLAN = """\
import os, sys
words = dict(w.lstrip("-").split("=", 1) for w in sys.argv[2:] if "=" in w)
out = above = words["build_dir"]
while len(above) > 1 and not os.path.exists(f"{above}/plan.json"):
    above = os.path.dirname(above)
plan_file = f"{above}/plan.json"
plan = eval(open(plan_file).read(), {"null": None, "true": True, "false": False})
"""
KUNIT_PY = FIND_PLAN + """\
verb = sys.argv[1]
with open(f"{plan_file}.calls", "a") as calls:
    calls.write(" ".join(sys.argv[1:]) + chr(10))
if verb == "config":
    with open(f"{out}/.config", "w") as text:
        text.write("CONFIG_MMU=y" + chr(10) + "CONFIG_THP=y" + chr(10)
                   + open(f"{out}/.kunitconfig").read())
if verb == "build":
    for name in plan["objects"]:
        os.makedirs(os.path.dirname(f"{out}/{name}"), exist_ok=True)
        if not os.path.exists(f"{out}/{name}"):
            open(f"{out}/{name}", "w").close()
            print(plan["warning"])
if verb == "exec" and plan["log"] is not None:
    open(f"{out}/test.log", "w").write(plan["log"])
    open(words["json"], "w").write(plan["result"])
print(plan["says"][verb])
sys.exit(plan["codes"][verb])
"""
# The made-up kernel's kernel-doc: does not like a word. It is in Perl, or in Python.
KERNEL_DOC = """\
#!/usr/bin/env perl
shift @ARGV;
while (<>) { print "$ARGV:$.: warning: undocumented\\n" if /undocumented/; close ARGV if eof; }
"""
KERNEL_DOC_PY = """\
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
VERSIONS = {"6.1": "6.1.9", "7.2": "7.2.1"}     # of the bases that the queue is for


def unified(old: list[str], new: list[str], name: str) -> str:
    """A git-style diff between two versions of a file."""
    lines = difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", lineterm="")
    return f"diff --git a/{name} b/{name}\n" + "\n".join(lines) + "\n"


def with_line(number: int, text: str, lines: list[str] | None = None) -> list[str]:
    """mm/gup.c of the made-up kernel with one line changed."""
    changed = list(lines or GUP_C)
    changed[number - 1] = text
    return changed


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
