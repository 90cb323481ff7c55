# SPDX-License-Identifier: GPL-2.0-only
"""The command line: what each word does, and what becomes of an error."""

import argparse
import contextlib
import errno
import inspect
import io
import json
import os
import re
import signal
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from . import (bisect, bump, cell, check, command, config, export, follow, forms, journal,
               lint, mail, matrix, newbase, packages, queue, rangediff, refresh, rerun,
               selftest, source, status, trailers, tree)
from .errors import GupError, UsageError
from .layout import Layout
from .tally import Tally
from .verdict import PASSED

INTERRUPTED = 130
KCONFIG = re.compile(r"CONFIG_[A-Z0-9_]+=(?:y|n|\d+)")


def main(words: Sequence[str], root: Path | None = None) -> int:
    """Run gup with the given words; returns its exit code."""
    layout = Layout(root or Path(__file__).resolve().parents[2])
    try:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        signal.signal(signal.SIGTERM, _interrupt)
        options = _parser(layout).parse_args(words)
        journal.recover(layout)
        return options.call(layout, options)
    except GupError as error:
        return _complain(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _complain("interrupted; the next call goes on from here", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _complain("whoever read the output has gone; the next call goes on "
                         "from here", INTERRUPTED)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            full = command.disk_full(layout.build)
            return _complain(str(full), full.exit_code)
        return _complain(f"{error.filename or 'system'}: {error.strerror}", 3)


def _complain(text: str, code: int) -> int:
    sys.stdout.flush()
    print(f"gup: {text}", file=sys.stderr)
    return code


def _interrupt(number: int, frame: types.FrameType | None) -> None:
    raise KeyboardInterrupt


class _Parser(argparse.ArgumentParser):
    """argparse, but with errors of one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


def _parser(layout: Layout) -> argparse.ArgumentParser:
    parser = _Parser(prog="gup", description="Keep, apply and prove the "
                     "get_user_pages() patch queue.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")
    for name, call, options in (("kunit", _kunit, _kunit_options),
                                ("selftest", _selftest, _selftest_options),
                                ("rerun", _rerun, _rerun_options),
                                ("tree", _tree, _tree_options),
                                ("refresh", _refresh, _refresh_options),
                                ("lint", _lint, _lint_options),
                                ("bisect", _bisect, _bisect_options),
                                ("bump", _bump, _bump_options),
                                ("follow", _follow, _follow_options),
                                ("new-base", _new_base, _new_base_options),
                                ("range-diff", _range_diff, _topic_option),
                                ("export", _export, _export_options),
                                ("mail", _mail, _mail_options),
                                ("trailers", _trailers, _trailers_options),
                                ("status", _status, _no_options),
                                ("matrix", _matrix, _matrix_options),
                                ("check", _check, _check_options)):
        about = inspect.getdoc(call) or ""
        verb = verbs.add_parser(name, help=about.splitlines()[0], description=about)
        verb.set_defaults(call=call)
        options(verb, layout)
    return parser


def _source_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    verb.add_argument("--base", metavar="B",
                      help="the kernel to work on (default: the one that "
                      "config/bases.toml names)")
    verb.add_argument("--ksrc", type=Path, metavar="PATH",
                      help="take the kernel from a git clone, an unpacked tree or a "
                      "tarball instead of Debian's package")
    verb.add_argument("--ref", default="", metavar="REF",
                      help="with a git clone: the commit to start from "
                      "(default: HEAD)")


def _kunit_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    _source_options(verb, layout)
    verb.add_argument("--arch", default="um", metavar="A",
                      help="the architecture to run on (default: um)")
    verb.add_argument("--suite", default=cell.FILTER_ALL, metavar="GLOB",
                      help="run the suites whose names match (default: all)")
    verb.add_argument("--unpatched", action="store_true",
                      help="run the same suites on the base without the series")
    verb.add_argument("--kconfig-add", type=_kconfig, action="append", default=[],
                      metavar="CONFIG_X=y", help="build with this option, too, in a "
                      "folder of its own; may be given more than once")
    verb.add_argument("-v", "--verbose", action="store_true",
                      help="name each case that did not pass, also those that have "
                      "skipped with a good reason")
    verb.add_argument("--no-ccache", action="store_true",
                      help="compile everything, even if ccache is there")


def _selftest_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    _base_option(verb)
    verb.add_argument("--unpatched", action="store_true",
                      help="run it on the base without the series")


def _rerun_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    _base_option(verb)


def _tree_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    _source_options(verb, layout)
    verb.add_argument("--unpatched", action="store_true",
                      help="the tree with the suites alone, build/B/linux-unpatched")
    verb.add_argument("--drop", action="store_true",
                      help="put your work in the tree aside, on a branch aside/…, "
                      "and go back to the queue")


def _base_option(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--base", metavar="B", required=True,
                      help="the kernel to work on")


def _lint_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    verb.add_argument("--base", metavar="B", help="on this base alone (default: all)")
    verb.add_argument("--build", action="store_true",
                      help="compile the touched files with W=1 and sparse, too; needs "
                      "gup kunit and gup kunit --unpatched of the base before")


def _bisect_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    _base_option(verb)
    verb.add_argument("--arch", default="um", metavar="A",
                      help="the architecture to run on (default: um)")
    verb.add_argument("--drop", action="store_true",
                      help="put work that is in build/B/linux-bisect aside first")


def _bump_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    _base_option(verb)
    _kernel_options(verb)


def _kernel_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--ksrc", type=Path, metavar="PATH",
                      help="try this git clone, unpacked tree or tarball (default: the "
                      "newest package of the mirror)")
    verb.add_argument("--ref", default="", metavar="REF",
                      help="with a git clone: the commit to try (default: HEAD)")
    verb.add_argument("--debian", default="", metavar="VERSION",
                      help="try exactly this version of Debian's, such as 6.1.4-1: of the "
                      "package linux-source-B, or the upstream part of the source package "
                      "linux")
    verb.add_argument("--keep", action="store_true",
                      help="store the outcome even if the cell has failed")


def _follow_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    verb.add_argument("--base", metavar="B", help="this base alone (default: all)")
    verb.add_argument("--json", action="store_true",
                      help="print the table as JSON; all else goes to standard error")


def _new_base_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    verb.add_argument("name", metavar="X", help="the kernel, such as 6.6")
    verb.add_argument("--bump", action="store_true",
                      help="go on with gup bump, of which the other options are")
    _kernel_options(verb)


def _topic_option(verb: argparse.ArgumentParser, layout: Layout) -> None:
    verb.add_argument("--topic", metavar="T", required=True,
                      help="a folder of patches/")


def _export_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    _base_option(verb)
    verb.add_argument("--format", required=True, metavar="F",
                      help=f"one of {', '.join(forms.RENDER)}")
    verb.add_argument("--dest", type=Path, required=True, metavar="DIR",
                      help="the folder to fill; made if there is none")
    verb.add_argument("--topics", type=_list, default=[], metavar="T,…",
                      help="take these topics, and what they depend on (default: all "
                      "that the base needs)")
    verb.add_argument("--with-tests", action="store_true",
                      help="add the patch with the KUnit suites")
    verb.add_argument("--force", action="store_true",
                      help="replace the files of an earlier export, and no others")
    verb.add_argument("--bug", default="", metavar="B",
                      help="the bug that References:, BugLink: or Bug-Debian: names")


def _mail_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    _base_option(verb)
    verb.add_argument("--out", type=Path, required=True, metavar="DIR",
                      help="where to write the mails: a new or empty folder")
    verb.add_argument("--force", action="store_true",
                      help="replace mails of an earlier call in DIR; no other file is "
                      "ever replaced")
    verb.add_argument("--version", type=_version, default=1, metavar="N",
                      help="the version of the series (default: 1)")
    verb.add_argument("--previous", type=Path, metavar="PATH",
                      help="from version 2 on: the mails of the version before, a folder "
                      "or an mbox, for change-id, link and range-diff")
    verb.add_argument("--topics", type=_list, default=[], metavar="T,…",
                      help="mail these topics alone, and what they depend on (default: all "
                      "but those with security = true)")
    verb.add_argument("--cover", type=Path, metavar="FILE",
                      help="with --topics: the cover letter; for a single patch there "
                      "need be none")
    verb.add_argument("--prefix", action="append", default=[], metavar="WORD",
                      help="put a word such as RFC into [PATCH]; may be repeated")
    tests = verb.add_mutually_exclusive_group()
    tests.add_argument("--with-tests", dest="tests", action="store_true", default=None,
                       help="with the suites as last patch (default: on the newest base, "
                       "if no topic is left out)")
    tests.add_argument("--without-tests", dest="tests", action="store_false",
                       help="without the suites (default: on all but the newest base)")


def _trailers_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    verb.add_argument("--mbox", type=Path, required=True, metavar="FILE",
                      help="the thread, saved as an mbox")
    verb.add_argument("--base", metavar="B",
                      help="only for the patches of this base (default: all)")


def _no_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    pass


def _refresh_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    _base_option(verb)
    verb.add_argument("--check", action="store_true",
                      help="say what would change, write nothing, and exit with 1 "
                      "if anything would")


def _matrix_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    verb.add_argument("--bases", type=_list, metavar="B,…",
                      help="run these bases (default: all)")
    verb.add_argument("--arches", type=_list, metavar="A,…",
                      help="run these architectures (default: all)")
    verb.add_argument("--unpatched", action="store_true",
                      help="run each cell without the series, too")
    verb.add_argument("--record", action="store_true",
                      help="write what comes out to doc/measured.json and README.md")


def _check_options(verb: argparse.ArgumentParser, layout: Layout) -> None:
    verb.add_argument("--only", type=_steps, default=check.STEPS, metavar="STEP,…",
                      help=f"make these checks alone: {', '.join(check.STEPS)}; or "
                      "debian, which is slow: Debian's source package is fetched, "
                      "patched and compiled")
    verb.add_argument("--bases", type=_list, metavar="B,…",
                      help="on these bases alone (default: all)")


def _version(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,3}", text):
        raise argparse.ArgumentTypeError(f"'{text}' is no version; give 1, 2, …")
    return int(text)


def _kconfig(text: str) -> str:
    if not KCONFIG.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"'{text}' is no option; write CONFIG_X=y, CONFIG_X=n or CONFIG_X=NUMBER")
    return text


def _list(text: str) -> list[str]:
    return text.split(",")


def _steps(text: str) -> tuple[str, ...]:
    steps = tuple(text.split(","))
    for step in steps:
        if step not in (known := check.STEPS + check.SLOW_STEPS):
            raise argparse.ArgumentTypeError(
                f"unknown step '{step}', choose from {', '.join(known)}")
    return steps


def _base_and_source(layout: Layout, options: argparse.Namespace
                     ) -> tuple[str, source.Source | None]:
    base = config.base(layout, options.base or config.default_base(layout)).name
    if options.ksrc is None:
        if options.ref:
            raise UsageError("--ref goes with --ksrc")
        return base, None
    return base, source.classify(options.ksrc, options.ref)


def _kunit(layout: Layout, options: argparse.Namespace) -> int:
    """Build a base with the queue and run the KUnit suites on it.

    Everything that is missing is got first: packages, the kernel, the tree.
    Exit code: 0 all passed, 1 tests failed, 2 wrong use, 3 the machine lacks
    something. Results: build/B/A/results.json.
    """
    base, ksrc = _base_and_source(layout, options)
    verdict = cell.run(layout, cell.Request(base, options.arch, options.suite, ksrc,
                                            not options.no_ccache,
                                            not options.unpatched,
                                            kconfig=tuple(options.kconfig_add)))
    cell.show(" ".join([f"{base}/{options.arch}", *options.kconfig_add]), verdict,
              options.verbose)
    return 0 if verdict.word == PASSED else 1


def _selftest(layout: Layout, options: argparse.Namespace) -> int:
    """Run the kernel's own gup_test on a base, on x86_64 in QEMU.

    config/selftest.toml lists the runs. Each has to end well, some of them on
    nothing but zero pages, and the kernel log must have no report. Logs:
    build/B/selftest.
    """
    faults = selftest.run(layout, options.base, not options.unpatched)
    for line in faults:
        print(f"failed: {line}")
    print(f"{options.base}/selftest: {'failed' if faults else 'passed'}")
    return 1 if faults else 0


def _rerun(layout: Layout, options: argparse.Namespace) -> int:
    """Run the suites again and again in a running system, on x86_64 in QEMU.

    KUnit's files in debugfs do that, on two nodes and with khugepaged running;
    config/rerun.toml says how often, and on which bases. Logs: build/B/rerun.
    """
    faults = rerun.run(layout, options.base)
    for line in faults:
        print(f"failed: {line}")
    print(f"{options.base}/rerun: {'failed' if faults else 'passed'}")
    return 1 if faults else 0


def _tree(layout: Layout, options: argparse.Namespace) -> int:
    """Make build/B/linux: the base, and a commit for each patch on it.

    The base is tagged `base`, the branch is gup/B. Nothing that is there and
    right is touched, and your own work in the tree is never overwritten.
    """
    base, ksrc = _base_and_source(layout, options)
    packages.ensure(layout, ["kernel"])
    with tree.hold(layout, base):
        place = tree.Place(layout, config.base(layout, base), not options.unpatched)
        ready = tree.prepare(place, ksrc, drop=options.drop)
    print(f"{place.path.relative_to(layout.root)}: {ready.state.version}, branch "
          f"{place.branch} at {ready.state.head[:12]}")
    return 0


def _refresh(layout: Layout, options: argparse.Namespace) -> int:
    """Store the commits of build/B/linux as patches and suites again.

    Each commit on `base` becomes its patch file, a new commit a new topic, the
    last one the suites, the compat header and the hookup. Reordered and
    dropped commits change series/B. A patch that other bases share is applied
    there, too; if it does not apply, nothing is changed. A commit is known by
    its subject, or by its change, so alter one of them at a time.
    """
    config.base(layout, options.base)
    packages.ensure(layout, ["kernel"])
    if options.check:
        found = refresh.differences(layout, options.base)
    else:
        found = refresh.run(layout, options.base)
    for line in found or ["nothing changed"]:
        print(line)
    return 1 if options.check and found else 0


def _lint(layout: Layout, options: argparse.Namespace) -> int:
    """Look at every patch on every base that uses it, and at the scripts.

    checkpatch --strict, length and spelling of the message, git diff --check,
    kernel-doc, doubled includes, and whether a cell compiles it at all; with
    --build also W=1 and sparse. What the base says itself does not count.
    Exceptions stand in config/lint.toml, each with its reason.
    """
    names = [config.base(layout, options.base).name] if options.base else \
        list(config.bases(layout))
    packages.ensure(layout, ["kernel", "lint"])
    newest = list(config.bases(layout))[-1]
    tally = Tally()
    tally.record("rules", queue.problems(layout))
    tally.record_all(lint.scripts(layout))
    for name in names:
        with tree.hold(layout, name):
            ready = tree.prepare(tree.Place(layout, config.base(layout, name)))
        tally.record_all(lint.base(ready, suites=name == newest))
        if options.build:
            tally.record_all(lint.build(layout, name))
    print(tally.line)
    return 1 if tally.failures or not tally.passed else 0


def _bisect(layout: Layout, options: argparse.Namespace) -> int:
    """Build and run every prefix of a series; name the first patch that breaks.

    It begins with no patch and adds one at a time, each with the suites whose
    topics are in it, in a tree of its own, build/B/linux-bisect. A prefix is
    good by the rules of gup kunit: no new warning, all cases passed.
    """
    bisect.run(layout, options.base, options.arch, options.drop)
    return 0


def _bump(layout: Layout, options: argparse.Namespace) -> int:
    """Try the series on a newer point release, and store it if all is well.

    Each patch is reported as clean, context moved, already there or conflict,
    with the hunk. A patch in conflict is already there, too, if the suites of
    its topic pass without it; otherwise the conflict is resolved in
    build/bump/B, and bump called again. Then the cell on UML is built and run.
    Only if it passes, or with --keep, do config/bases.toml, the series and the
    patches change. All this happens in build/bump/B; build/B stays as it is.
    """
    config.base(layout, options.base)
    _require_one_kernel(options)
    _try_kernel(layout, options.base, options)
    return 0


def _follow(layout: Layout, options: argparse.Namespace) -> int:
    """Try each base on the newest kernel of the mirror; for a nightly run.

    Each is tried as gup bump does, and nothing is stored; one that fails does not
    end the others. One table says of each what was verified, what the mirror has, and
    what came of it, and names newer kernels that are no base yet. What needs a person
    is in build/bump/B. Exit code: 0 nothing needs a person, 1 something does, 3
    something could not be tried.
    """
    names = [config.base(layout, options.base).name] if options.base else \
        list(config.bases(layout))
    packages.ensure(layout, ["kernel"])
    with contextlib.redirect_stdout(sys.stderr if options.json else sys.stdout):
        rows = follow.run(layout, names)
    print(json.dumps(follow.as_json(rows), indent=1) if options.json else
          "\n" + "\n".join(follow.table(rows)))
    return follow.exit_code(rows)


def _require_one_kernel(options: argparse.Namespace) -> None:
    if options.ksrc and options.debian:
        raise UsageError("--ksrc and --debian exclude each other; give one")
    if options.ref and not options.ksrc:
        raise UsageError("--ref goes with --ksrc")


def _try_kernel(layout: Layout, name: str, options: argparse.Namespace) -> None:
    packages.ensure(layout, ["kernel"])
    ksrc = source.classify(options.ksrc, options.ref) if options.ksrc else None
    bump.run(layout, config.base(layout, name), ksrc, options.debian, options.keep)


def _new_base(layout: Layout, options: argparse.Namespace) -> int:
    """Begin a base with what the nearest one has.

    That is the nearest older one, if there is one. The base is added to the files of
    config/ and to every topic.toml; series, hookup and compat header are copied. gup
    bump --base X then says what applies, and stores what is green; with --bump it is
    called at once, on the newest kernel that any suite of the mirror has, or on the one
    that is named.
    """
    _require_one_kernel(options)
    if (options.ksrc or options.debian or options.keep) and not options.bump:
        raise UsageError("--ksrc, --debian and --keep are for gup bump; add --bump")
    for line in newbase.begin(layout, options.name):
        print(line, flush=True)
    if options.bump:
        _try_kernel(layout, options.name, options)
    return 0


def _range_diff(layout: Layout, options: argparse.Namespace) -> int:
    """Show how the variants of a topic differ from its newest one, and why.

    Blob ids, line numbers and diffstats are left out. On a terminal of 160
    columns or more the patches stand side by side. The reasons are those of
    topic.toml, [difference]; a variant without one is an error.
    """
    rangediff.show(layout, options.topic)
    return 0


def _export(layout: Layout, options: argparse.Namespace) -> int:
    """Write the patches of a base in the form of a distribution.

    DIR gets the patches with that form's headers, the lists that name them, and
    a README with the commands that apply them. Where the form wants it, you are
    the author and sign them off, by your git identity. Dates are those of the
    queue's commits, or SOURCE_DATE_EPOCH.
    """
    config.base(layout, options.base)
    packages.ensure(layout, ["kernel"])
    made = export.run(layout, export.Request(
        options.base, options.format, options.dest.expanduser(), tuple(options.topics),
        options.with_tests, options.force, options.bug))
    print(f"{options.dest}: {len(made)} files; README says how to use them")
    return 0


def _mail(layout: Layout, options: argparse.Namespace) -> int:
    """Write the series of a base as mails, for a person to look at and to send.

    The cover is series/B.cover, the addressees are those of the tree's own
    get_maintainer.pl, the sign-off is that of your git identity. The mails are
    read back by b4 am, compared with the queue, and seen by checkpatch. A topic
    with security = true is left out; --topics mails it to the security list.
    Nothing is ever sent.
    """
    mail.run(layout, mail.Request(options.base, options.out, options.version,
                                  tuple(options.prefix), options.tests,
                                  options.previous, options.force,
                                  tuple(options.topics), options.cover))
    return 0


def _trailers(layout: Layout, options: argparse.Namespace) -> int:
    """Take Reviewed-by, Acked-by and Tested-by from a saved thread.

    Each goes to the patch that it was given to, if the stored patch still makes
    the same change; one given to the cover goes to all of that version. What
    is not taken is named, with the reason.
    """
    if options.base:
        config.base(layout, options.base)
    packages.ensure(layout, ["mail"])
    for line in trailers.run(layout, options.mbox, options.base or "") \
            or ["nothing changed"]:
        print(line)
    return 0


def _status(layout: Layout, options: argparse.Namespace) -> int:
    """Show bases, trees, topics and cells on one screen.

    verified: the version that bases.toml records; tree: whether build/B/linux
    is clean, has your work in it or is behind the stored queue; topics as in
    README; for each cell that has run, when, and when it last passed as a
    whole with the queue alone. Nothing is fetched, built or changed.
    """
    print("\n".join(status.lines(layout)))
    return 0


def _matrix(layout: Layout, options: argparse.Namespace) -> int:
    """Run many cells and show one table of them.

    Without options: all bases on all architectures. The table also goes to
    build/matrix.json. Exit code: 0 if all cells with the series passed.
    """
    rows = matrix.run(layout, matrix.requests(
        layout, options.bases or list(config.bases(layout)),
        options.arches or list(config.arches(layout)), options.unpatched),
        options.record)
    return matrix.exit_code(rows)


def _check(layout: Layout, options: argparse.Namespace) -> int:
    """Run the project's own tests and close with `N passed, N failed`.

    The tool's unit tests, the rules of series and topics, a quilt push of
    every series without fuzz, every form of gup export applied from nothing,
    the KUnit suites on UML for all bases, and gup lint of every patch and
    suite.
    """
    bases = options.bases or list(config.bases(layout))
    for name in bases:
        config.base(layout, name)
    tally = check.run(layout, options.only, bases)
    print(tally.line)
    return 1 if tally.failures or not tally.passed else 0
