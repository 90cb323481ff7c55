# SPDX-License-Identifier: GPL-2.0-only
"""Get a base's linux-source package, past the machine's own apt sources."""

import os
from dataclasses import replace
from pathlib import Path

from ..config import Base, version_key
from ..system import files, process
from ..system.errors import EnvironmentFault
from ..system.paths import Layout
from ..system.terminal import Progress, say

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SECURITY = "-security"


def tarball(layout: Layout, base: Base) -> Path:
    """Return the source tarball of a base, fetched if it is not there yet.

    apt gets a sources file, lists and a cache of its own below build/. Raises
    EnvironmentFault when no mirror is known or the package cannot be had.
    """
    place = layout.downloads(base.name)
    unpacked = place / f"{base.package}.tar.xz"
    if unpacked.exists():
        return unpacked
    package = _package(place, base)
    inside = f"./usr/src/{unpacked.name}"
    draft = unpacked.with_suffix(".new")
    with Progress(f"base {base.name}: opening {package.name}") as progress:
        process.run(["sh", "-c", 'dpkg-deb --fsys-tarfile "$1" | '
                     'tar -xO -f - "$2" >"$3"', "sh", package, inside, draft],
                    watch=progress.tick)
    if not draft.stat().st_size:
        package.unlink()
        raise EnvironmentFault(f"{package}: damaged package, removed; call again")
    os.replace(draft, unpacked)
    package.unlink()
    return unpacked


def _package(place: Path, base: Base) -> Path:
    """The .deb of a base; the verified version if the mirror still has it."""
    options, offered = _offered(place, base, "deb", base.package)
    version = base.package_version
    if version not in offered:
        version = offered[0]
        say(f"base {base.name}: the mirror has {base.package} {version}, "
            f"not the verified {base.package_version}" if base.package_version else
            f"base {base.name}: taking {base.package} {version}; none is verified yet")
    for left_over in place.glob("*.deb"):
        left_over.unlink()
    with Progress(f"base {base.name}: downloading {base.package} {version}") as step:
        process.run(["apt-get", *options, "download", f"{base.package}={version}"],
                    cwd=place, log=place / "download.log", watch=step.tick)
    return next(place.glob("*.deb"))


def newest(layout: Layout, base: Base) -> str:
    """The newest version of a base's package that the mirror has."""
    return _offered(layout.downloads(base.name), base, "deb", base.package)[1][0]


def upstream(layout: Layout, base: Base, version: str) -> Path:
    """The upstream tarball of Debian's source package linux, of that version.

    It is looked for in the suites of the base. Raises EnvironmentFault when
    none of them has the version.
    """
    place = layout.downloads(base.name)
    found = place / f"linux_{version.rpartition('-')[0]}.orig.tar.xz"
    if found.exists():
        return found
    options, offered = _offered(place / "sources", base, "deb-src", "linux")
    if version not in offered:
        raise EnvironmentFault(f"base {base.name}: no source package linux {version} in "
                               f"{', '.join(base.suites)}; there are: "
                               f"{', '.join(dict.fromkeys(offered))}")
    with Progress(f"base {base.name}: downloading the source of {version}") as step:
        process.run(["apt-get", *options, "source", "--download-only", "--tar-only",
                     "--only-source", f"linux={version}"], cwd=place / "sources",
                    log=place / "download.log", watch=step.tick)
    os.replace(place / "sources" / found.name, found)
    return found


def debian_source(layout: Layout, base: Base) -> Path:
    """The .dsc of Debian's source package linux of a base, fetched if not there yet.

    It is the newest version that the mirror really has: of some in its lists it
    has no files. Raises EnvironmentFault when there is none.
    """
    place = layout.downloads(base.name) / "debian"
    if found := sorted(place.glob("linux_*.dsc")):
        return found[-1]
    releases = replace(base, suites=base.debian)
    options, offered = _offered(place, releases, "deb-src", "linux")
    for version in sorted(set(offered), key=version_key, reverse=True):
        if not version.startswith(f"{base.name}."):
            continue
        with Progress(f"base {base.name}: downloading the source package {version}"
                      ) as step:
            result = process.run(["apt-get", *options, "source", "--download-only",
                                  "--only-source", f"linux={version}"], cwd=place,
                                 check=False, log=place / "download.log",
                                 watch=step.tick)
        if result.returncode == 0:
            return next(place.glob("linux_*.dsc"))
        for left_over in place.glob("linux_*"):
            left_over.unlink()
    raise EnvironmentFault(f"base {base.name}: no source package linux {base.name} to be "
                           f"had in {', '.join(base.debian)} (log: "
                           f"{place / 'download.log'})")


def _offered(place: Path, base: Base, kind: str, package: str
             ) -> tuple[list[str], list[str]]:
    """The options for apt, and the versions of a package, the newest first.

    kind is deb or deb-src. Raises EnvironmentFault when there is no version.
    """
    options = _private_apt(place, base, kind)
    with Progress(f"base {base.name}: asking the mirror for {package}") as step:
        process.run(["apt-get", *options, "update"], log=place / "update.log",
                    watch=step.tick)
    offered = [line.split("|")[1].strip() for line in process.run(
        ["apt-cache", *options, "madison", package],
        stderr_apart=True).output.splitlines() if line.count("|") >= 2]
    if not offered:
        raise EnvironmentFault(f"base {base.name}: {package} is in none of "
                               f"{', '.join(base.suites)}; give a tree by --ksrc")
    return options, offered


def _private_apt(place: Path, base: Base, type_: str = "deb") -> list[str]:
    """Write apt's private sources for a base and return the options for it."""
    sources, lists, cache = place / "sources.list", place / "lists", place / "cache"
    signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    mirrors = _mirrors()
    lines = []
    for suite in base.suites:
        kind = SECURITY if suite.endswith(SECURITY) else ""
        if kind in mirrors:
            lines.append(f"{type_} {signed}{mirrors[kind]} {suite} main\n")
        else:
            say(f"base {base.name}: this machine's apt knows no security mirror; "
                f"{suite} is left out")
    files.write(sources, "".join(lines))
    for folder in (lists, cache):
        (folder / "partial").mkdir(parents=True, exist_ok=True)
    pairs = {"Dir::Etc::sourcelist": sources, "Dir::Etc::sourceparts": "-",
             "Dir::State::lists": lists, "Dir::Cache": cache,
             "APT::Get::List-Cleanup": "0", "Acquire::Languages": "none"}
    if os.geteuid() == 0:
        pairs["APT::Sandbox::User"] = "root"
    return [word for key, value in pairs.items() for word in ("-o", f"{key}={value}")]


def _mirrors() -> dict[str, str]:
    """Debian's mirrors by kind ('' or '-security'), from the machine's apt.

    It is asked for what it would fetch, for it may never have fetched anything.
    """
    listing = process.run(["apt-get", "indextargets", "--no-release-info", "--format",
                           "$(RELEASE) $(REPO_URI)", "Created-By: Packages"],
                          stderr_apart=True)
    found: dict[str, str] = {}
    for line in listing.output.splitlines():
        release, _, address = line.partition(" ")
        if release.endswith(SECURITY):
            found.setdefault(SECURITY, address)
        elif address.rstrip("/").endswith("/debian"):
            found.setdefault("", address)
    if "" not in found:
        raise EnvironmentFault("this machine's apt knows no Debian mirror; "
                               "give a kernel tree by --ksrc")
    return found
