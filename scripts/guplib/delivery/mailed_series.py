# SPDX-License-Identifier: GPL-2.0-only
"""One series on its way from a tree to the mails, by way of b4.

All is made in build/<base>/mail: a repository that borrows the objects of
build/<base>/linux and has the commits with the person's sign-off on a branch
of b4. Nothing else has that branch or that sign-off.
"""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .. import config, queue
from ..kernel import apply
from ..kernel.apply import Step
from ..kernel.state import Tree
from ..queue.patchfile import Patch
from ..system import files, process
from ..system.errors import UsageError
from ..system.git import Git
from ..system.terminal import Progress, say
from . import b4
from .b4 import B4
from .cover_letter import Cover
from .earlier_version import Sent, earlier
from .identity import Person
from .selection import SUITES, Part, Request, rendered, with_tests

BASE, TRIED = "gup-base", "gup-previous"     # branches; b4's has a name of its own
SLUG_LENGTH = 40
SECURITY = "security@kernel.org"    # Documentation/process/security-bugs.rst
MAINTAINERS = ("scripts/get_maintainer.pl", "--nogit", "--nogit-fallback",
               "--nogit-chief-penguins", "--norolestats", "--nol", "--nor")
TEMPLATE = """\
${{cover}}

---
${{shortlog}}

${{diffstat}}
---
{base}
change-id: ${{change_id}}

Best regards,
--\x20
${{signature}}
"""


@dataclass(frozen=True)
class Item:
    """A patch of the series: as it is stored, and its commit in the tree.

    topic: what the changes of a cover call it; files: what it is made from.
    """

    patch: Patch
    topic: str
    commit: str
    files: tuple[Path, ...]


class Series:
    """One series on its way from the tree to the mails."""

    def __init__(self, ready: Tree, letter: Cover, who: Person, request: Request,
                 part: Part):
        self.ready, self.who, self.request, self.part = ready, who, request, part
        self.layout = ready.spec.layout
        self.folder = self.layout.mail(ready.base.name)
        self.repo, self.mails = self.folder / "repo", self.folder / "mails"
        self.git = Git(self.repo)
        self.b4 = B4(self.folder, who, {
            "b4.prep-cover-strategy": "branch-description",
            "b4.prep-cover-template": str(self.folder / "template"),
            "core.abbrev": "12", "gc.auto": "0"})
        self.items = self._items()
        self.cover = rendered(self.layout, letter, [item.topic for item in self.items],
                              part)
        self.branch = _slug(letter.subject)

    def write(self) -> tuple[list[Path], list[str]]:
        """Make the mails; returns them, and the commits that they are made from.

        The first commit is the base.
        """
        self._make_repository()
        sent = self._previous()
        commits = self._commit()
        self._cover(sent, commits)
        self.b4.run(self.repo, "send", "--no-sign", "--output-dir", self.mails,
                    *self._private_addressees())
        return sorted(self.mails.iterdir()), commits

    def read_back(self, mails: Iterable[Path]) -> list[str] | None:
        """Apply mails to the base as a maintainer would; returns the commits.

        None if they do not apply.
        """
        if not self._apply(self.b4.am(mails, self.folder / "am", "--no-add-trailers")):
            return None
        came = self.git.lines("rev-list", "--reverse", f"{BASE}..HEAD")
        self.git.run("checkout", "-q", self.branch)
        return came

    @property
    def name(self) -> str:
        """The series, as messages have it."""
        return f"base {self.ready.base.name}"

    @property
    def _single(self) -> bool:
        """Whether there is one mail alone, into which b4 puts the cover."""
        return len(self.items) == 1

    def _items(self) -> list[Item]:
        """The patches that are mailed, in order."""
        base, place = self.ready.base.name, self.ready.spec
        hookup = self.layout.hookup(base)
        wanted = {*self.part.patches, *([hookup] if self._tests() else [])}
        steps = [step for step in apply.plan(place) if step.patch.path in wanted]
        if not steps:
            raise UsageError(f"series/{base} has no patch that could be mailed")
        commits = [self.ready.state.base]
        apply.commit_steps(place, steps, commits)
        return [self._item(step, commit) for step, commit in zip(steps, commits[1:])]

    def _item(self, step: Step, commit: str) -> Item:
        files = (step.patch.path, *step.extra.values())
        if step.patch.path == self.layout.hookup(self.ready.base.name):
            return Item(step.patch, SUITES, commit, files)
        topic = queue.topic(self.layout, step.patch.path.parent.name)
        return Item(step.patch, topic.name, commit, files)

    def _tests(self) -> bool:
        """Whether the suites go along; says of what is kept back that it is."""
        newest = self.ready.base.name == list(config.bases(self.layout))[-1]
        kept_back, tests = self.part.kept_back, self.request.tests
        if kept_back and not self.request.topics:
            more = "" if not newest or tests is not None else \
                "; and so are the suites, which show what is wrong: --with-tests takes them"
            say(f"{self.name}: left out, as a matter for the security list first: "
                f"{', '.join(kept_back)} (--topics mails one alone){more}")
        if tests is not None:
            return tests
        return not self.request.topics and with_tests(
            self.layout, self.ready.base.name, self.part)

    def _make_repository(self) -> None:
        """A repository with the base, and scripts/ alone as files."""
        self.repo.mkdir()
        self.git.run("init", "-q", "-b", self.branch)
        objects = Path(self.ready.git.out("rev-parse", "--path-format=absolute",
                                          "--git-path", "objects"))
        files.scratch(self.repo / ".git/objects/info/alternates", f"{objects}\n")
        self.git.run("update-ref", f"refs/heads/{BASE}", self.ready.state.base)
        self.git.run("sparse-checkout", "set", "scripts")
        self.git.run("checkout", "-q", "-B", self.branch, BASE)

    def _commit(self) -> list[str]:
        """Commit the patches with the person's sign-off; returns the ids.

        The branch has the same commits, with changes below a line '---', which
        mails carry and git am leaves out.
        """
        signed = [self.git.resolve(BASE)]
        mailed = signed[0]
        for item in self.items:
            message = self.git.run("interpret-trailers", "--if-exists=addIfDifferent",
                                   f"--trailer={self.who.sign_off}",
                                   stdin=item.patch.message.encode()).output
            log = "" if self._single else self.cover.changelog_of(item.topic)
            signed.append(self._commit_one(item, signed[-1], message))
            mailed = self._commit_one(item, mailed,
                                      f"{message}---\n{log}" if log else message)
        self.git.run("reset", "-q", "--hard", mailed)
        return signed

    def _commit_one(self, item: Item, parent: str, message: str) -> str:
        made = self.git.run("commit-tree", f"{item.commit}^{{tree}}", "-p", parent,
                            stdin=message.encode(), env=b4.committing_as(self.who))
        return made.output.strip()

    def _cover(self, sent: Sent | None, commits: list[str]) -> None:
        """Make the branch one of b4's, with cover, version and addressees."""
        request = self.request
        files.scratch(self.folder / "template", TEMPLATE.format(
            base=self._base_line().replace("$", "$$")))
        files.scratch(self.folder / "cover", self._cover_text(sent, commits))
        words = ["--force-revision", str(request.version)]
        if request.prefixes:
            words += ["--set-prefixes", *request.prefixes]
        self.b4.run(self.repo, "prep", "--enroll", BASE, *words)
        self.b4.run(self.repo, "prep", "--edit-cover",
                    editor=shlex.join(["cp", str(self.folder / "cover")]))
        if sent and sent.change_id:
            self._keep_change_id(sent.change_id)
        self._address()

    def _address(self) -> None:
        """Let b4 ask get_maintainer.pl, which wants to see all folders of a kernel."""
        for name in self.git.lines("ls-tree", "-d", "--name-only", "HEAD"):
            (self.repo / name).mkdir(exist_ok=True)
        if self.part.private:
            return
        with Progress(f"{self.name}: addressees by get_maintainer.pl") as progress:
            self.b4.run(self.repo, "prep", "--auto-to-cc", watch=progress.tick)

    def _private_addressees(self) -> list[str]:
        """Words that have b4 write to maintainers and the security list alone.

        Neither the addressees in the cover count then, nor those in patches.
        """
        if not self.part.private:
            return []
        patches = self.folder / "patches"
        files.scratch(patches, self.git.run(
            "format-patch", "--stdout", f"{BASE}..{self.branch}").output)
        said = process.run([self.repo / MAINTAINERS[0], *MAINTAINERS[1:], patches],
                           cwd=self.repo, stderr_apart=True).output
        people = [line.strip() for line in said.splitlines() if "@" in line]
        if not people:
            return ["--no-trailer-to-cc", "--to", SECURITY]
        return ["--no-trailer-to-cc", "--to", *people, "--cc", SECURITY]

    def _keep_change_id(self, change_id: str) -> None:
        """Let the branch have the change-id of the version before.

        b4 takes it over from a list's archive alone, by the network.
        """
        key = f"branch.{self.branch}.b4-tracking"
        tracking = self.git.out("config", key)
        self.git.run("config", key, re.sub(r'("change-id": )"[^"]*"', rf'\1"{change_id}"',
                                           tracking))

    def _cover_text(self, sent: Sent | None, commits: list[str]) -> str:
        """The cover as b4 takes it: with changes, link and range-diff."""
        labels = {item.topic: "" if self._single else f"patch {number}: "
                  for number, item in enumerate(self.items, 1)}
        text = f"{self.cover.subject}\n\n{self.cover.text}\n"
        if sent:
            first, *older = self.cover.changelog(labels).split("\n\n", 1)
            link = f"- Link to v{sent.version}: https://lore.kernel.org/r/" \
                   f"{sent.message_id}\n"
            text += "".join([f"\n---\n{first.rstrip()}\n{link}",
                             *(f"\n{part}" for part in older)])
            if difference := self._range_diff(commits):
                text += f"\n---\nRange-diff against v{sent.version}:\n{difference}"
        return text

    def _range_diff(self, commits: list[str]) -> str:
        """How the commits differ from the version before; empty if it is not there."""
        if not self.git.resolve(TRIED):
            return ""
        return self.git.run("range-diff", "--no-color", f"{BASE}..{TRIED}",
                            f"{BASE}..{commits[-1]}").output

    def _base_line(self) -> str:
        """What the series is based on: a commit that others have, or a release."""
        state = self.ready.state
        origin = state.source
        if origin.kind == "clone" and _is_public(self.ready.git, state.base):
            return f"base-commit: {state.base}"
        where = {"package": f"Debian's package {origin.path}",
                 "clone": "a commit that no tag or remote branch has"}.get(
                     origin.kind, Path(origin.path).name)
        return f"Based on Linux {state.version} ({where})"

    def _previous(self) -> Sent | None:
        """The version before, as commits on the base where it still applies."""
        if self.request.previous is None:
            return None
        sent = earlier(self.request.previous, self.request.version,
                       self.folder / "previous")
        series = self.b4.am(sent.mails, self.folder / "previous-am", "--no-add-trailers",
                            "--use-version", str(sent.version))
        if self._apply(series):
            self.git.run("branch", TRIED, "HEAD")
        else:
            say(f"{self.name}: v{sent.version} does not apply to this base, so the "
                "cover goes without a range-diff")
        self.git.run("checkout", "-q", self.branch)
        return sent

    def _apply(self, series: Path) -> bool:
        """Apply mails to the base by git am; HEAD is detached at the outcome."""
        self.git.run("checkout", "-q", "--detach", BASE)
        env = b4.committing_as(self.who)
        done = self.git.run("am", "-q", "--keep-cr", str(series), check=False, env=env)
        if done.returncode:
            with (self.folder / "am.log").open("a", encoding="utf-8") as log:
                log.write(done.output)
            self.git.run("am", "--abort", env=env)
        return done.returncode == 0


def _slug(subject: str) -> str:
    """A subject as the name of a branch, of which b4 makes ids of mails."""
    name = re.sub(r"[^a-z0-9]+", "-", subject.lower()).strip("-") or "series"
    if len(name) > SLUG_LENGTH:
        name = name[:SLUG_LENGTH].rpartition("-")[0] or name[:SLUG_LENGTH]
    return name


def _is_public(git: Git, commit: str) -> bool:
    """Whether a tag or a branch of a remote of a clone has the commit."""
    return bool(git.lines("for-each-ref", "--count=1", "--contains", commit,
                          "refs/tags", "refs/remotes"))
