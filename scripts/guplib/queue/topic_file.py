# SPDX-License-Identifier: GPL-2.0-only
"""The reader of what a topic says of itself, patches/<topic>/topic.toml."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from .. import config
from ..config import version_key
from ..system import schema
from ..system.errors import UsageError
from ..system.paths import Layout

UPSTREAM = re.compile(
    r"not-submitted|in-mainline|merged (?P<commit>[0-9a-f]{40}) (?P<version>v\d+\.\d+\S*)"
    r"|submitted <(?P<message_id>[^<>\s]+@[^<>\s]+)>|never (?P<reason>\S.*)")
# Who can bring it about; a sentence behind it says what they get.
SEVERITIES = {"user": "any user", "device": "who may open a certain device",
              "root": "root alone", "driver": "a mistake in other kernel code",
              "debug": "nobody: a counter, a report or a test is wrong",
              "none": "nobody: nothing is wrong"}
SEVERITY = re.compile(rf"(?P<word>{'|'.join(SEVERITIES)})(?:: (?P<says>\S.*))?")


@dataclass(frozen=True)
class Mainline:
    """The commit by which mainline behaves as with the topic, and its first release."""

    commit: str
    title: str
    release: str

    def __str__(self) -> str:
        return f'{self.commit[:12]} ("{self.title}")'


@dataclass(frozen=True)
class Standing:
    """Where a change stands upstream; all are empty if it was not submitted.

    commit is that of mainline which the topic is a backport of, and version the
    one that it came with; since is that by which mainline does the same, where
    the topic was written anew; message_id is the mail that it was submitted by;
    never is why it does not go upstream, where nothing like it ever will be.
    """

    commit: str = ""
    version: str = ""
    message_id: str = ""
    never: str = ""
    since: Mainline | None = None


@dataclass(frozen=True)
class Topic:
    """What patches/<name>/topic.toml says.

    suites: those that prove it; cases: which of their cases fail without it, as
    globs SUITE.CASE, or none if the suites are of this topic alone.
    adds: the suites call functions that only exist with the topic. depends: the
    topics without which this one does not apply or work. security: it goes to
    the security list before any other. severity: who can bring about what is
    wrong (SEVERITIES), and what they get; affected: the releases of mainline
    that have it, as v6.5..v6.10, v6.5.. or none; fixes: the commits that brought
    it, as in the lines Fixes: of its patches. mainline: the commit that has the change, also if it
    was written anew here. difference: why a variant is not the
    newest one; backport: how it differs from the mainline commit. Both are by
    variant.
    """

    name: str
    path: Path
    title: str
    why: str
    upstream: str
    base: dict[str, str]
    suites: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    adds: bool = False
    depends: tuple[str, ...] = ()
    security: bool = False
    severity: str = ""
    affected: str = ""
    fixes: tuple[str, ...] = ()
    mainline: Mainline | None = None
    difference: dict[str, str] = field(default_factory=dict)
    backport: dict[str, str] = field(default_factory=dict)

    @property
    def status(self) -> dict[str, str]:
        """What the topic is on each base: needed, in-base, or why it is not applicable."""
        return self.base

    @property
    def standing(self) -> Standing:
        """Where it stands upstream, in parts."""
        found = UPSTREAM.fullmatch(self.upstream)
        parts = {key: part or "" for key, part in found.groupdict().items()} if found \
            else {}
        return Standing(parts.get("commit", ""), parts.get("version", ""),
                        parts.get("message_id", ""), parts.get("reason", ""),
                        None if parts.get("commit") else self.mainline)

    @property
    def reached_by(self) -> str:
        """The first word of the severity; empty if there is none."""
        return self.severity.partition(":")[0]

    def is_over(self, base: str) -> bool:
        """Whether mainline's releases that are affected end before a base."""
        last = re.search(r"\.\.v(\d+\.\d+)$", self.affected)
        return last is not None and version_key(last[1]) < version_key(base)


def topic(layout: Layout, name: str) -> Topic:
    """Read one topic; raises UsageError when it breaks the form."""
    path = layout.topic(name)
    if not path.parent.is_dir():
        known = sorted(entry.name for entry in layout.patches.iterdir()
                       if entry.is_dir())
        raise UsageError(f"unknown topic '{name}'; choose from {', '.join(known)}")
    table = config.load(path)
    for key, found in table.items():
        if found in ("", [], {}) or found is None:
            raise UsageError(f"{path}: '{key}' is empty; fill it in")
    return schema.fill(Topic, table, f"{path}", name=name, path=path)


def topics(layout: Layout) -> list[Topic]:
    """All topics, by name."""
    return [topic(layout, entry.name)
            for entry in sorted(layout.patches.iterdir()) if entry.is_dir()]
