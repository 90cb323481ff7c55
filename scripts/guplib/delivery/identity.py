# SPDX-License-Identifier: GPL-2.0-only
"""Who signs what leaves the queue."""

import os
import re
from dataclasses import dataclass

from ..system import process
from ..system.errors import UsageError
from ..system.git import EMAIL, NAME
from ..system.paths import Layout

# What a person may tell git by, apart from the files in the home folder.
TOLD = re.compile(r"EMAIL|GIT_COMMITTER_(?:NAME|EMAIL)|GIT_CONFIG_\w+")
IDENT = re.compile(r"(?P<name>.+) <(?P<email>[^<>\s]+@[^<>\s]+)> \d+ [+-]\d{4}")


@dataclass(frozen=True)
class Person:
    """A name and an address, as in a sign-off."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"

    @property
    def sign_off(self) -> str:
        """The line that this person alone may have written."""
        return f"Signed-off-by: {self}"


NOBODY = Person(NAME, EMAIL)


def of_user(layout: Layout) -> Person:
    """The person who calls, by the settings of git.

    git is asked as a commit in the queue would ask it, and told not to make up
    an address. Raises UsageError when there is no identity, or the queue's own.
    """
    asked = process.run(["git", "-c", "user.useConfigOnly=true", "var",
                         "GIT_COMMITTER_IDENT"], cwd=layout.root, check=False,
                        env={name: value for name, value in os.environ.items()
                             if TOLD.fullmatch(name)},
                        stderr_apart=True)
    found = IDENT.fullmatch(asked.output.strip())
    if asked.returncode or not found:
        raise UsageError("git does not know who you are, and what leaves the queue is "
                         "signed by who sends it; run git config --global user.name "
                         "'Your Name' and git config --global user.email YOU@HOST")
    person = Person(found["name"], found["email"])
    if person.email == EMAIL:
        raise UsageError(f"git's identity here is {person}, which is the queue's own and "
                         "nobody's; set yours by git config user.name and user.email")
    return person
