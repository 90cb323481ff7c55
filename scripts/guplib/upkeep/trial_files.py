# SPDX-License-Identifier: GPL-2.0-only
"""The files of a trial, brought to what became of the patches on its kernel."""

import re
from pathlib import Path

from .. import config, queue
from ..config import version_key
from ..kernel import apply
from ..kernel.spec import TreeSpec
from ..kernel.state import State
from ..queue import topic_changes
from ..queue.patch_form import Commit, stored_text
from ..system import files
from ..system.paths import Layout
from ..system.terminal import say
from . import draft, three_way
from .carried_patches import ALREADY, CLEAN, CONFLICT, Carried

SAME_CHANGE = "The same change. Only the lines around it differ."


def bring(layout: Layout, spec: TreeSpec, state: State, patches: list[Carried]) -> None:
    """Bring the trial's files to what was found, and try them on other bases.

    A patch in conflict is left out, too, for the cell to show whether it is
    needed at all.
    """
    trial, name = spec.layout, spec.base.name
    served = draft.served_by(trial)
    names = []
    for each in patches:
        path = each.step.patch.path
        if each.outcome in (ALREADY, CONFLICT):
            _now_in_base(trial, each.topic, name)
        elif path == trial.hookup(name):
            _write(spec, each, path)
        else:
            names.append(str(_store_patch(layout, spec, each, served[path])
                             .relative_to(trial.patches)))
    series = trial.series(name)
    files.write(series, draft.series_text(files.read(series), names))
    for path in queue.series(trial, name):
        _join_variants(trial, path)
    for path in set(trial.patches.glob("*/*.patch")) - set(draft.served_by(trial)):
        path.unlink()
        _drop_reasons(trial, path.parent.name)
    for other in draft.sharing(layout, trial, name):
        _follow(layout, spec, other)
    _store_facts(spec, state)


def _store_facts(spec: TreeSpec, state: State) -> None:
    """Let bases.toml say what the base is verified on."""
    trial, name = spec.layout, spec.base.name
    path = trial.config / "bases.toml"
    text = config.with_blobs(files.read(path), name, {
        file: draft.blob(spec.git, state.base, file) for file in queue.touched(trial, name)})
    files.write(path, config.with_facts(text, name, {
        "version": state.version, "package": spec.base.package,
        "package_version": spec.base.package_version}))


def _follow(layout: Layout, spec: TreeSpec, other: str) -> None:
    """Try the trial's patches on another base: on its tree, or on what they touch there."""
    base = config.base(layout, other)
    part = None
    if not TreeSpec(layout, base).path.exists():
        part = three_way.part(layout, spec, base, apply.plan(TreeSpec(spec.layout, base)))
    draft.follow(layout, spec.layout, other, part and (spec, part[1]))


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


def _store_patch(layout: Layout, spec: TreeSpec, each: Carried, served: list[str]) -> Path:
    """Write a patch as it is on the trial's kernel; returns its file.

    served are the bases that have the file now, oldest first. If the lines around
    the change are others now, the base and those have to part.
    """
    trial, name, path = spec.layout, spec.base.name, each.step.patch.path
    stored = layout.patches / path.relative_to(trial.patches)
    others = [other for other in served if other != name]
    if each.outcome == CLEAN or not others:
        if served[0] == name:
            _write(spec, each, path)
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
    _write(spec, each, path)
    say(f"patches/{new.parent.name}/{new.name} is new"
        + ("; say in topic.toml, [difference], why" if each.resolved else ""))
    if not each.resolved:
        _give_reasons(trial, new.parent.name, stored.stem, new.stem)
    return path


def _write(spec: TreeSpec, each: Carried, path: Path) -> None:
    patch = each.step.patch
    made = Commit(each.commit, each.parent, patch.subject, patch.body)
    files.write(path, stored_text(spec.git, made, tuple(each.step.extra)))


def _now_in_base(trial: Layout, topic: str, name: str) -> None:
    """Let a topic say that a base has it by itself."""
    path = trial.topic(topic)
    if queue.topic(trial, topic).status.get(name) == "needed":
        files.write(path, topic_changes.with_status(path, files.read(path), name, "in-base"))


def _give_reasons(trial: Layout, topic: str, old: str, new: str) -> None:
    """Let a topic explain a variant that came to be by the lines around a change.

    It is explained as the variant is that it comes from; the newest needs no
    [difference]. What a person has resolved is for that person to explain.
    """
    own = queue.topic(trial, topic)
    path = trial.topic(topic)
    newest = max((patch.stem for patch in path.parent.glob("*.patch")), key=version_key)
    differs = new if new != newest else old
    text = files.read(path)
    if differs not in own.difference:
        text = topic_changes.with_reason(path, text, "difference", differs,
                                         own.difference.get(old, SAME_CHANGE))
    if own.backport and new not in own.backport:
        text = topic_changes.with_reason(path, text, "backport", new,
                                         own.backport.get(old, SAME_CHANGE))
    files.write(path, text)


def _drop_reasons(trial: Layout, topic: str) -> None:
    """Let a topic explain no variant that is gone, or that is the newest now."""
    own = queue.topic(trial, topic)
    path = trial.topic(topic)
    left = sorted((patch.stem for patch in path.parent.glob("*.patch")), key=version_key)
    text = topic_changes.with_reasons_of(path, files.read(path), own.difference,
                                         "difference", left[:-1])
    files.write(path, topic_changes.with_reasons_of(path, text, own.backport, "backport", left))
