# SPDX-License-Identifier: GPL-2.0-only
"""A topic taken out of a series: what all other patches of it come to without it."""

from dataclasses import dataclass
from pathlib import Path

from .. import queue
from ..system import files
from ..system.git import Git
from .apply import aside
from .spec import TreeSpec
from .state import State

MESSAGE = "Take {topics} out\n\nThe other patches are as they were.\n"


@dataclass(frozen=True)
class Removal:
    """A topic, those that had to go along, and the patch that takes them out."""

    topic: str
    along: tuple[str, ...]
    change: Path

    @property
    def topics(self) -> frozenset[str]:
        """All topics that are taken out."""
        return frozenset({self.topic, *self.along})


def of_topic(spec: TreeSpec, state: State, topic: str, folder: Path,
             dependents: bool = False) -> Removal:
    """Write the patch that takes a topic out of a tree that has the whole series.

    A later topic goes along if its patch does not apply by a 3-way merge where that one
    is missing; with dependents, also if it says that it depends on one that is out. Only
    the object store of the tree is written to.
    """
    series = [path.parent.name for path in queue.series(spec.layout, spec.base.name)]
    commits = spec.git.lines("rev-list", "--reverse", f"{state.base}..{state.head}")
    first = series.index(topic)
    along: list[str] = []
    needs = {each.name: set(each.depends) for each in queue.topics(spec.layout)}
    with aside(spec, commits[first] + "^") as git:
        # The commits behind the series bring the suites, which touch other files.
        for name, commit in zip([*series[first + 1:], ""], commits[first + 1:]):
            if dependents and needs.get(name, set()) & {topic, *along} \
                    or not _merged(git, commit):
                along.append(name)
        tree = git.out("write-tree")
    diff = spec.git.out("diff", "--binary", state.head, tree)
    path = folder / f"{topic}.patch"
    message = MESSAGE.format(topics=" and ".join([topic, *along]))
    files.write(path, f"Subject: {message}---\n\n{diff}\n")
    return Removal(topic, tuple(along), path)


def _merged(git: Git, commit: str) -> bool:
    """Apply what a commit changes to the index; if it does not fit, leave that alone."""
    before = git.out("write-tree")
    diff = git.run("diff", "--binary", f"{commit}^", commit).output
    if not git.run("apply", "--cached", "--3way", "-", stdin=diff.encode(),
                   check=False).returncode:
        return True
    git.run("read-tree", before)
    return False
