# SPDX-License-Identifier: GPL-2.0-only
"""Begin a base with what the nearest one has."""

import re
from pathlib import Path

from .. import config, queue
from ..config import Base, version_key
from ..kernel import fetch
from ..queue import topic_changes
from ..system import files, transaction
from ..system.errors import UsageError
from ..system.paths import Layout
from . import three_way

NAME = re.compile(r"\d+\.\d+")


def begin(layout: Layout, name: str) -> list[str]:
    """Store a base that has what its nearest has; returns what to do next, a line each.

    Kconfig fragments and cases need nothing: a base takes those of the one before it.
    """
    bases = config.bases(layout)
    if not NAME.fullmatch(name):
        raise UsageError(f"'{name}' is no kernel's name; give one such as 6.6")
    if name in bases:
        raise UsageError(f"base {name} exists; gup bump --base {name} tries it on "
                         "another kernel")
    near = three_way.nearest(bases, name).name
    changes: dict[Path, str | None] = {}
    for theirs, mine in ((layout.series(near), layout.series(name)),
                         (layout.hookup(near), layout.hookup(name)),
                         (layout.compat(near), layout.compat(name))):
        if theirs.exists():
            changes[mine] = files.read(theirs)
    path = layout.config / "bases.toml"
    changes[path] = config.with_new_base(files.read(path), name, _facts(bases[near], name))
    for topic in queue.topics(layout):
        if near in topic.status and name not in topic.status:
            changes[topic.path] = topic_changes.with_new_status(
                topic.path, files.read(topic.path), name, topic.status[near])
    with transaction.hold(layout):
        transaction.commit(layout, changes)
    return [f"base {name} begins with what {near} has; next, gup bump --base {name} tries it "
            "on the newest kernel of the mirror",
            *_by_hand(layout, name, [*bases, name])]


def _by_hand(layout: Layout, name: str, bases: list[str]) -> list[str]:
    """What no tool can write, once the base is green."""
    before, newest = sorted(bases, key=version_key)[-2:]
    left = [f"{layout.hookup(name).relative_to(layout.root)}: what the suites come to there"]
    if name == newest and layout.cover(before).exists():
        cover, moved = (path.relative_to(layout.root)
                        for path in (layout.cover(before), layout.cover(name)))
        left.append(f"git mv {cover} {moved}, and what it says of tests")
    left.append("README and the record: gup matrix --record")
    return ["after that, by hand:", *(f"  {line}" for line in left)]


def _facts(near: Base, name: str) -> dict[str, object]:
    """What bases.toml says of a base that was never verified."""
    return {"package": fetch.package_of(name), "package_version": "", "version": "",
            "kunit_filter": near.kunit_filter, "kunit_of": near.kunit_of,
            "blobs": dict.fromkeys(sorted(near.blobs), "")}
