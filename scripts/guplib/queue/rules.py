# SPDX-License-Identifier: GPL-2.0-only
"""The rules between bases, series, topics, suites and the cells that run them."""

import fnmatch
import re
from collections.abc import Iterator
from pathlib import Path

from .. import config
from ..config import version_key
from ..system import files
from ..system.errors import UsageError
from ..system.paths import Layout
from . import patchfile
from .series_file import defects, series
from .topic_file import SEVERITIES, SEVERITY, UPSTREAM, Topic, topic

COMMIT = re.compile(r"[0-9a-f]{40}")
RELEASE = re.compile(r"v\d+\.\d+(?:-rc\d+)?")
FIXED = re.compile(r'([0-9a-f]{12,40}) (\("\S.*"\))')
AFFECTED = re.compile(r"none|(?:v\d+\.\d+|\?)\.\.(?:v\d+\.\d+|\?)?")
STATUS = re.compile(r"needed|in-base|not-applicable \S.*")
ADDED = re.compile(r"^\+(?!\+\+ )(.*)$", re.MULTILINE)
DEFINED = re.compile(r"^\+(?:#define (\w+)|[a-z][\w \t*]*?\b(\w+)\([^;]*$)", re.MULTILINE)
CASE_LINE = re.compile(r"^\tKUNIT_CASE(?:_SLOW)?\((\w+)\)", re.MULTILINE)
SUITE_NAME = re.compile(r"^\t\.name = \"(\w+)\"", re.MULTILINE)


def problems(layout: Layout) -> list[str]:
    """What breaks a rule of the queue, a line each; empty when all is well."""
    found = defects(layout)
    if found:
        return found
    bases = list(config.bases(layout))
    used: dict[Path, list[str]] = {}
    for base in bases:
        for patch in series(layout, base):
            used.setdefault(patch, []).append(base)
    for path, served in used.items():
        if path.stem != served[0]:
            found.append(f"{path}: serves {', '.join(served)}; name it after the "
                         f"oldest, {served[0]}.patch")
    for entry in sorted(layout.all_series.iterdir()):
        if entry.name.removesuffix(".cover") not in bases:
            found.append(f"{entry}: no base of that name in config/bases.toml")
    for entry in sorted(layout.patches.iterdir()):
        if entry.is_dir():
            found += _topic_problems(layout, entry.name, bases, used)
    return found + _blob_problems(layout, used) + _case_problems(layout)


def _topic_problems(layout: Layout, name: str, bases: list[str],
                    used: dict[Path, list[str]]) -> list[str]:
    try:
        own = topic(layout, name)
    except UsageError as error:
        return [str(error)]
    found = []
    if not UPSTREAM.fullmatch(own.upstream):
        found.append(
            f"{own.path}: upstream '{own.upstream}' is none of 'merged <sha> "
            "<version>', 'not-submitted', 'in-mainline', 'submitted <message-id>', "
            "'never <reason>'; a sha has 40 digits")
    found += [f"{own.path}: {fault}" for fault in _history_problems(own)]
    variants = {path.stem: served for path, served in used.items()
                if path.parent.name == name}
    having = {base for served in variants.values() for base in served}
    for base in bases:
        status = own.status.get(base, "")
        if not STATUS.fullmatch(status):
            found.append(f"{own.path}: base {base}: '{status}' is none of 'needed', "
                         "'in-base', 'not-applicable <reason>'")
        elif (status == "needed") != (base in having):
            found.append(f"{own.path}: base {base} is '{status}', but series/{base} "
                         f"{'has' if base in having else 'lacks'} a patch of the topic")
    for base in sorted(set(own.status) - set(bases)):
        found.append(f"{own.path}: base {base} is not in config/bases.toml")
    ordered = sorted(variants, key=version_key)
    for variant in ordered[:-1]:
        if variant not in own.difference:
            found.append(f"{own.path}: [difference] says nothing of {variant}; say "
                         f"why {variant}.patch differs from {ordered[-1]}.patch")
    for variant in sorted(set(own.difference) - set(ordered[:-1])):
        found.append(f"{own.path}: [difference] names {variant}, which is no older "
                     "variant of the topic")
    for variant in sorted(set(ordered if own.standing.commit else ()) ^ set(own.backport)):
        found.append(f"{own.path}: [backport] and the variants disagree about {variant}: "
                     "for a topic that is merged, and for no other, it says of each "
                     "variant how it differs from the mainline commit")
    return found + [f"{own.path}: depends: {fault}" for base in bases if base in having
                    for fault in _dependency_problems(layout, own, base)] \
        + [f"{own.path}: {fault}" for fault in _own_case_problems(layout, own)] \
        + [f"{path}: {fault}" for path in used if path.parent.name == name
           for fault in _fixes_problems(own, path)]


def _fixes_problems(own: Topic, path: Path) -> Iterator[str]:
    """How the lines Fixes: of a variant's message differ from what its topic says.

    An id may have more digits in one of the two.
    """
    wanted = {_fixed(fix): fix for fix in own.fixes}
    if "" in wanted:
        return      # which is said of the topic
    said = {line: _fixed(line.removeprefix("Fixes: "))
            for line in patchfile.read(path).body.splitlines() if line.startswith("Fixes:")}
    for line, fixed in said.items():
        if not fixed:
            yield f"""'{line}' is not of the form 'Fixes: 0123456789ab ("title")'; mend it"""
        elif fixed not in wanted:
            yield f"'{line}' is not in 'fixes' of topic.toml; add it there, or remove the line"
    for fixed, fix in wanted.items():
        if fixed not in said.values():
            yield (f"no line 'Fixes: {fix}', which topic.toml has in 'fixes'; add it at the end "
                   "of the message, or remove it there")


def _fixed(text: str) -> str:
    """What a line Fixes: names, by 12 digits and the title; empty if it is of another form."""
    found = FIXED.fullmatch(text)
    return f"{found[1][:12]} {found[2]}" if found else ""


def _own_case_problems(layout: Layout, own: Topic) -> Iterator[str]:
    """What is wrong with the cases that a topic names as its own."""
    listed = config.cells(layout).suites
    names = [f"{suite}.{case}" for suite, cases in listed.items() for case in cases]
    for glob in own.cases:
        if glob.partition(".")[0] not in own.suites:
            yield f"cases: '{glob}' is of none of its suites; write SUITE.CASE"
        elif not fnmatch.filter(names, glob):
            yield f"cases: '{glob}' is none of config/cells.toml; mend the name"
    others = {suite for path in layout.patches.glob("*/topic.toml") if path != own.path
              for suite in _suites_of(path)}
    if not own.cases and (shared := sorted(others & {*own.suites})):
        yield f"shares {shared[0]} with other topics; name its own cases as cases = [...]"


def _suites_of(path: Path) -> list[str]:
    """The suites of a topic.toml; none if it is damaged, which is said elsewhere."""
    try:
        return list(config.load(path).get("suites", ()))
    except UsageError:
        return []


def _history_problems(own: Topic) -> Iterator[str]:
    """What a topic says wrongly of its severity, and of where the change comes from."""
    severity = SEVERITY.fullmatch(own.severity)
    known = severity and (severity["says"] is None) == (severity["word"] == "none")
    if not known:
        yield (f"severity '{own.severity}' does not begin with one of "
               f"{', '.join(SEVERITIES)}, and ': ' and what they get; 'none' stands alone")
    if not AFFECTED.fullmatch(own.affected):
        yield (f"affected '{own.affected}' is no range of releases such as v6.5..v6.10, "
               "v6.5.., ?..v6.10 or none")
    elif known and (own.affected == "none") != (own.reached_by == "none"):
        yield f"severity is '{own.reached_by}', and affected '{own.affected}'"
    for fix in own.fixes:
        if not FIXED.fullmatch(fix):
            yield f"""fixes: '{fix}' is not of the form 0123456789ab ("title")"""
    stands, since = own.standing, own.mainline
    if since and not (COMMIT.fullmatch(since.commit) and since.title
                      and RELEASE.fullmatch(since.release)):
        yield "[mainline] needs a commit of 40 digits, its title, and a release such as v6.5"
    if stands.commit and since and stands.commit != since.commit:
        yield "upstream and [mainline] name two commits; mend one"
    if (stands.commit or own.upstream == "in-mainline") and not since:
        yield f"upstream is '{own.upstream[:11]}', and there is no [mainline]; add it"
    if since and not stands.commit and own.upstream != "in-mainline":
        yield (f"upstream is '{own.upstream}', but [mainline] has the change; write "
               "'in-mainline', or 'merged …' for a backport of that commit")


def _dependency_problems(layout: Layout, own: Topic, base: str) -> Iterator[str]:
    """What keeps a base from having what a topic depends on, ahead of it.

    A base whose series lacks the other topic has no need of it. A topic depends
    on each that defines what its patch uses.
    """
    patches = {path.parent.name: path for path in series(layout, base)}
    order = list(patches)
    for name in own.depends:
        if not layout.topic(name).exists():
            yield f"there is no topic '{name}'; mend the name"
        elif name in order and order.index(name) >= order.index(own.name):
            yield f"series/{base} has {name} not ahead of {own.name}; move it"
    used = _words(patches[own.name])
    for name in order[:order.index(own.name)]:
        if name not in own.depends and (
                lent := sorted(_defined(patches[name]) & used)):
            yield f"{patches[own.name].name} uses {lent[0]} of {name}; add {name}"


def _defined(patch: Path) -> set[str]:
    """The functions and macros that a patch adds."""
    return {name for pair in DEFINED.findall(files.read(patch)) for name in pair if name}


def _words(patch: Path) -> set[str]:
    """The words in the lines that a patch adds, less the functions among them."""
    added = " ".join(ADDED.findall(files.read(patch)))
    return set(re.findall(r"\w+", added)) - _defined(patch)


def _blob_problems(layout: Layout, used: dict[Path, list[str]]) -> list[str]:
    """Compare the blobs in bases.toml with the files that the series touch."""
    found = []
    for base in config.bases(layout).values():
        touched = {file for path, served in used.items() if base.name in served
                   for file in patchfile.read(path).files}
        found += [f"config/bases.toml: base {base.name}: blobs lacks {file}, which "
                  "its series touches; add its blob id"
                  for file in sorted(touched - set(base.blobs))]
        found += [f"config/bases.toml: base {base.name}: blobs names {file}, which "
                  "its series does not touch; remove it"
                  for file in sorted(set(base.blobs) - touched)]
    return found


def _case_problems(layout: Layout) -> list[str]:
    """Compare the cases in kunit/*_kunit.c with config/cells.toml."""
    listed = config.cells(layout).suites
    found = []
    for path in sorted(layout.suites.glob("*_kunit.c")):
        text = files.read(path)
        names = SUITE_NAME.findall(text)
        if len(names) != 1:
            found.append(f"{path}: {len(names)} suites in one file; keep one")
            continue
        cases = CASE_LINE.findall(text)
        wanted = listed.get(names[0], ())
        found += [f"{path}: case {case} is not in config/cells.toml; add it"
                  for case in cases if case not in wanted]
        found += [f"config/cells.toml: {names[0]}.{case} is not in {path}; remove it"
                  for case in wanted if case not in cases]
    return found
