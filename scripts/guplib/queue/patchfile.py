# SPDX-License-Identifier: GPL-2.0-only
"""The reader and writer of a stored patch."""

import re
from dataclasses import dataclass
from pathlib import Path

from ..system import files
from ..system.errors import UsageError

FILE_LINE = re.compile(r"^diff --git a/(\S+) b/(\S+)$")
TRAILER = re.compile(r"[A-Za-z][\w-]*: \S")
HUNK_LINE = re.compile(r"^@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")


@dataclass(frozen=True)
class Patch:
    """A stored patch: its message, and its hunks' headers by file."""

    path: Path
    subject: str
    body: str
    hunks: dict[str, tuple[str, ...]]

    @property
    def message(self) -> str:
        """The commit message."""
        return f"{self.subject}\n\n{self.body}\n"

    @property
    def files(self) -> tuple[str, ...]:
        """The files that the patch touches, in its order."""
        return tuple(self.hunks)

    def hunk_at(self, file: str, line: int) -> str:
        """Name the hunk of file whose old side starts at line."""
        headers = self.hunks.get(file, ())
        for number, header in enumerate(headers, 1):
            match = HUNK_LINE.match(header)
            if match and int(match[1]) == line:
                return f"hunk {number} of {len(headers)} ({header})"
        return f"the hunk at line {line}"


def read(path: Path) -> Patch:
    """Read a stored patch.

    Its form: a line "Subject: …", an empty line, the body, a line "---", the
    diffstat, the diff. Raises UsageError when it is not of that form.
    """
    try:
        text = files.read(path)
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such patch") from error
    head, mark, rest = text.partition("\n---\n")
    subject, _, body = head.partition("\n\n")
    if not mark or not subject.startswith("Subject: ") or "\n" in subject:
        raise UsageError(f"{path}: not a stored patch: it has to begin with one "
                         "'Subject: ' line, a body and a '---' line")
    hunks = _hunks(rest)
    if not hunks:
        raise UsageError(f"{path}: no diff after the '---' line")
    return Patch(path, subject.removeprefix("Subject: "), body.strip("\n"), hunks)


def text(subject: str, body: str, change: str) -> str:
    """The stored form of a patch; change is diffstat and diff, as git prints them."""
    return f"Subject: {subject}\n\n{body}\n---\n{change}"


def with_part(body: str, part: str) -> str:
    """A body with a text at its end; a trailer joins those that are there."""
    if not part:
        return body
    last = body.rsplit("\n\n", 1)[-1].splitlines()
    close = (all(TRAILER.match(line) for line in last) or body.endswith("]")) \
        and TRAILER.match(part)
    return body + ("\n" if close else "\n\n") + part


def _hunks(diff: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    headers: list[str] = []
    for line in diff.splitlines():
        if match := FILE_LINE.match(line):
            headers = found.setdefault(match[2], [])
        elif match := HUNK_LINE.match(line):
            headers.append(match[0])
    return {file: tuple(lines) for file, lines in found.items()}
