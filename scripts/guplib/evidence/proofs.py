# SPDX-License-Identifier: GPL-2.0-only
"""What was proved of each topic: doc/proved.json, and the page that is made of it."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from .. import config
from ..system import files, schema
from ..system.paths import Layout

PAGE_HEAD = """\
# What fails without each topic

Made by `gup prove --record`. Each topic was taken out of the series of a base, alone or
with those that do not apply without it, and all suites were run on the cell that is named.
"""
PROVED, NOT_SHOWN, MIXED, ADDS = "proved", "not shown", "mixed", "adds"
CURE = "prove again by gup prove --record"


@dataclass(frozen=True)
class Proof:
    """What a cell came to without a topic, and without those that had to go along.

    turned: the cases of the topic that failed, as SUITE.CASE. others: those that failed
    and that no topic which was taken out names. unknown: suites that could not be run to
    their end, as the kernel did not survive. left_out: suites that cannot be built
    without the topic. broken: why the kernel could not be built, if it could not.
    """

    base: str
    arch: str
    topic: str
    along: tuple[str, ...]
    turned: tuple[str, ...]
    others: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    broken: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells this proof from others."""
        return self.base, self.arch, self.topic

    @property
    def word(self) -> str:
        """`proved`, `mixed` if other cases failed, too, `adds` or `not shown`."""
        if self.others or self.broken:
            return MIXED
        if self.turned:
            return PROVED
        return ADDS if self.left_out else NOT_SHOWN


def load(layout: Layout) -> dict[tuple[str, str, str], Proof]:
    """What doc/proved.json holds; empty if there is none yet."""
    if not layout.proved.exists():
        return {}
    found = schema.value(list[Proof], schema.read_json(layout.proved, CURE),
                         f"{layout.proved}")
    return {proof.key: proof for proof in found}


def keep(layout: Layout, new: Iterable[Proof]) -> None:
    """Put new proofs into doc/proved.json, by base, topic and architecture."""
    table = load(layout) | {proof.key: proof for proof in new}
    order = list(config.bases(layout))
    proofs = sorted((proof for proof in table.values() if proof.base in order),
                    key=lambda proof: (order.index(proof.base), proof.topic, proof.arch))
    files.write(layout.proof_page, page(proofs))
    files.write(layout.proved, "[\n" + ",\n".join(
        json.dumps(asdict(proof)) for proof in proofs) + "\n]\n")


def problems(layout: Layout) -> list[str]:
    """Where doc/proved.md is not what doc/proved.json comes to."""
    found = load(layout)
    if not found or files.read(layout.proof_page) == page(found.values()):
        return []
    return ["doc/proved.md differs from doc/proved.json; write it by gup prove --record"]


def page(proofs: Iterable[Proof]) -> str:
    """The page of all proofs, by topic, base and cell, in Markdown."""
    by_topic: dict[str, list[Proof]] = {}
    for proof in proofs:
        by_topic.setdefault(proof.topic, []).append(proof)
    return PAGE_HEAD + "".join(
        f"\n## {topic}\n\n" + "".join(_entry(proof) for proof in found)
        for topic, found in sorted(by_topic.items()))


def _entry(proof: Proof) -> str:
    """A line of the page: the cell, and the cases, without their suite if it is the same."""
    along = f", with {', '.join(proof.along)}" if proof.along else ""
    if proof.turned:
        said = ", ".join(f"`{name}`" for name in proof.turned)
    elif proof.left_out:
        said = f"cannot be built: {', '.join(proof.left_out)}"
    else:
        said = "nothing"
    more = f"; and of other topics {', '.join(proof.others)}" if proof.others else ""
    return f"- {proof.base}/{proof.arch}{along}: {said}{more}\n"
