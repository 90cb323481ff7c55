# SPDX-License-Identifier: GPL-2.0-only
"""gup trailers: which are taken from a thread, by which patch, and which are not."""

import base64
import quopri
import shutil

import pytest

from conftest import GUP_C, edit, stored, unified, with_line
from guplib import queue

pytestmark = [pytest.mark.usefixtures("with_trees", "warm_b4_call"),
              pytest.mark.skipif(not shutil.which("b4"), reason="package b4 is missing")]
MARY = "Mary M. Maintainer <mary@example.org>"
JOHN = "Jöhn <john@example.org>"
TITLE = "mm/gup: change a line"


class Thread:
    """A thread that is written mail by mail; ids are those of the caller."""

    def __init__(self, project):
        self.project, self.path = project, project.root.parent / "thread.mbox"
        self.path.touch()

    def raw(self, lines, body=b""):
        text = "\n".join(["From x@y Thu Jan  1 00:00:00 1970", *lines, "", ""]).encode()
        with self.path.open("ab") as mbox:
            mbox.write(text + body + b"\n\n")

    def mail(self, id_, subject, body, answers="", sender=MARY, more=()):
        self.raw([f"From: {sender}", "Date: Fri, 20 Nov 2026 12:00:00 +0000",
                  f"Subject: {subject}", f"Message-ID: <{id_}@example.org>",
                  *([f"In-Reply-To: <{answers}@example.org>"] if answers else []),
                  *(more or ["Content-Type: text/plain; charset=utf-8"])],
                 body if isinstance(body, bytes) else body.encode())

    def series(self, version="", tests=None):
        """A cover, and the patch as it is stored now, as mails 0, 1, … of a version."""
        count = 2 if tests else 1
        self.mail(f"{version}0", f"[PATCH {version} 0/{count}] cover",
                  "Text\n---\n 1 file changed, 1 insertion(+)\n", sender="me@example.org")
        text = self.project.patch.read_text().partition("\n\n")[2]
        self.mail(f"{version}1", f"[PATCH {version} 1/{count}] {TITLE}", text,
                  f"{version}0", "me@example.org")
        if tests:
            self.mail(f"{version}2", f"[PATCH {version} 2/2] mm/gup: add KUnit tests",
                      tests, f"{version}0", "me@example.org")

    def answer(self, id_, trailer, to="1", sender=MARY, **more):
        self.mail(id_, "Re: [PATCH] whatever", f"> quoted\nGood.\n\n{trailer}\n", to,
                  sender, **more)


@pytest.fixture
def thread(project):
    return Thread(project)


@pytest.fixture
def taken(project, gup, thread):
    """Call gup trailers on the thread; returns what it said."""
    def call(*words):
        said = gup("trailers", "--mbox", thread.path, *words)
        assert said.code == 0, said
        return said.out
    return call


def body(project):
    return project.patch.read_text().partition("\n\n")[2].partition("\n---\n")[0]


def test_trailers_of_patch_and_cover(project, taken, thread):
    diff = project.patch.read_text().partition("\n---\n")[2]
    thread.series()
    thread.answer("a", f"Reviewed-by: {MARY}")
    thread.answer("b", f"Acked-by: {JOHN}", to="0", sender=JOHN)
    thread.answer("c", "> Tested-by: Quoted <quoted@example.org>\n"
                  "Fixes: 123456789012 (\"x\")\nCc: stable@example.org")
    thread.answer("d", f"tested-by: {JOHN} # on arm64", to="a", sender=JOHN)
    said = taken()
    assert body(project) == (f"The body of it.\n\nReviewed-by: {MARY}\n"
                             f"Acked-by: {JOHN}\nTested-by: {JOHN} # on arm64")
    assert project.patch.read_text().partition("\n---\n")[2] == diff
    assert f"patches/one-line/6.1.patch: Reviewed-by: {MARY}\n" in said
    assert "left out" not in said
    assert taken() == "nothing changed\n"


def test_refresh_keeps_a_trailer_and_doubts_it_after_an_edit(project, taken, thread, gup):
    for base in ("6.1", "7.2"):
        assert gup("refresh", "--base", base).code == 0
    thread.series()
    thread.answer("a", f"Reviewed-by: {MARY}")
    taken()
    assert gup("tree", "--base", "6.1").code == 0
    said = gup("refresh", "--base", "6.1", "--check")
    assert said.code == 0 and said.out == "nothing changed\n", said
    assert queue.problems(project.layout) == []

    tests = project.git("rev-parse", "HEAD")
    project.git("reset", "-q", "--hard", "HEAD~1")
    assert f"Reviewed-by: {MARY}" in project.git("log", "-1", "--format=%B")
    edit(project.tree / "mm/gup.c", "int changed;", "int  changed;")
    project.git("commit", "-q", "-a", "--amend", "--no-edit")
    project.git("cherry-pick", tests)
    said = gup("refresh", "--base", "6.1")
    assert ("one-line/6.1.patch: changes something else than before, but has "
            f"Reviewed-by: {MARY}; take them off the commit") in said.out, said


def test_trailer_of_an_older_version_stays_with_it(project, taken, thread):
    thread.series("v1")
    project.patch.write_text(stored(TITLE, unified(GUP_C, with_line(30, "int  changed;"),
                                                   "mm/gup.c")))
    thread.series("v2")
    thread.answer("a", f"Reviewed-by: {MARY}", to="v11")
    thread.answer("b", f"Acked-by: {MARY}", to="v10")
    thread.answer("c", f"Tested-by: {MARY}", to="v21")
    said = taken()
    assert body(project) == f"The body of it.\n\nTested-by: {MARY}"
    for kind in ("Reviewed", "Acked"):
        assert (f"left out: {kind}-by: {MARY}, for '{TITLE}' v1: the stored patch makes "
                "another change\n") in said


def test_trailer_stays_if_the_change_is_the_same_in_the_next_version(project, taken,
                                                                     thread):
    thread.series("v1")
    thread.series("v2")
    thread.answer("a", f"Reviewed-by: {MARY}", to="v11")
    assert "left out" not in taken()
    assert body(project).endswith(f"\nReviewed-by: {MARY}")


def test_trailer_in_the_patch_mail_itself_was_given_by_nobody(project, taken, thread):
    edit(project.patch, "of it.", f"of it.\n\nReviewed-by: {MARY}")
    thread.series()
    edit(project.patch, f"\n\nReviewed-by: {MARY}", "")
    thread.answer("a", f"Tested-by: {MARY}")
    taken()
    assert body(project) == f"The body of it.\n\nTested-by: {MARY}"


def test_series_of_which_a_part_is_missing(project, taken, thread):
    thread.mail("v10", "[PATCH v1 0/3] cover", "Text\n---\n 1 file changed\n")
    thread.series("v2")
    edit(thread.path, "[PATCH v2 1/1]", "[PATCH v2 2/3]")
    thread.answer("a", f"Reviewed-by: {MARY}", to="v21")
    thread.answer("b", f"Acked-by: {MARY}", to="v10")
    said = taken()
    assert body(project) == f"The body of it.\n\nReviewed-by: {MARY}"
    assert f"left out: Acked-by: {MARY}, in 'Re: [PATCH] whatever': " in said


def test_suites_get_their_trailers(project, taken, thread, gup):
    assert gup("tree", "--base", "7.2").code == 0
    tests = project.git("show", "--format=%b", "--patch", "HEAD",
                        tree=project.layout.tree("7.2"))
    thread.series(tests=tests)
    thread.answer("a", f"Reviewed-by: {MARY}", to="2")
    assert taken("--base", "7.2") == ("kunit/hookup/7.2.patch: "
                                      f"Reviewed-by: {MARY}\n")
    assert "Reviewed-by" not in project.layout.hookup("6.1").read_text()


@pytest.mark.parametrize("encoding, coded", [
    ("base64", base64.encodebytes), ("quoted-printable", quopri.encodestring)])
def test_encoded_mail(project, taken, thread, encoding, coded):
    thread.series()
    thread.mail("a", "Re: x",
                coded(f"Gut.\n\nReviewed-by: {JOHN}\n".encode("latin-1")), "1",
                "=?iso-8859-1?q?J=F6hn?= <john@example.org>",
                ["Content-Type: text/plain; charset=iso-8859-1",
                 f"Content-Transfer-Encoding: {encoding}"])
    taken()
    assert body(project).endswith(f"\nReviewed-by: {JOHN}")


def test_odd_mails_are_named_and_left_out(project, taken, thread):
    thread.series()
    thread.mail("a", "Re: x", f"Reviewed-by: {MARY}\n", "1", "no address")
    thread.raw(["From: mary@example.org", "Date: yesterday", "Subject: Re: x"])
    thread.mail("b", "Re: x",
                b"\xff\x00\x80\n\nAcked-by: M\xe4ry <mary@example.org>\n", "1",
                more=["Content-Type: text/plain; charset=klingon"])
    thread.mail("c", "Re: x", f"Reviewed-by: {JOHN}\n", "1")
    thread.mail("d", "Re: gone", f"Tested-by: {MARY}\n", "nowhere")
    thread.mail("e", "[PATCH 7/9] mm/foo: bar", "x\n---\n" + unified(
        ["a"], ["b"], "mm/foo.c"), "", "me@example.org")
    thread.answer("f", f"Acked-by: {MARY}", to="e")
    said = taken()
    assert body(project) == "The body of it."
    for line in ("mail 3 is left out: its From line has no address: ",
                 "mail 4 is left out: its Date line cannot be read (",
                 f"left out: Reviewed-by: {JOHN}, in 'Re: x': it is not from its sender",
                 f"left out: Tested-by: {MARY}, in 'Re: gone': ",
                 "v1: it has bytes that are no text"):
        assert line in said, said


def test_patch_that_is_not_in_the_queue(project, taken, thread):
    thread.series(tests="Body\n---\n" + unified(["a"], ["b"], "mm/foo.c"))
    edit(thread.path, "mm/gup: add KUnit tests", "mm/foo: bar")
    thread.answer("a", f"Acked-by: {MARY}", to="2")
    assert (f"left out: Acked-by: {MARY}, for 'mm/foo: bar' v1: no such patch in the "
            "queue\n") in taken()


def test_thread_of_others(project, refused, thread):
    thread.series()
    edit(thread.path, TITLE, "mm/foo: bar")
    edit(thread.path, "int changed", "int foo")
    thread.answer("a", f"Acked-by: {MARY}")
    assert "none of its patches is in the queue" in refused(2, "trailers", "--mbox",
                                                            thread.path)


@pytest.mark.parametrize("content, fault", [
    (None, "no such file"), (b"", "is no mbox"), (b"\0\xff\xfe" * 99, "is no mbox"),
    (b"From home\n", "is no mbox"), (b"Subject: x\n\nx\n", "is no mbox")])
def test_no_mbox(refused, tmp_path, content, fault):
    path = tmp_path / "x.mbox"
    if content is not None:
        path.write_bytes(content)
    assert fault in refused(2, "trailers", "--mbox", path)


def test_mbox_without_patches(refused, thread):
    thread.answer("a", f"Acked-by: {MARY}")
    assert "has no patches; save the thread from its first mail on" in \
        refused(2, "trailers", "--mbox", thread.path)


def test_wrong_words(refused, thread, tmp_path):
    assert "is a folder" in refused(2, "trailers", "--mbox", tmp_path)
    assert "unknown base" in refused(2, "trailers", "--mbox", thread.path, "--base", "9")


def test_work_in_a_tree_is_not_cut_off(project, gup, refused, thread):
    assert gup("tree", "--base", "6.1").code == 0
    edit(project.tree / "mm/gup.c", "line_07", "work_07")
    thread.series()
    thread.answer("a", f"Acked-by: {MARY}")
    error = refused(2, "trailers", "--mbox", thread.path)
    assert "build/6.1/linux holds work that is not in the queue (changed file" in error
    assert body(project) == "The body of it."
