# SPDX-License-Identifier: GPL-2.0-only
"""Changes of what a topic says of itself, patches/<topic>/topic.toml.

Each function takes the text of the file and returns it changed; comments, the order and
the form of all else stay. The reader is topic_file.
"""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from ..config import edit, version_key

NEW = """\
title = ""
why = ""                        # the discussion that this answers, by Link
upstream = "not-submitted"
severity = ""                   # who: what they get (README)
affected = ""                   # releases of mainline, such as v6.5..v6.10
suites = []                     # what proves it; remove the line if nothing does
#cases = []                     # those that fail without it, as SUITE.CASE, if the
                                # suites are of other topics, too

[base]                          # needed, in-base or not-applicable <reason>
"""


def begun(path: Path, title: str, statuses: Mapping[str, str]) -> str:
    """A topic that is still to be filled in; statuses are by base."""
    text = with_title(path, NEW, title)
    for base, status in statuses.items():
        text = with_new_status(path, text, base, status)
    return text


def with_title(path: Path, text: str, title: str) -> str:
    """Another title."""
    return edit.with_values(path, text, (), {"title": title})


def with_status(path: Path, text: str, base: str, status: str) -> str:
    """Another status on a base that the topic names already."""
    return edit.with_values(path, text, ("base",), {base: status})


def with_new_status(path: Path, text: str, base: str, status: str) -> str:
    """The status on a base that the topic does not name yet."""
    return edit.with_entry(path, text, "base", base, status, version_key)


def with_reason(path: Path, text: str, table: str, variant: str, reason: str) -> str:
    """A reason more; table is difference or backport."""
    return edit.with_entry(path, text, table, variant, reason, version_key)


def with_reasons_of(path: Path, text: str, known: Iterable[str], table: str,
                    variants: Collection[str]) -> str:
    """No reason in a table but those of some variants; known are those that it has."""
    return edit.without_entries(path, text, table, {*known} - {*variants})
