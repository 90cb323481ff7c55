# SPDX-License-Identifier: GPL-2.0-only
"""A patch that needs a person: the sides of its conflict, in a trial's tree."""

from ..kernel.spec import TreeSpec
from ..kernel.state import State
from ..system.errors import UsageError
from ..system.paths import Layout
from . import draft, resolution, three_way
from .carried_patches import Carried, Origin


class ConflictFound(UsageError):
    """A patch needs a person; topic is the folder that it is in."""

    def __init__(self, topic: str, text: str):
        super().__init__(text)
        self.topic = topic


def shown(layout: Layout, spec: TreeSpec, state: State, patch: Carried, origin: Origin
          ) -> ConflictFound:
    """Put both sides of a conflict into the trial's tree; the error that says so."""
    draft.copy_stored(layout, spec.layout.root)
    spec.git.run("checkout", "-q", "-B", resolution.branch(spec), patch.parent)
    if patch.merge:
        three_way.show(spec, patch.step, patch.merge)
    torn = ", ".join(patch.merge.torn) if patch.merge else ""
    sides = f"{torn} there has both sides" + (
        f", but only as the patch shows them ({origin.made.why})" if origin.made.why else "")
    return ConflictFound(patch.topic, (
        f"base {spec.base.name}: {patch.name} is in conflict with {state.version} "
        f"({patch.why}); nothing was changed. In {layout.named(spec.path)}, {sides}: "
        f"resolve them, git -C {layout.shown(spec.path)} commit -a -m "
        f"'{patch.step.patch.subject}', and call again"))
