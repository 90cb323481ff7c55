# SPDX-License-Identifier: GPL-2.0-only
"""What Debian's mirror has of a package: every suite is asked, past the machine's own
sources of apt.

apt gets a sources file, lists and a cache of its own below build/, one set for the
packages and one for their sources. They are kept, so the next call fetches what has
changed and no more.
"""

import functools
import os
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from .. import config
from ..setup.packages import SIGNED_ALONE
from ..system import files, process
from ..system.errors import EnvironmentFault
from ..system.paths import Layout
from ..system.terminal import Progress, say

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SECURITY = "-security"
BINARY, SOURCE = "deb", "deb-src"
FAILED = re.compile(r"^Err:\d+ \S+ (\S+)(?: .*)?\n +(.*)$", re.MULTILINE)
GONE = re.compile(r"^404\b|does not have a Release file")
UNSIGNED = re.compile(r"signatures?\b|NO_PUBKEY|is not signed")
NO_RELEASE = re.compile(r"^E: The repository '\S+ (\S+) (?:In)?Release' (.*?)\.?$",
                        re.MULTILINE)


@dataclass(frozen=True)
class Offer:
    """A version of a package, and a suite that has it."""

    package: str
    version: str
    suite: str


@dataclass(frozen=True)
class Mirror:
    """One set of lists; kind is deb or deb-src."""

    layout: Layout
    kind: str = BINARY

    @property
    def place(self) -> Path:
        """Where the lists are."""
        return self.layout.lists(self.kind)

    @property
    def options(self) -> list[str]:
        """The options by which apt uses the lists, and nothing of the machine's."""
        pairs = {"Dir::Etc::sourcelist": self.place / "sources.list",
                 "Dir::Etc::sourceparts": "-", "Dir::State::lists": self.place / "lists",
                 "Dir::Cache": self.place / "cache", "Dir::Cache::pkgcache": "pkgcache.bin",
                 "APT::Get::List-Cleanup": "0", "Acquire::Languages": "none",
                 "APT::Update::Error-Mode": "any", **SIGNED_ALONE}
        if os.geteuid() == 0:
            pairs["APT::Sandbox::User"] = "root"
        return [word for key, value in pairs.items() for word in ("-o", f"{key}={value}")]

    def newest_first(self, package: str, wanted: Callable[[str], object], enough: str = "",
                     fresh: bool = True) -> list[Offer]:
        """The versions of a package that are wanted, in all suites.

        The lists are brought up to date first, unless they need not be fresh, or have
        the version enough as they are.
        """
        if fresh and not (enough and any(offer.version == enough
                                         for offer in self._offers(package, wanted))):
            self.update()
        return sorted(self._offers(package, wanted), reverse=True,
                      key=lambda offer: by_version(offer.version))

    def _offers(self, package: str, wanted: Callable[[str], object]) -> list[Offer]:
        """The versions of a package that are wanted, in the lists as they are."""
        if not (self.place / "sources.list").exists():
            return []
        asked = process.run(["apt-cache", *self.options, "madison", package], check=False,
                            stderr_apart=True)
        rows = [[part.strip() for part in line.split("|")]
                for line in asked.output.splitlines() if line.count("|") >= 2]
        return list(dict.fromkeys(Offer(name, version, _suite(where))
                                  for name, version, where, *_ in rows if wanted(version)))

    def packages(self, prefix: str) -> list[str]:
        """The names in the lists that begin so."""
        return process.run(["apt-cache", *self.options, "pkgnames", prefix],
                           stderr_apart=True).output.split()

    def update(self) -> None:
        """Bring the lists up to date; raises EnvironmentFault when that fails.

        A suite that the mirror does not have, or that is not signed by a key of
        KEYRING, is left out with a word.
        """
        with files.locked(self.place / "lock", "the list of packages"):
            left = list(self._write_sources())
            while True:
                with Progress(f"asking the mirror for {len(left)} suites") as step:
                    result = process.run(["apt-get", *self.options, "update"], check=False,
                                         log=self.place / "update.log", watch=step.tick)
                if not result.returncode:
                    return
                bad = _failures(result.output)
                if not bad:
                    raise self._failed(result.last_line)
                for suite, why in bad.items():
                    if not GONE.search(why) and not UNSIGNED.search(why):
                        raise self._failed(f"{suite}: {why}")
                    say(f"suite {suite} is left out: " + (
                        "the mirror does not have it" if GONE.search(why) else
                        f"no key of {KEYRING.name} has signed it, and nothing unsigned is "
                        f"taken ({why})"))
                left = [suite for suite in left if suite not in bad]
                if not left:
                    raise self._failed("no suite is left to ask")
                self._write_sources(left)

    def _failed(self, why: str) -> EnvironmentFault:
        return EnvironmentFault(f"the mirror cannot be asked: {why} (log: "
                                f"{self.place / 'update.log'}); mend that, or give a tree by "
                                "--ksrc")

    def _write_sources(self, wanted: Collection[str] | None = None) -> list[str]:
        """Write apt's sources for the suites, of those wanted; returns their names."""
        if not KEYRING.exists():
            raise EnvironmentFault(f"{KEYRING} is missing, by which packages are verified; "
                                   "run: sudo apt-get install debian-archive-keyring")
        known, lines = mirrors(), {}
        for suite in config.suites(self.layout):
            kind = SECURITY if suite.endswith(SECURITY) else ""
            if kind not in known and wanted is None:
                say(f"this machine's apt knows no security mirror; {suite} is left out")
            elif kind in known and (wanted is None or suite in wanted):
                lines[suite] = f"{self.kind} [signed-by={KEYRING}] {known[kind]} {suite} main\n"
        files.write(self.place / "sources.list", "".join(lines.values()))
        for folder in ("lists", "cache"):
            (self.place / folder / "partial").mkdir(parents=True, exist_ok=True)
        return list(lines)


def told(offers: Iterable[Offer]) -> str:
    """Versions with the suites that have them, for a message."""
    suites: dict[str, list[str]] = {}
    for offer in offers:
        suites.setdefault(offer.version, []).append(offer.suite)
    return "; ".join(f"{version} in {', '.join(places)}"
                     for version, places in suites.items())


@functools.cache
def _newer(one: str, other: str) -> bool:
    return not process.run(["dpkg", "--compare-versions", one, "gt", other],
                           check=False).returncode


def _order(one: str, other: str) -> int:
    return 0 if one == other else 1 if _newer(one, other) else -1


by_version = functools.cmp_to_key(_order)
"""Sort key of a package's version, in dpkg's own order: 7.3~rc7 is ahead of 7.3.4."""


def mirrors() -> dict[str, str]:
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


def _suite(where: str) -> str:
    """The suite in apt-cache's `ADDRESS SUITE/COMPONENT …`."""
    return (where.split() + ["", ""])[1].rpartition("/")[0]


def _failures(output: str) -> dict[str, str]:
    """Why suites could not be had, by their names, from what apt-get update said."""
    found = {suite: why for suite, why in FAILED.findall(output)}
    return {**found, **{suite: why for suite, why in NO_RELEASE.findall(output)}}
