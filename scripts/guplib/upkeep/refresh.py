# SPDX-License-Identifier: GPL-2.0-only
"""The commits of a tree become the stored files again.

Everything is tried in a draft, which is a copy of the stored files: the new
contents are written there, applied from there on each base that they touch,
and only then put in the place of the stored ones.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import config, queue
from ..kernel import apply, checkout, tree, work
from ..kernel.spec import TreeSpec
from ..kernel.state import State, Tree
from ..queue import patchfile, topic_changes
from ..queue.message import SIGN_OFF
from ..queue.patch_form import DIFF, PATCH_FORM, Commit, stored_text
from ..system import files, transaction
from ..system.errors import UsageError
from ..system.git import Git
from ..system.paths import Layout
from ..system.terminal import say
from .draft import (copy_stored, draft_changes, follow, require_unchanged, series_text,
                    served_by, set_blobs, sharing, stored_files)

UNSQUASHED = ("fixup! ", "squash! ", "amend! ")
REVIEW = re.compile(r"^(?:Reviewed|Acked|Tested)-by: .*", re.MULTILINE)
PREFIX = re.compile(r"^(?:[\w/.-]+: )+")
NAME_LENGTH = 40
LATER_COMPAT = re.compile(r"mm/tests/gup_compat_(\d+\.\d+)\.h")
KUNIT_FILE = re.compile(r"mm/tests/(?:[^/]+\.[ch]|Kconfig|Makefile)")


@dataclass(frozen=True)
class Outcome:
    """What a refresh changes: new contents by path, None for a file to remove.

    state is what the tree was in before, tip what the new contents lead to.
    """

    changes: dict[Path, str | None]
    state: State
    tip: str


def run(layout: Layout, base_name: str) -> list[str]:
    """Store the commits of a base's tree; returns what changed, a line each.

    Raises UsageError, and changes nothing, when work is not committed, when
    the stored queue has changed below the commits, or when a patch that other
    bases share does not apply there.
    """
    spec = TreeSpec(layout, config.base(layout, base_name))
    with transaction.hold(layout), tree.hold(spec):
        before = stored_files(layout.root)
        found = _work_out(spec)
        told = _told(layout, found.changes)
        require_unchanged(layout, base_name, before)
        if found.changes or found.tip != found.state.head:
            wanted = apply.digest(apply.plan(_in_draft(spec)))
            transaction.commit(layout, found.changes | checkout.adopted(
                spec, found.state, found.tip, wanted))
            checkout.adopt(spec)
        shutil.rmtree(layout.draft)
    return told


def differences(layout: Layout, base_name: str) -> list[str]:
    """What run() would change, a line each; writes no stored file."""
    spec = TreeSpec(layout, config.base(layout, base_name))
    with transaction.hold(layout), tree.hold(spec):
        found = _work_out(spec)
        shutil.rmtree(layout.draft)
    return _told(layout, found.changes)


def _told(layout: Layout, changes: dict[Path, str | None]) -> list[str]:
    return [f"{path.relative_to(layout.root)}: "
            + ("removed" if text is None else "changed" if path.exists() else "new")
            for path, text in changes.items()]


def _work_out(spec: TreeSpec) -> Outcome:
    """Fill the draft from the tree, and try it on every base concerned."""
    ready = _committed(spec)
    draft = _in_draft(spec)
    copy_stored(spec.layout, spec.layout.draft)
    commits = _commits(ready)
    *functional, tests = _split(spec, commits)
    _store_series(draft, ready, functional)
    _store_tests(draft, ready, tests)
    set_blobs(draft.layout, spec.base, ready.git, ready.state.base)
    try:
        for other in sharing(spec.layout, draft.layout, spec.base.name):
            follow(spec.layout, draft.layout, other)
        tip = _retrace(spec, draft, ready)
        queue.require_sound(draft.layout)
    except UsageError as error:
        said = str(error).replace(str(draft.layout.root), str(spec.layout.root))
        raise UsageError(f"{said}; nothing was changed") from error
    return Outcome(draft_changes(spec.layout, draft.layout), ready.state, tip)


def _committed(spec: TreeSpec) -> Tree:
    """The tree, if all work in it is in commits on its branch."""
    ready = tree.prepare(spec, edits_welcome=True)
    where = spec.layout.shown(spec.path)
    loose = work.unfinished_work(spec) + work.uncommitted_work(spec)
    if loose:
        raise UsageError(f"{where}: {'; '.join(loose[:4])}: commit this first, by git "
                         "commit --fixup COMMIT and git rebase -i --autosquash base")
    head = ready.git.resolve("HEAD")
    if head != ready.git.resolve(f"refs/heads/{spec.branch}"):
        raise UsageError(f"{where}: HEAD is not branch {spec.branch}; to take HEAD, "
                         f"run: git -C {where} checkout -B {spec.branch}")
    return ready


def _in_draft(spec: TreeSpec) -> TreeSpec:
    """The same base, with the stored files of the draft."""
    return TreeSpec(Layout(spec.layout.draft), spec.base)


def _commits(ready: Tree) -> list[Commit]:
    """The commits on the base, first to last, each fit to be stored."""
    git, base = ready.git, ready.state.base
    if git.run("merge-base", "--is-ancestor", base, "HEAD", check=False).returncode:
        raise UsageError(f"{ready.path}: HEAD is not on top of base {base[:12]}; rebase "
                         "it: git rebase --onto base")
    found = [_commit(*parts) for parts in _log(git, f"{base}..HEAD")]
    twice = {commit.subject for commit in found
             if [other.subject for other in found].count(commit.subject) > 1}
    if twice:
        raise UsageError(f"{ready.path}: two commits have the subject "
                         f"'{min(twice)}'; join or reword one")
    return found


def _log(git: Git, commits: str) -> Iterator[tuple[list[str], str, frozenset[str]]]:
    """The commits of a range, first to last.

    Of each, its id and those of its parents, its message, and the files that it changes,
    if it is no merge.
    """
    _, *parts = git.out("log", "--reverse", "--topo-order", "--no-renames", "--name-only",
                        "--format=%x00%H %P%x00%B%x00", commits).split("\0")
    for ids, message, names in zip(parts[0::3], parts[1::3], parts[2::3]):
        yield ids.split(), message.rstrip("\n"), frozenset(names.split("\n")) - {""}


def _commit(ids: list[str], message: str, names: frozenset[str]) -> Commit:
    commit, *parents = ids
    subject, _, body = message.partition("\n")
    signed = SIGN_OFF.search(body)
    found = Commit(commit, parents[0], subject, SIGN_OFF.sub("", body).strip("\n"), names)
    if signed:
        say(f"{found.short}: left out '{signed[0].strip()}': stored patches have no "
            "sign-off")
    fault = ""
    if len(parents) > 1:
        fault = "is a merge; rebase the branch to a line of commits"
    elif subject.startswith(UNSQUASHED):
        fault = "is not joined yet; run git rebase -i --autosquash base"
    elif body and not body.startswith("\n"):
        fault = "has a subject of two lines; put an empty line behind the first"
    elif not found.body:
        fault = "has no body; say why the change is made"
    elif "\n---\n" in f"\n{body}\n":
        fault = "has a line '---' in its message; reword it"
    elif not names:
        fault = "changes nothing; drop it"
    if fault:
        raise UsageError(f"{found.short} {fault}")
    return found


def _split(spec: TreeSpec, commits: list[Commit]) -> list[Commit]:
    """The commits, once the tests are known to be the last and nowhere else."""
    subject = patchfile.read(spec.layout.hookup(spec.base.name)).subject
    at = [number for number, commit in enumerate(commits) if commit.subject == subject]
    if not at:
        raise UsageError(f"{spec.path}: no commit '{subject}'; keep its subject, and "
                         "put it last")
    if at != [len(commits) - 1]:
        raise UsageError(f"{commits[at[0]].short} is not the last; move it behind the "
                         "others by git rebase -i base")
    suites = {*apply.suite_files(spec.layout, spec.base.name)}
    for commit in commits[:-1]:
        ours = commit.files & suites
        if ours:
            raise UsageError(f"{commit.short} touches {min(ours)}, which belongs to "
                             f"the commit '{subject}'; move the change there")
    return commits


def _store_series(draft: TreeSpec, ready: Tree, commits: list[Commit]) -> None:
    """Write patches, topics and the series of a base to the draft."""
    layout, base = draft.layout, draft.base.name
    served = served_by(layout)
    names = []
    for commit, path in _matched(layout, ready, commits):
        new = path is None
        if path is None:
            path = _new_topic(layout, commit, base)
        names.append(str(path.relative_to(layout.patches)))
        text = stored_text(ready.git, commit)
        if new or served[path][0] == base or not _equal(ready, commit, path):
            if not new:
                _doubt_trailers(ready.git, path, text)
            files.write(path, text)
    text = series_text(files.read(layout.series(base)), names)
    files.write(layout.series(base), text)
    still = served_by(layout)
    for path in set(served) - set(still):
        path.unlink()
        say(f"{path.relative_to(layout.root)} is in no series any more; "
            f"see to patches/{path.parent.name}/topic.toml")


def _doubt_trailers(git: Git, path: Path, text: str) -> None:
    """Say so when a patch makes another change than the one that was reviewed."""
    tags = REVIEW.findall(text.partition("\n---\n")[0])
    if tags and git.patch_id(files.read(path), blanks=True) \
            != git.patch_id(text, blanks=True):
        say(f"{path.parent.name}/{path.name}: changes something else than before, but "
            f"has {', '.join(tags)}; take them off the commit unless they still hold")


def _matched(layout: Layout, ready: Tree, commits: list[Commit]
             ) -> list[tuple[Commit, Path | None]]:
    """The patch file of each commit: by its subject, else by its change."""
    patches = [patchfile.read(path)
               for path in queue.series(layout, ready.base.name)]
    left = {patch.subject: patch for patch in patches}
    found: dict[str, Path] = {}
    for commit in commits:
        if patch := left.pop(commit.subject, None):
            found[commit.id] = patch.path
    by_change = {ready.git.patch_id(files.read(patch.path)): patch
                 for patch in left.values()}
    for commit in commits:
        if commit.id not in found and by_change:
            change = ready.git.run(*DIFF, *PATCH_FORM, commit.parent, commit.id).output
            if patch := by_change.pop(ready.git.patch_id(change), None):
                found[commit.id] = patch.path
                _retitle(layout, patch, commit)
    return [(commit, found.get(commit.id)) for commit in commits]


def _retitle(layout: Layout, patch: patchfile.Patch, commit: Commit) -> None:
    """Let the title of a topic follow the subject of its patch."""
    path = layout.topic(patch.path.parent.name)
    if queue.topic(layout, path.parent.name).title == patch.subject:
        files.write(path, topic_changes.with_title(path, files.read(path), commit.subject))


def _new_topic(layout: Layout, commit: Commit, base: str) -> Path:
    """Begin a topic that is still to be filled in; returns its patch's path."""
    words = re.findall(r"[a-z0-9]+", PREFIX.sub("", commit.subject).lower())
    stem = ""
    for word in words:
        if len(stem) + len(word) < NAME_LENGTH:
            stem = f"{stem}-{word}".strip("-")
    name, number = stem or "topic", 2
    while (layout.patches / name).exists():
        name, number = f"{stem}-{number}", number + 1
    path = layout.topic(name)
    files.write(path, topic_changes.begun(path, commit.subject, {
        other: "needed" if other == base else "" for other in config.bases(layout)}))
    say(f"new topic {name}: fill in patches/{name}/topic.toml")
    return layout.patches / name / f"{base}.patch"


def _equal(ready: Tree, commit: Commit, path: Path) -> bool:
    """Whether a stored patch of another base is what a commit does here."""
    patch = patchfile.read(path)
    if (patch.subject, patch.body) != (commit.subject, commit.body):
        return False
    with apply.aside(ready.spec, commit.parent) as git:
        applied = git.run("apply", "--cached", "--whitespace=nowarn", str(path),
                          check=False)
        return applied.returncode == 0 and git.out("write-tree") == git.out(
            "rev-parse", f"{commit.id}^{{tree}}")


def _store_tests(draft: TreeSpec, ready: Tree, commit: Commit) -> None:
    """Write suites, compat header and hookup of the last commit to the draft."""
    layout, base, git = draft.layout, draft.base.name, ready.git
    known = apply.suite_files(layout, base)
    status = [line.split("\t") for line in git.lines(
        "diff", "--name-status", "--no-renames", commit.parent, commit.id)]
    for letter, name in status:
        if letter == "A" and KUNIT_FILE.fullmatch(name) and name not in known:
            known[name] = _stored_place(layout, base, name)
    there = {name for letter, name in status if letter != "D"}
    for name, path in known.items():
        if name in there:
            files.write(path, git.run("show", f"{commit.id}:{name}").output)
        else:
            path.unlink()
    files.write(layout.hookup(base), stored_text(git, commit, tuple(known)))


def _stored_place(layout: Layout, base: str, name: str) -> Path:
    """Where a file that is new in mm/tests/ is stored."""
    if name == apply.COMPAT:
        return layout.compat(base)
    if match := LATER_COMPAT.fullmatch(name):
        return layout.compat(match[1])
    return layout.suites / Path(name).name


def _retrace(spec: TreeSpec, draft: TreeSpec, ready: Tree) -> str:
    """Apply the draft and return its tip, which must have the tree's content."""
    commits = [ready.state.base]
    apply.commit_steps(spec, apply.plan(draft), commits)
    git = ready.git
    astray = git.lines("diff", "--name-only", "--no-renames", commits[-1], "HEAD")
    if astray:
        raise UsageError(f"base {spec.base.name}: {astray[0]} cannot be stored as it is "
                         "in the tree (its mode, or bytes that are no text)")
    return commits[-1]
