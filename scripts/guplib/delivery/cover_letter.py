# SPDX-License-Identifier: GPL-2.0-only
"""The reader of a cover letter, series/<base>.cover.

Its form: a subject, an empty line, the text, in which a line "Tested:" and a
line "Not tested:" each begin a section; from version 2 on also a line "---"
and the changes, newest first, each version under a line "Changes in vN:" as
items "- …". An item "- TOPIC: …" is of that patch alone. Lines that begin
with # are notes and are not sent.

A patch is named by its topic: "Patch {TOPIC}" becomes "Patch 3" if that is its
number in the mails. A paragraph that begins with "Patch {TOPIC}" is left out
together with that patch; elsewhere, a patch that is not mailed may not be
named. The suites are {kunit}.
"""

import re
import textwrap
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..queue import message
from ..queue.patchfile import Patch
from ..system import files
from ..system.errors import UsageError
from ..system.paths import Layout

SECTIONS = ("Tested:", "Not tested:")
UNFINISHED = "EDITME"
NOTE = re.compile(r"^#.*\n?", re.MULTILINE)
GAP = re.compile(r"\n{3,}")
CHANGES = re.compile(r"^Changes in v(\d+):$", re.MULTILINE)
ITEM = re.compile(r"^- (.*(?:\n  .*)*)$", re.MULTILINE)
OWN_ITEM = re.compile(r"([\w.-]+): (.*)", re.DOTALL)
SIGNATURE = "-- "
NAMED = re.compile(r"\{([\w.-]+)\}")
OF_ONE = re.compile(r"Patch \{([\w.-]+)\}")
NUMBERED = re.compile(r"\bpatch(?:es)?\s+\d+", re.IGNORECASE)


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


def read(layout: Layout, path: Path, version: int) -> Cover:
    """A cover letter that is fit to be sent as a version of a series.

    Raises UsageError, with all that is wrong, when it is not.
    """
    name = _name(layout, path)
    try:
        whole = GAP.sub("\n\n", NOTE.sub("", files.read(path).replace("\r\n", "\n")))
    except FileNotFoundError as error:
        raise UsageError(f"{name}: no such file; write the cover letter: a subject, an "
                         "empty line, a text with sections "
                         f"'{SECTIONS[0]}' and '{SECTIONS[1]}'") from error
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


def newest_version(text: str) -> int:
    """The version of a series that a cover letter is for, by its changes."""
    return max((int(number) for number in CHANGES.findall(text)), default=1)


def rendered(layout: Layout, cover: Cover, numbers: Mapping[str, int],
             topics: Collection[str], private: Collection[str]) -> Cover:
    """A cover with the numbers of the patches that are mailed, by topic.

    topics are all that there are; private are those that may not be spoken of.
    Raises UsageError when it names a patch that is not mailed.
    """
    kept = [part for part in cover.text.split("\n\n")
            if not (own := OF_ONE.match(part)) or own[1] in numbers or own[1] not in topics]
    faults = []
    for topic in dict.fromkeys(NAMED.findall("\n".join(kept))):
        if topic not in numbers:
            faults.append(f"names {{{topic}}}, which is " + (
                "not among the patches that are mailed" if topic in topics
                else "no topic"))
    text = "\n\n".join(_with_numbers(part, numbers) for part in kept)
    changes = {version: left for version, items in cover.changes.items()
               if (left := tuple(item for item in items
                                 if not (found := OWN_ITEM.fullmatch(item))
                                 or found[1] in numbers or found[1] not in topics))}
    whole = "\n".join([cover.subject, text, *(
        item for items in changes.values() for item in items)])
    faults += [f"speaks of {topic}, which goes to the security list first"
               for topic in private
               if re.search(rf"(?<![\w-]){re.escape(topic)}(?![\w-])", whole)]
    if faults:
        raise UsageError(f"{_name(layout, cover.path)}: {'; '.join(faults)}; see to it "
                         "and call again")
    return replace(cover, text=text, changes=changes)


def _name(layout: Layout, path: Path) -> Path:
    """A path as messages have it."""
    return path.relative_to(layout.root) if path.is_relative_to(layout.root) else path


def _with_numbers(part: str, numbers: Mapping[str, int]) -> str:
    """A paragraph with numbers in the place of topics, filled anew if it had any."""
    if not NAMED.search(part):
        return part
    text = NAMED.sub(lambda found: str(numbers.get(found[1], "")), part)
    return "\n".join(textwrap.fill(
        " ".join(item.split()), message.BODY_COLUMNS, break_long_words=False,
        break_on_hyphens=False, subsequent_indent="  " if item.startswith("- ") else "")
        for item in re.split(r"\n(?=- )", text))


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
    if number := NUMBERED.search(cover.text):
        found.append(f"has '{' '.join(number[0].split())}'; name a patch by its topic, as "
                     "in 'Patch {TOPIC}': numbers change")
    fixed = "\n".join(line for line in lines if not NAMED.search(line))
    return found + message.message_faults(Patch(cover.path, cover.subject, fixed, {}))


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
