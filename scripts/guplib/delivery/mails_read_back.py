# SPDX-License-Identifier: GPL-2.0-only
"""Mails as they come back: the same as what went in, and fit for checkpatch."""

from pathlib import Path

from ..lint.patches import checkpatch, require_spdx_check
from ..system.errors import TestsFailed, UsageError
from ..system.terminal import say
from . import b4, cover_letter
from .cover_letter import Cover
from .mailed_series import Series


def compare(series: Series, written: list[Path], commits: list[str]) -> None:
    """Apply the mails as a maintainer would, and compare with the queue.

    commits: the base, and one for each patch. Raises UsageError if the cover does not
    come out as it is written, TestsFailed if the patches do not.
    """
    _compare_cover(series.cover, written[0])
    items, git = series.items, series.git
    came = series.read_back(written)
    if came is None:
        raise TestsFailed(f"{series.name}: the mails do not apply to the base "
                          f"(log: {series.folder / 'am.log'})")
    if len(came) != len(items):
        raise TestsFailed(f"{series.name}: {len(items)} patches went into the "
                          f"mails, {len(came)} came out (see {series.folder / 'am'})")
    for item, commit, back in zip(items, commits[1:], came):
        for what, form in (("content", "%T"), ("author", "%an <%ae>"), ("message", "%B")):
            sent, got = (git.out("log", "-1", f"--format={form}", name)
                         for name in (commit, back))
            if sent != got:
                raise TestsFailed(
                    f"{series.name}: the {what} of '{item.patch.subject}' comes back "
                    f"changed; compare {commit[:12]} and {back[:12]} in {series.repo}")


def check(series: Series, written: list[Path]) -> None:
    """Let checkpatch see the mails, sign-offs and all; raises TestsFailed."""
    require_spdx_check(series.ready)
    found: list[str] = []
    for item, mail in zip(series.items, written[-len(series.items):]):
        found += checkpatch(series.ready, mail, [], item.files)
    for line in found:
        say(line)
    if found:
        raise TestsFailed(f"{series.name}: checkpatch finds fault with the mails "
                          f"({len(found)}); mend it or argue in config/lint.toml")


def _compare_cover(cover: Cover, mail: Path) -> None:
    """Raise UsageError if the text of a cover is not in its mail, addressees aside."""
    wanted = cover.text
    for line in cover_letter.addressees(wanted):
        wanted = wanted.replace(f"\n{line}", "")
    if wanted.rstrip("\n") not in b4.text(b4.parse(mail)):
        raise UsageError(f"{cover.path}: its text does not come out as it is "
                         f"written, see {mail}; b4 takes lines 'Word: …' in "
                         "the last paragraph for trailers")
