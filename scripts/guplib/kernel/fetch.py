# SPDX-License-Identifier: GPL-2.0-only
"""Get the source of a base's kernel from Debian's mirror, each version by its name."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from .. import config
from ..config import Base
from ..system import files, process
from ..system.errors import EnvironmentFault
from ..system.paths import Layout
from ..system.terminal import Progress, say
from . import mirror
from .mirror import BINARY, SOURCE, Mirror, Offer

# Debian's source package of its newest kernels; its tarball is that of upstream.
UPSTREAM = "linux"
DOWNLOADED = r"^Get:\d+ \S+ \S+ \S+ {} \S+ (\S+) \["


@dataclass(frozen=True)
class Tarball:
    """A kernel's source: where it is, and the version of the package it came in."""

    path: Path
    package: str
    version: str


def package_of(base: str) -> str:
    """Debian's package with the source of a base's kernel, Debian's patches included."""
    return f"linux-source-{base}"


def tarball(layout: Layout, base: Base) -> Tarball:
    """The source of a base, fetched if it is not there yet.

    That is the verified version as long as the mirror has it, and the newest one
    after that. Raises EnvironmentFault when no mirror is known or the package
    cannot be had.
    """
    if found := verified(layout, base):
        return found
    known = offers(layout, base.name, package_of(base.name))
    if not known:
        raise _none(layout, base.name, package_of(base.name))
    say(f"base {base.name}: the mirror has {known[0].package} {known[0].version}, "
        f"not the verified {base.package_version}" if base.package_version else
        f"base {base.name}: taking {known[0].package} {known[0].version}; none is "
        "verified yet")
    return get(layout, base, known[0])


def verified(layout: Layout, base: Base) -> Tarball | None:
    """The verified source of a base, fetched if it is not there; None if it is gone."""
    package, version = base.package, base.package_version
    _adopt(layout.downloads(base.name), package_of(base.name))
    if not version:
        return None
    if found := _there(layout, base.name, package, version):
        return found
    for offer in offers(layout, base.name, package, enough=version):
        if offer.version == version:
            return get(layout, base, offer)
    return None


def newest(layout: Layout, name: str) -> Offer:
    """The newest package with a base's source that any suite of the mirror has.

    Raises EnvironmentFault when no suite has one.
    """
    known = offers(layout, name, package_of(name))
    if not known:
        raise _none(layout, name, package_of(name))
    say(f"base {name}: {known[0].package}: {mirror.told(known)}")
    return known[0]


def exactly(layout: Layout, base: Base, version: str) -> Tarball:
    """The source of a base in exactly this version of Debian's.

    That is of the package linux-source-B if a suite has it, and otherwise the
    upstream part of the source package linux. Raises EnvironmentFault when no suite
    has either.
    """
    places = ((BINARY, package_of(base.name)), (SOURCE, UPSTREAM))
    for _, package in places:
        if found := _there(layout, base.name, package, version):
            return found
    there: list[str] = []
    for _, package in places:
        known = offers(layout, base.name, package, enough=version)
        for offer in known:
            if offer.version == version:
                return get(layout, base, offer)
        there += [f"{package} {offer.version}" for offer in known]
    raise EnvironmentFault(f"base {base.name}: neither {package_of(base.name)} nor the "
                           f"source package {UPSTREAM} is there in version {version}; there "
                           f"are: {', '.join(dict.fromkeys(there)) or 'none'}")


def of_release(layout: Layout, base: Base) -> Tarball | None:
    """The upstream source of a base's verified release, if any suite still has it."""
    wanted = base.version.replace(".0-rc", "~rc")
    for offer in offers(layout, base.name, UPSTREAM):
        if offer.version.rpartition("-")[0] == wanted:
            return get(layout, base, offer)
    return None


def offers(layout: Layout, name: str, package: str, enough: str = "",
           fresh: bool = True) -> list[Offer]:
    """The versions of a package that are of a base's series, the newest first.

    The lists of an earlier call will do if they have the version enough, and, unless
    they are to be fresh, in any case.
    """
    lists = Mirror(layout, SOURCE if package == UPSTREAM else BINARY)
    series = re.compile(rf"{re.escape(name)}[.~-]")
    return lists.newest_first(package, series.match, enough, fresh)


def get(layout: Layout, base: Base, offer: Offer) -> Tarball:
    """Fetch a version that the mirror offers, unless it is there.

    Of the others of that package, the verified one is kept, and the rest removed.
    """
    place = layout.downloads(base.name)
    with files.locked(place / "lock", f"the packages of base {base.name}"):
        if found := _there(layout, base.name, offer.package, offer.version):
            return found
        wanted = place / file_name(offer.package, offer.version)
        scratch = place / "new"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        if offer.package == UPSTREAM:
            _download_source(layout, base.name, offer, scratch, wanted)
        else:
            _download(layout, base.name, offer, scratch, wanted)
        shutil.rmtree(scratch)
    kept = {wanted.name, file_name(base.package, base.package_version)}
    for path in place.glob(file_name(offer.package, "*-*")):
        if path.name not in kept:
            path.unlink()
    return Tarball(wanted, offer.package, offer.version)


def file_name(package: str, version: str) -> str:
    """The name of a tarball below build/packages: it has the version."""
    if package == UPSTREAM:
        return f"{package}_{version.rpartition('-')[0]}.orig.tar.xz"
    return f"{package}_{version.replace(':', '%3a')}.tar.xz"


def debian_source(layout: Layout, base: Base) -> Path:
    """The .dsc of Debian's source package linux of a base, fetched if not there yet.

    It is the newest version that the mirror really has: of some in its lists it
    has no files. Raises EnvironmentFault when there is none.
    """
    place = layout.downloads(base.name) / "debian"
    if found := sorted(place.glob("linux_*.dsc")):
        return found[-1]
    place.mkdir(parents=True, exist_ok=True)
    options = Mirror(layout, SOURCE).options
    for version in dict.fromkeys(
            offer.version for offer in offers(layout, base.name, UPSTREAM)):
        with Progress(f"base {base.name}: downloading the source package {version}"
                      ) as step:
            result = process.run(["apt-get", *options, "source", "--download-only",
                                  "--only-source", f"{UPSTREAM}={version}"], cwd=place,
                                 check=False, log=place / "download.log",
                                 watch=step.tick)
        if result.returncode == 0:
            return next(place.glob("linux_*.dsc"))
        for left_over in place.glob("linux_*"):
            left_over.unlink()
    raise EnvironmentFault(f"base {base.name}: no source package linux {base.name} to be "
                           f"had in {_suites(layout)} (log: {place / 'download.log'})")


def _there(layout: Layout, name: str, package: str, version: str) -> Tarball | None:
    """The tarball of a version, if it is there."""
    path = layout.downloads(name) / file_name(package, version)
    return Tarball(path, package, version) if path.exists() else None


def _download(layout: Layout, name: str, offer: Offer, scratch: Path, wanted: Path) -> None:
    """Fetch a package and take the tarball out of it; it appears whole or not at all."""
    with Progress(f"base {name}: downloading {offer.package} {offer.version}") as step:
        process.run(["apt-get", *Mirror(layout, BINARY).options, "download",
                     f"{offer.package}={offer.version}"], cwd=scratch,
                    log=wanted.parent / "download.log", watch=step.tick)
    package = next(scratch.glob("*.deb"))
    inside = f"./usr/src/{offer.package}.tar.xz"
    draft = scratch / wanted.name
    with Progress(f"base {name}: opening {package.name}") as step:
        process.run(["sh", "-c", 'dpkg-deb --fsys-tarfile "$1" | '
                     'tar -xO -f - "$2" >"$3"', "sh", package, inside, draft],
                    watch=step.tick)
    if not draft.stat().st_size:
        raise EnvironmentFault(f"{package}: damaged package; call again")
    os.replace(draft, wanted)


def _download_source(layout: Layout, name: str, offer: Offer, scratch: Path, wanted: Path
                     ) -> None:
    """Fetch the upstream tarball of a source package."""
    with Progress(f"base {name}: downloading the source of {offer.version}") as step:
        process.run(["apt-get", *Mirror(layout, SOURCE).options, "source",
                     "--download-only", "--tar-only", "--only-source",
                     f"{offer.package}={offer.version}"], cwd=scratch,
                    log=wanted.parent / "download.log", watch=step.tick)
    os.replace(scratch / wanted.name, wanted)


def _adopt(place: Path, package: str) -> None:
    """Name a tarball of an older layout after its version, which a log has, or drop it."""
    unnamed = place / f"{package}.tar.xz"
    if not unnamed.exists():
        return
    log = place / "download.log"
    said = log.read_text("utf-8", errors="replace") if log.exists() else ""
    found = re.findall(DOWNLOADED.format(re.escape(package)), said, re.MULTILINE)
    if found:
        os.replace(unnamed, place / file_name(package, found[-1]))
    else:
        say(f"{unnamed}: nothing says of what version it is; removed")
        unnamed.unlink()


def _none(layout: Layout, name: str, package: str) -> EnvironmentFault:
    return EnvironmentFault(f"base {name}: {package} is in none of {_suites(layout)}; give a "
                            "tree by --ksrc")


def _suites(layout: Layout) -> str:
    return ", ".join(config.suites(layout))
