# SPDX-License-Identifier: GPL-2.0-only
"""The reader of a cover letter, series/<base>.cover.

Its form: a subject, an empty line, the text, in which a line "Tested:" and a
line "Not tested:" each begin a section; from version 2 on also a line "---"
and the changes, newest first, each version under a line "Changes in vN:" as
items "- …". An item "- TOPIC: …" is of that patch alone. Lines that begin
with # are notes and are not sent.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from . import lint
from .errors import UsageError
from .layout import Layout
from .patchfile import Patch

SECTIONS = ("Tested:", "Not tested:")
UNFINISHED = "EDITME"
NOTE = re.compile(r"^#.*\n?", re.MULTILINE)
GAP = re.compile(r"\n{3,}")
CHANGES = re.compile(r"^Changes in v(\d+):$", re.MULTILINE)
ITEM = re.compile(r"^- (.*(?:\n  .*)*)$", re.MULTILINE)
OWN_ITEM = re.compile(r"([\w.-]+): (.*)", re.DOTALL)
SIGNATURE = "-- "


@dataclass(frozen=True)
class Cover:
    """A cover letter; changes holds the items of each version, newest first."""

    path: Path
    subject: str
    text: str
    changes: dict[int, tuple[str, ...]]

    def changelog(self, labels: dict[str, str]) -> str:
        """The changes as the cover has them; labels: what it calls the patches."""
        return "\n".join(
            f"Changes in v{version}:\n" + "".join(
                f"- {_labelled(item, labels)}\n" for item in items)
            for version, items in self.changes.items())

    def changelog_of(self, topic: str) -> str:
        """The changes of one patch, as they go below its own line '---'."""
        return "\n".join(
            f"Changes in v{version}:\n" + "".join(f"- {item}\n" for item in own)
            for version, items in self.changes.items()
            if (own := [found[2] for item in items
                        if (found := OWN_ITEM.fullmatch(item)) and found[1] == topic]))


def read(layout: Layout, base: str, version: int) -> Cover:
    """The cover letter of a base, fit to be sent as a version of the series.

    Raises UsageError, with all that is wrong, when it is not.
    """
    path = layout.cover(base)
    name = path.relative_to(layout.root)
    try:
        whole = GAP.sub("\n\n", NOTE.sub("", path.read_text()))
    except FileNotFoundError as error:
        raise UsageError(f"{name}: no such file; write the cover letter: a subject, an "
                         "empty line, a text with sections "
                         f"'{SECTIONS[0]}' and '{SECTIONS[1]}'") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: not UTF-8 text; save it as such") from error
    head, _, log = f"{whole}\n".partition("\n---\n")
    subject, _, text = head.partition("\n")
    parts = CHANGES.split(log)
    changes = {int(number): tuple(ITEM.findall(items))
               for number, items in zip(parts[1::2], parts[2::2])}
    found = Cover(path, subject, text.strip("\n"), changes)
    faults = [*_faults(found, text), *_log_faults(version, parts, changes)]
    if UNFINISHED in whole:
        faults.insert(0, f"has {UNFINISHED} in it")
    if faults:
        raise UsageError(f"{name}: {'; '.join(faults)}; see to it and call again")
    return found


def _faults(cover: Cover, below: str) -> list[str]:
    """What is wrong with subject and text; below: all that follows the subject."""
    found = []
    if not cover.subject.strip() or not below.startswith("\n") or not cover.text:
        return ["does not begin with a subject, an empty line and a text"]
    lines = cover.text.splitlines()
    for heading in SECTIONS:
        if not _filled(lines, heading):
            found.append(f"has no section '{heading}', a line of its own with text below")
    if SIGNATURE in lines:
        found.append(f"has a line '{SIGNATURE}', where mail programs end a text")
    return found + lint.message_faults(Patch(cover.path, cover.subject, cover.text, {}))


def _filled(lines: list[str], heading: str) -> bool:
    """Whether a section is there and has a text before the next one begins."""
    if heading not in lines:
        return False
    below = [line for line in lines[lines.index(heading) + 1:] if line.strip()]
    return bool(below) and below[0] not in SECTIONS


def _log_faults(version: int, parts: list[str],
                changes: dict[int, tuple[str, ...]]) -> list[str]:
    """What is wrong with the changes, for the version that is to be sent."""
    loose = [line for part in (parts[0], *(ITEM.sub("", part) for part in parts[2::2]))
             for line in part.splitlines() if line.strip()]
    if loose:
        return [f"has '{loose[0]}' below '---', where only items '- …' under "
                "'Changes in vN:' go"]
    newest = max(changes, default=1)
    if list(changes) != sorted(changes, reverse=True):
        return ["has its changes in another order than newest first"]
    if newest > version:
        return [f"has 'Changes in v{newest}:', but is to be sent as version {version}"]
    if version > 1 and not changes.get(version):
        return [f"has no items under 'Changes in v{version}:'"]
    return []


def _labelled(item: str, labels: dict[str, str]) -> str:
    """An item of a cover, with the label of a patch in place of its topic."""
    found = OWN_ITEM.fullmatch(item)
    return labels[found[1]] + found[2] if found and found[1] in labels else item


def addressees(text: str) -> Collection[str]:
    """The lines To: and Cc: at the end of a text, which b4 makes addressees of."""
    last = text.rpartition("\n\n")[2]
    return [line for line in last.splitlines() if re.match(r"(?:To|Cc): \S", line)]
