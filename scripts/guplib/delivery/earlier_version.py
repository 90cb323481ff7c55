# SPDX-License-Identifier: GPL-2.0-only
"""A version of a series that was sent before, as it stands in its mails."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..system.errors import UsageError
from . import b4

CHANGE_ID = re.compile(r"^change-id: (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Sent:
    """An earlier version of a series, as it stands in its mails."""

    version: int
    message_id: str
    change_id: str
    mails: tuple[Path, ...]


def earlier(previous: Path, version: int, folder: Path) -> Sent:
    """The newest version before this one that a folder of mails or an mbox has.

    Raises UsageError when there is none.
    """
    if previous.is_dir():
        mails = sorted(previous.glob("*.eml"))
    else:
        mails = b4.split(previous, folder)
    by_version: dict[int, list[Path]] = {}
    for mail in mails:
        if number := b4.version(b4.parse(mail)):
            by_version.setdefault(number, []).append(mail)
    older = [number for number in by_version if number < version]
    if not older:
        raise UsageError(f"{previous}: has no patches of a version before {version}")
    return _sent(max(older), by_version[max(older)])


def _sent(version: int, mails: Iterable[Path]) -> Sent:
    """A version, by the ids in its cover letter, or in its only patch."""
    mails = tuple(sorted(mails, key=lambda mail: _number(mail)))
    first = b4.parse(mails[0])
    change_id = CHANGE_ID.search(b4.text(first))
    return Sent(version, b4.message_id(first), change_id[1] if change_id else "", mails)


def _number(mail: Path) -> int:
    """The number of a patch in its series; 0 for the cover."""
    found = re.search(r"\b(\d+)/\d+\b[^\]]*\]", str(b4.parse(mail).get("Subject", "")))
    return int(found[1]) if found else 0
