# SPDX-License-Identifier: GPL-2.0-only
"""Every sentence of the kernel-doc and the cases that hold it: none without the other."""

import fnmatch
from collections.abc import Iterator, Mapping

from .. import config
from ..config import Cells, Kernel, Promise, Promises
from ..system.paths import Layout


def problems(layout: Layout) -> list[str]:
    """What is wrong between config/promises and config/cells.toml, a line each."""
    known, listed = config.promises(layout), config.cells(layout)
    names = [f"{suite}.{case}" for suite, cases in listed.suites.items() for case in cases]
    bases = list(config.bases(layout))
    found: list[str] = []
    holding: set[str] = set()
    guarding: set[str] = set()
    for one in known.promises:
        holding |= _named(one.cases, names)
        found += [f"'{one.words}': {glob} is none of config/cells.toml; mend the name"
                  for glob in one.cases if not _named((glob,), names)]
    for guard in known.guards:
        guarding |= _named(guard.cases, names)
        found += [f"a guard names {glob}, which is none of config/cells.toml; mend the name"
                  for glob in guard.cases if not _named((glob,), names)]
        if not guard.reason.strip():
            found.append(f"a guard of {', '.join(guard.cases)} has no reason; give it one")
    found += [f"{name} holds no sentence and guards nothing; add it to the 'cases' of a "
              "promise, or as a guard" for name in names if name not in holding | guarding]
    found += [f"{name} holds a sentence and is a guard, too; remove one"
              for name in names if name in holding & guarding]
    return found + list(_nowhere(known, bases))


def _named(globs: tuple[str, ...], names: list[str]) -> set[str]:
    """The cases, as SUITE.CASE, that globs name."""
    return {name for glob in globs for name in fnmatch.filter(names, glob)}


def _nowhere(known: Promises, bases: list[str]) -> Iterator[str]:
    """What is said of functions that are not listed, and what holds for no base."""
    for entry in known.entries:
        for name in entry.of:
            if name not in known.functions:
                yield f"{name}() is in no [functions]; add it there, with the bases that have it"
            elif not any(entry.on(base) for base in bases if name in known.documented(base)):
                first = entry.words if isinstance(entry, Promise) else entry.words[0]
                yield (f"{name}(): no base has '{first}', by 'bases' and [functions]; "
                       "remove it")


def unlike(known: Promises, base: str, told: Mapping[str, list[str]], needed: Mapping[str, str]
           ) -> list[str]:
    """How the comments of a base and config/promises differ, a line each.

    told has the sentences of each comment, by function; needed the functions of which
    there has to be something, and the file that they are in.
    """
    listed: dict[str, set[str]] = {name: set() for name in known.documented(base)}
    found = []
    for entry in known.entries:
        for name in (name for name in entry.of if name in listed):
            found += [f"{name}(): '{words}' is listed twice for {base}; remove one"
                      for words in entry.on(base) if words in listed[name]]
            listed[name].update(entry.on(base))
    found += [f"{name}() in {file}: no [functions] has it for {base}; add it, and each of its "
              "sentences" for name, file in needed.items() if name not in listed]
    for name, sentences in listed.items():
        there = dict.fromkeys(told.get(name, ()))
        if not there:
            found.append(f"{name}(): {base} has no such comment; mend its bases in [functions]")
            continue
        found += [f"{name}(): '{sentence}' is new, or reads differently; add it, and the cases "
                  "that hold it" for sentence in there if sentence not in sentences]
        found += [f"{name}(): the comment does not have '{sentence}'; remove it, or mend its "
                  "'bases' or 'reads'" for sentence in sorted(sentences) if sentence not in there]
    return found


def unheld(known: Promises, listed: Cells, kernel: Kernel) -> list[str]:
    """The promises of a base that have cases, but none that applies to it, a line each.

    Options do not count here: it is for the cells to have them.
    """
    applying = [f"{suite}.{case}" for suite, cases in listed.suites.items() for case in cases
                if all(need.options for need in listed.unmet(suite, case, kernel))]
    found = []
    for one in known.promises:
        there = [name for name in one.of if name in known.documented(kernel.base)]
        if one.cases and there and one.on(kernel.base) \
                and not _named(one.cases, applying):
            found.append(f"{there[0]}(): '{one.on(kernel.base)[0]}': none of its cases applies "
                         f"to {kernel.base}; add one that does, or say why there is none")
    return found


def missing(layout: Layout) -> Iterator[tuple[str, str]]:
    """The promises that want a case, and what that has to do."""
    for one in config.promises(layout).promises:
        if one.missing:
            yield f"promise of {one.of[0]}(), '{one.words}'", f"no case: {one.missing}"
