# SPDX-License-Identifier: GPL-2.0-only
"""Kernel sources as they come: package, tarball, unpacked tree, git clone."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from ..system import files, process
from ..system.errors import EnvironmentFault, UsageError
from ..system.git import Git
from ..system.terminal import Progress

VERSION_LINE = re.compile(r"^(VERSION|PATCHLEVEL|SUBLEVEL)[ \t]*=[ \t]*(\d+)[ \t]*$|"
                          r"^(EXTRAVERSION)[ \t]*=[ \t]*(-rc\d+)[ \t]*$", re.MULTILINE)
LANDMARKS = ("Makefile", "mm/gup.c", "tools/testing/kunit/kunit.py")
BUILT_MARKS = (".config", "include/config")
DEBIAN_BLOCK = "\n#\n# Debian packaging: ignore everything at the top level"


@dataclass(frozen=True)
class Source:
    """Where a tree comes from; kind is package, tarball, folder or clone.

    stamp changes when the source does: a commit id, or sizes and times; of a package,
    it is the one that was taken, and ref the one that config/bases.toml had then.
    """

    kind: str
    path: str
    ref: str = ""
    stamp: str = ""

    def __str__(self) -> str:
        if self.kind == "package":
            return self.stamp or self.path
        return self.path + (f" at {self.ref}" if self.ref else "")


def classify(path: Path, ref: str) -> Source:
    """Tell what --ksrc names; raises UsageError when it is no kernel."""
    where = path.expanduser().resolve()
    if where.is_file():
        kind = "tarball"
    elif (where / ".git").exists():
        kind = "clone"
    elif where.is_dir():
        kind = "folder"
        require_kernel(where, str(path))
        built = [mark for mark in BUILT_MARKS if (where / mark).exists()]
        if built:
            raise UsageError(f"{path}: was built in place ({built[0]} exists); run "
                             "'make mrproper' there first")
    else:
        raise UsageError(f"--ksrc {path}: no such file or folder")
    if ref and kind != "clone":
        raise UsageError(f"--ref is for a git clone; {path} is none")
    if kind == "clone":
        ref = ref or "HEAD"
        commit = Git(where).resolve(ref)
        if not commit:
            raise UsageError(f"{path} has no commit '{ref}'; name one by --ref")
        return Source(kind, str(where), ref, commit)
    marks = [where] if kind == "tarball" else [where / mark for mark in LANDMARKS]
    stats = [mark.stat() for mark in marks]
    return Source(kind, str(where), "",
                  " ".join(f"{stat.st_size}:{stat.st_mtime_ns}" for stat in stats))


def version(makefile: str) -> str:
    """The version in the text of a kernel's Makefile, such as 6.1.192 or 7.3.0-rc7."""
    found = {line[1] or line[3]: line[2] or line[4]
             for line in VERSION_LINE.finditer(makefile)}
    parts = [found.get(key, "") for key in ("VERSION", "PATCHLEVEL", "SUBLEVEL")]
    return ".".join(parts) + found.get("EXTRAVERSION", "") if all(parts) else ""


def require_kernel(folder: Path, name: str) -> str:
    """Return the version of an unpacked kernel; raises UsageError if none."""
    for mark in LANDMARKS:
        if not (folder / mark).is_file():
            raise UsageError(f"{name}: no Linux source tree ({mark} is missing)")
    found = version((folder / "Makefile").read_text("utf-8", errors="replace"))
    if not found:
        raise UsageError(f"{name}: no Linux source tree (Makefile has no VERSION)")
    return found


def require_base(found: str, base: str, name: str) -> None:
    """Raise UsageError when a version is not of the base asked for."""
    if found.split(".")[:2] != base.split("."):
        raise UsageError(f"{name} is Linux {found}, not {base}; name the base that "
                         "it is, or another source")


def unpack(source: Source, place: Path, base: str) -> None:
    """Fill the empty folder place from a tarball or a folder.

    Raises EnvironmentFault for a damaged tarball, UsageError for one that
    holds no kernel of that base.
    """
    with Progress(f"base {base}: unpacking {Path(source.path).name}") as progress:
        if source.kind == "folder":
            process.run(["cp", "-a", "--reflink=auto", f"{source.path}/.", place],
                        watch=progress.tick, where=place)
        else:
            # Root's tar would keep owners and modes that the person does not have.
            result = process.run(["tar", "-x", "--strip-components=1", "-C", place,
                                  "--no-same-owner", "--no-same-permissions",
                                  "-f", source.path], check=False,
                                 watch=progress.tick, where=place)
            if result.returncode:
                raise EnvironmentFault(
                    f"{source.path}: damaged or no tarball ({result.last_line}); "
                    "get it again")
    require_base(require_kernel(place, source.path), base, source.path)
    _open_gitignore(place / ".gitignore")


def _open_gitignore(path: Path) -> None:
    """Drop what Debian adds to .gitignore: it hides every new file from git."""
    if path.exists():
        text = files.read(path)
        kept = text.partition(DEBIAN_BLOCK)[0]
        if kept != text:
            files.scratch(path, kept)


def check_out(source: Source, place: Path, base: str) -> None:
    """Make place a worktree of a clone, at the named ref.

    Raises UsageError when it is no kernel or of another version.
    """
    clone = Git(Path(source.path))
    makefile = clone.run("show", f"{source.stamp}:Makefile", check=False)
    found = version(makefile.output)
    if not found:
        raise UsageError(f"{source}: no Linux source tree (Makefile has no VERSION)")
    require_base(found, base, str(source))
    with Progress(f"base {base}: checking out {source}") as progress:
        clone.run("worktree", "add", "--detach", str(place), source.stamp,
                  watch=progress.tick)
    require_kernel(place, str(source))


def discard(place: Path) -> None:
    """Remove a tree that unpack() or check_out() began."""
    mark = place / ".git"
    if mark.is_file():
        clone = files.read(mark).partition("gitdir: ")[2].partition("/worktrees/")[0]
        shutil.rmtree(place)
        if Path(clone).is_dir():
            Git(Path(clone)).run("worktree", "prune", check=False)
    elif place.exists():
        shutil.rmtree(place)
