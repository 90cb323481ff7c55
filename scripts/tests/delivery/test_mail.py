# SPDX-License-Identifier: GPL-2.0-only
"""gup mail: what the mails hold, that they come back, and what is refused."""

import email
import email.policy
import re
import shutil

import pytest

from conftest import GUP_C, edit, stored, unified, with_line

pytestmark = [pytest.mark.usefixtures("with_trees", "warm_b4_call"),
              pytest.mark.skipif(not shutil.which("b4"), reason="package b4 is missing")]
TEXT = """\
Two lines are wrong. This costs $HOME and more.

From here on, this text could be taken for the beginning of a mail.

Tested:

- on paper

Not tested:

- elsewhere
"""
COVER = ("mm/gup: change what is wrong\n\n# a note\n\n"
         f"{TEXT}Cc: Ann Other <ann@example.org>\n")
CHANGES = """
---
Changes in v2:
- one-line: another word,
  and more of it (Mary)
- Rebased
"""
# A checkpatch that finds fault with sign-offs in the first patch.
CHECKPATCH = """\
#!/usr/bin/env perl
my $name = $ARGV[-1];
exit if "@ARGV" =~ /no-signoff/ or $name !~ /0001/;
local (@ARGV, $/) = ($name);
print "$name:9: ERROR:MADE_UP: it is signed off\\n" if <> =~ /^Signed-off-by: J/m;
"""
PERSON = "Jörg Müller <joerg@example.org>"


@pytest.fixture
def person(monkeypatch, tmp_path):
    """A person with settings of git, and a home folder that is to stay as it is."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".signature").write_text("Professor of nothing")
    config = tmp_path / "gitconfig"
    config.write_text("[user]\nname = Jörg Müller\nemail = joerg@example.org\n"
                      "[core]\nabbrev = 30\n[b4]\nsend-series-to = wrong@example.org\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    return config


@pytest.fixture
def out(project, person):
    """Where the mails go; the cover letter is written, the person known."""
    project.layout.cover("6.1").write_text(COVER)
    return project.root.parent / "out"


def words(out, *more):
    return ("mail", "--base", "6.1", "--out", out, "--with-tests", *more)


def mails(out):
    """The mails in a folder, by the numbers in their names."""
    return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in sorted(out.glob("*.eml"))]


def test_two_versions(project, gup, out, person):
    before = {path: path.read_bytes() for path in project.root.glob("patches/*/*")}
    said = gup(*words(out))
    assert said.code == 0 and "gup: " not in said.err, said
    assert said.out.endswith(f"mails in {out}: 3; b4 am reads them back as the queue has "
                             "them; nothing was sent\n")

    letter, patch, tests = first = mails(out)
    text = letter.get_content()
    assert [mail["Subject"] for mail in first] == [
        "[PATCH 0/2] mm/gup: change what is wrong", "[PATCH 1/2] mm/gup: change a line",
        "[PATCH 2/2] mm/gup: add KUnit tests"]
    assert text.startswith(f"{TEXT}\n---\nJörg Müller (2):\n"), text
    assert " mm/tests/put_user_page_kunit.c | 10 ++++++++++\n" in text
    assert "---\nBased on Linux 6.1.9 (Debian's package linux-source-6.1)\n" in text
    assert "base-commit" not in text
    change_id = re.search(r"\nchange-id: (\d{8}-mm-gup-change-what-is-wrong-\w{12})\n",
                          text)[1]
    for mail in first:
        assert mail["From"] == PERSON
        assert mail["To"] == '"Mary M. Maintainer" <mary@example.org>'
        assert mail["Cc"] == ("Ann Other <ann@example.org>, linux-mm@example.org, "
                              f"{PERSON}")
    for mail in (patch, tests):
        assert mail["In-Reply-To"] == mail["References"] == letter["Message-ID"]
        assert f"\n\nSigned-off-by: {PERSON}\n---\n mm/" in mail.get_content()

    assert text.endswith(f"\n\nBest regards,\n-- \n{PERSON}\n\n")
    assert [path.name for path in (out.parent / "home").iterdir()] == [".signature"]
    assert project.git("status", "--porcelain") == ""
    assert project.git("branch", "--format=%(refname:short)") == "gup/6.1"
    assert {path: path.read_bytes() for path in before} == before

    project.patch.write_text(stored("mm/gup: change a line", unified(
        GUP_C, with_line(30, "int another;"), "mm/gup.c")))
    edit(project.patch, "The body", ">From an mbox, one might take too much off. The body")
    project.layout.cover("6.1").write_text(COVER + CHANGES)
    second = out.with_name("second")
    said = gup(*words(second, "--version", "2", "--previous", out, "--prefix", "RFC"))
    assert said.code == 0, said
    letter2, patch2, tests2 = mails(second)
    text2 = letter2.get_content()
    assert patch2["Subject"] == "[PATCH RFC v2 1/2] mm/gup: change a line"
    assert f"\nchange-id: {change_id}\n" in text2
    link = f"https://lore.kernel.org/r/{letter['Message-ID'].strip('<>')}"
    assert ("\n---\nChanges in v2:\n- patch 1: another word,\n  and more of it (Mary)\n"
            f"- Rebased\n- Link to v1: {link}\n\n---\nRange-diff against v1:\n") in text2
    assert re.search(r"\n1:  \w+ ! 1:  \w+ mm/gup: change a line\n", text2)
    assert "\n    -+int changed;\n    ++int another;\n" in text2
    assert re.search(r"\n2:  \w+ = 2:  \w+ mm/gup: add KUnit tests\n", text2)
    assert (f"\nSigned-off-by: {PERSON}\n---\nChanges in v2:\n- another word,\n"
            "  and more of it (Mary)\n---\n mm/gup.c | 2 +-\n") in patch2.get_content()
    assert "Changes" not in tests2.get_content() + text2.partition("Range-diff")[2]


def test_one_patch_on_a_public_commit_after_one_that_does_not_apply(project, gup, out,
                                                                    tmp_path):
    clone = tmp_path / "clone"
    shutil.copytree(make_tree(project, gup), clone)
    project.git("tag", "-f", "v6.1.9", "base", tree=clone)
    project.git("checkout", "-q", "--detach", "base", tree=clone)
    shutil.rmtree(project.tree)
    assert gup("tree", "--base", "6.1", "--ksrc", clone).code == 0
    previous = tmp_path / "previous.mbox"
    previous.write_text(
        "From x@y Thu Jan  1 00:00:00 1970\nFrom: x@example.org\nMessage-ID: <1@x>\n"
        "Subject: [PATCH] mm/gup: change a line\n\nBody\n---\n"
        + unified(["not there"], ["any more"], "mm/gup.c"))
    project.layout.cover("6.1").write_text(COVER + CHANGES)
    said = gup("mail", "--base", "6.1", "--out", out, "--without-tests", "--version", "2",
               "--previous", previous)
    assert said.code == 0, said
    assert "v1 does not apply to this base, so the cover goes without" in said.out
    patch, = mails(out)
    text = patch.get_content()
    assert patch["Subject"] == "[PATCH v2] mm/gup: change a line"
    assert TEXT.strip() in text.partition("\n---\n")[2]
    assert ("\n---\nChanges in v2:\n- another word,\n  and more of it (Mary)\n- Rebased\n"
            "- Link to v1: https://lore.kernel.org/r/1@x\n---\n mm/gup.c |") in text
    assert f"\nbase-commit: {project.git('rev-parse', 'v6.1.9', tree=clone)}\n" in text


OTHER_COVER = COVER.replace("more.", """more.

Patch {one-line} is the first of them.

Patch {other} makes the difference, as no other patch of all that are to be
found in this series does, {kunit} aside.""").replace("- on paper", """- on paper
- {other} and {kunit} on a machine that is somewhat older than what others run
  such things on""")


@pytest.fixture
def two(project, out):
    """A series of two patches and the suites, on 6.1 alone."""
    topic = project.layout.topic("one-line")
    edit(topic, '"7.2" = "needed"', '"7.2" = "in-base"')
    (project.root / "series/7.2").write_text("")
    folder = project.root / "patches/other"
    folder.mkdir()
    (folder / "topic.toml").write_text(
        topic.read_text().replace("A line was", "Another was"))
    (folder / "6.1.patch").write_text(stored("mm/gup: change another", unified(
        GUP_C, with_line(50, "int other;"), "mm/gup.c")))
    (project.root / "series/6.1").write_text("one-line/6.1.patch\nother/6.1.patch\n")
    project.layout.cover("6.1").write_text(OTHER_COVER)
    return project


def keep_back(project, name):
    edit(project.layout.topic(name), "[base]", "security = true\n[base]")


def test_patches_are_named_by_their_topics(two, gup, out):
    assert gup(*words(out)).code == 0
    text = mails(out)[0].get_content()
    assert ("\n\nPatch 1 is the first of them.\n\nPatch 2 makes the difference, as no other "
            "patch of all that are to be found\nin this series does, 3 aside.\n") in text
    assert ("\n- on paper\n- 2 and 3 on a machine that is somewhat older than what others "
            "run such\n  things on\n") in text


def test_matter_of_security_is_left_out_of_a_public_series(two, gup, out):
    keep_back(two, "one-line")
    said = gup(*words(out))
    assert said.code == 0, said
    assert ("base 6.1: left out, as a matter for the security list first: one-line "
            "(--topics mails one alone)\n") in said.out
    letter, patch, tests = mails(out)
    assert patch["Subject"] == "[PATCH 1/2] mm/gup: change another"
    whole = "".join(mail.as_string() for mail in mails(out))
    assert "Patch 1 makes the difference" in letter.get_content()
    assert "one-line" not in whole and "changed" not in whole
    assert "linux-mm@example.org" in letter["Cc"]


def test_suites_that_show_what_is_wrong_are_left_out_too(project, gup, out):
    keep_back(project, "one-line")
    project.layout.cover("7.2").write_text(COVER)
    said = gup("mail", "--base", "7.2", "--out", out)
    assert said.code == 2 and "has no patch that could be mailed" in said.err
    assert "and so are the suites, which show what is wrong" in said.out


def test_security_topic_alone_goes_to_no_public_list(two, gup, out):
    keep_back(two, "other")
    edit(two.root / "patches/other/6.1.patch", "The body of it.",
         "The body of it.\n\nCc: stable@example.org\nFixes: 0123456789ab (\"mm: break it\")")
    said = gup("mail", "--base", "6.1", "--out", out, "--topics", "other")
    assert said.code == 0, said
    assert said.out.endswith(
        "this goes to security@kernel.org and the maintainers, and to no public list before "
        "they agree: Documentation/process/security-bugs.rst\n")
    patch, = mails(out)
    assert patch["To"] == '"Mary M. Maintainer" <mary@example.org>'
    assert patch["Cc"] == "security@kernel.org"
    assert patch["Subject"] == "[PATCH] mm/gup: change another"
    message, _, below = patch.get_content().partition("\n---\n")
    assert "\n\nCc: stable@example.org\nFixes: 0123456789ab (\"mm: break it\")\nSigned" \
        in message
    assert ("Another was wrong.\n\nReleases that have it: v6.0 and later. What it comes to: "
            "a wrong line.\n") in below


def test_some_topics_with_a_letter_of_their_own(two, gup, out, tmp_path):
    letter = tmp_path / "letter"
    letter.write_text(OTHER_COVER.replace("{kunit}", "{other}"))
    said = gup("mail", "--base", "6.1", "--out", out, "--topics", "other", "--cover", letter)
    assert said.code == 0, said
    patch, = mails(out)
    assert "Patch 1 makes the difference" in patch.get_content()
    assert "linux-mm@example.org" in patch["Cc"] and "one-line" not in patch.as_string()


@pytest.mark.parametrize("kept, depends, more, fault", [
    (["other"], "", ("--topics", "other,one-line"), "other goes to the security list, alone"),
    (["other", "one-line"], "", ("--topics", "other,one-line"), "one-line goes to the security"),
    (["one-line"], "one-line", ("--topics", "other"), "one-line goes to the security list"),
    (["one-line"], "one-line", ("--with-tests",), "other depends on one-line, which goes"),
    ([], "", ("--topics", "other", "--with-tests"), "exclude each other"),
    ([], "", ("--topics", "none"), "unknown topic 'none'"),
    ([], "", ("--cover", "x"), "--cover goes with --topics; that of a whole series is series"),
    ([], "one-line", ("--topics", "other"), "one-line, other needs a letter of its own"),
    (["other"], "", ("--topics", "other", "--cover", "LETTER"), "has addressees of its own"),
    ([], "", ("--without-tests",), "names {kunit}, which is not among the patches"),
])
def test_parts_that_do_not_go_together(two, refused, out, kept, depends, more, fault):
    for name in kept:
        keep_back(two, name)
    if depends:
        edit(two.layout.topic("other"), "suites =", f'depends = ["{depends}"]\nsuites =')
    more = [two.layout.cover("6.1") if word == "LETTER" else word for word in more]
    assert fault in refused(2, "mail", "--base", "6.1", "--out", out, *more)


@pytest.mark.parametrize("line, fault", [
    ("Of {one-line}, later.", "names {one-line}, which is not among the patches"),
    ("Of {nothing}, never.", "names {nothing}, which is no topic"),
    ("The topic one-line is for later.", "speaks of one-line, which goes to the security")])
def test_cover_that_speaks_of_what_is_left_out(two, refused, out, line, fault):
    keep_back(two, "one-line")
    edit(two.layout.cover("6.1"), "Two lines", f"{line}\nTwo lines")
    assert fault in refused(2, *words(out))


def make_tree(project, gup):
    assert gup("tree", "--base", "6.1").code == 0
    return project.tree


def test_mail_that_comes_back_changed(refused, gup, out, stub, warm_b4_call):
    stub("b4", f'{warm_b4_call} "$@" || exit\n[ "$2" != send ] || '
         'sed -i s/int.changed/int_changed/ "$5"/0001*')
    error = refused(1, *words(out))
    assert "the content of 'mm/gup: change a line' comes back changed" in error
    assert not out.exists()


def test_checkpatch_has_something_to_say(project, gup, out):
    project.another_kernel("6.1", replaced={"scripts/checkpatch.pl": CHECKPATCH})
    said = gup(*words(out))
    assert said.code == 1, said
    assert "/0001-mm-gup-change-a-line.eml:9: ERROR:MADE_UP: it is signed" in said.out
    assert "0002" not in said.out
    assert said.err.splitlines(keepends=True)[-1] == (
        "gup: base 6.1: checkpatch finds fault with the mails (1); mend "
        "it or argue in config/lint.toml\n")
    assert not out.exists()


def test_b4_that_fails_leaves_nothing_and_the_next_call_goes_on(
        refused, gup, out, stub, warm_b4_call):
    warm = f'exec {warm_b4_call} "$@"'
    stub("b4", '[ "$2" != send ] || { echo CRITICAL: out of ink; exit 1; }\n' + warm)
    error = refused(3, *words(out))
    assert "b4 send failed: out of ink (log: " in error
    assert not out.exists()
    stub("b4", warm)
    assert gup(*words(out)).code == 0
    assert len(mails(out)) == 3


def test_no_identity(refused, out, person):
    person.write_text("")
    assert "git does not know who you are" in refused(2, *words(out))


def test_no_cover(project, refused, out):
    project.layout.cover("6.1").unlink()
    assert "series/6.1.cover: no such file; write the cover letter" in \
        refused(2, *words(out))


@pytest.mark.parametrize("old, new, version, fault", [
    ("on paper", "EDITME", 1, "has EDITME in it"),
    ("- on paper\n", "", 1, "has no section 'Tested:'"),
    ("Not tested:", "Nothing:", 1, "has no section 'Not tested:'"),
    ("wrong\n\n# a note\n\n", "wrong\n", 1, "does not begin with a subject, an empty line"),
    ("- elsewhere", "- else\n-- \n", 1, "has a line '-- '"),
    ("Two lines are", "Two lines are " + "very " * 20, 1, "line of 148 columns, 75"),
    ("what", "what " * 20, 1, "subject has"),
    ("- elsewhere", "- patches\n  2 to 4", 1, "has 'patches 2'; name a patch by its topic"),
    (CHANGES, CHANGES, 1, "has 'Changes in v2:', but is to be sent as version 1"),
    (CHANGES, "", 2, "has no items under 'Changes in v2:'"),
    ("- Rebased", "Rebased", 2, "has 'Rebased' below '---'"),
    ("- Rebased", "- Rebased\n\nChanges in v3:\n- x", 3, "another order than newest"),
])
def test_cover_that_is_not_fit(project, refused, out, old, new, version, fault):
    path = project.layout.cover("6.1")
    path.write_text(COVER + CHANGES)
    edit(path, old, new)
    more = ("--version", version, "--previous", "nowhere") if version > 1 else ()
    error = refused(2, *words(out, *more))
    assert error.startswith("gup: series/6.1.cover: ") and fault in error


def test_cover_that_is_no_text(project, refused, out):
    project.layout.cover("6.1").write_bytes(b"\xff\xfe\n")
    assert "series/6.1.cover: not UTF-8 text" in refused(2, *words(out))


@pytest.mark.parametrize("more, fault", [
    (("--version", "2"), "version 2 needs --previous"),
    (("--previous", "."), "--previous goes with --version 2"),
    (("--version", "0"), "'0' is no version"),
    (("--version", "v2"), "'v2' is no version"),
    (("--prefix", "v2"), "--prefix 'v2'"),
    (("--prefix", "[RFC]"), "--prefix '[RFC]'"),
    (("--base", "9.9"), "unknown base '9.9'"),
])
def test_wrong_words(refused, out, more, fault):
    assert fault in refused(2, *words(out, *more))


def test_previous_has_to_be_there_and_elsewhere(project, refused, out, tmp_path):
    project.layout.cover("6.1").write_text(COVER + CHANGES)
    assert "are both" in refused(2, *words(out, "--version", "2", "--previous", out))
    for what, text in (("no such file", None), ("is no mbox", "x\n"),
                       ("has no patches of a version before 2",
                        "From x@y Thu Jan  1 00:00:00 1970\nSubject: x\n\nx\n")):
        path = tmp_path / "previous"
        if text:
            path.write_text(text)
        assert what in refused(2, *words(out, "--version", "2", "--previous", path))


def test_work_in_the_tree_is_not_mailed(project, gup, refused, out):
    edit(make_tree(project, gup) / "mm/gup.c", "line_07", "work_07")
    assert "holds work that is not in the queue" in refused(2, *words(out))


def test_foreign_files_stay(refused, out):
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    assert f"{out} is not empty" in refused(2, *words(out))
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]
