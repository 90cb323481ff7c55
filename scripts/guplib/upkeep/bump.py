# SPDX-License-Identifier: GPL-2.0-only
"""Try the queue of a base on another kernel; begin a new base.

The trial is a copy of the stored files below build/bump, with a tree and a
cell of its own, so the project is as it was until the outcome is stored.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from .. import config, queue
from ..config import Base, version_key
from ..kernel import fetch, source, tree
from ..kernel.source import Source
from ..kernel.tree import Place, State, Step
from ..run import cell
from ..run.cell import Request
from ..run.verdict import FAILED, PASSED, SKIPPED, Verdict
from ..system import files, transaction
from ..system.errors import TestsFailed, UsageError
from ..system.git import Git
from ..system.paths import Layout
from ..system.terminal import say
from . import refresh
from .refresh import Commit

CLEAN, MOVED = "clean", "context moved"
ALREADY, CONFLICT = "already there", "conflict"
OLD_BLOB = re.compile(r"^index ([0-9a-f]{40})\.\.", re.MULTILINE)
NAME = re.compile(r"\d+\.\d+")
REASON = re.compile(r'(?m)^"([^"]+)" *= *(?:"""(?s:.*?)"""|"[^"\n]*")\n?')


@dataclass(frozen=True)
class Trial:
    """What became of one patch; commit is empty unless it was applied."""

    step: Step
    outcome: str
    parent: str
    commit: str
    why: str = ""


def run(layout: Layout, base: Base, ksrc: Source | None, debian: str,
        keep: bool) -> None:
    """Try a base's queue on another kernel, and store the outcome.

    debian is a version of Debian's source package to take; without it and
    without ksrc, the newest linux-source package is taken. Raises UsageError
    with the hunk when a patch is in conflict and its suites do not pass without
    it, TestsFailed when the cell does not pass.
    """
    trial = layout.bump(base.name)
    queue.require_sound(layout)
    with transaction.hold(layout), tree.hold(trial, base.name):
        refresh.copy_stored(layout, trial.root)
        before = refresh.stored_files(trial.root)
        base, ksrc = _kernel(layout, trial, base, ksrc, debian)
        if ksrc is None:
            say(f"base {base.name}: the mirror has nothing newer than "
                f"{base.package_version}")
            return
        place = Place(trial, base)
        state = tree.base_of(place, ksrc)
        _leave_resolution(place, state)
        _lend_objects(layout, place)
        trials = _try_all(place, state)
        for each in trials:
            say(f"{each.outcome:14} {_name(each.step)}"
                + (f": {each.why}" if each.why else ""))
        bad = [each for each in trials if each.outcome == CONFLICT]
        for each in bad:
            if not _suites(layout, place, each):
                raise _conflict(layout, place, state, each)
            say(f"{'':14} {_name(each.step)}: does the kernel do the same by itself? "
                "trying its suites without it")
        _store(layout, place, state, trials)
    verdict = _cell(trial, base.name, ksrc)
    for each in bad:
        passed = _passed_without(_suites(layout, place, each), verdict)
        if not passed:
            with tree.hold(trial, base.name):
                raise _conflict(layout, place, state, each)
        say(f"{ALREADY:14} {_name(each.step)}: {passed}")
    if not (verdict and verdict.word == PASSED) and not keep:
        raise TestsFailed(f"base {base.name}: the cell fails on {state.version}; nothing "
                          f"was changed; {trial.cell(base.name, 'um')} has the logs, "
                          "--keep stores the outcome all the same")
    with transaction.hold(layout):
        refresh.require_unchanged(layout, base.name, before)
        changes = refresh.draft_changes(layout, trial)
        transaction.commit(layout, changes)
    place.git.run("branch", "-q", "-D", _branch(place), check=False)
    for path in changes:
        say(f"stored {path.relative_to(layout.root)}")
    if changes and layout.tree(base.name).exists():
        say(f"{layout.tree(base.name)} still is the kernel from before; without work in "
            "it, remove it and the tarball in build/packages, and call gup tree")


def _suites(layout: Layout, place: Place, trial: Trial) -> tuple[str, ...]:
    """The suites that can tell whether a kernel does without a patch.

    None can for the hookup, and none for a topic that adds what they call.
    """
    path = trial.step.patch.path
    if path == place.layout.hookup(place.base.name):
        return ()
    topic = queue.topic(layout, path.parent.name)
    return () if topic.adds else topic.suites


def _passed_without(suites: tuple[str, ...], verdict: Verdict | None) -> str:
    """What shows that a kernel needs no patch; empty when its suites do not."""
    statuses = [case.status for case in verdict.cases if case.suite in suites] \
        if verdict else []
    if FAILED in statuses or PASSED not in statuses:
        return ""
    return (f"{', '.join(suites)} without it: {statuses.count(PASSED)} passed, "
            f"{statuses.count(SKIPPED)} skipped")


def _conflict(layout: Layout, place: Place, state: State, trial: Trial) -> UsageError:
    """Show the two sides of a conflict in the trial's tree; the error for it."""
    refresh.copy_stored(layout, place.layout.root)
    _show_sides(place, trial)
    where = place.path.relative_to(layout.root)
    return UsageError(
        f"base {place.base.name}: {_name(trial.step)} is in conflict with "
        f"{state.version} ({trial.why}); nothing was changed. {where} has the two sides: "
        f"resolve them there, git -C {where} commit -a -m "
        f"'{trial.step.patch.subject}', and call again")


def new_base(layout: Layout, name: str) -> str:
    """Store a base that has what its nearest has; returns what to do next."""
    bases = config.bases(layout)
    if not NAME.fullmatch(name):
        raise UsageError(f"'{name}' is no kernel's name; give one such as 6.6")
    if name in bases:
        raise UsageError(f"base {name} exists; gup bump --base {name} tries it on "
                         "another kernel")
    older = [other for other in bases if version_key(other) < version_key(name)]
    near = older[-1] if older else next(iter(bases))
    changes: dict[Path, str | None] = {}
    for theirs, mine in ((layout.series(near), layout.series(name)),
                         (layout.hookup(near), layout.hookup(name)),
                         (layout.compat(near), layout.compat(name))):
        if theirs.exists():
            changes[mine] = theirs.read_text()
    path = layout.config / "bases.toml"
    changes[path] = _with_base(path.read_text(), bases[near], name)
    for topic in queue.topics(layout):
        line = f'"{near}" = "{topic.status.get(near, "")}"\n'
        text = topic.path.read_text()
        changes[topic.path] = text.replace(line, line + line.replace(near, name, 1), 1)
    with transaction.hold(layout):
        transaction.commit(layout, changes)
    return (f"base {name} begins with what {near} has; see to its package and suites in "
            f"config/bases.toml, then run gup bump --base {name}")


def _with_base(text: str, near: Base, name: str) -> str:
    """The text of bases.toml with a base that was never verified."""
    suites = ", ".join(f'"{suite}"' for suite in near.suites)
    blobs = "".join(f'"{file}" = ""\n' for file in sorted(near.blobs))
    return text.rstrip("\n") + f"""

[base."{name}"]
package = "linux-source-{name}"
package_version = ""
suites = [{suites}]
version = ""
kunit_filter = {str(near.kunit_filter).lower()}
kunit_of = "{near.kunit_of}"
debian = []

[base."{name}".blobs]
{blobs}"""


def _kernel(layout: Layout, trial: Layout, base: Base, ksrc: Source | None, debian: str
            ) -> tuple[Base, Source | None]:
    """The kernel to try; no source when the mirror has nothing newer.

    The base that is returned has the package that will count as verified, and
    none if the kernel is from elsewhere.
    """
    if debian:
        ksrc = _tarball(fetch.upstream(layout, base, debian))
    if ksrc:
        return replace(base, package_version=""), ksrc
    newest = fetch.newest(trial, base)
    if newest == base.package_version:
        return base, None
    base = replace(base, package_version=newest)
    return base, _tarball(fetch.tarball(trial, base))


def _tarball(path: Path) -> Source:
    return source.classify(path, "")


def _lend_objects(layout: Layout, place: Place) -> None:
    """Give a trial's git what the patches were made from: 3-way help needs it."""
    wanted = {name for step in tree.plan(place)
              for name in OLD_BLOB.findall(step.patch.path.read_text())}
    for base in config.bases(layout).values():
        theirs = Place(layout, base)
        if not theirs.path.exists():
            continue
        for name in wanted:
            found = theirs.git.run("cat-file", "blob", name, check=False)
            if not found.returncode:
                place.git.run("hash-object", "-w", "--stdin",
                              stdin=found.output.encode())


def _branch(place: Place) -> str:
    """Where a person resolves conflicts in a trial's tree."""
    return f"resolve/{place.base.name}"


def _show_sides(place: Place, trial: Trial) -> None:
    """Apply a patch to the working files as far as it goes, with marks."""
    place.git.run("checkout", "-q", "-B", _branch(place), trial.parent)
    place.git.run("apply", "--3way", "--whitespace=nowarn", str(trial.step.patch.path),
                  check=False)


def _leave_resolution(place: Place, state: State) -> None:
    """Put the files back as the tool needs them, if the person is done."""
    git = place.git
    loose = tree.unfinished_work(place) + tree.uncommitted_work(place)
    if loose:
        raise UsageError(f"{place.path}: {loose[0]}: resolve and commit it, or remove "
                         f"{place.layout.root}")
    if git.resolve("HEAD") != state.head:
        git.run("checkout", "-q", "-B", place.branch, state.head)


def _resolved(place: Place, base: str, step: Step) -> Commit | None:
    """The commit by which a person has resolved a patch, known by its subject."""
    git, branch = place.git, f"refs/heads/{_branch(place)}"
    if not git.resolve(branch):
        return None
    for line in git.lines("log", "--format=%H %P %s", f"{base}..{branch}"):
        commit, parent, subject = line.split(" ", 2)
        if subject == step.patch.subject:
            return Commit(commit, parent, subject, step.patch.body)
    return None


def _try_all(place: Place, state: State) -> list[Trial]:
    """Try the patches of a series and the hookup, each on those before it."""
    found: list[Trial] = []
    tip = state.base
    for order, step in enumerate(tree.plan(place), 1):
        outcome, why = _try(place, tip, step)
        if outcome == CONFLICT and (made := _resolved(place, state.base, step)):
            files.write(step.patch.path, refresh.stored_text(
                place.git, made, tuple(step.extra)))
            outcome = MOVED if _try(place, tip, step)[0] == CLEAN else CONFLICT
        commit = ""
        if outcome in (CLEAN, MOVED):
            with tree.aside(place, tip) as git:
                _apply(git, step, outcome == MOVED)
                tree.add_extra(git, step)
                commit = git.commit(git.out("write-tree"), [tip], step.patch.message,
                                    order)
        found.append(Trial(step, outcome, tip, commit, why))
        tip = commit or tip
    return found


def _try(place: Place, tip: str, step: Step) -> tuple[str, str]:
    """What a patch is on top of a commit, and the hunk in question."""
    with tree.aside(place, tip) as git:
        result = _apply(git, step, False)
        if not result:
            return CLEAN, ""
        path = str(step.patch.path)
        if not git.run("apply", "--cached", "-R", path, check=False).returncode:
            return ALREADY, ""
        why = tree.why_refused(git, step.patch, result)
    with tree.aside(place, tip) as git:
        merged = not _apply(git, step, True)
        empty = merged and git.out("write-tree") == git.out("rev-parse",
                                                            f"{tip}^{{tree}}")
    return (ALREADY, "") if empty else (MOVED if merged else CONFLICT, why)


def _apply(git: Git, step: Step, three_way: bool) -> str:
    """Apply a patch to an index; returns what git said when it refused."""
    words = ["--3way"] if three_way else []
    result = git.run("apply", "--cached", "--whitespace=nowarn", *words,
                     str(step.patch.path), check=False)
    return (result.output or "refused") if result.returncode else ""


def _store(layout: Layout, place: Place, state: State, trials: list[Trial]) -> None:
    """Bring the trial's files to what was found, and try them on other bases.

    A patch in conflict is left out, too, for the cell to show whether it is
    needed at all.
    """
    trial, name = place.layout, place.base.name
    served = refresh.served_by(trial)
    hookup = trial.hookup(name)
    names = []
    for each in trials:
        patch = each.step.patch
        path = patch.path
        if each.outcome in (ALREADY, CONFLICT):
            _now_in_base(trial, path.parent.name, name)
            continue
        made = Commit(each.commit, each.parent, patch.subject, patch.body)
        text = refresh.stored_text(place.git, made, tuple(each.step.extra))
        own = served.get(path, [name])[0] == name
        if not own and each.outcome == MOVED:
            files.write(path, (layout.patches / path.relative_to(trial.patches)
                               ).read_text())
            path = path.with_name(f"{name}.patch")
            say(f"patches/{path.parent.name}/{path.name} is new; say in topic.toml, "
                "[difference], why")
        if own or each.outcome == MOVED:
            files.write(path, text)
        if path != hookup:
            names.append(str(path.relative_to(trial.patches)))
    series = trial.series(name)
    files.write(series, refresh.series_text(series.read_text(), names))
    for path in set(served) - set(refresh.served_by(trial)):
        path.unlink()
        _drop_reasons(trial, path.parent.name)
    for other in refresh.sharing(layout, trial, name):
        refresh.follow(layout, trial, other)
    blobs = {file: refresh.blob(place.git, state.base, file)
             for file in queue.touched(trial, name)}
    facts = {"version": state.version, "package_version": place.base.package_version}
    path = trial.config / "bases.toml"
    files.write(path, config.with_facts(
        config.with_blobs(path.read_text(), name, blobs), name, facts))


def _now_in_base(trial: Layout, topic: str, name: str) -> None:
    """Let a topic say that a base has it by itself."""
    path = trial.topic(topic)
    files.write(path, path.read_text().replace(f'"{name}" = "needed"',
                                               f'"{name}" = "in-base"'))


def _drop_reasons(trial: Layout, topic: str) -> None:
    """Let a topic explain no variant that is gone, or that is the newest now."""
    path = trial.topic(topic)
    left = sorted((patch.stem for patch in path.parent.glob("*.patch")), key=version_key)
    allowed = {"[difference]": left[:-1], "[backport]": left}
    tables = []
    for table in re.split(r"(?m)(?=^\[)", path.read_text()):
        heading, _, reasons = table.partition("\n")
        if heading in allowed:
            reasons = REASON.sub(lambda found: found[0] * (
                found[1] in allowed[heading]), reasons)
            table = f"{heading}\n{reasons}" if reasons.strip() else ""
        tables.append(table)
    files.write(path, "".join(tables).rstrip("\n") + "\n")


def _cell(trial: Layout, name: str, ksrc: Source) -> Verdict | None:
    """Run the trial's cell on UML; returns None if it could not be run."""
    try:
        verdict = cell.run(trial, Request(name, "um", ksrc=ksrc))
    except TestsFailed as failure:
        say(str(failure))
        return None
    cell.show(f"{name}/um", verdict)
    return verdict


def _name(step: Step) -> str:
    return f"{step.patch.path.parent.name}/{step.patch.path.name}"
