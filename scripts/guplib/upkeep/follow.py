# SPDX-License-Identifier: GPL-2.0-only
"""What the mirror has that is newer than the bases, each tried as gup bump does."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from .. import config
from ..config import Base, version_key
from ..kernel import fetch, mirror
from ..kernel.mirror import BINARY, Mirror, Offer
from ..system.errors import EnvironmentFault, GupError, TestsFailed
from ..system.paths import Layout
from ..system.terminal import say
from . import newer_kernel, trial
from .carried_patches import ALREADY, CLEAN, CONFLICT, MOVED
from .conflict import ConflictFound

UP_TO_DATE, GONE = "up to date", "gone from the mirror"
NO_BASE, CELL_FAILED = "no base yet", "cell failed"
NOT_TRIED, NEEDS_WORK = "not tried", "needs work"
HEADING = ("base", "verified", "newest", "outcome")
NUMBER = re.compile(r"\d+\.\d+")


@dataclass(frozen=True)
class Row:
    """A base, or a kernel that is none yet.

    person: whether somebody has to do something about it; fault: whether it could not
    be tried for what the machine or the mirror lacks. why: the reason of either.
    """

    base: str
    verified: str
    newest: str
    outcome: str
    person: bool = False
    fault: bool = False
    why: str = ""


def run(layout: Layout, names: list[str]) -> list[Row]:
    """Try the newest kernel of each base; one that fails does not end the others.

    Nothing is stored. Raises EnvironmentFault when the mirror cannot be asked at all.
    """
    Mirror(layout, BINARY).update()
    known = config.bases(layout)
    rows = [_follow(layout, known[name]) for name in names]
    return [*rows, *_without_base(layout, list(known))]


def table(rows: list[Row]) -> list[str]:
    """The rows as one table, and the reasons below it."""
    cells = [HEADING, *((row.base, row.verified, row.newest, row.outcome) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADING))]
    found = ["  ".join(part.ljust(width) for part, width in zip(line, widths)).rstrip()
             for line in cells]
    return found + [f"{row.base}: {row.why}" for row in rows if row.why]


def as_json(rows: list[Row]) -> list[dict[str, str | bool]]:
    """The rows for other programs."""
    return [asdict(row) for row in rows]


def exit_code(rows: list[Row]) -> int:
    """0 if nothing needs a person, 1 if something does, 3 if something was not tried."""
    if any(row.person for row in rows):
        return TestsFailed.exit_code
    return EnvironmentFault.exit_code if any(row.fault for row in rows) else 0


def _follow(layout: Layout, base: Base) -> Row:
    """Try the newest kernel of one base, if it is newer than the verified one."""
    offers = fetch.offers(layout, base.name, fetch.package_of(base.name), fresh=False)
    verified = base.package_version or base.version
    if not offers:
        return Row(base.name, verified, "", GONE, person=bool(base.package_version))
    newest = offers[0].version
    say(f"base {base.name}: {offers[0].package}: {mirror.told(offers)}")
    if not newer_kernel.is_newer(base, offers[0]):
        return Row(base.name, verified, newest, UP_TO_DATE)
    try:
        outcome, person = _attempt(layout, base, offers[0])
        return Row(base.name, verified, newest, outcome, person)
    except ConflictFound as found:
        return Row(base.name, verified, newest, f"conflict in {found.topic}", True,
                   why=str(found))
    except EnvironmentFault as fault:
        return Row(base.name, verified, newest, NOT_TRIED, fault=True, why=str(fault))
    except GupError as error:
        return Row(base.name, verified, newest, NEEDS_WORK, True, why=str(error))


def _attempt(layout: Layout, base: Base, offer: Offer) -> tuple[str, bool]:
    """What became of a base's queue on a kernel, and whether that needs a person."""
    done = trial.attempt(layout, base, fetch.get(layout, base, offer), None)
    if not done.passed:
        return CELL_FAILED, True
    found = {each.outcome for each in done.patches}
    words = [f"{each.topic} {ALREADY}" for each in done.patches
             if each.outcome in (ALREADY, CONFLICT)]
    words = [MOVED] * (MOVED in found) + words
    return ", ".join(words) or CLEAN, False


def _without_base(layout: Layout, bases: list[str]) -> Iterator[Row]:
    """The kernels of the mirror that are newer than the newest base."""
    newest = version_key(bases[-1])
    packages = Mirror(layout, BINARY).packages(fetch.package_of(""))
    names = [name.removeprefix(fetch.package_of("")) for name in packages]
    for name in sorted(filter(NUMBER.fullmatch, names), key=version_key):
        offers = fetch.offers(layout, name, fetch.package_of(name), fresh=False)
        if version_key(name) > newest and offers:
            yield Row(name, "", offers[0].version, NO_BASE, why=(
                f"gup new-base {name} --bump begins it"))
