# SPDX-License-Identifier: GPL-2.0-only
"""What apt finds on a made-up mirror."""

import tarfile
from dataclasses import dataclass
from pathlib import Path

from .kernel import kernel_files, write_tarball


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
