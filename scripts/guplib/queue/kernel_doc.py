# SPDX-License-Identifier: GPL-2.0-only
"""The kernel-doc comments of a source file, sentence by sentence.

The kernel's own scripts/kernel-doc is not what reads them: it is another program in each
base, and gives another text for the same words, with sections renamed, markup added and
lists joined. Whether a comment is sound is what gup lint asks it.
"""

import re
from collections.abc import Iterator

COMMENT = re.compile(r"^/\*\*\n(.*?)^ \*/", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"(?:(?:struct|union|enum|typedef)\s+)?(\w+)")
# What begins a paragraph of its own: a parameter, an item of a list, a section.
BEGINS = re.compile(r"\s*(?:@\w+(?:\.\.\.)?:|(?:--?|\*) |Returns?:|Context:)")
SENTENCE_END = re.compile(r"(?<![\s.])[.!?][)\"]*(?= )")
ABBREVIATION = re.compile(r"(?:^|[\s(])(?:e\.g|eg|i\.e|ie|etc|vs|cf)\.$")


def comments(text: str) -> dict[str, list[str]]:
    """The sentences of each comment, by the name that it begins with.

    They are in order, with single blanks; the title is the first. Two comments of one
    name, for two configurations, are taken as one.
    """
    found: dict[str, list[str]] = {}
    for comment in COMMENT.finditer(text):
        told = [sentence for paragraph in _paragraphs(comment[1])
                for sentence in _sentences(paragraph)]
        if told and (name := NAME.match(told[0])):
            found.setdefault(name[1], []).extend(told)
    return found


def _paragraphs(body: str) -> Iterator[str]:
    """The paragraphs of a comment, each in one line."""
    lines: list[str] = []
    for line in body.splitlines():
        line = re.sub(r"^\s*\* ?", "", line)
        if lines and (not line.strip() or BEGINS.match(line)):
            yield " ".join(" ".join(lines).split())
            lines = []
        if line.strip():
            lines.append(line)
    if lines:
        yield " ".join(" ".join(lines).split())


def _sentences(paragraph: str) -> Iterator[str]:
    """The sentences of a paragraph; what an abbreviation ends with ends none."""
    start = 0
    for end in SENTENCE_END.finditer(paragraph):
        if not ABBREVIATION.search(paragraph[:end.end()]):
            yield paragraph[start:end.end()].strip()
            start = end.end()
    if rest := paragraph[start:].strip():
        yield rest
