# SPDX-License-Identifier: GPL-2.0-only
"""Reviewed-by, Acked-by and Tested-by: from a saved thread into stored patches.

Which mail answers which patch, and whether a trailer is its sender's, is for
b4 to say. Here it is decided whether the patch that was answered is the one
that is stored: both have to make the same change, to the last blank.
"""

import email.message
import email.utils
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import config, queue
from ..kernel import apply, work
from ..kernel.spec import TreeSpec
from ..kernel.state import state_of
from ..queue import patch_form, patchfile
from ..queue.patchfile import Patch
from ..system import files, transaction
from ..system.errors import UsageError
from ..system.git import Git
from ..system.paths import Layout
from ..system.terminal import say
from . import b4
from .b4 import B4
from .identity import NOBODY

KINDS = ("Reviewed-by", "Acked-by", "Tested-by")
LINE = re.compile(rf"^[ \t]*({'|'.join(KINDS)}):[ \t]+(\S.*?)[ \t\r]*$",
                  re.MULTILINE | re.IGNORECASE)
REPLY = re.compile(r"(?:re|aw|fwd):", re.IGNORECASE)
DIFF = "\ndiff --git "
UNREADABLE = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class Given:
    """A trailer, and the patch that a thread has it for; title: its subject."""

    trailer: str
    title: str
    version: int
    change: str

    @property
    def readable(self) -> bool:
        """Whether all bytes of the trailer were text in the mail's encoding."""
        return UNREADABLE not in self.trailer

    def __str__(self) -> str:
        return f"{self.trailer}, for '{self.title}' v{self.version}"


@dataclass(frozen=True)
class Stored:
    """A stored patch, and git's id of what it changes."""

    path: Path
    patch: Patch
    change: str


def run(layout: Layout, mbox: Path, base: str) -> list[str]:
    """Add the trailers of a thread to the patches, of one base or of all.

    Returns what was added, a line each. Raises UsageError, and changes
    nothing, when the thread has no patch of the queue, or when a tree that
    the patches are in holds work.
    """
    with transaction.hold(layout):
        queue.require_sound(layout)
        thread = Thread(layout, mbox)
        stored = _stored(layout, base, thread.titles)
        known = {one.patch.subject for one in stored} | {one.change for one in stored}
        if not known & (thread.titles | thread.changes):
            raise UsageError(f"{mbox}: none of its patches is in the queue"
                             + (f" for base {base}" if base else ""))
        added = [(one, new) for one in stored if (new := _new(one, thread.given))]
        _require_no_work(layout, {one.path for one, _ in added})
        _tell_left_out(thread, stored)
        transaction.commit(layout, {one.path: _with(layout, one, new) for one, new in added})
    return [f"{one.path.relative_to(layout.root)}: {trailer}"
            for one, new in added for trailer in new]


def _new(one: Stored, given: list[Given]) -> list[str]:
    """The trailers that were given to the change of a stored patch and it lacks."""
    there = one.patch.body.splitlines()
    return list(dict.fromkeys(
        found.trailer for found in given if found.readable
        and found.change == one.change and found.trailer not in there))


class Thread:
    """A saved thread: its patches, and the trailers that they were given.

    titles and changes are of all patches in it, whether they got one or not.
    """

    def __init__(self, layout: Layout, mbox: Path):
        shutil.rmtree(layout.thread, ignore_errors=True)
        self.folder, self.git = layout.thread, Git(layout.root)
        self.mails: dict[Path, email.message.Message] = {}
        for number, path in enumerate(b4.split(mbox, self.folder / "mails"), 1):
            message = b4.parse(path)
            if fault := _fault(message):
                say(f"{mbox}: mail {number} is left out: {fault}")
            elif _is_reply(message) or b4.version(message):
                self.mails[path] = message
        versions = sorted({b4.version(message) for message in self.mails.values()
                           if not _is_reply(message) and DIFF in b4.text(message)})
        if not versions:
            raise UsageError(f"{mbox}: has no patches; save the thread from its first "
                             "mail on")
        self.titles: set[str] = set()
        self.changes: set[str] = set()
        found = dict.fromkeys(given for version in versions
                              for given in self._of_version(version))
        self.given = sorted(found, key=self._place)

    def _place(self, given: Given) -> int:
        """Where in the mbox a trailer comes first, for b4 keeps no order."""
        told = [given.trailer in _spelled(b4.text(message)) and _is_reply(message)
                for message in self.mails.values()]
        return told.index(True) if True in told else len(told)

    def _of_version(self, version: int) -> Iterator[Given]:
        """The trailers given to the patches of one version, by what b4 says."""
        program = B4(self.folder, NOBODY)
        place = self.folder / f"v{version}"
        ready = program.am(self.mails, place, "--apply-cover-trailers",
                           "--use-version", str(version))
        own = {b4.message_id(message): self._trailers(b4.text(message))
               for message in self.mails.values() if not _is_reply(message)}
        for path in b4.split(ready, place / "mails"):
            message = b4.parse(path)
            text = b4.text(message)
            title = b4.TITLE.sub("", str(message["Subject"])).strip()
            change = self.git.patch_id(text, blanks=True)
            self.titles.add(title)
            self.changes.add(change)
            for trailer in self._trailers(text):
                if trailer not in own.get(b4.message_id(message), ()):
                    yield Given(trailer, title, version, change)

    def _trailers(self, text: str) -> list[str]:
        """The trailers of the three kinds at the end of a patch's message."""
        found = self.git.run("interpret-trailers", "--parse", stdin=text.encode()).output
        return _spelled(found)

    def stray(self) -> Iterator[tuple[str, str]]:
        """The trailers that replies have and b4 gives to no patch; with subject."""
        taken = " ".join(given.trailer.lower() for given in self.given)
        for message in self.mails.values():
            for trailer in _spelled(b4.text(message)) if _is_reply(message) else ():
                if trailer.lower() not in taken:
                    yield trailer, str(message.get("Subject", ""))


def _spelled(text: str) -> list[str]:
    """The trailers of the three kinds in a text, with their names as usual."""
    return [f"{kind.capitalize()}: {value}" for kind, value in LINE.findall(text)]


def _fault(message: email.message.Message) -> str:
    """What keeps b4 from reading a mail; empty if nothing does."""
    for header in ("From", "Date", "Subject", "In-Reply-To", "References"):
        try:
            value = str(message.get(header, ""))
            if header == "From" and "@" not in email.utils.parseaddr(value)[1]:
                return f"its From line has no address: '{value}'"
            if header == "Date" and value:
                email.utils.parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError, AttributeError, LookupError) as error:
            return f"its {header} line cannot be read ({error})"
    return ""


def _is_reply(message: email.message.Message) -> bool:
    """Whether a mail answers another one, and is no patch sent as an answer."""
    subject = str(message.get("Subject", ""))
    return bool(REPLY.match(subject)) or (
        "In-Reply-To" in message and not b4.version(message))


def _stored(layout: Layout, base: str, titles: set[str]) -> list[Stored]:
    """The stored patches of a base, or of all, those with the suites included.

    To know what the latter change, the suites are compared with nothing; that
    is not done if the thread does not have such a patch.
    """
    git = Git(layout.root)
    found: dict[Path, Stored] = {}
    for name in [base] if base else config.bases(layout):
        for path in queue.series(layout, name):
            if path not in found:
                found[path] = Stored(path, patchfile.read(path),
                                     git.patch_id(files.read(path), blanks=True))
        hookup = patchfile.read(layout.hookup(name))
        if hookup.subject in titles:
            text = files.read(hookup.path) + _suites_diff(layout, name)
            found[hookup.path] = Stored(hookup.path, hookup,
                                        git.patch_id(text, blanks=True))
    return list(found.values())


def _suites_diff(layout: Layout, base: str) -> str:
    """The diff that adds the suites to a tree that has none."""
    with tempfile.TemporaryDirectory() as scratch:
        git = Git(Path(scratch))
        git.run("init", "-q")
        for inside, path in apply.suite_files(layout, base).items():
            place = Path(scratch) / inside
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
        git.run("add", "-f", "-A")
        return git.run(*patch_form.DIFF, *patch_form.PATCH_FORM, "--cached").output


def _require_no_work(layout: Layout, paths: set[Path]) -> None:
    """Raise UsageError if a tree holds work on top of a patch that is to change."""
    for base in config.bases(layout).values():
        spec = TreeSpec(layout, base)
        theirs = {*queue.series(layout, base.name), layout.hookup(base.name)}
        state = state_of(spec) if paths & theirs else None
        if state and (found := work.work_in(spec, state)):
            raise UsageError(
                f"{layout.named(spec.path)} holds work that is not in the "
                f"queue ({found[0]}); gup refresh --base {base.name} stores it, "
                f"{spec.call} --set-aside puts it aside; then call again")


def _tell_left_out(thread: Thread, stored: list[Stored]) -> None:
    """Say which trailers are not taken, and why."""
    changes = {one.change for one in stored}
    titles = {one.patch.subject for one in stored}
    taken = {(given.trailer, given.title) for given in thread.given
             if given.readable and given.change in changes}
    for given in thread.given:
        if (given.trailer, given.title) not in taken:
            say(f"left out: {given}: " + (
                "it has bytes that are no text" if not given.readable else
                "the stored patch makes another change" if given.title in titles else
                "no such patch in the queue"))
    for trailer, subject in thread.stray():
        say(f"left out: {trailer}, in '{subject}': it is not from its sender, or the "
            "mail that it answers is not in the mbox")


def _with(layout: Layout, one: Stored, trailers: list[str]) -> str:
    """The text of a stored patch with trailers added to its message."""
    message = Git(layout.root).run(
        "interpret-trailers", "--if-exists=addIfDifferent",
        *(f"--trailer={trailer}" for trailer in trailers),
        stdin=one.patch.message.encode()).output
    return f"Subject: {message}---\n" \
        + files.read(one.path).partition("\n---\n")[2]
