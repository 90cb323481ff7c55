# SPDX-License-Identifier: GPL-2.0-only
"""Try the queue of a base on another kernel.

The trial is a copy of the stored files below build/bump, with a tree and a
cell of its own, so the project is as it was until the outcome is stored.
"""

import functools
import json
import re
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

from .. import config, queue
from ..config import Base, version_key
from ..evidence import recorded_results
from ..kernel import apply, checkout, fetch, source, tree, work
from ..kernel.apply import Step
from ..kernel.fetch import Tarball
from ..kernel.mirror import Offer, by_version
from ..kernel.source import Source
from ..kernel.spec import TreeSpec
from ..kernel.state import State
from ..queue import patchfile
from ..run import kunit
from ..run.cell import Request
from ..run.show import show
from ..run.verdict import PASSED, Verdict
from ..system import files, transaction
from ..system.errors import TestsFailed, UsageError
from ..system.git import Git
from ..system.paths import Layout
from ..system.terminal import say
from . import refresh, three_way
from .refresh import Commit
from .three_way import Merge

CLEAN, MOVED = "clean", "context moved"
ALREADY, CONFLICT = "already there", "conflict"
SAME_CHANGE = "The same change. Only the lines around it differ."
REASON = re.compile(r'(?m)^"([^"]+)" *= *(?:"""(?s:.*?)"""|"[^"\n]*")\n?')


@dataclass(frozen=True)
class Trial:
    """What became of one patch; commit is empty unless it was applied.

    resolved: a person has settled the conflict. merge: the sides of a conflict.
    """

    step: Step
    outcome: str
    parent: str
    commit: str
    why: str = ""
    resolved: bool = False
    merge: Merge | None = None


@dataclass(frozen=True)
class Attempt:
    """A base's queue on another kernel: what became of it, and what is to be stored.

    base: as it will be verified; version: the kernel's; before: the stored files that
    it was made from; verdict: the cell's, if it could be run.
    """

    base: Base
    version: str
    trials: tuple[Trial, ...]
    before: dict[Path, str]
    verdict: Verdict | None

    @property
    def passed(self) -> bool:
        """Whether the cell has passed."""
        return self.verdict is not None and self.verdict.word == PASSED


class ConflictFound(UsageError):
    """A patch needs a person; topic is the folder that it is in."""

    def __init__(self, topic: str, text: str):
        super().__init__(text)
        self.topic = topic


def run(layout: Layout, base: Base, ksrc: Source | None, debian: str,
        keep: bool) -> None:
    """Try a base's queue on another kernel, and store the outcome.

    debian is a version of Debian's to take; without it and without ksrc, the newest
    linux-source package of any suite is taken. Raises UsageError with the hunk when a
    patch is in conflict and its cases do not pass without it, TestsFailed when the
    cell does not pass.
    """
    queue.require_sound(layout)
    kernel = None
    if debian:
        kernel = fetch.exactly(layout, base, debian)
    elif ksrc is None:
        newest = fetch.newest(layout, base.name)
        if not newer(base, newest):
            say(f"base {base.name}: the mirror has nothing newer than "
                f"{base.package_version or base.version}")
            return
        kernel = fetch.get(layout, base, newest)
    done = attempt(layout, base, kernel, ksrc)
    trial = layout.bump(base.name)
    if not done.passed and not keep:
        raise TestsFailed(f"base {base.name}: the cell fails on {done.version}; nothing "
                          f"was changed; {trial.cell(base.name, 'um')} has the logs, "
                          "--keep stores the outcome all the same")
    with transaction.hold(layout):
        refresh.require_unchanged(layout, base.name, done.before)
        changes = refresh.draft_changes(layout, trial)
        transaction.commit(layout, changes)
    place = TreeSpec(trial, done.base)
    place.git.run("branch", "-q", "-D", _branch(place), check=False)
    for path in changes:
        say(f"stored {path.relative_to(layout.root)}")


def newer(base: Base, offer: Offer) -> bool:
    """Whether a package is newer than what a base was verified on, if it was."""
    verified = base.package_version or base.version
    return not verified or by_version(offer.version) > by_version(verified)


def attempt(layout: Layout, base: Base, kernel: Tarball | None, ksrc: Source | None
            ) -> Attempt:
    """Try a base's queue on a kernel, from Debian or from elsewhere; stores nothing.

    Raises ConflictFound when a patch needs a person, and leaves its sides in the
    trial's tree.
    """
    trial = layout.bump(base.name)
    with transaction.hold(layout), tree.hold(TreeSpec(trial, base)):
        refresh.copy_stored(layout, trial.root)
        before = refresh.stored_files(trial.root)
        facts = (kernel.package, kernel.version) if kernel else \
            (fetch.package_of(base.name), "")
        place = TreeSpec(trial, replace(base, package=facts[0], package_version=facts[1]))
        ksrc = source.classify(kernel.path, "") if kernel else ksrc
        if place.path.exists() and (state := checkout.resume(place)):
            _leave_resolution(place, state)
        state = tree.base_of(place, ksrc)
        near = three_way.nearest(config.bases(layout), base.name)
        origin = _Origin(layout, place, near)
        trials = _try_all(place, state, origin)
        for each in trials:
            say(f"{'resolved' if each.resolved else each.outcome:14} {_name(each.step)}"
                + (f": {each.why}" if each.why else ""))
        bad = [each for each in trials if each.outcome == CONFLICT]
        for each in bad:
            if not _telling(layout, place, near, each):
                raise _conflict(layout, place, state, origin, each)
            say(f"{'':14} {_name(each.step)}: does the kernel do the same by itself? "
                "trying its cases without it")
        _store(layout, place, state, trials)
    verdict = _cell(trial, base.name, ksrc)
    for each in bad:
        passed = _passed_without(_telling(layout, place, near, each), verdict)
        if not passed:
            with tree.hold(place):
                raise _conflict(layout, place, state, origin, each)
        say(f"{ALREADY:14} {_name(each.step)}: {passed}")
    return Attempt(place.base, state.version, tuple(trials), before, verdict)


def _telling(layout: Layout, place: TreeSpec, near: Base, trial: Trial) -> tuple[str, ...]:
    """The cases, as SUITE.CASE, that can tell on UML whether a kernel does without a patch.

    Those are cases of its topic that have failed there without the series, as
    doc/measured.json has it of the near base. None can for the hookup, and none for a
    topic that adds what they call.
    """
    path = trial.step.patch.path
    record = recorded_results.load(layout).get((near.name, "um", False))
    if path == place.layout.hookup(place.base.name) or record is None:
        return ()
    topic = queue.topic(layout, path.parent.name)
    globs = topic.cases or tuple(f"{suite}.*" for suite in topic.suites)
    return () if topic.adds else tuple(
        case for case in record.failed or () if any(fnmatch(case, glob) for glob in globs))


def _passed_without(cases: tuple[str, ...], verdict: Verdict | None) -> str:
    """What shows that a kernel needs no patch; empty when its cases do not."""
    passed = {f"{case.suite}.{case.name}" for case in verdict.cases
              if case.status == PASSED} if verdict else set()
    return f"{', '.join(cases)} passed without it" if {*cases} <= passed else ""


def _conflict(layout: Layout, place: TreeSpec, state: State, origin: "_Origin",
              trial: Trial) -> ConflictFound:
    """Show the two sides of a conflict in the trial's tree; the error for it."""
    refresh.copy_stored(layout, place.layout.root)
    place.git.run("checkout", "-q", "-B", _branch(place), trial.parent)
    if trial.merge:
        three_way.show(place, trial.step, trial.merge)
    where = place.path.relative_to(layout.root)
    sides = f"{', '.join(trial.merge.torn if trial.merge else ())} there has both sides" \
        + (f", but only as the patch shows them ({origin.made.why})"
           if origin.made.why else "")
    return ConflictFound(trial.step.patch.path.parent.name, (
        f"base {place.base.name}: {_name(trial.step)} is in conflict with "
        f"{state.version} ({trial.why}); nothing was changed. In {where}, {sides}: resolve "
        f"them, git -C {where} commit -a -m '{trial.step.patch.subject}', and call again"))


def _branch(place: TreeSpec) -> str:
    """Where a person resolves conflicts in a trial's tree."""
    return f"resolve/{place.base.name}"


def _leave_resolution(place: TreeSpec, state: State) -> None:
    """Put the files back as the tool needs them, if the person is done."""
    git = place.git
    loose = work.unfinished_work(place) + work.uncommitted_work(place)
    if loose:
        raise UsageError(f"{place.path}: {loose[0]}: resolve and commit it, or remove "
                         f"{place.layout.root}")
    if git.resolve("HEAD") != state.head:
        git.run("checkout", "-q", "-B", place.branch, state.head)


def _resolved(place: TreeSpec, base: str, step: Step) -> Commit | None:
    """The commit by which a person has resolved a patch, known by its subject.

    If it has no body, that of the patch is its own.
    """
    git, branch = place.git, f"refs/heads/{_branch(place)}"
    if not git.resolve(branch):
        return None
    for line in git.lines("log", "--format=%H %P %s", f"{base}..{branch}"):
        commit, parent, subject = line.split(" ", 2)
        if subject == step.patch.subject:
            if left := three_way.marks_left(git, parent, commit):
                raise UsageError(f"{place.path}: the commit '{subject}' has marks of the "
                                 f"conflict in {left[0]}; resolve it, git commit --amend, "
                                 "and call again")
            body = refresh.SIGN_OFF.sub("", git.out("log", "-1", "--format=%b", commit))
            return Commit(commit, parent, subject, body.strip("\n") or step.patch.body)
    return None


class _Origin:
    """What the patches of a base were made for, got when it is first asked for."""

    def __init__(self, layout: Layout, place: TreeSpec, near: Base):
        self.layout, self.place, self.near = layout, place, near

    @functools.cached_property
    def made(self) -> three_way.Origin:
        """The kernel, and each patch on it."""
        found = three_way.origin(self.layout, self.place, self.near,
                                 apply.plan(TreeSpec(self.layout, self.near)))
        if found.why:
            say(f"base {self.near.name}: what the patches were made for is not to be had: "
                f"{found.why}")
        return found

    def pair(self, step: Step) -> three_way.Pair | None:
        """A patch on the kernel that it was made for."""
        return self.made.pairs.get(step.patch.subject)


def _try_all(place: TreeSpec, state: State, origin: _Origin) -> list[Trial]:
    """Try the patches of a series and the hookup, each on those before it."""
    found: list[Trial] = []
    tip = state.base
    for order, step in enumerate(apply.plan(place), 1):
        found.append(_try(place, state, tip, step, order, origin))
        tip = found[-1].commit or tip
    return found


def _try(place: TreeSpec, state: State, tip: str, step: Step, order: int, origin: _Origin
         ) -> Trial:
    """Try a patch on top of a commit; commit it, as that number, unless in conflict."""
    with apply.aside(place, tip) as git:
        said = _apply(git, step)
        if not said:
            return Trial(step, CLEAN, tip, _commit(git, tip, step, order))
        if not git.run("apply", "--cached", "-R", str(step.patch.path),
                       check=False).returncode:
            return Trial(step, ALREADY, tip, "")
        why = apply.why_refused(git, step.patch, said).removesuffix(apply.REFRESH)
    pair = origin.pair(step)
    merge = three_way.merge(place, tip, step, pair, (
        f"Linux {origin.made.version}" if pair else "the patch", f"Linux {state.version}"))
    if merge.tree == place.git.out("rev-parse", f"{tip}^{{tree}}"):
        return Trial(step, ALREADY, tip, "")
    if merge.tree:
        with apply.aside(place, merge.tree) as git:
            return Trial(step, MOVED, tip, _commit(git, tip, step, order), why)
    if made := _resolved(place, state.base, step):
        files.write(step.patch.path, refresh.stored_text(place.git, made,
                                                         tuple(step.extra)))
        step = replace(step, patch=patchfile.read(step.patch.path))
        with apply.aside(place, tip) as git:
            if not _apply(git, step):
                return Trial(step, MOVED, tip, _commit(git, tip, step, order), why, True)
    if (over := _over(place, step)):
        return Trial(step, ALREADY, tip, "", f"topic.toml has affected = '{over}'")
    return Trial(step, CONFLICT, tip, "", why, merge=merge)


def _over(place: TreeSpec, step: Step) -> str:
    """The releases that a patch's topic says are affected, if they end before the base."""
    path = step.patch.path
    if path == place.layout.hookup(place.base.name):
        return ""
    topic = queue.topic(place.layout, path.parent.name)
    return topic.affected if topic.is_over(place.base.name) else ""


def _commit(git: Git, tip: str, step: Step, order: int) -> str:
    """Commit what is in an index, with the files that a step brings along."""
    apply.add_extra(git, step)
    return git.commit(git.out("write-tree"), [tip], step.patch.message, order)


def _apply(git: Git, step: Step) -> str:
    """Apply a patch to an index; returns what git said when it refused."""
    result = git.run("apply", "--cached", "--whitespace=nowarn", str(step.patch.path),
                     check=False)
    return (result.output or "refused") if result.returncode else ""


def _store(layout: Layout, place: TreeSpec, state: State, trials: list[Trial]) -> None:
    """Bring the trial's files to what was found, and try them on other bases.

    A patch in conflict is left out, too, for the cell to show whether it is
    needed at all.
    """
    trial, name = place.layout, place.base.name
    served = refresh.served_by(trial)
    names = []
    for each in trials:
        path = each.step.patch.path
        if each.outcome in (ALREADY, CONFLICT):
            _now_in_base(trial, path.parent.name, name)
            continue
        if path == trial.hookup(name):
            _write(place, each, path)
        else:
            names.append(str(_store_patch(layout, place, each, served[path])
                             .relative_to(trial.patches)))
    series = trial.series(name)
    files.write(series, refresh.series_text(files.read(series), names))
    for path in queue.series(trial, name):
        _join_variants(trial, path)
    for path in set(trial.patches.glob("*/*.patch")) - set(refresh.served_by(trial)):
        path.unlink()
        _drop_reasons(trial, path.parent.name)
    for other in refresh.sharing(layout, trial, name):
        _follow(layout, place, other)
    blobs = {file: refresh.blob(place.git, state.base, file)
             for file in queue.touched(trial, name)}
    facts = {"version": state.version, "package": place.base.package,
             "package_version": place.base.package_version}
    path = trial.config / "bases.toml"
    files.write(path, config.with_facts(
        config.with_blobs(files.read(path), name, blobs), name, facts))


def _follow(layout: Layout, place: TreeSpec, other: str) -> None:
    """Try the trial's patches on another base: on its tree, or on what they touch there."""
    base = config.base(layout, other)
    part = None
    if not TreeSpec(layout, base).path.exists():
        part = three_way.part(layout, place, base, apply.plan(TreeSpec(place.layout, base)))
    refresh.follow(layout, place.layout, other, part and (place, part[1]))


def _join_variants(trial: Layout, path: Path) -> None:
    """Let one file serve all bases whose variants of a patch have come to be the same."""
    same = sorted((other for other in path.parent.glob("*.patch")
                   if files.read(other) == files.read(path)),
                  key=lambda other: version_key(other.stem))
    for other in same[1:]:
        for base in config.bases(trial):
            _rename_in_series(trial.series(base), other, same[0].name)


def _rename_in_series(series: Path, old: Path, new: str) -> None:
    """Let a series take another variant of a patch."""
    files.write(series, re.sub(
        rf"(?m)^{re.escape(old.parent.name)}/{re.escape(old.name)}(?=\s|$)",
        f"{old.parent.name}/{new}", files.read(series)))


def _store_patch(layout: Layout, place: TreeSpec, each: Trial, served: list[str]) -> Path:
    """Write a patch as it is on the trial's kernel; returns its file.

    served are the bases that have the file now, oldest first. If the lines around
    the change are others now, the base and those have to part.
    """
    trial, name, path = place.layout, place.base.name, each.step.patch.path
    stored = layout.patches / path.relative_to(trial.patches)
    others = [other for other in served if other != name]
    if each.outcome == CLEAN or not others:
        if served[0] == name:
            _write(place, each, path)
        return path
    files.write(path, files.read(stored))
    if served[0] == name:
        theirs = path.with_name(f"{others[0]}.patch")
        files.write(theirs, files.read(stored))
        for other in others:
            _rename_in_series(trial.series(other), path, theirs.name)
        new = theirs
    else:
        new = path = path.with_name(f"{name}.patch")
    _write(place, each, path)
    say(f"patches/{new.parent.name}/{new.name} is new"
        + ("; say in topic.toml, [difference], why" if each.resolved else ""))
    _give_reasons(trial, new.parent.name, stored.stem, new.stem, each.resolved)
    return path


def _write(place: TreeSpec, each: Trial, path: Path) -> None:
    patch = each.step.patch
    made = Commit(each.commit, each.parent, patch.subject, patch.body)
    files.write(path, refresh.stored_text(place.git, made, tuple(each.step.extra)))


def _now_in_base(trial: Layout, topic: str, name: str) -> None:
    """Let a topic say that a base has it by itself."""
    path = trial.topic(topic)
    files.write(path, files.read(path).replace(f'"{name}" = "needed"',
                                               f'"{name}" = "in-base"'))


def _give_reasons(trial: Layout, topic: str, old: str, new: str, resolved: bool) -> None:
    """Let a topic explain a variant that came to be by the lines around a change.

    It is explained as the variant is that it comes from; the newest needs no
    [difference]. What a person has resolved is for that person to explain.
    """
    own = queue.topic(trial, topic)
    path = trial.topic(topic)
    newest = max((patch.stem for patch in path.parent.glob("*.patch")), key=version_key)
    text = files.read(path)
    differs = new if new != newest else old
    if differs not in own.difference and not resolved:
        text = _with_reason(text, "difference", differs,
                            own.difference.get(old, SAME_CHANGE))
    if own.backport and not resolved:
        text = _with_reason(text, "backport", new, own.backport.get(old, SAME_CHANGE))
    files.write(path, text)


def _with_reason(text: str, heading: str, variant: str, reason: str) -> str:
    """The text of a topic.toml with a line more in one of its tables."""
    line = f'"{variant}" = {json.dumps(reason, ensure_ascii=False)}\n'
    before, found, after = text.partition(f"[{heading}]\n")
    if not found:
        return f"{text.rstrip()}\n\n[{heading}]\n{line}"
    known = list(REASON.finditer(after.partition("\n[")[0] + "\n"))
    at = next((entry.start() for entry in known
               if version_key(entry[1]) > version_key(variant)),
              known[-1].end() if known else 0)
    return before + found + after[:at] + line + after[at:]


def _drop_reasons(trial: Layout, topic: str) -> None:
    """Let a topic explain no variant that is gone, or that is the newest now."""
    path = trial.topic(topic)
    left = sorted((patch.stem for patch in path.parent.glob("*.patch")), key=version_key)
    allowed = {"[difference]": left[:-1], "[backport]": left}
    tables = []
    for table in re.split(r"(?m)(?=^\[)", files.read(path)):
        heading, _, reasons = table.partition("\n")
        if heading in allowed:
            reasons = REASON.sub(lambda found: found[0] * (
                found[1] in allowed[heading]), reasons)
            table = f"{heading}\n{reasons}" if reasons.strip() else ""
        tables.append(table)
    files.write(path, "".join(tables).rstrip("\n") + "\n")


def _cell(trial: Layout, name: str, ksrc: Source | None) -> Verdict | None:
    """Run the trial's cell on UML; returns None if it could not be run."""
    try:
        verdict = kunit.run(trial, Request(name, "um", ksrc=ksrc))
    except TestsFailed as failure:
        say(str(failure))
        return None
    show(f"{name}/um", verdict)
    return verdict


def _name(step: Step) -> str:
    return f"{step.patch.path.parent.name}/{step.patch.path.name}"
