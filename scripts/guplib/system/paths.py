# SPDX-License-Identifier: GPL-2.0-only
"""The one place that knows where things are."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


RESULTS = "results.json"
IMAGE = "image.json"


@dataclass(frozen=True)
class Layout:
    """Paths of the queue; everything below build/ can be made again."""

    root: Path
    build_folder: Path | None = None    # instead of build/, as --build-dir says

    @property
    def patches(self) -> Path:
        """One folder per topic."""
        return self.root / "patches"

    @property
    def suites(self) -> Path:
        """The KUnit sources, one for all bases."""
        return self.root / "kunit"

    @property
    def config(self) -> Path:
        """Data that the tool reads."""
        return self.root / "config"

    @property
    def promises(self) -> list[Path]:
        """What the kernel-doc promises, in files by what it is of."""
        return sorted((self.config / "promises").glob("*.toml"))

    @property
    def scripts(self) -> Path:
        """The tool and its tests."""
        return self.root / "scripts"

    @property
    def build(self) -> Path:
        """All that is fetched, unpacked, built and measured."""
        return self.build_folder or self.root / "build"

    @property
    def readme(self) -> Path:
        """What a user reads first."""
        return self.root / "README.md"

    @property
    def measured(self) -> Path:
        """What the cells came to when they were last recorded."""
        return self.root / "doc" / "measured.json"

    @property
    def proved(self) -> Path:
        """What the topics came to when they were last taken out, one at a time."""
        return self.root / "doc" / "proved.json"

    @property
    def proof_page(self) -> Path:
        """The same for a person to read."""
        return self.root / "doc" / "proved.md"

    def prove(self, base: str) -> Path:
        """Where gup prove keeps what takes a topic out, and what it has done."""
        return self.base(base) / "prove"

    @property
    def matrix_done(self) -> Path:
        """What a gup matrix that is under way has done."""
        return self.build / "matrix.done.json"

    @property
    def check_done(self) -> Path:
        """What a gup check that is under way has done."""
        return self.build / "check.done.json"

    @property
    def check_log(self) -> Path:
        """Folder of the logs that gup check leaves."""
        return self.build / "check"

    @property
    def fault_log(self) -> Path:
        """What is known of an error of gup's own."""
        return self.build / "internal-error.log"

    @property
    def journal(self) -> Path:
        """New contents of stored files, while they are being put in place.

        Of these there is one set, so this is in the clone whatever --build-dir says.
        """
        return self.root / "build/journal.json"

    @property
    def queue_lock(self) -> Path:
        """Held while stored files are rewritten; in the clone, like the journal."""
        return self.root / "build/queue.lock"

    @property
    def draft(self) -> Path:
        """A copy of the stored files in which a change is tried."""
        return self.build / "draft"

    @property
    def thread(self) -> Path:
        """Where a saved thread is taken apart."""
        return self.build / "thread"

    def bump(self, base: str) -> "Layout":
        """A copy of the project in which another kernel is tried for a base."""
        return Layout(self.build / "bump" / base)

    @property
    def all_series(self) -> Path:
        """Folder of the quilt series, one file per base."""
        return self.root / "series"

    @property
    def ci(self) -> Path:
        """What a machine calls to check everything."""
        return self.root / ".ci" / "run"

    def named(self, path: Path) -> Path:
        """A path as messages have it: in the clone, if it is there."""
        return path.relative_to(self.root) if path.is_relative_to(self.root) else path

    def shown(self, path: Path) -> Path:
        """A path in the form in which it can be used from where the person stands."""
        here = Path.cwd()
        return Path(os.path.relpath(path, here)) if here.is_relative_to(self.root) else path

    def series(self, base: str) -> Path:
        """The quilt series of a base."""
        return self.all_series / base

    def cover(self, base: str) -> Path:
        """The cover letter that a base's series is mailed with; need not exist."""
        return self.all_series / f"{base}.cover"

    def topic(self, name: str) -> Path:
        """What a topic says of itself."""
        return self.patches / name / "topic.toml"

    def hookup(self, base: str) -> Path:
        """The patch that ties the suites into a base."""
        return self.suites / "hookup" / f"{base}.patch"

    def compat(self, base: str) -> Path:
        """The header with what a base lacks; need not exist."""
        return self.suites / "compat" / f"{base}.h"

    @property
    def kunitconfig(self) -> Path:
        """The Kconfig fragment of the suites, which goes to a tree with them."""
        return self.suites / "kunitconfig"

    @property
    def fragments(self) -> list[Path]:
        """The Kconfig fragments of all cells; config.fragments() tells them apart."""
        return sorted(self.config.glob("*.config"))

    def downloads(self, base: str) -> Path:
        """The sources of a base's kernel, as they were fetched."""
        return self.build / "packages" / base

    def lists(self, kind: str) -> Path:
        """apt's lists of what the mirror has; kind is deb or deb-src."""
        return self.build / "packages" / "lists" / kind

    def base(self, base: str) -> Path:
        """Everything made for a base."""
        return self.build / base

    def tree(self, base: str, name: str = "") -> Path:
        """A kernel tree of a base: that with the series, or one with a name."""
        return self.base(base) / f"linux{_ending(name)}"

    def mail(self, base: str) -> Path:
        """Where the mails of a base are made and read back."""
        return self.base(base) / "mail"

    def mail_lock(self, base: str) -> Path:
        """Held while the mails of a base are made."""
        return self.base(base) / "mail.lock"

    def cell(self, base: str, arch: str, name: str = "", kconfig: Sequence[str] = (),
             instrument: str = "") -> Path:
        """Results and logs of one cell, of the tree with a name.

        kconfig: options beside the cell's fragments and those of an instrument.
        """
        added = "".join(f"-{line.removeprefix('CONFIG_').replace('=', '-')}"
                        for line in kconfig)
        return self.base(base) / f"{arch}{_ending(name)}{_ending(instrument)}{added}"

    def out(self, base: str, arch: str, name: str = "") -> Path:
        """Where a cell is built."""
        return self.cell(base, arch, name) / "out"

    @property
    def selftest_source(self) -> Path:
        """What gup selftest adds to the kernel's own test."""
        return self.root / "selftest"

    def rerun(self, base: str) -> Path:
        """Where gup rerun works."""
        return self.base(base) / "rerun"

    def selftest(self, base: str, name: str = "") -> Path:
        """Where gup selftest works."""
        return self.base(base) / f"selftest{_ending(name)}"

    def results(self, base: str, arch: str, name: str = "") -> Path:
        """What a cell came to."""
        return self.cell(base, arch, name) / RESULTS


def _ending(name: str) -> str:
    """What the path of a tree with a name, or of its cells, ends in."""
    return f"-{name}" if name else ""
