# SPDX-License-Identifier: GPL-2.0-only
"""The kernel tree of a base: one commit `base`, then one for each patch.

The commits are made first (apply). Only then git moves the tree to the new tip
(checkout), which touches the files that differ and no other. What gup has made is
written down (state); all else in the tree is a person's work (work).
"""

import contextlib
from collections.abc import Iterator

from .. import queue
from ..system import files
from ..system.errors import UsageError
from ..system.terminal import say
from . import create
from .apply import Step, commit_steps, digest, plan
from .checkout import finish, move
from .source import Source
from .spec import TreeSpec
from .state import State, Tree, state_of
from .work import in_the_way, put_aside, work_in

ATTEMPTS = 5        # to find a tree as it was left a moment ago
CHANGING = "other calls of gup change it all the time; wait for them, and call again"


@contextlib.contextmanager
def use(spec: TreeSpec, ksrc: Source | None = None, *, edits_welcome: bool = False
        ) -> Iterator[Tree]:
    """A tree that is up to the stored queue, and that stays as it is while the block runs.

    Others can use it meanwhile. With edits_welcome, a tree that a person has worked
    in is taken as it stands. Raises as prepare() does.
    """
    for _ in range(ATTEMPTS):
        with files.locked(spec.lock, _called(spec), shared=True):
            if ready := _ready(spec, ksrc, edits_welcome):
                yield ready
                return
        with hold(spec, ksrc):
            prepare(spec, ksrc, edits_welcome=edits_welcome)
    raise UsageError(f"{_called(spec)}: {CHANGING}")


@contextlib.contextmanager
def use_base(spec: TreeSpec, ksrc: Source | None = None) -> Iterator[State]:
    """The repository of a base, made if there is none, which stays while the block runs.

    What is checked out in its tree plays no part.
    """
    for _ in range(ATTEMPTS):
        with files.locked(spec.main.lock, _called(spec.main), shared=True):
            if state := _settled(spec.main, ksrc):
                yield state
                return
        with hold(spec.main):
            base_of(spec.main, ksrc)
    raise UsageError(f"{_called(spec.main)}: {CHANGING}")


@contextlib.contextmanager
def hold(spec: TreeSpec, ksrc: Source | None = None) -> Iterator[None]:
    """Hold a tree against all other calls of gup while the block runs.

    One beside the main tree has the repository of that, which is made if need be, and
    stays. Who takes both takes the main tree's lock first.
    """
    with contextlib.ExitStack() as held:
        if not spec.is_main:
            held.enter_context(use_base(spec, ksrc))
        held.enter_context(files.locked(spec.lock, _called(spec)))
        yield


def prepare(spec: TreeSpec, ksrc: Source | None = None, *,
            edits_welcome: bool = False, drop: bool = False) -> Tree:
    """Bring a tree up to the stored queue and return it; it must be held.

    With edits_welcome, a tree that a person has worked in is returned as it stands, as
    long as the stored queue has not changed below that work. With drop, the work is
    put aside in git first. Raises UsageError when work is in the way or a patch does
    not apply.
    """
    queue.require_sound(spec.layout)
    steps = plan(spec)
    wanted = digest(steps)
    state = base_of(spec, ksrc)
    if state.target:
        state = finish(spec, state)
    edits = work_in(spec, state)
    if edits and drop:
        put_aside(spec, state)
        state = base_of(spec, ksrc)
        edits = []
    if edits:
        if not (edits_welcome and state.inputs == wanted):
            raise UsageError(in_the_way(spec, edits, state.inputs == wanted))
        return Tree(spec, state, tuple(edits))
    if spec.is_main:
        _tell_version(spec, state)
    if state.inputs != wanted:
        state = _apply(spec, state, steps, wanted)
    return Tree(spec, state, ())


def base_of(spec: TreeSpec, ksrc: Source | None = None) -> State:
    """The state of a tree, made with the base alone if there is none; it must be held."""
    ksrc = _source(spec, ksrc)
    return create.existing(spec, ksrc) or create.create(spec, ksrc)


def _ready(spec: TreeSpec, ksrc: Source | None, edits_welcome: bool) -> Tree | None:
    """A tree for which nothing is to be done; None for any other. Changes nothing."""
    queue.require_sound(spec.layout)
    if not spec.is_main and _settled(spec.main, ksrc) is None:
        return None
    state = _settled(spec, _source(spec, ksrc))
    if state is None or state.target or state.inputs != digest(plan(spec)):
        return None
    edits = work_in(spec, state)
    if edits and not edits_welcome:
        return None
    if spec.is_main:
        _tell_version(spec, state)
    return Tree(spec, state, tuple(edits))


def _settled(spec: TreeSpec, ksrc: Source | None) -> State | None:
    """The state of a tree that has the base asked for, or work that keeps it on another."""
    state = state_of(spec)
    if state is None or create.is_from(spec, state, ksrc):
        return state
    if ksrc or state.target or not work_in(spec, state):
        return None
    create.tell_it_stays(spec, state)
    return state


def _source(spec: TreeSpec, ksrc: Source | None) -> Source | None:
    """Where a tree is from: one beside the main tree, from the base of that."""
    if spec.is_main:
        return ksrc
    state = state_of(spec.main)
    return Source("clone", str(spec.main.path), "base", state.base) if state else ksrc


def _called(spec: TreeSpec) -> str:
    return f"base {spec.base.name}" + ("" if spec.is_main else f", {spec.path.name}")


def _tell_version(spec: TreeSpec, state: State) -> None:
    """Say so when the base is not the one that the queue was verified on."""
    base = spec.base
    there = spec.git.blobs(state.base, list(base.blobs)) if base.blobs else {}
    other = [name for name, blob in base.blobs.items() if there.get(name) != blob]
    if state.version != base.version:
        say(f"base {base.name}: this is {state.version}, last verified was "
            f"{base.version}; going on, for no patch may need fuzz"
            + (f" (differs: {', '.join(other)})" if other else ""))
    elif other:
        say(f"base {base.name}: {', '.join(other)} differ from the verified "
            f"{base.version}; going on, for no patch may need fuzz")


def _apply(spec: TreeSpec, state: State, steps: list[Step], wanted: str) -> State:
    """Commit the steps on the base and move the tree to the last of them."""
    commits = [state.base]
    try:
        commit_steps(spec, steps, commits)
    except UsageError as error:
        move(spec, state, commits[-1], "")
        raise UsageError(f"{error}; the tree stays at {commits[-1][:12]}, the last "
                         "good commit") from error
    say(f"base {spec.base.name}: {len(steps)} commits on {state.version}, "
        f"tip {commits[-1][:12]}")
    return move(spec, state, commits[-1], wanted)
