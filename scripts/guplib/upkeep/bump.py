# SPDX-License-Identifier: GPL-2.0-only
"""Another kernel for a base: found, tried, and stored if all is well."""

from ..config import Base
from ..kernel.source import Source
from ..queue import series_file
from ..system import transaction
from ..system.errors import TestsFailed
from ..system.paths import Layout
from ..system.terminal import say
from . import draft, newer_kernel, resolution, trial


def run(layout: Layout, base: Base, ksrc: Source | None, debian: str,
        keep: bool) -> None:
    """Try a base's queue on another kernel, and store the outcome.

    debian is a version of Debian's to take; without it and without ksrc, the newest
    linux-source package of any suite is taken. Raises UsageError with the hunk when a
    patch is in conflict and its cases do not pass without it, TestsFailed when the
    cell does not pass.
    """
    series_file.require_sound(layout)
    kernel = None if ksrc else newer_kernel.get(layout, base, debian)
    if not ksrc and not kernel:
        return
    done = trial.attempt(layout, base, kernel, ksrc)
    copy = layout.bump(base.name)
    if not done.passed and not keep:
        raise TestsFailed(f"base {base.name}: the cell fails on {done.version}; nothing "
                          f"was changed; {copy.cell(base.name, 'um')} has the logs, "
                          "--keep stores the outcome all the same")
    with transaction.hold(layout):
        draft.require_unchanged(layout, base.name, done.before)
        changes = draft.draft_changes(layout, copy)
        transaction.commit(layout, changes)
    resolution.forget(done.spec)
    for path in changes:
        say(f"stored {path.relative_to(layout.root)}")
