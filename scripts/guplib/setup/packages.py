# SPDX-License-Identifier: GPL-2.0-only
"""The Debian packages that the work needs, and how they get installed."""

import os
import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path

from .. import config
from ..config import Need
from ..system import process, settings
from ..system.errors import EnvironmentFault
from ..system.paths import Layout
from ..system.terminal import Progress, say

# Whatever the settings of the machine are: what nobody has signed is not installed.
SIGNED_ALONE = {"APT::Get::AllowUnauthenticated": "0",
                "Acquire::AllowInsecureRepositories": "0",
                "Acquire::AllowWeakRepositories": "0",
                "Acquire::AllowDowngradeToInsecureRepositories": "0"}


def ensure(layout: Layout, groups: Iterable[str]) -> None:
    """See to it that the packages of the groups are there.

    Installs what is missing when this is root or sudo asks for no password.
    Otherwise raises EnvironmentFault with the exact command.
    """
    known = config.needs(layout)
    missing = sorted({need.package for group in groups
                      for need in config.needed(layout, known, group) if not present(need)})
    if missing:
        install(missing, layout.build / "packages" / "install.log")


def present(need: Need) -> bool:
    """Whether the program or file that shows a package is on this machine."""
    if need.program:
        return shutil.which(need.program) is not None
    return any(Path("/").glob(need.file.lstrip("/")))


def install(missing: list[str], log: Path) -> None:
    """Install packages by apt-get; raises EnvironmentFault when it cannot."""
    by_hand = shlex.join(["sudo", "apt-get", "install", *missing])
    apt = ["apt-get", *(word for key, value in SIGNED_ALONE.items()
                        for word in ("-o", f"{key}={value}"))]
    if not shutil.which("apt-get"):
        raise EnvironmentFault(f"not a Debian machine, and these are missing: "
                               f"{' '.join(missing)}; install what provides them")
    prefix = _as_root()
    if prefix is None or not settings.of_call.install:
        raise EnvironmentFault(f"packages are missing; run: {by_hand}")
    say(f"installing packages, which this needs, as: "
        f"{shlex.join([*prefix, 'apt-get', 'install', *missing])}")
    with Progress("apt-get install") as progress:
        for words in ([*apt, "update"],
                      [*apt, "install", "-y", "--no-install-recommends", *missing]):
            result = process.run([*prefix, *words], check=False, log=log,
                                 env={"DEBIAN_FRONTEND": "noninteractive"},
                                 watch=progress.tick)
    if result.returncode:
        raise EnvironmentFault(f"apt-get could not install {' '.join(missing)}: "
                               f"{result.last_line} (log: {log})")


def _as_root() -> list[str] | None:
    """The words that make a command run as root; None when nothing does."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        asked = process.run(["sudo", "-n", "true"], check=False)
        if asked.returncode == 0:
            return ["sudo", "-n"]
    return None
