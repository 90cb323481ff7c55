# SPDX-License-Identifier: GPL-2.0-only
"""What each distribution wants a patch to look like, and where.

A form makes of the changes of an export the files that go to DEST, by name.
Its name, its rules and how to use what it makes stand in config/export.toml.
"""

import re
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..queue import Standing, patch_form, patchfile
from ..queue.message import BODY_COLUMNS
from ..system.git import Git
from .identity import Person

MAINLINE = "https://git.kernel.org/linus/"
MAILS = "https://lore.kernel.org/r/"
MAIL_FORM = ("--stdout", "-N", "--zero-commit", "--no-signature", "--no-attach",
             "--no-thread", "--no-cover-letter", "--no-notes", "--no-base",
             "--no-signoff", "--no-add-header", "--no-to", "--no-cc",
             "--encode-email-headers")
OPENWRT_FIRST = 950     # 9xx is for what has no number of its own


@dataclass(frozen=True)
class Change:
    """A patch on its way out.

    commit is what it is on the base, behind parent. upstream: where it stands
    there. note: how it differs from the mainline commit. date: of its last
    change in the queue, in seconds since 1970.
    """

    commit: str
    parent: str
    subject: str
    body: str
    upstream: Standing
    note: str
    date: int

    @property
    def name(self) -> str:
        """A file's name for it, in lower case and without an ending."""
        return re.sub(r"[^a-z0-9]+", "-", self.subject.lower()).strip("-")


@dataclass(frozen=True)
class PatchSet:
    """What is to be exported: changes in order, for a base, and who signs them.

    version is the point release that they were applied to. bug is what a tracker
    calls the matter, or empty. kunitconfig has the options of the tests, and is
    empty without them.
    """

    git: Git
    base: str
    version: str
    changes: list[Change]
    person: Person
    bug: str = ""
    kunitconfig: str = ""


Render = Callable[[PatchSet], dict[str, str]]


def quilt(patchset: PatchSet) -> dict[str, str]:
    """A quilt series with the stored patches as they are, and no one's name."""
    found = {f"patches/{change.name}.patch": _stored(patchset, change, change.body)
             for change in patchset.changes}
    return {**found, "patches/series": "".join(f"{change.name}.patch\n"
                                               for change in patchset.changes)}


def debian(patchset: PatchSet) -> dict[str, str]:
    """debian/patches with DEP-3 headers, and the lines for its series."""
    found = {}
    for change in patchset.changes:
        header = _header(patchset, change) + _dep_3(change.upstream)
        if patchset.bug:
            header.append(f"Bug-Debian: {patchset.bug}")
        day = time.strftime("%Y-%m-%d", time.gmtime(change.date))
        header.append(f"Last-Update: {day}")
        found[f"debian/patches/bugfix/all/{change.name}.patch"] = _headed(
            patchset, change, header,
            _signed(change, patchset.person, _note(change, patchset)))
    lines = [f"bugfix/all/{change.name}.patch\n" for change in patchset.changes]
    return {**found, "series": "".join(lines)}


def suse(patchset: PatchSet) -> dict[str, str]:
    """patches.suse with the tags of kernel-source, and the lines for series.conf."""
    found = {}
    for change in patchset.changes:
        header = _header(patchset, change) + _patch_mainline(change.upstream)
        usual = "git-fixes" if change.upstream.commit else "MM functionality"
        header.append(f"References: {patchset.bug or usual}")
        found[f"patches.suse/{change.name}.patch"] = _headed(
            patchset, change, header,
            _signed(change, patchset.person, _note(change, patchset)))
    lines = [f"\tpatches.suse/{change.name}.patch\n" for change in patchset.changes]
    return {**found, "series.conf": "".join(lines)}


def ubuntu(patchset: PatchSet) -> dict[str, str]:
    """Mails for git am, with the provenance that Ubuntu's kernel team asks for."""
    messages = []
    for change in patchset.changes:
        head = f"BugLink: {patchset.bug}\n\n" if patchset.bug else ""
        above, subject = _note(change, patchset), f"UBUNTU: SAUCE: {change.subject}"
        if change.upstream.commit:
            above = f"(backported from commit {change.upstream.commit})\n{above}"
            subject = change.subject
        messages.append((subject, head + _signed(change, patchset.person, above)))
    return {f"{number:04}-{change.name}.patch": mail for number, (change, mail) in
            enumerate(zip(patchset.changes, _mails(patchset, messages)), 1)}


def mbox(patchset: PatchSet) -> dict[str, str]:
    """One mailbox for git am, as the stable trees want a backport."""
    messages = []
    for change in patchset.changes:
        body = _signed(change, patchset.person, _note(change, patchset))
        if change.upstream.commit:
            body = f"commit {change.upstream.commit} upstream.\n\n{body}"
        messages.append((change.subject, body))
    return {f"gup-{patchset.base}.mbox": "".join(_mails(patchset, messages))}


def openwrt(patchset: PatchSet) -> dict[str, str]:
    """Patches for target/linux/generic.

    OpenWrt applies backport-X.Y ahead of pending-X.Y. So that the order stays,
    a backport behind a patch that is pending goes there, too.
    """
    messages = [(change.subject, _signed(change, patchset.person, _note(change, patchset)))
                for change in patchset.changes]
    found, pending = {}, False
    mails = _mails(patchset, messages, numbered=False)
    for number, (change, mail) in enumerate(zip(patchset.changes, mails), OPENWRT_FIRST):
        pending = pending or not change.upstream.commit
        kind, version = "pending", ""
        if change.upstream.commit and not pending:
            kind, version = "backport", f"{change.upstream.version.partition('-')[0]}-"
        found[f"target/linux/generic/{kind}-{patchset.base}/"
              f"{number}-{version}{change.name}.patch"] = mail
    return found


def yocto(patchset: PatchSet) -> dict[str, str]:
    """A kernel feature in a layer: .scc, patches, and the bbappend that takes it."""
    messages = []
    for change in patchset.changes:
        note = _note(change, patchset)
        above = f"{note}\n\n" if note else ""
        messages.append((change.subject, _signed(
            change, patchset.person, above + _upstream_status(change.upstream))))
    folder = "recipes-kernel/linux/files/gup-kmeta/gup"
    scc = 'define KFEATURE_DESCRIPTION "get_user_pages() patches"\n\n'
    found = {}
    for number, (change, mail) in enumerate(
            zip(patchset.changes, _mails(patchset, messages, numbered=False)), 1):
        name = f"{number:04}-{change.name}.patch"
        found[f"{folder}/{name}"] = mail
        scc += f"patch {name}\n"
    if patchset.kunitconfig:
        found[f"{folder}/gup.cfg"] = patchset.kunitconfig
        scc += "kconf non-hardware gup.cfg\n"
    found[f"{folder}/gup.scc"] = scc
    found[f"recipes-kernel/linux/linux-yocto_{patchset.base}.bbappend"] = (
        'FILESEXTRAPATHS:prepend := "${THISDIR}/files:"\n'
        'SRC_URI:append = " file://gup-kmeta;type=kmeta;destsuffix=gup-kmeta"\n'
        'KERNEL_FEATURES:append = " gup/gup.scc"\n')
    return found


RENDER: dict[str, Render] = {"quilt": quilt, "debian": debian, "suse": suse,
                             "ubuntu": ubuntu, "openwrt": openwrt, "yocto": yocto,
                             "mbox": mbox}


def _dep_3(upstream: Standing) -> list[str]:
    """Where a change stands, in the fields of DEP-3."""
    if upstream.commit:
        link = f"{MAINLINE}{upstream.commit}"
        return [f"Origin: backport, {link}",
                f"Applied-Upstream: {upstream.version}, {link}"]
    if upstream.since:
        return [f"Applied-Upstream: {upstream.since.release}, "
                f"{MAINLINE}{upstream.since.commit}"]
    if upstream.message_id:
        return [f"Forwarded: {MAILS}{upstream.message_id}"]
    return ["Forwarded: not-needed" if upstream.never else "Forwarded: no"]


def _patch_mainline(upstream: Standing) -> list[str]:
    """Where a change stands, in the tags of SUSE's kernel-source."""
    if upstream.commit:
        return [f"Patch-mainline: {upstream.version}", f"Git-commit: {upstream.commit}"]
    if upstream.since:
        return [f"Patch-mainline: {upstream.since.release}",
                f"Git-commit: {upstream.since.commit}"]
    if upstream.message_id:
        return [f"Patch-mainline: Submitted, linux-mm {MAILS}{upstream.message_id}"]
    return [f"Patch-mainline: Never, {upstream.never}" if upstream.never
            else "Patch-mainline: Not yet, to be submitted"]


def _upstream_status(upstream: Standing) -> str:
    """Where a change stands, in the words of Yocto."""
    if upstream.commit:
        return f"Upstream-Status: Backport [{MAINLINE}{upstream.commit}]"
    if upstream.since:
        return (f"Upstream-Status: Inappropriate [{upstream.since.release} does the same, "
                f"by {MAINLINE}{upstream.since.commit}]")
    if upstream.message_id:
        return f"Upstream-Status: Submitted [{MAILS}{upstream.message_id}]"
    return f"Upstream-Status: Inappropriate [{upstream.never}]" if upstream.never \
        else "Upstream-Status: Pending"


def _note(change: Change, patchset: PatchSet) -> str:
    """How a backport differs from its commit, in brackets, by who says so.

    Of a change that was written anew: which commit does the same in mainline.
    """
    note, since = change.note, change.upstream.since
    if since:
        note = (f"Mainline behaves like this since {since.release}, by {since}. This was "
                f"written anew for {patchset.base}.")
    return textwrap.fill(f"[{patchset.person.name}: {note}]", BODY_COLUMNS) if note else ""


def _signed(change: Change, person: Person, above: str = "") -> str:
    """A body with the person's sign-off at its end, and something above that."""
    body = patchfile.with_part(change.body, above)
    return patchfile.with_part(body, person.sign_off)


def _header(patchset: PatchSet, change: Change) -> list[str]:
    """The lines that every header begins with; the date is in UTC."""
    date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(change.date))
    return [f"From: {patchset.person}", f"Date: {date}", f"Subject: {change.subject}"]


def _stored(patchset: PatchSet, change: Change, body: str) -> str:
    return patch_form.stored_text(patchset.git, patch_form.Commit(
        change.commit, change.parent, change.subject, body))


def _headed(patchset: PatchSet, change: Change, header: list[str], body: str) -> str:
    """A patch with a header of its own in the place of the Subject line."""
    return "\n".join(header) + "\n" + _stored(patchset, change, body).partition("\n")[2]


def _mails(patchset: PatchSet, messages: list[tuple[str, str]], numbered: bool = True
           ) -> list[str]:
    """What git format-patch makes of the changes, with these messages.

    messages has subject and body of each. Only the object store of the tree is
    written to.
    """
    git, mails = patchset.git, []
    tip = patchset.changes[0].parent if patchset.changes else ""
    for number, (change, (subject, body)) in enumerate(
            zip(patchset.changes, messages), 1):
        above, tip = tip, git.commit_as(
            (patchset.person.name, patchset.person.email), f"{change.date} +0000",
            git.out("rev-parse", f"{change.commit}^{{tree}}"), [tip],
            f"{subject}\n\n{body}\n")
        prefix = f"PATCH {number}/{len(messages)}" \
            if numbered and len(messages) > 1 else "PATCH"
        mails.append(git.run(*patch_form.DIFF_SETTINGS, "format-patch", *MAIL_FORM,
                             f"--subject-prefix={prefix}", *patch_form.DIFF_PLAIN,
                             *patch_form.PATCH_FORM, *patch_form.STAT_FORM,
                             f"{above}..{tip}").output)
    return mails
