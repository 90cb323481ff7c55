# SPDX-License-Identifier: GPL-2.0-only
"""gup export: what each form looks like, that it applies, and what is refused."""

import os
import shutil

import pytest

from conftest import GUP_C, TOPIC, edit, stored, unified, with_line
from guplib import config
from guplib.check import exports
from guplib.delivery import formats, identity
from guplib.system import files

pytestmark = pytest.mark.usefixtures("with_trees")

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FORMS = list(formats.RENDER)
SIGN_OFF = "Signed-off-by: Jö Doe <jo@example.org>"
EPOCH = 1767312000      # 2026-01-02 00:00:00 UTC
ONE, TWO = "mm-gup-change-a-line", "mm-gup-change-a-second-line"

needs_quilt = pytest.mark.skipif(not shutil.which("quilt"), reason="quilt is missing")


@pytest.fixture(autouse=True)
def person(monkeypatch):
    """Somebody who exports, on a fixed day."""
    monkeypatch.setenv("GIT_COMMITTER_NAME", "Jö Doe")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "jo@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(EPOCH))
    monkeypatch.delenv("EMAIL", raising=False)


@pytest.fixture
def two(project):
    """A second topic behind the first; its patch does not apply without that."""
    changed = with_line(30, "int changed;")
    folder = project.root / "patches/two-lines"
    folder.mkdir()
    (folder / "topic.toml").write_text(TOPIC.replace("a line", "a second line").replace(
        '"7.2" = "needed"', '"7.2" = "in-base"').replace("put_user_page", "other"))
    (folder / "6.1.patch").write_text(stored(
        "mm/gup: change a second line",
        unified(changed, with_line(31, "int second;", changed), "mm/gup.c")))
    (project.root / "series/6.1").write_text("one-line/6.1.patch\ntwo-lines/6.1.patch\n")
    return project


def depends(project):
    edit(project.root / "patches/two-lines/topic.toml", "suites =",
         'depends = ["one-line"]\nsuites =')


MAINLINE = (f'[mainline]\ncommit = "{COMMIT}"\ntitle = "mm: mend it"\n'
            'release = "v7.3-rc1"\n')


def merged(project, topic="one-line"):
    edit(project.root / f"patches/{topic}/topic.toml", "[base]", f"{MAINLINE}[base]")
    edit(project.root / f"patches/{topic}/topic.toml", '"not-submitted"',
         f'"merged {COMMIT} v7.3-rc1"')
    with (project.root / f"patches/{topic}/topic.toml").open("a") as text:
        text.write('[backport]\n"6.1" = "There is one line less."\n')


@pytest.fixture
def export(gup, tmp_path):
    """Export from 6.1 and return the files by name; expects no error."""
    def call(form="quilt", *words, dest=tmp_path / "dest"):
        said = gup("export", "--base", "6.1", "--format", form, "--out", dest, *words)
        assert said.code == 0, said
        return {str(path.relative_to(dest)): path.read_text()
                for path in sorted(dest.rglob("*")) if path.is_file()
                and not path.name.startswith(".")}
    return call


@pytest.fixture
def refuse(refused, tmp_path):
    """Export from 6.1 in vain; return the error."""
    def call(*words, form="quilt", dest=tmp_path / "dest"):
        return refused(2, "export", "--base", "6.1", "--format", form, "--out", dest,
                       *words)
    return call


# What is exported

def only_form(project, name):
    """Let there be one form alone, and what it takes to check it."""
    edit(project.root / "config/packages.toml", "[lint]", "[check]\n[lint]")
    path = project.root / "config/export.toml"
    head, *forms = path.read_text().split("\n[form.")
    form = next(form for form in forms if form.startswith(f"{name}]"))
    path.write_text(f"{head}\n[form.{form}")


@needs_quilt
def test_every_form_of_every_base_applies_from_nothing(two, gup):
    depends(two)
    edit(two.root / "config/packages.toml", "[lint]", "[check]\n[lint]")
    said = gup("check", "--only", "export")
    assert said.code == 0, said
    assert said.out.endswith(f"{2 * (len(FORMS) + 1)} passed, 0 failed\n")


@needs_quilt
def test_patch_that_a_form_loses_is_found(two, gup, monkeypatch):
    only_form(two, "suse")
    depends(two)
    whole = formats.suse
    monkeypatch.setitem(formats.RENDER, "suse", lambda patchset: {
        **whole(patchset), "series.conf": f"\tpatches.suse/{ONE}.patch\n"})
    said = gup("check", "--only", "export", "--bases", "6.1")
    assert said.code == 1
    assert "FAILED export 6.1 suse: mm/gup.c is not what it is in the queue" in said.out


@needs_quilt
def test_command_of_readme_that_fails_is_found(two, gup):
    only_form(two, "ubuntu")
    edit(two.root / "config/export.toml", '"git am $dest/*.patch"', '"git am none.patch"')
    said = gup("check", "--only", "export", "--bases", "6.1")
    assert "FAILED export 6.1 ubuntu: README's commands fail" in said.out


@needs_quilt
def test_dependency_that_no_topic_names_is_found(two, gup):
    only_form(two, "quilt")
    said = gup("check", "--only", "export", "--bases", "6.1")
    assert "FAILED export 6.1 topic by topic: base 6.1: two-lines/6.1.patch" in said.out
    assert "it does together with one-line" in said.out


def test_quilt_has_the_stored_patches_and_nobody_in_them(project, export):
    found = export("quilt")
    patch = found[f"patches/{ONE}.patch"]
    assert patch.startswith("Subject: mm/gup: change a line\n\nThe body of it.\n---\n")
    assert found["patches/series"] == f"{ONE}.patch\n" and "Jö" not in patch


def test_debian_has_dep_3_headers(project, export):
    found = export("debian", "--bug", "https://bugs.example.org/1")
    assert found["series"] == f"bugfix/all/{ONE}.patch\n"
    assert found[f"debian/patches/bugfix/all/{ONE}.patch"].startswith(
        "From: Jö Doe <jo@example.org>\nDate: Fri, 02 Jan 2026 00:00:00 +0000\n"
        "Subject: mm/gup: change a line\nForwarded: no\n"
        "Bug-Debian: https://bugs.example.org/1\nLast-Update: 2026-01-02\n\n"
        f"The body of it.\n\n{SIGN_OFF}\n---\n")


@pytest.mark.parametrize("upstream, line", [
    ("submitted <1@example.org>", "Forwarded: https://lore.kernel.org/r/1@example.org"),
    ("never too old", "Forwarded: not-needed")])
def test_debian_says_whether_a_patch_was_forwarded(project, export, upstream, line):
    edit(project.layout.topic("one-line"), "not-submitted", upstream)
    assert f"\n{line}\n" in export("debian")[f"debian/patches/bugfix/all/{ONE}.patch"]


def test_backport_names_its_commit_and_how_it_differs(project, export, tmp_path):
    merged(project)
    note = f"[Jö Doe: There is one line less.]\n{SIGN_OFF}\n"
    expected = {
        "debian": f"Origin: backport, https://git.kernel.org/linus/{COMMIT}\n"
                  f"Applied-Upstream: v7.3-rc1, https://git.kernel.org/linus/{COMMIT}\n",
        "suse": f"Patch-mainline: v7.3-rc1\nGit-commit: {COMMIT}\nReferences: git-fixes",
        "ubuntu": f"\n(backported from commit {COMMIT})\n",
        "yocto": f"Upstream-Status: Backport [https://git.kernel.org/linus/{COMMIT}]\n",
        "mbox": f"\n\ncommit {COMMIT} upstream.\n\nThe body of it.\n",
        "openwrt": ""}
    for form, text in expected.items():
        found = export(form, dest=tmp_path / form)
        patch, = [found[name] for name in found if name.endswith((".patch", ".mbox"))]
        assert text in patch and note.splitlines()[0] in patch and SIGN_OFF in patch
        assert form == "yocto" or note in patch


def test_change_that_mainline_has_otherwise_says_since_when(project, export, tmp_path):
    topic = project.layout.topic("one-line")
    edit(topic, "not-submitted", "in-mainline")
    edit(topic, "[base]", f"{MAINLINE}[base]")
    link = f"https://git.kernel.org/linus/{COMMIT}"
    expected = {
        "debian": f"\nApplied-Upstream: v7.3-rc1, {link}\nLast-Update: ",
        "suse": f"Patch-mainline: v7.3-rc1\nGit-commit: {COMMIT}\n",
        "ubuntu": "UBUNTU: SAUCE: ",
        "yocto": f"Upstream-Status: Inappropriate [v7.3-rc1 does the same, by {link}]\n",
        "mbox": "", "openwrt": ""}
    for form, text in expected.items():
        found = export(form, dest=tmp_path / form)
        patch, = [found[name] for name in found if name.endswith((".patch", ".mbox"))]
        assert text in patch
        assert ("[Jö Doe: Mainline behaves like this since v7.3-rc1, by "
                f'{COMMIT[:12]} ("mm: mend it"). This was written anew for 6.1.]'
                ) in patch.replace("\n", " ")
        assert "backported" not in patch and "upstream." not in patch
        assert f"v7.3-rc1 does the same, by {COMMIT[:12]}" in found["README"]


def test_each_form_names_the_commits_that_a_patch_fixes(project, export, tmp_path):
    edit(project.layout.topic("one-line"), "[base]",
         f"""fixes = ['{COMMIT} ("mm: break it")']\n[base]""")
    line = f'Fixes: {COMMIT[:12]} ("mm: break it")\n'
    edit(project.patch, "The body of it.", f"The body of it.\n\n{line.rstrip()}")
    for form in FORMS:
        found = export(form, dest=tmp_path / form)
        patch, = [found[name] for name in found if name.endswith((".patch", ".mbox"))]
        assert patch.count(f"\n\n{line}") == 1, form


def test_what_is_not_in_mainline_never_claims_to_be(project, export, tmp_path):
    for form in FORMS:
        for name, text in export(form, dest=tmp_path / form).items():
            for claim in ("upstream.", "backported", "Git-commit", "Origin:", "Backport"):
                assert claim not in text or name == "README", (form, name, claim)


@pytest.mark.parametrize("upstream, line", [
    ("submitted <1@example.org>",
     "Patch-mainline: Submitted, linux-mm https://lore.kernel.org/r/1@example.org"),
    ("never too old", "Patch-mainline: Never, too old"),
    ("not-submitted", "Patch-mainline: Not yet, to be submitted")])
def test_suse_says_where_a_patch_stands(project, export, upstream, line):
    edit(project.layout.topic("one-line"), "not-submitted", upstream)
    found = export("suse", "--bug", "bsc#1")
    assert found["series.conf"] == f"\tpatches.suse/{ONE}.patch\n"
    assert f"\n{line}\nReferences: bsc#1\n\n" in found[f"patches.suse/{ONE}.patch"]


def test_ubuntu_has_mails_with_sauce_and_buglink(project, export):
    mail = export("ubuntu", "--bug", "https://bugs.example.org/1")[f"0001-{ONE}.patch"]
    assert "Subject: [PATCH] UBUNTU: SAUCE: mm/gup: change a line\n" in mail
    assert "\n\nBugLink: https://bugs.example.org/1\n\nThe body of it.\n\n" in mail
    assert "From: =?UTF-8?q?J=C3=B6=20Doe?= <jo@example.org>\n" in mail


def test_mbox_numbers_its_mails(two, export):
    mails = export("mbox", "--with-tests")["gup-6.1.mbox"]
    assert [line for line in mails.splitlines() if line.startswith("Subject: ")] == [
        "Subject: [PATCH 1/3] mm/gup: change a line",
        "Subject: [PATCH 2/3] mm/gup: change a second line",
        "Subject: [PATCH 3/3] mm/gup: add KUnit tests"]


def test_openwrt_keeps_the_order_across_its_folders(two, export, tmp_path):
    folder = "target/linux/generic"
    merged(two)
    assert [name for name in export("openwrt") if name != "README"] == [
        f"{folder}/backport-6.1/950-v7.3-{ONE}.patch",
        f"{folder}/pending-6.1/951-{TWO}.patch"]
    edit(two.layout.topic("one-line"), f"merged {COMMIT} v7.3-rc1", "not-submitted")
    edit(two.layout.topic("one-line"), MAINLINE, "")
    edit(two.layout.topic("one-line"), '[backport]\n"6.1" = "There is one line less."\n',
         "")
    merged(two, "two-lines")
    assert [name for name in export("openwrt", dest=tmp_path / "2") if name != "README"
            ] == [f"{folder}/pending-6.1/950-{ONE}.patch",
                  f"{folder}/pending-6.1/951-{TWO}.patch"]


@pytest.mark.parametrize("upstream, status", [
    ("not-submitted", "Pending"), ("never too old", "Inappropriate [too old]"),
    ("submitted <1@example.org>", "Submitted [https://lore.kernel.org/r/1@example.org]")])
def test_yocto_has_a_feature_and_the_status_of_each_patch(project, export, upstream,
                                                          status):
    edit(project.layout.topic("one-line"), "not-submitted", upstream)
    found = export("yocto", "--with-tests")
    folder = "recipes-kernel/linux/files/gup-kmeta/gup"
    assert f"\n\nUpstream-Status: {status}\n{SIGN_OFF}\n---\n" in \
        found[f"{folder}/0001-{ONE}.patch"]
    assert found[f"{folder}/gup.scc"].splitlines()[-3:] == [
        f"patch 0001-{ONE}.patch", "patch 0002-mm-gup-add-kunit-tests.patch",
        "kconf non-hardware gup.cfg"]
    assert found[f"{folder}/gup.cfg"] == "CONFIG_KUNIT=y\n"
    assert "gup/gup.scc" in found["recipes-kernel/linux/linux-yocto_6.1.bbappend"]


def test_sign_off_joins_what_a_body_ends_with(project, export):
    edit(project.patch, "The body of it.", "The body of it.\n\nLink: https://example.org/")
    assert f"\n\nLink: https://example.org/\n{SIGN_OFF}\n---\n" in \
        export("suse")[f"patches.suse/{ONE}.patch"]


def test_what_others_said_of_a_patch_stays_behind(project, gup, export, tmp_path):
    edit(project.patch, "The body of it.",
         "The body of it.\n\nReviewed-by: Rev <r@example.org>\nFixes: 0123456789ab (\"a\")")
    edit(project.layout.topic("one-line"), "[base]",
         """fixes = ['0123456789ab ("a")']\n[base]""")
    said = gup("export", "--base", "6.1", "--format", "mbox", "--out", tmp_path / "1")
    assert "left out 'Reviewed-by: Rev <r@example.org>'" in said.out
    for form in FORMS:
        for text in export(form, dest=tmp_path / form).values():
            assert "Reviewed-by" not in text


def test_readme_has_commands_with_the_folder_in_them(project, export, tmp_path):
    dest = tmp_path / "a folder"
    text = export("debian", "--with-tests", dest=dest)["README"]
    assert f"\n    cp -R '{dest}/debian' .\n" not in text
    assert f"\n    cp -R '{dest}'/debian .\n" in text and "$" not in text.replace("$(", "")
    assert "mm/gup: change a line\n    not submitted yet\n" in text
    assert "kunit.py run --kunitconfig mm/tests\n" in text
    assert "applied to Linux 6.1.9 without fuzz" in text


# When

def test_date_is_that_of_the_commit_which_changed_the_patch(project, export, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    monkeypatch.setenv("GIT_COMMITTER_DATE", f"{EPOCH} +0000")
    for words in (("init", "-q"), ("add", "patches", "kunit"), ("commit", "-qm", "x")):
        project.git(*words, tree=project.root)
    monkeypatch.setenv("GIT_COMMITTER_DATE", f"{EPOCH + 86400} +0000")
    project.git("commit", "-q", "--allow-empty", "-m", "y", tree=project.root)
    name = f"patches.suse/{ONE}.patch"
    assert "\nDate: Fri, 02 Jan 2026 " in export("suse")[name]
    edit(project.patch, "The body", "Another body")
    os.utime(project.patch, (EPOCH + 2 * 86400,) * 2)
    assert "\nDate: Sun, 04 Jan 2026 " in export("suse", "--force")[name]


def test_export_is_the_same_twice(two, export, tmp_path):
    first, second = (export("mbox", "--with-tests", dest=tmp_path / name)
                     for name in "12")
    assert first["gup-6.1.mbox"] == second["gup-6.1.mbox"]


@pytest.mark.parametrize("date", ["yesterday", "-1", "9" * 30])
def test_date_that_is_none(project, refuse, monkeypatch, date):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", date)
    assert f"SOURCE_DATE_EPOCH is '{date}'" in refuse()


# Which

def test_dependency_comes_along_in_its_place(two, gup, tmp_path):
    depends(two)
    said = gup("export", "--base", "6.1", "--format", "quilt", "--out",
               tmp_path / "dest", "--topics", "two-lines")
    assert "topic one-line comes along: needed by two-lines\n" in said.out
    assert (tmp_path / "dest/patches/series").read_text() == f"{ONE}.patch\n{TWO}.patch\n"


def test_choice_that_does_not_apply_names_what_is_missing(two, refuse, tmp_path):
    said = refuse("--topics", "two-lines")
    assert "two-lines/6.1.patch" in said and "together with one-line" in said
    assert not (tmp_path / "dest").exists()


def test_tests_bring_the_functions_that_they_call(two, export, tmp_path):
    edit(two.patch.with_name("topic.toml"), "suites =", "adds = true\nsuites =")
    depends(two)
    (two.root / "series/6.1").write_text("two-lines/6.1.patch\none-line/6.1.patch\n")
    two.patch.write_text(stored("mm/gup: change a line", unified(
        GUP_C, with_line(5, "int changed;"), "mm/gup.c")))
    (two.root / "patches/two-lines/6.1.patch").write_text(stored(
        "mm/gup: change a second line",
        unified(GUP_C, with_line(50, "int second;"), "mm/gup.c")))
    edit(two.root / "patches/two-lines/topic.toml", 'depends = ["one-line"]\n', "")
    assert f"{ONE}.patch\n" in export("quilt", "--topics", "two-lines", "--with-tests")[
        "patches/series"]


def test_suites_of_what_is_left_out_are_not_switched_on(two, export):
    (two.root / "kunit/kunitconfig").write_text(
        "CONFIG_KUNIT=y\nCONFIG_OTHER_KUNIT_TEST=y\nCONFIG_PUT_USER_PAGE_KUNIT_TEST=y\n")
    patch = export("quilt", "--topics", "one-line", "--with-tests")[
        "patches/mm-gup-add-kunit-tests.patch"]
    assert "+CONFIG_PUT_USER_PAGE_KUNIT_TEST=y\n" in patch and "OTHER" not in patch


def test_tests_alone_can_leave_a_base_that_needs_nothing(project, refuse, export):
    (project.root / "series/6.1").write_text("")
    topic = project.layout.topic("one-line")
    edit(topic, '"6.1" = "needed"', '"6.1" = "in-base"')
    project.patch.rename(project.patch.with_name("7.2.patch"))
    (project.root / "series/7.2").write_text("one-line/7.2.patch\n")
    bases = project.root / "config/bases.toml"
    before, head, after = bases.read_text().partition('[base."6.1".blobs]\n')
    bases.write_text(before + head + after.partition("\n")[2])
    assert "there is nothing to export but the tests" in refuse()
    assert export("quilt", "--with-tests")["patches/series"] == \
        "mm-gup-add-kunit-tests.patch\n"


@pytest.mark.parametrize("name", ["none", "", "../patches/one-line"])
def test_unknown_topic(project, refuse, name):
    assert f"unknown topic '{name}'; choose from one-line" in refuse("--topics", name)


def test_topic_that_the_base_has(two, refused, tmp_path):
    said = refused(2, "export", "--base", "7.2", "--format", "quilt", "--out",
                   tmp_path / "dest", "--topics", "two-lines")
    assert "topic two-lines is 'in-base' on 7.2" in said and "choose from one-line" in said


def test_unknown_form_and_base(project, refused, refuse, tmp_path):
    assert "unknown format 'gentoo'; choose from quilt, debian" in refuse(form="gentoo")
    assert "unknown base '9'" in refused(2, "export", "--base", "9", "--format", "quilt",
                                         "--out", tmp_path / "dest")


def test_queue_that_breaks_its_rules(project, refuse):
    edit(project.layout.topic("one-line"), "not-submitted", "merged 0123456789ab v7.3")
    said = refuse()
    assert "a sha has 40 digits" in said and "does not leave it" in said


def test_bug_of_two_lines(project, refuse):
    assert "it has to be one line" in refuse("--bug", "bsc#1\nAcked-by: A <a@b>")


def test_home_folder_behind_an_equals_sign(project, gup, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert gup("export", "--base=6.1", "--format=quilt", "--out=~/dest").code == 0
    assert (tmp_path / "dest/README").exists()


# By whom

@pytest.fixture
def nobody(project, monkeypatch, tmp_path):
    """A machine on which git was never told who works there."""
    for name in ("NAME", "EMAIL"):
        monkeypatch.delenv(f"GIT_COMMITTER_{name}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.mark.parametrize("form", [form for form in FORMS if form != "quilt"])
def test_no_identity_no_export(nobody, refuse, form, tmp_path):
    assert "git does not know who you are" in refuse(form=form)
    assert not (tmp_path / "dest").exists()


def test_quilt_needs_no_identity(nobody, export):
    assert export("quilt")


def test_queue_itself_signs_nothing(project, refuse, monkeypatch):
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "gup@queue.invalid")
    assert "the queue's own" in refuse(form="mbox")


# Where to

def test_folder_that_is_not_empty(project, refuse, tmp_path):
    (tmp_path / "dest").mkdir()
    (tmp_path / "dest/mine").write_text("mine\n")
    assert "is not empty" in refuse()
    assert [path.name for path in (tmp_path / "dest").iterdir()] == ["mine"]


def test_earlier_export_is_replaced_by_force_alone(two, refuse, export, tmp_path):
    export("quilt")
    (tmp_path / "dest/mine").write_text("mine\n")
    assert "is not empty" in refuse()
    edit(two.root / "series/6.1", "two-lines/6.1.patch\n", "")
    edit(two.root / "patches/two-lines/topic.toml", '"6.1" = "needed"',
         '"6.1" = "in-base"')
    (two.root / "patches/two-lines/6.1.patch").unlink()
    assert sorted(export("mbox", "--force")) == ["README", "gup-6.1.mbox", "mine"]
    assert not (tmp_path / "dest/patches").exists()


@pytest.mark.parametrize("name", ["README", "patches/series", "patches/series.new"])
def test_file_of_a_person_in_the_way(project, refuse, tmp_path, name):
    path = tmp_path / "dest" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine\n")
    assert f"{path} is in the way" in refuse("--force")
    assert path.read_text() == "mine\n"
    assert [found for found in (tmp_path / "dest").rglob("*") if found.is_file()] == [path]


def test_exported_file_that_a_person_has_changed(project, refuse, export, tmp_path):
    export("quilt")
    path = tmp_path / f"dest/patches/{ONE}.patch"
    edit(path, "The body", "My body")
    assert f"{path} was changed since it was exported" in refuse("--force")
    assert "My body" in path.read_text()


def test_folder_that_leads_elsewhere(project, refuse, tmp_path):
    (tmp_path / "dest").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "dest/patches").symlink_to(tmp_path / "elsewhere")
    assert "dest/patches is in the way" in refuse("--force")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_folder_inside_the_queue_or_no_folder(project, refuse, tmp_path):
    for inside in ("", "patches", "build/out", "new/deep"):
        assert "is inside the queue" in refuse("--force", dest=project.root / inside)
    (tmp_path / "link").symlink_to(project.root)
    assert "is inside the queue" in refuse(dest=tmp_path / "link/out")
    (tmp_path / "file").write_text("")
    assert "is no folder" in refuse(dest=tmp_path / "file")


@pytest.mark.parametrize("text, says", [
    ("{", "is damaged"), ('{"finished": true, "files": []}', "is damaged"),
    ('{"finished": true, "files": {"../mine": ["0"]}}', "which is elsewhere")])
def test_manifest_that_was_tampered_with(project, refuse, tmp_path, text, says):
    (tmp_path / "dest").mkdir()
    (tmp_path / "dest/.gup-export.json").write_text(text)
    assert says in refuse("--force")


class Killed(BaseException):
    """As good as a kill: nothing of the program gets to clean up."""


@pytest.mark.parametrize("count", range(1, 6))
def test_killed_export_is_ended_by_the_next_call(two, export, monkeypatch, tmp_path, count):
    """Killed before each of the files that it writes; a person need not force it."""
    whole, real, left = export("quilt", dest=tmp_path / "whole"), files.write, [count]

    def write(path, text):
        if tmp_path / "dest" in path.parents:
            left[0] -= 1
            if not left[0]:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.with_name(path.name + ".new").write_text("half")
                raise Killed
        return real(path, text)

    monkeypatch.setattr(files, "write", write)
    with pytest.raises(Killed):
        export("quilt")
    monkeypatch.undo()
    found = export("quilt")
    readme, expected = found.pop("README"), whole.pop("README")
    assert found == whole
    assert readme == expected.replace(str(tmp_path / "whole"), str(tmp_path / "dest"))


# What the checker of headers sees

MAIL = "From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\n"
BY = "From: =?UTF-8?q?J=C3=B6=20Doe?= <jo@example.org>\n"
SIGNED = [(f"{SIGN_OFF}\n", "", "lacks a sign-off"),
          (SIGN_OFF, f"Reviewed-by: R <r@example.org>\n{SIGN_OFF}",
           "carries 'Reviewed-by: R <r@example.org>'")]
MAILED = [*SIGNED, (MAIL, "", "lacks the form of git format-patch"),
          (BY, "", "lacks the form of git format-patch")]
# For each form: what becomes of which text, and what the checker says then.
BROKEN = {
    "quilt": [("Subject: ", "Title: ", "lacks a subject"),
              ("The body of it.", SIGN_OFF, f"carries '{SIGN_OFF}'")],
    "debian": [*SIGNED, ("From: ", "By: ", "lacks From:"),
               ("Fri, 02 Jan", "2 Jan", "lacks Date:"), ("Subject: ", "", "lacks Subject:"),
               ("Applied-Upstream", "Applied", "lacks Applied-Upstream:"),
               (COMMIT, COMMIT[:12], "lacks Applied-Upstream:"),
               ("Last-Update: 2026-01-02\n", "", "lacks Last-Update:")],
    "suse": [*SIGNED, ("From: ", "By: ", "lacks From:"), ("Subject: ", "", "lacks Subject:"),
             (f"Git-commit: {COMMIT}\n", "", "lacks Patch-mainline:, with Git-commit:"),
             (COMMIT, COMMIT[:12], "lacks Patch-mainline:, with Git-commit:"),
             ("v7.3-rc1", "soon", "lacks Patch-mainline:"),
             ("References: git-fixes", "References: ", "lacks References:")],
    "ubuntu": [*MAILED, ("(backported from", "(copied from", "lacks UBUNTU: SAUCE:"),
               ("[Jö Doe: There is", "There is", "lacks UBUNTU: SAUCE:")],
    "openwrt": [*MAILED, ("Subject: [PATCH] ", "Subject: ", "lacks a subject")],
    "yocto": [*MAILED, ("Upstream-Status: ", "Status: ", "lacks Upstream-Status:"),
              ("Backport [", "Somewhere [", "lacks Upstream-Status:")],
    "mbox": MAILED,
}


@pytest.mark.parametrize("form", FORMS)
def test_checker_of_headers_sees_what_is_wrong(project, export, form):
    merged(project)
    rules = config.export_form(project.layout, form)
    (name, text), = [(name, text) for name, text in export(form).items()
                     if name.endswith((".patch", ".mbox"))]
    text = text.replace(SIGN_OFF, identity.NOBODY.sign_off)
    assert exports.header_faults(rules, name, text) == []
    for old, new, says in BROKEN[form]:
        old, new, says = (part.replace(SIGN_OFF, identity.NOBODY.sign_off)
                          for part in (old, new, says))
        assert old in text, old
        faults = exports.header_faults(rules, name, text.replace(old, new))
        assert any(says in fault for fault in faults), (old, faults)
    assert "its name is not what" in exports.header_faults(
        rules, name.replace("mm-gup", "MM gup").replace("gup-6.1", "other"), text)[0]


def test_each_form_has_rules_and_code(project):
    assert list(config.export_forms(project.layout)) == [
        "quilt", "debian", "suse", "ubuntu", "openwrt", "yocto", "mbox"] == FORMS
