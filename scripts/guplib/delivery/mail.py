# SPDX-License-Identifier: GPL-2.0-only
"""The series of a base as mails for a list: written, read back, never sent."""

import email.utils
import re
import shutil
from pathlib import Path

from .. import config
from ..kernel import tree
from ..kernel.spec import TreeSpec
from ..setup import packages
from ..system import files
from ..system.errors import UsageError
from ..system.paths import Layout
from ..system.terminal import say
from . import b4, identity, mails_read_back, output_folder
from .mailed_series import SECURITY, Series
from .selection import Request, choose, letter_of

PREFIX = re.compile(r"(?!(?:PATCH|v\d+|\d+/\d+)$)[^\s\[\]]+")


def run(layout: Layout, request: Request) -> None:
    """Write the mails of a series to a folder, and tell of them.

    Raises UsageError when there is no identity, when the cover is not fit to
    be sent or work is in the tree; TestsFailed when checkpatch has something
    to say, or when the mails do not come back as the queue.
    """
    base = config.base(layout, request.base)
    who = identity.of_user(layout)
    _require_sense(request)
    part = choose(layout, request)
    letter = letter_of(layout, request, part)
    output_folder.require_usable(layout, request.out, request.force)
    packages.ensure(layout, ["tree", "mail"])
    with tree.use(TreeSpec(layout, base)) as ready, \
            files.locked(layout.mail_lock(base.name), f"gup mail of base {base.name}"):
        shutil.rmtree(layout.mail(base.name), ignore_errors=True)
        series = Series(ready, letter, who, request, part)
        written, commits = series.write()
        mails_read_back.compare(series, written, commits)
        mails_read_back.check(series, written)
        output_folder.fill(request.out, {mail.name: files.read(mail) for mail in written})
        _tell(series, written)


def _require_sense(request: Request) -> None:
    """Raise UsageError for options that do not go together."""
    for prefix in request.prefixes:
        if not PREFIX.fullmatch(prefix):
            raise UsageError(f"--prefix '{prefix}': give a word such as RFC; PATCH, "
                             "version and numbers come by themselves")
    if request.version == 1 and request.previous:
        raise UsageError("--previous goes with --version 2 or a later one")
    if request.version > 1 and not request.previous:
        raise UsageError(f"version {request.version} needs --previous, the mails of the "
                         "version before: a folder or an mbox")
    if request.previous and request.previous.resolve() == request.out.resolve():
        raise UsageError(f"--out and --previous are both {request.out}; keep the mails "
                         "that were sent, and name another folder")


def _tell(series: Series, written: list[Path]) -> None:
    """Say what was written, to whom it goes, and how it came back."""
    first = b4.parse(written[0])
    for header in ("To", "Cc"):
        pairs = email.utils.getaddresses([str(first.get(header, ""))])
        say(f"{header}: {', '.join(address for _, address in pairs)}")
    for mail in written:
        say(f"{mail.name}  <{b4.message_id(b4.parse(mail))}>")
    say(f"{series.name}: mails in {series.request.out}: {len(written)}; b4 am reads "
        "them back as the queue has them; nothing was sent")
    if series.part.private:
        say(f"{series.name}: this goes to {SECURITY} and the maintainers, and to no "
            "public list before they agree: Documentation/process/security-bugs.rst")
