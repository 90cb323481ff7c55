# SPDX-License-Identifier: GPL-2.0-only
"""The form that a commit message has, so that it fits into logs and mails."""

import re

from .patchfile import Patch

SUBJECT_COLUMNS = BODY_COLUMNS = 75
SIGN_OFF = re.compile(r"^Signed-off-by: .*\n?", re.MULTILINE)    # stored patches have none
FREE_LINE = re.compile(r"\s|>|\||[A-Z][\w-]*: |\S+$")


def message_faults(patch: Patch) -> list[str]:
    """Lines of a message that are too long for a log.

    Quoted and indented lines, tags and lines of one word are free.
    """
    found = []
    if len(patch.subject) > SUBJECT_COLUMNS:
        found.append(f"subject has {len(patch.subject)} columns; "
                     f"{SUBJECT_COLUMNS} at most")
    return found + [f"body has a line of {len(line)} columns, {BODY_COLUMNS} at most: "
                    f"{line}"
                    for line in patch.body.splitlines()
                    if len(line) > BODY_COLUMNS and not FREE_LINE.match(line)]
