# SPDX-License-Identifier: GPL-2.0-only
"""Calls of b4, and the mails that go in and come out of it.

b4 gets a home and settings of its own and no network: what a person has in
the home folder or in git's settings is neither used nor changed.
"""

import email
import email.message
import email.policy
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ..system import process
from ..system.errors import EnvironmentFault, UsageError
from ..system.git import ENVIRONMENT, SETTINGS, Git
from .identity import Person

NAME = "b4"
BEGIN = "From "
QUOTABLE = re.compile(rb"^(>*From )", re.MULTILINE)
TITLE = re.compile(r"\[(?P<prefixes>[^\]]*\bPATCH\b[^\]]*)\]", re.IGNORECASE)
VERSION = re.compile(r"\bv(\d+)\b", re.IGNORECASE)
POLICY = email.policy.EmailPolicy(utf8=True, max_line_length=None)


class B4:
    """b4 as called from below one folder, on behalf of one person."""

    def __init__(self, folder: Path, person: Person,
                 settings: Mapping[str, str] | None = None):
        home = str(folder / "home")
        pairs = {**SETTINGS, "user.name": person.name, "user.email": person.email,
                 "b4.attestation-policy": "off",
                 # Newer versions would ask on the terminal what gup sees to itself.
                 "b4.prep-pre-flight-checks": "disable-all",
                 # Should b4 ever get as far as to send, it fails.
                 "sendemail.smtpserver": "/bin/false", **(settings or {})}
        self.log = folder / "b4.log"
        self.env = {**ENVIRONMENT, "HOME": home, "XDG_DATA_HOME": home,
                    "XDG_CACHE_HOME": home, "XDG_CONFIG_HOME": home,
                    "LC_ALL": "C.UTF-8", "GIT_CONFIG_COUNT": str(len(pairs))}
        for number, (key, value) in enumerate(pairs.items()):
            self.env |= {f"GIT_CONFIG_KEY_{number}": key,
                         f"GIT_CONFIG_VALUE_{number}": value}
        (folder / "home").mkdir(parents=True, exist_ok=True)

    def run(self, cwd: Path, *words: str | Path, editor: str = "", stdin: bytes = b"",
            watch: Callable[[], None] | None = None) -> str:
        """Run b4 in a folder and return what it says; editor is for its covers.

        Raises EnvironmentFault with b4's own words when it fails.
        """
        result = process.run([NAME, "--offline-mode", *words], cwd=cwd, check=False,
                             env={**self.env, "EDITOR": editor, "GIT_EDITOR": editor},
                             stdin=stdin, watch=watch)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ b4 {' '.join(map(str, words))}\n{result.output}")
        if result.returncode:
            said = [line.removeprefix("CRITICAL: ") for line in
                    result.output.splitlines() if line.startswith("CRITICAL: ")]
            raise EnvironmentFault(f"b4 {words[0]} failed: "
                                   f"{said[0] if said else result.last_line} "
                                   f"(log: {self.log})")
        return result.output

    def am(self, mails: Iterable[Path], folder: Path, *words: str) -> Path:
        """Turn the mails of a series into what git am takes; returns the file."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        said = self.run(folder, "am", "--mbox-name", "series.mbx", "--outdir", folder,
                        "--use-local-mbox", "-", *words, stdin=_mboxrd(mails))
        found = folder / "series.mbx"
        if not found.exists():
            raise UsageError(f"b4 finds no series in the mails: "
                             f"{said.strip().splitlines()[-1]} (log: {self.log})")
        return found


def committing_as(person: Person) -> dict[str, str]:
    """The environment that makes git commit as a person."""
    return {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", person.name), ("EMAIL", person.email))}


def _mboxrd(mails: Iterable[Path]) -> bytes:
    """Mails as one mbox, in which no line of a body can begin a mail."""
    return b"".join(
        b"From mboxrd@z Thu Jan  1 00:00:00 1970\n"
        + QUOTABLE.sub(rb">\1", mail.read_bytes()).rstrip(b"\n") + b"\n\n"
        for mail in mails)


def split(mbox: Path, folder: Path) -> list[Path]:
    """Take an mbox apart, one file for each mail; raises UsageError if it is none."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        with mbox.open("rb") as stream:
            begins = stream.read(len(BEGIN)) == BEGIN.encode()
    except FileNotFoundError as error:
        raise UsageError(f"{mbox}: no such file") from error
    except IsADirectoryError as error:
        raise UsageError(f"{mbox}: is a folder; save the thread as one mbox") from error
    result = Git(folder).run("mailsplit", "--mboxrd", f"-o{folder}", str(mbox.resolve()),
                             check=False)
    if not begins or result.returncode:
        raise UsageError(f"{mbox}: is no mbox: its first line has to begin with "
                         f"'{BEGIN}'; save the thread as an mbox")
    return sorted(folder.iterdir())


def parse(mail: Path) -> email.message.Message:
    """The headers and the body of a mail."""
    return email.message_from_bytes(mail.read_bytes(), policy=POLICY)


def text(message: email.message.Message) -> str:
    """The first part of a mail that is plain text, whatever its encoding."""
    for part in message.walk():
        payload = part.get_payload(decode=True)
        if part.get_content_type() != "text/plain" or not isinstance(payload, bytes):
            continue
        try:
            return payload.decode(part.get_content_charset() or "utf-8", "replace")
        except LookupError:
            return payload.decode("utf-8", "replace")
    return ""


def message_id(message: email.message.Message, header: str = "Message-ID") -> str:
    """The id in a header of a mail, without its brackets; empty if there is none."""
    return str(message.get(header, "")).strip().strip("<>")


def version(message: email.message.Message) -> int:
    """The version of a patch or a cover by its subject; 0 for any other mail."""
    title = TITLE.match(str(message.get("Subject", "")))
    number = title and VERSION.search(title["prefixes"])
    return int(number[1]) if number else 1 if title else 0
