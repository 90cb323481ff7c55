# SPDX-License-Identifier: GPL-2.0-only
"""Patches leave the queue in the form that a distribution takes."""

import os
import re
import shlex
import string
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import config, queue
from ..config import Form
from ..kernel import apply, tree
from ..kernel.apply import Step
from ..kernel.spec import TreeSpec
from ..kernel.state import State
from ..queue import patchfile
from ..queue.patchfile import Patch
from ..system import files
from ..system.errors import UsageError
from ..system.git import Git
from ..system.paths import Layout
from ..system.terminal import say
from . import formats, identity, output_folder
from .formats import Change, PatchSet

# Others' word for a patch as they saw it: on another base, with another name on it.
PERSONAL = re.compile(r"^(?:Signed-off|Reviewed|Acked|Tested)-by: .*\n?", re.MULTILINE)

LATEST = 1 << 34        # seconds since 1970 that every program can take for a date


@dataclass(frozen=True)
class Request:
    """What to export, and where to; no topics means all that the base needs."""

    base: str
    form: str
    dest: Path
    topics: tuple[str, ...] = ()
    with_tests: bool = False
    force: bool = False
    bug: str = ""


def run(layout: Layout, request: Request) -> list[str]:
    """Fill a folder with patches in a form; returns the names of its files.

    Raises UsageError, and leaves the folder as it was, when the call or the
    stored files are wrong.
    """
    if faults := queue.problems(layout):
        raise UsageError(f"{faults[0]}; what breaks a rule of the queue does not leave it")
    if not request.bug.isprintable():
        raise UsageError(f"--bug {request.bug!r}: it has to be one line")
    form = config.export_form(layout, request.form)
    person = identity.of_user(layout) if form.signed else identity.NOBODY
    output_folder.require_usable(layout, request.dest, request.force)
    chosen = choose(layout, request.base, request.topics, request.with_tests)
    for line in _told(layout, request, chosen):
        say(line)
    spec = TreeSpec(layout, config.base(layout, request.base))
    with tree.use_base(spec) as state:
        patchset = pack(spec, state, chosen, request, person)
        made = contents(layout, form, request, patchset)
    output_folder.fill(request.dest, made)
    return sorted(made)


def contents(layout: Layout, form: Form, request: Request, patchset: PatchSet
             ) -> dict[str, str]:
    """All files of an export by name; the base must be held."""
    made = formats.RENDER[form.name](patchset)
    return {**made, "README": readme(layout, form, request, patchset, list(made))}


def choose(layout: Layout, base: str, wanted: tuple[str, ...], with_tests: bool
           ) -> list[Path]:
    """The patches of some topics, and of those that they need, in series order.

    The tests need the topics whose functions they call. Raises UsageError for
    a topic that is unknown, or not needed on the base.
    """
    stored = queue.series(layout, base)
    topics = {topic.name: topic for topic in queue.topics(layout)}
    there = {path.parent.name for path in stored}
    for name in wanted:
        if name not in topics:
            raise UsageError(f"unknown topic '{name}'; choose from {', '.join(topics)}")
        if name not in there:
            raise UsageError(f"topic {name} is '{topics[name].status.get(base, '')}' on "
                             f"{base}: there is no patch of it; choose from "
                             f"{', '.join(path.parent.name for path in stored)}")
    taken = set(wanted or there)
    if with_tests:
        taken |= {name for name in there if topics[name].adds}
    for path in reversed(stored):
        if path.parent.name in taken:
            taken |= {name for name in topics[path.parent.name].depends if name in there}
    if not taken and not with_tests:
        raise UsageError(f"base {base} needs no patch; there is nothing to export but "
                         "the tests, by --with-tests")
    return [path for path in stored if path.parent.name in taken]


def pack(spec: TreeSpec, state: State, chosen: list[Path], request: Request,
         person: identity.Person) -> PatchSet:
    """Apply the chosen patches to the base, and make changes of them.

    The base must be held; only its object store is written to. Raises
    UsageError naming the patch, the hunk, and the topic that is missing.
    """
    layout, base = spec.layout, spec.base.name
    left_out = [path for path in queue.series(layout, base) if path not in chosen]
    with tempfile.TemporaryDirectory() as scratch:
        steps = [Step(_bare(path), {}) for path in chosen]
        kunitconfig = ""
        if request.with_tests:
            *_, tests = apply.plan(spec)
            kunitconfig = _kunitconfig(layout, left_out)
            config_file = Path(scratch) / "kunitconfig"
            files.scratch(config_file, kunitconfig)
            steps.append(Step(tests.patch, tests.extra
                              | {f"{apply.SUITE_FOLDER}/.kunitconfig": config_file}))
        commits = [state.base]
        try:
            apply.commit_steps(spec, steps, commits)
        except UsageError as error:
            raise UsageError(f"{error}{_missing(spec, state, chosen, left_out)}"
                             ) from error
    return PatchSet(spec.git, base, state.version,
                    list(_changes(layout, steps, commits)), person, request.bug,
                    kunitconfig)


def readme(layout: Layout, form: Form, request: Request, patchset: PatchSet,
           names: list[str]) -> str:
    """What a person reads who finds the folder: what it is, and what to call."""
    patches = [name for name in names if name.endswith((".patch", ".mbox"))]
    known = {"base": request.base, "version": patchset.version,
             "dest": shlex.quote(str(request.dest.resolve())),
             "patches": "\n".join(f"  {name}" for name in patches),
             "title": form.title, "where": form.where,
             "changes": "\n".join(
                 f"  {change.subject}\n    {_standing(change)}"
                 for change in patchset.changes)}
    parts = config.export_texts(layout)
    sections = [parts["head"], parts["apply"], form.notes]
    if request.with_tests:
        sections.append(parts["tests"])
        known["kunit"] = _block(config.kunit_lines(layout, request.base), known)
    known["apply"] = _block(form.apply, known)
    text = "\n\n".join(part.strip("\n") for part in sections if part.strip())
    return string.Template(text + "\n").substitute(known)


def commands(form: Form, base: str, dest: Path) -> list[str]:
    """The lines by which README has the patches applied."""
    return [string.Template(line).substitute(
        base=base, dest=shlex.quote(str(dest.resolve()))) for line in form.apply]


def _block(lines: tuple[str, ...], known: dict[str, str]) -> str:
    return "\n".join(f"    {string.Template(line).substitute(known)}" for line in lines)


def _standing(change: Change) -> str:
    """Where a change stands upstream, in words."""
    upstream = change.upstream
    if upstream.commit:
        return f"backport of {upstream.commit[:12]} ({upstream.version})"
    if upstream.since:
        return (f"{upstream.since.release} does the same, by {upstream.since}; written "
                "anew for this kernel")
    if upstream.message_id:
        return f"submitted: {formats.MAILS}{upstream.message_id}"
    return f"not for mainline: {upstream.never}" if upstream.never \
        else "not submitted yet"


def _told(layout: Layout, request: Request, chosen: list[Path]) -> Iterator[str]:
    """What the person did not ask for, and what is not exported, a line each."""
    topics = [queue.topic(layout, path.parent.name) for path in chosen]
    for topic in topics:
        if request.topics and topic.name not in request.topics:
            why = [other.name for other in topics if topic.name in other.depends]
            yield f"topic {topic.name} comes along: needed by " + (
                ", ".join(why) or "the tests")
    for path in chosen:
        for line in PERSONAL.findall(patchfile.read(path).body):
            yield (f"{path.relative_to(layout.root)}: left out '{line.strip()}': it was "
                   "said of the patch as it was sent")


def _bare(path: Path) -> Patch:
    """A stored patch without what others have said of it."""
    patch = patchfile.read(path)
    return Patch(path, patch.subject, PERSONAL.sub("", patch.body).strip("\n"),
                 patch.hunks)


def _kunitconfig(layout: Layout, left_out: list[Path]) -> str:
    """The options of the suites, less those that prove what is left out."""
    text = files.read(layout.suites / "kunitconfig")
    for path in left_out:
        for suite in queue.topic(layout, path.parent.name).suites:
            text = text.replace(f"{config.suite_option(suite)}=y\n", "")
    return text


def _changes(layout: Layout, steps: list[Step], commits: list[str]
             ) -> Iterator[Change]:
    dates = _dates(layout, [[step.patch.path, *_stored_in(layout, step)]
                            for step in steps])
    for step, parent, commit, date in zip(steps, commits, commits[1:], dates):
        path = step.patch.path
        topic = None if step.extra else queue.topic(layout, path.parent.name)
        note = topic.backport.get(path.stem, "") if topic else ""
        yield Change(commit, parent, step.patch.subject, step.patch.body,
                     topic.standing if topic else queue.Standing(), note, date)


def _stored_in(layout: Layout, step: Step) -> list[Path]:
    return [path for path in step.extra.values() if path.is_relative_to(layout.root)]


def _dates(layout: Layout, sets: list[list[Path]]) -> Iterator[int]:
    """When each set of stored files was last changed, in seconds since 1970.

    SOURCE_DATE_EPOCH comes first, then the commit of the queue. What is not
    committed as it stands has the time stamp of its files.
    """
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if given and not (given.isdecimal() and int(given) < LATEST):
        raise UsageError(f"SOURCE_DATE_EPOCH is '{given}', which is no number of seconds")
    git = Git(layout.root)
    kept = (layout.root / ".git").exists() and git.resolve("HEAD")
    for paths in sets:
        names = [str(path) for path in paths]
        if given:
            yield int(given)
        elif kept and not git.lines("status", "--porcelain", "--", *names) \
                and (logged := git.out("log", "-1", "--format=%ct", "--", *names)):
            yield int(logged)
        else:
            yield max(int(path.stat().st_mtime) for path in paths)


def _missing(spec: TreeSpec, state: State, chosen: list[Path], left_out: list[Path]) -> str:
    """Which topics a choice of patches does not apply without, as part of an error."""
    needed = list(left_out)
    if not _applies(spec, state, [*chosen, *needed]):
        return ""
    for path in left_out:
        others = [other for other in needed if other != path]
        if _applies(spec, state, [*chosen, *others]):
            needed = others
    names = ", ".join(path.parent.name for path in needed)
    return f"; it does together with {names}, which depends = […] in its topic.toml " \
        "ought to name"


def _applies(spec: TreeSpec, state: State, patches: list[Path]) -> bool:
    """Whether some patches of a series apply to the base, in the order of that."""
    steps = [Step(patchfile.read(path), {})
             for path in queue.series(spec.layout, spec.base.name) if path in patches]
    try:
        apply.commit_steps(spec, steps, [state.base])
    except UsageError:
        return False
    return True
