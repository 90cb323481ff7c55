# SPDX-License-Identifier: GPL-2.0-only
"""The kernel of the mirror that a base is to be tried on."""

from ..config import Base
from ..kernel import fetch
from ..kernel.fetch import Tarball
from ..kernel.mirror import Offer, by_version
from ..system.paths import Layout
from ..system.terminal import say


def get(layout: Layout, base: Base, debian: str) -> Tarball | None:
    """Fetch Debian's kernel of a version, or without one the newest of any suite.

    None if the newest is what the base was verified on, which is said.
    """
    if debian:
        return fetch.exactly(layout, base, debian)
    newest = fetch.newest(layout, base.name)
    if is_newer(base, newest):
        return fetch.get(layout, base, newest)
    say(f"base {base.name}: the mirror has nothing newer than "
        f"{base.package_version or base.version}")
    return None


def is_newer(base: Base, offer: Offer) -> bool:
    """Whether a package is newer than what a base was verified on, if it was."""
    verified = base.package_version or base.version
    return not verified or by_version(offer.version) > by_version(verified)
