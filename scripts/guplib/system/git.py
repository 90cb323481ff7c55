# SPDX-License-Identifier: GPL-2.0-only
"""Calls of git that do the same on every machine."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from . import process

NAME = "GUP queue"
EMAIL = "gup@queue.invalid"
EPOCH = 1767225600  # 2026-01-01 00:00:00 UTC, the date of a base's commit
# No file of the person or the machine that git reads by itself has a say.
ENVIRONMENT = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
               "GIT_ATTR_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
SETTINGS = {"core.attributesFile": "/dev/null", "core.excludesFile": "/dev/null",
            "core.hooksPath": "/dev/null", "core.autocrlf": "false",
            "status.showUntrackedFiles": "normal",
            "gc.auto": "0", "maintenance.auto": "false", "safe.directory": "*"}


class Git:
    """A repository, called without the settings of the person or machine."""

    def __init__(self, tree: Path, index: Path | None = None):
        self.tree = tree
        self.env = dict(ENVIRONMENT)
        if index:
            self.env["GIT_INDEX_FILE"] = str(index)

    def run(self, *words: str, stdin: bytes = b"", check: bool = True,
            env: Mapping[str, str] | None = None,
            watch: Callable[[], None] | None = None) -> process.Result:
        """Run git in the tree; output is stdout, and stderr when it fails."""
        settings = [word for key, value in SETTINGS.items()
                    for word in ("-c", f"{key}={value}")]
        command = next((word for word in words if re.match(r"[a-z]", word)
                        and "=" not in word), "")
        return process.run(["git", *settings, "-C", self.tree, *words],
                           env={**self.env, **(env or {})}, stdin=stdin, check=check,
                           watch=watch, stderr_apart=True, where=self.tree,
                           what=f"git {command} in {self.tree}")

    def out(self, *words: str, stdin: bytes = b"") -> str:
        """Run git and return what it printed, without the last newline."""
        return self.run(*words, stdin=stdin).output.rstrip("\n")

    def lines(self, *words: str) -> list[str]:
        """Run git and return the lines it printed."""
        return self.run(*words).output.splitlines()

    def resolve(self, name: str) -> str:
        """The id of the commit that a name stands for; empty when none."""
        result = self.run("rev-parse", "--verify", "--quiet",
                          f"{name}^{{commit}}", check=False)
        return result.output.strip() if result.returncode == 0 else ""

    def blobs(self, commit: str, names: Sequence[str]) -> dict[str, str]:
        """git's ids of some files of a commit, by name, less those that it has not."""
        found = self.out("ls-tree", "--format=%(objectname) %(path)", "-z", commit, "--",
                         *names)
        return {path: blob for blob, _, path in
                (entry.partition(" ") for entry in found.split("\0") if entry)}

    def contains(self, tip: str, commit: str) -> bool:
        """Whether a commit is in the history of another one."""
        return self.run("merge-base", "--is-ancestor", commit, tip,
                        check=False).returncode == 0

    def patch_id(self, diff: str, blanks: bool = False) -> str:
        """git's id of what a diff changes, wherever it does; with blanks, they count."""
        return self.out("patch-id", "--verbatim" if blanks else "--stable",
                        stdin=diff.encode()).partition(" ")[0]

    def commit(self, tree: str, parents: list[str], message: str, order: int) -> str:
        """Write a commit that is the same everywhere and return its id.

        order counts the commits since the base: it dates the commit, in
        seconds after EPOCH.
        """
        return self.commit_as((NAME, EMAIL), f"{EPOCH + order} +0000", tree, parents,
                              message)

    def commit_as(self, who: tuple[str, str], date: str, tree: str, parents: list[str],
                  message: str) -> str:
        """Write a commit of somebody, who is a name and an address; return its id."""
        env = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
               for what, value in (("NAME", who[0]), ("EMAIL", who[1]), ("DATE", date))}
        words = [word for parent in parents for word in ("-p", parent)]
        result = self.run("commit-tree", tree, *words, stdin=message.encode(), env=env)
        return result.output.strip()
