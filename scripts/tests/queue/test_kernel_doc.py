# SPDX-License-Identifier: GPL-2.0-only
"""The kernel-doc comments of a file, sentence by sentence."""

import pytest

from guplib.queue import kernel_doc

COMMENT = """\
/**
 * take() - take a page
 * @page:  the page, which
 *         may be NULL
 * @flags: what to do; see below. Or 0.
 *
 * Takes it (e.g. for a device). That is all! Is
 * it?
 * -- If it is 0, returns 0.
 * -- Otherwise an errno.
 *
 * Return: the page
 *	   or NULL.
 * Context: any.
 */
void take(struct page *page);
"""


def told(body):
    text = "/**\n" + "".join(f" * {line}".rstrip() + "\n" for line in body.split("\n")) + " */\n"
    return [*kernel_doc.comments(text).values()]


def test_sentences_are_in_order_and_have_single_blanks():
    assert kernel_doc.comments(COMMENT) == {"take": [
        "take() - take a page", "@page: the page, which may be NULL",
        "@flags: what to do; see below.", "Or 0.", "Takes it (e.g. for a device).",
        "That is all!", "Is it?", "-- If it is 0, returns 0.", "-- Otherwise an errno.",
        "Return: the page or NULL.", "Context: any."]}


@pytest.mark.parametrize("line, sentences", [
    ("It takes a page (eg. of a file). It may fail.",
     ["It takes a page (eg. of a file).", "It may fail."]),
    ("The range [page .. page+nr] is released.", ["The range [page .. page+nr] is released."]),
    ('They are "pinned." (So they are.) take() does it.',
     ['They are "pinned."', "(So they are.)", "take() does it."]),
    ("See mm.h and v6.5, i.e. that release.", ["See mm.h and v6.5, i.e. that release."]),
    ("Without an end", ["Without an end"]),
    ("    -ENOMEM\tno memory", ["-ENOMEM no memory"]),
    ("*some* of them.", ["*some* of them."])])
def test_where_a_sentence_ends(line, sentences):
    assert told(f"take() - take\n\n{line}") == [["take() - take", *sentences]]


@pytest.mark.parametrize("title, name", [
    ("take() - take a page", "take"), ("take - take a page", "take"),
    ("struct page - a page", "page"), ("take() is suitable", "take")])
def test_name_of_a_comment(title, name):
    assert [*kernel_doc.comments(f"/**\n * {title}\n */\n")] == [name]


@pytest.mark.parametrize("text", [
    "/*\n * take() - no kernel-doc\n */\n", "/** @page: of a struct */\n", "",
    "\t/**\n\t * @page: of a struct\n\t */\n", "/**\n */\n", "/**\n * - nothing\n */\n",
    "/**\n * take() - without an end\n"])
def test_what_is_no_comment_of_a_function(text):
    assert kernel_doc.comments(text) == {}


def test_two_comments_of_one_name_are_one():
    both = COMMENT + "/**\n * take() - take nothing\n */\n"
    assert kernel_doc.comments(both)["take"][-1] == "take() - take nothing"
    assert len(kernel_doc.comments(both)["take"]) == 12
