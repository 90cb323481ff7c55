# SPDX-License-Identifier: GPL-2.0-only
"""What a tool says of a kernel with a change and does not say without it."""

import re
from collections import Counter
from collections.abc import Iterable

LINE_NUMBER = re.compile(r":\d+(?::\d+)?(?=:)")


def unheard(after: Iterable[str], before: Iterable[str],
            exempt: list[str]) -> list[str]:
    """The messages that are new, wherever in the file they stand."""
    known = Counter(LINE_NUMBER.sub("", line) for line in before)
    found = []
    for line in after:
        bare = LINE_NUMBER.sub("", line)
        if known[bare]:
            known[bare] -= 1
        elif not any(part in line for part in exempt):
            found.append(line)
    return found
