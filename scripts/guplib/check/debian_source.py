# SPDX-License-Identifier: GPL-2.0-only
"""Proof of the Debian form by Debian's own source package.

The exported patches go behind all of Debian's, without fuzz, and what comes
of it compiles. Then debian/bin/test-patches gets them, in a second copy, and
is stopped when it has applied them and would build the packages.
"""

import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

from .. import config, queue
from ..delivery import export, identity, output_folder
from ..delivery.export import Request
from ..kernel import fetch, tree
from ..kernel.spec import TreeSpec
from ..run import cell
from ..system import files, process, settings
from ..system.paths import Layout
from ..system.terminal import Progress

OBJECT = "mm/gup.o"
FLAVOUR = {"x86_64": "amd64", "aarch64": "arm64"}
# test-patches asks for all build dependencies first, and ends with the build.
STOP = 77
STUBS = {"dpkg-checkbuilddeps": "exit 0", "dpkg-buildpackage": f"exit {STOP}"}


def base(layout: Layout, name: str) -> Iterator[tuple[str, list[str]]]:
    """The steps of the proof for a base, and what is wrong with each."""
    cell.require_plain_path(layout)
    description = fetch.debian_source(layout, config.base(layout, name))
    place = layout.check_log / f"debian-{name}"
    shutil.rmtree(place, ignore_errors=True)
    dest = place / "out"
    _export(layout, name, dest)
    what = f"debian {name} {description.stem}"
    patched = _unpack(description, place / "patched")
    form = config.export_form(layout, "debian")
    pushed = _call(f"{what}: quilt push", patched, place / "push.log",
                   "\n".join(export.commands(form, name, dest)))
    yield f"{what} quilt push", pushed
    if not pushed:
        yield f"{what} {OBJECT}", _call(
            f"{what}: {OBJECT}", patched, place / "build.log",
            f"out={shlex.quote(str(place / 'build'))}\nmake -s O=\"$out\" defconfig\n"
            f"make -s O=\"$out\" -j{settings.of_call.parallel} {OBJECT}\n"
            f"test -s \"$out\"/{OBJECT}")
    shutil.rmtree(patched)
    yield f"{what} test-patches", _test_patches(
        what, _unpack(description, place / "tested"), dest, place)
    shutil.rmtree(place / "tested")


def _export(layout: Layout, name: str, dest: Path) -> None:
    """Export all patches of a base, and the tests, as nobody."""
    form = config.export_form(layout, "debian")
    request = Request(name, form.name, dest, with_tests=True)
    spec = TreeSpec(layout, config.base(layout, name))
    with tree.use_base(spec) as state:
        patchset = export.pack(spec, state, queue.series(layout, name),
                               request, identity.NOBODY)
        output_folder.fill(dest, export.contents(layout, form, request, patchset))


def _unpack(description: Path, place: Path) -> Path:
    """Unpack a source package, with Debian's own patches applied."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with Progress(f"unpacking {description.name}") as progress:
        process.run(["dpkg-source", "--no-check", "-x", description, place],
                    log=place.with_name(f"{place.name}.log"), watch=progress.tick)
    # dpkg-source leaves a link to the upstream tarball, or a copy of it.
    for path in place.parent.glob("*.orig.tar.xz"):
        path.unlink()
    return place


def _test_patches(what: str, source: Path, dest: Path, place: Path) -> list[str]:
    stubs = place / "stubs"
    stubs.mkdir()
    for name, script in STUBS.items():
        files.scratch(stubs / name, f"#!/bin/sh\n{script}\n")
        (stubs / name).chmod(0o755)
    patches = [str(dest / "debian/patches" / line)
               for line in files.read(dest / "series").split()]
    flavour = FLAVOUR.get(os.uname().machine, os.uname().machine)
    with Progress(f"{what}: test-patches") as progress:
        result = process.run(
            ["debian/bin/test-patches", "-f", flavour, *patches], cwd=source,
            env={"PATH": f"{stubs}{os.pathsep}{os.environ['PATH']}", "LC_ALL": "C"},
            check=False, log=place / "test-patches.log", watch=progress.tick)
    unpushed = [name for name in patches
                if f"Applying patch debian/patches/test/{Path(name).name}"
                not in result.output]
    if result.returncode == STOP and not unpushed:
        return []
    return [f"{unpushed[0] if unpushed else result.last_line}: not as far as the build "
            f"(log: {place / 'test-patches.log'})"]


def _call(what: str, where: Path, log: Path, script: str) -> list[str]:
    """Run a script in a folder; what is wrong with it, if anything."""
    with Progress(what) as progress:
        result = process.run(["sh", "-e", "-c", script], cwd=where, check=False, log=log,
                             env={"LC_ALL": "C", "HOME": str(where)},
                             watch=progress.tick)
    return [f"{result.last_line} (log: {log})"] if result.returncode else []
