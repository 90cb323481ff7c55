# SPDX-License-Identifier: GPL-2.0-only
"""How the variants of a topic differ, and what topic.toml says of it."""

import re
import shutil
import tempfile
from pathlib import Path

from .. import queue
from ..config import version_key
from ..system import files, process
from ..system.errors import UsageError
from ..system.git import Git
from ..system.paths import Layout
from ..system.terminal import say

WIDE = 160      # columns from which on two patches go side by side
PLACE_ONLY = re.compile(r"^index .*\n|^( .* \| +\d+ [+-]+| \d+ files? changed.*)\n",
                        re.MULTILINE)
HUNK_PLACE = re.compile(r"^@@ -\S+ \+\S+ @@", re.MULTILINE)


def show(layout: Layout, name: str, columns: int | None = None) -> None:
    """Print each variant of a topic against its newest one, with the reason.

    columns is the width to print at; the terminal's if None. Raises
    UsageError for an unknown topic and for a variant without a reason.
    """
    topic = queue.topic(layout, name)
    width = columns or shutil.get_terminal_size((80, 24)).columns
    variants = sorted(layout.patches.joinpath(name).glob("*.patch"),
                      key=lambda path: version_key(path.stem))
    if len(variants) < 2:
        say(f"{name}: {len(variants)} variant; nothing to compare")
    *older, newest = variants or [topic.path]
    for path in older:
        say(f"== {name}: {path.name} against {newest.name}")
        say(f"   {topic.difference.get(path.stem, 'no reason is given')}\n")
        say(compare(path, newest, width))
    bare = [path.stem for path in older if path.stem not in topic.difference]
    if bare:
        raise UsageError(f"{topic.path}: [difference] says nothing of "
                         f"{', '.join(bare)}; say why it differs from {newest.name}")


def compare(old: Path, new: Path, width: int) -> str:
    """Two patches side by side or, on a narrow screen, as a diff of them.

    Blob ids, line numbers and the diffstat, which differ anyway, are left out.
    """
    with tempfile.TemporaryDirectory() as scratch:
        names = []
        for path in (old, new):
            text = PLACE_ONLY.sub("", files.read(path))
            files.scratch(Path(scratch) / path.name, HUNK_PLACE.sub("@@", text))
            names.append(path.name)
        if width >= WIDE:
            result = process.run(["diff", "--side-by-side", "--expand-tabs",
                                  f"--width={width}", *names], cwd=Path(scratch),
                                 check=False)
        else:
            result = Git(Path(scratch)).run("diff", "--no-index", "--no-prefix",
                                            "--no-color", *names, check=False)
    return result.output
