# SPDX-License-Identifier: GPL-2.0-only
"""A kernel that was built with the suites, and what running and judging it takes.

It is written down in image.json in the folder of its cell, so that it can be run
again without its tree being looked at, and elsewhere, if the folder is there, too.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ..config import Kernel
from ..system import files, schema
from ..system.errors import UsageError

DAMAGED = "run the cell again"


@dataclass(frozen=True)
class Image:
    """An image of a cell.

    name: BASE/ARCH. out: kunit.py's build folder, and tree: where kunit.py is called.
    program: kunit.py with the words ahead of its verb; words and run: what is said to
    it for the architecture, and to run a kernel. filters: whether it can run a part.
    base, options and names are those of Kernel; absent are the suites that are not in
    it, and against is what the build has against the cell, a line each. settings: a
    digest of all that it was configured by; made_from: one of what it was built from,
    empty if that cannot be told. make: how kunit.py calls make, empty if it does not
    say so. stamps: when those files of it were written that tell whether it is still
    the one, in ns.
    """

    name: str
    out: str
    tree: str
    program: tuple[str, ...]
    words: tuple[str, ...]
    run: tuple[str, ...]
    filters: bool
    base: str
    options: tuple[str, ...]
    names: tuple[str, ...]
    absent: tuple[str, ...]
    against: tuple[str, ...]
    settings: str
    made_from: str
    make: tuple[str, ...]
    stamps: dict[str, int]

    @property
    def kernel(self) -> Kernel:
        """What the kernel is and has."""
        return Kernel(self.base, frozenset(self.options), frozenset(self.names))

    @property
    def folder(self) -> Path:
        """The folder of the cell."""
        return Path(self.out).parent


def save(path: Path, image: Image) -> None:
    files.write(path, json.dumps(asdict(image)) + "\n")


def load(path: Path) -> Image | None:
    """The image that was written down; None if there is none that can be read."""
    if not path.exists():
        return None
    try:
        return schema.fill(Image, schema.read_json(path, DAMAGED), f"{path}")
    except UsageError:
        return None
