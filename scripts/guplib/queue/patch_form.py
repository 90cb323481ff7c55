# SPDX-License-Identifier: GPL-2.0-only
"""The form that a change has as a stored patch, whatever git's settings are."""

from dataclasses import dataclass

from ..system.git import Git
from . import patchfile

DIFF_SETTINGS = ("-c", "core.abbrev=40", "-c", "diff.suppressBlankEmpty=false")
DIFF_PLAIN = ("--no-renames", "--no-color", "--no-ext-diff", "--no-textconv",
              "--src-prefix=a/", "--dst-prefix=b/")
DIFF = (*DIFF_SETTINGS, "diff", *DIFF_PLAIN)
PATCH_FORM = ("--full-index", "--diff-algorithm=myers", "--indent-heuristic", "-U3",
              "--inter-hunk-context=0")
STAT_FORM = ("--stat=72",)


@dataclass(frozen=True)
class Commit:
    """A commit of a tree, with the message that it is stored with.

    files is what it changes, if that was asked for.
    """

    id: str
    parent: str
    subject: str
    body: str
    files: frozenset[str] = frozenset()

    @property
    def short(self) -> str:
        """How a message names it."""
        return f"commit {self.id[:12]} ({self.subject})"


def stored_text(git: Git, commit: Commit, excluded: tuple[str, ...] = ()) -> str:
    """The stored form of a commit, less the files that are stored as such."""
    diff = git.run(*DIFF, *STAT_FORM, *PATCH_FORM, commit.parent, commit.id, "--", ".",
                   *(f":(exclude,literal){name}" for name in excluded)).output
    return patchfile.text(commit.subject, commit.body, diff)
