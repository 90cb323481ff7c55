# SPDX-License-Identifier: GPL-2.0-only
"""Which patches of a series are mailed, to whom, and with which cover letter."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .. import config, queue
from ..queue.message import BODY_COLUMNS
from ..system import files
from ..system.errors import UsageError
from ..system.paths import Layout
from . import cover_letter, export
from .cover_letter import Cover

SUITES = "kunit"        # what the changes of a cover call the patch with the suites


@dataclass(frozen=True)
class Request:
    """What to write: a version of the series of a base, and where.

    tests: whether the patch with the suites goes along, or None for what is
    usual; previous: the mails of an earlier version, as a folder or an mbox;
    force: whether mails of an earlier call in the folder are replaced. topics:
    mail these alone, and what they depend on; cover: the letter to them.
    """

    base: str
    out: Path
    version: int
    prefixes: tuple[str, ...]
    tests: bool | None
    previous: Path | None
    force: bool
    topics: tuple[str, ...] = ()
    cover: Path | None = None


@dataclass(frozen=True)
class Part:
    """Which patches of a series are mailed, and to whom.

    private: to the security list and no public one; kept_back: the topics that
    may not be public yet, and are not mailed.
    """

    patches: tuple[Path, ...]
    private: bool
    kept_back: tuple[str, ...]


def choose(layout: Layout, request: Request) -> Part:
    """The patches that a request is about.

    What is marked as a matter of security is mailed alone, and only if it is
    named. Raises UsageError when it would come along with something public.
    """
    base = request.base
    topics = {topic.name: topic for topic in queue.topics(layout)}
    stored = queue.series(layout, base)
    private = [path.parent.name for path in stored if topics[path.parent.name].security]
    chosen = export.choose(layout, base, request.topics, False) if request.topics else \
        [path for path in stored if path.parent.name not in private]
    names = [path.parent.name for path in chosen]
    secret = [name for name in names if name in private]
    public = [name for name in request.topics if name not in private]
    if secret and (public or len(secret) > 1):
        raise UsageError(f"--topics: {secret[0]} goes to the security list, alone (security "
                         "= true in its topic.toml); mail each on its own, "
                         f"{(public or secret[1:])[0]} too")
    for name in names:
        if not request.topics and (needed := {*topics[name].depends} & {*private}):
            raise UsageError(f"topic {name} depends on {min(needed)}, which goes to the "
                             "security list first; mail that by --topics, and this when it "
                             "is public")
    if request.topics and request.tests:
        raise UsageError("--with-tests and --topics exclude each other: the suites prove "
                         "more than some topics")
    return Part(tuple(chosen), bool(secret),
                tuple(name for name in private if name not in names))


def cover_problems(layout: Layout) -> list[str]:
    """What gup mail would have against the stored cover letters, a line each.

    No tree is made. A letter that says of itself that it is not finished has none.
    """
    found = []
    for base in config.bases(layout):
        path = layout.cover(base)
        if not path.exists():
            continue
        try:
            text = files.read(path)
            if cover_letter.UNFINISHED in text:
                continue
            part = choose(layout, Request(base, Path(), 1, (), None, None, False))
            letter = cover_letter.read(layout, path, cover_letter.newest_version(text))
            names = [patch.parent.name for patch in part.patches]
            if with_tests(layout, base, part):
                names.append(SUITES)
            rendered(layout, letter, names, part)
        except UsageError as error:
            found.append(str(error))
    return found


def rendered(layout: Layout, letter: Cover, names: Iterable[str], part: Part) -> Cover:
    """A cover with the numbers of the patches, whose topics are names, in their order."""
    return cover_letter.rendered(
        layout, letter, {name: number for number, name in enumerate(names, 1)},
        [*(entry.name for entry in layout.patches.iterdir()), SUITES], part.kept_back)


def with_tests(layout: Layout, base: str, part: Part) -> bool:
    """Whether the suites usually go along with all of a series."""
    return base == list(config.bases(layout))[-1] and not part.kept_back


def letter_of(layout: Layout, request: Request, part: Part) -> Cover:
    """The cover letter; that of a single patch is made from its topic.toml."""
    if request.cover and not request.topics:
        raise UsageError("--cover goes with --topics; that of a whole series is "
                         f"{layout.cover(request.base).relative_to(layout.root)}")
    if request.cover or not request.topics:
        letter = cover_letter.read(layout, request.cover or layout.cover(request.base),
                                   request.version)
        if part.private and cover_letter.addressees(letter.text):
            raise UsageError(f"{request.cover}: has addressees of its own; what goes to "
                             "the security list goes to the maintainers besides, and to "
                             "nobody else")
        return letter
    if len(part.patches) > 1 or request.version > 1:
        names = ", ".join(path.parent.name for path in part.patches)
        raise UsageError(f"version {request.version} of {names} needs a letter of its own: "
                         "--cover FILE, in the form of series/B.cover")
    topic = queue.topic(layout, part.patches[0].parent.name)
    first, _, last = topic.affected.partition("..")
    facts = f"Releases that have it: {first} {f'to {last}' if last else 'and later'}."
    if severity := queue.SEVERITY.fullmatch(topic.severity):
        facts += f" What it comes to: {severity['says']}."
    return Cover(topic.path, topic.title, "\n\n".join(
        textwrap.fill(part, BODY_COLUMNS) for part in (topic.why, facts)), {})
