# SPDX-License-Identifier: GPL-2.0-only
"""The rules between series, topics, patches and cells."""

import pytest

from conftest import GUP_C, edit, stored, unified, with_line
from guplib import config, queue
from guplib.system.errors import UsageError

SUITES = 'suites = ["put_user_page"]\n'


@pytest.fixture
def topic(project):
    return project.root / "patches/one-line/topic.toml"


def only(project):
    problems = queue.problems(project.layout)
    assert len(problems) == 1, problems
    return problems[0]


def test_made_up_queue_is_sound(project):
    assert queue.problems(project.layout) == []


def test_series_line_that_names_a_missing_file(project, refused):
    (project.root / "series/6.1").write_text("# order\n\none-line/6.2.patch\n")
    said = refused(2, "tree")
    assert "series/6.1:3" in said and "one-line/6.2.patch" in said


def test_patch_that_stands_twice(project, refused):
    (project.root / "series/6.1").write_text("one-line/6.1.patch\n" * 2)
    assert "stands twice" in refused(2, "tree")


def test_topic_that_stands_twice_by_two_variants(project, refused):
    variant = project.root / "patches/one-line/6.2.patch"
    variant.write_text((project.root / "patches/one-line/6.1.patch").read_text())
    (project.root / "series/6.1").write_text("one-line/6.1.patch\none-line/6.2.patch\n")
    assert "series/6.1:2: one-line stands twice" in refused(2, "tree")


def test_patch_file_in_no_series(project, refused):
    (project.root / "patches/one-line/7.2.patch").write_text(project.patch.read_text())
    assert "one-line/7.2.patch: in no series" in refused(2, "tree")


def test_base_without_a_series(project, refused):
    (project.root / "series/7.2").unlink()
    assert "no series for base 7.2" in refused(2, "tree")


def test_series_without_a_base(project):
    (project.root / "series/8.0").write_text("")
    assert "no base of that name" in only(project)


def test_variant_is_named_after_the_oldest_base_it_serves(project):
    project.patch.rename(project.patch.with_name("7.2.patch"))
    for base in ("6.1", "7.2"):
        (project.root / f"series/{base}").write_text("one-line/7.2.patch\n")
    assert "name it after the oldest, 6.1.patch" in only(project)


@pytest.mark.parametrize("status", [
    "not-submitted", "submitted <20260101.1@example.org>", "never a debugging aid"])
def test_upstream_vocabulary(project, topic, status):
    edit(topic, '"not-submitted"', f'"{status}"')
    assert queue.problems(project.layout) == []


@pytest.mark.parametrize("status", [
    "soon", "merged", "merged yesterday v7.3", "merged 0123456789ab", "submitted",
    "submitted 20260101", "never", "never "])
def test_upstream_outside_the_vocabulary(project, topic, status):
    edit(topic, '"not-submitted"', f'"{status}"')
    assert "is none of 'merged <sha> <version>'" in only(project)


COMMIT = "0123456789abcdef0123456789abcdef01234567"
MAINLINE = f"""\
[mainline]
commit = "{COMMIT}"
title = "mm: mend it"
release = "v7.3-rc1"
"""


def test_change_that_mainline_has_by_another_commit(project, topic):
    edit(topic, '"not-submitted"', '"in-mainline"')
    edit(topic, "[base]", f"{MAINLINE}[base]")
    assert queue.problems(project.layout) == []
    assert queue.topic(project.layout, "one-line").standing.since.release == "v7.3-rc1"


@pytest.mark.parametrize("upstream, old, new, says", [
    ("not-submitted", "", "", "is 'not-submitted', but [mainline] has the change"),
    ("never we do not like it", "", "", "is 'never we do not like it', but [mainline]"),
    ("in-mainline", MAINLINE, "", "is 'in-mainline', and there is no [mainline]"),
    ("in-mainline", COMMIT, COMMIT[:12], "needs a commit of 40 digits, its title, and a"),
    ("in-mainline", "v7.3-rc1", "soon", "needs a commit of 40 digits, its title, and a"),
    ("in-mainline", "mm: mend it", "", "needs a commit of 40 digits, its title, and a"),
    ("in-mainline", 'title = "mm: mend it"\n', "", "'mainline': 'title' is missing"),
    ("in-mainline", "[mainline]", '[mainline]\nauthor = "me"', "unknown key 'author'"),
])
def test_history_that_is_not_in_form(project, topic, upstream, old, new, says):
    edit(topic, "not-submitted", upstream)
    edit(topic, "[base]", f"{MAINLINE}[base]".replace(old, new))
    assert says in only(project)


def test_two_commits_for_one_change(project, topic):
    edit(topic, "not-submitted", f"merged {COMMIT} v7.3-rc1")
    edit(topic, "[base]", f"{MAINLINE}[base]".replace(COMMIT, COMMIT[::-1]))
    with topic.open("a") as text:
        text.write('[backport]\n"6.1" = "It is older."\n')
    assert "upstream and [mainline] name two commits" in only(project)


@pytest.mark.parametrize("severity, affected", [
    ("none", "none"), ("user: all of it", "v6.0..v6.4"), ("root: a bit", "?..v6.4"),
    ("debug: a line", "v6.0..?"), ("device: bytes", "v6.0..")])
def test_severity_and_the_releases_that_have_it(project, topic, severity, affected):
    edit(topic, "driver: a wrong line", severity)
    edit(topic, "v6.0..", affected)
    assert queue.problems(project.layout) == []


@pytest.mark.parametrize("old, new, says", [
    ("driver: a wrong line", "bad", "severity 'bad' does not begin with one of user, device"),
    ("driver: a wrong line", "driver", "severity 'driver' does not begin"),
    ("driver: a wrong line", "none: really", "severity 'none: really' does not"),
    ('severity = "driver: a wrong line"\n', "", "severity '' does not begin"),
    ('"v6.0.."', '"6.0.."', "affected '6.0..' is no range of releases"),
    ('"v6.0.."', '"v6.0"', "affected 'v6.0' is no range of releases"),
    ('"v6.0.."', '"none"', "severity is 'driver', and affected 'none'"),
    ("[base]", 'fixes = ["0123 (\'x\')"]\n[base]', "fixes: '0123 ('x')' is not of the form"),
    ("[base]", "fixes = [3]\n[base]", "'fixes', item 1 has to be a string, and is 3"),
])
def test_severity_and_fixes_that_are_not_in_form(project, topic, old, new, says):
    edit(topic, old, new)
    assert says in only(project)


@pytest.mark.parametrize("fixes, lines", [
    ([], ""), (["0123456789ab"], "Fixes: 0123456789ab ('mm: x')\nCc: x@example.org"),
    (["0123456789abcdef"], "Fixes: 0123456789ab ('mm: x')"),
    (["0123456789ab"], "Fixes: 0123456789abcdef ('mm: x')"),
    (["0123456789ab", "111111111111"],
     "Fixes: 111111111111 ('mm: x')\nFixes: 0123456789ab ('mm: x')")])
def test_topic_and_patch_name_the_same_commits(project, topic, fixes, lines):
    says_what_it_fixes(project, topic, fixes, lines)
    assert queue.problems(project.layout) == []


@pytest.mark.parametrize("fixes, lines, says", [
    (["0123456789ab"], "", """6.1.patch: no line 'Fixes: 0123456789ab ("mm: x")', which """
     "topic.toml has in 'fixes'; add it at the end of the message, or remove it there"),
    ([], "Fixes: 0123456789ab ('mm: x')", """6.1.patch: 'Fixes: 0123456789ab ("mm: x")' is """
     "not in 'fixes' of topic.toml; add it there, or remove the line"),
    (["0123456789ab"], "Fixes: 0123456789ab ('mm: x')\nFixes: 0123456789ac ('mm: x')",
     """'Fixes: 0123456789ac ("mm: x")' is not in 'fixes'"""),
    ([], "Fixes: 0123456 ('mm: x')", "is not of the form 'Fixes: 0123456789ab (\"title\")'"),
    ([], "Fixes: 0123456789ab", "'Fixes: 0123456789ab' is not of the form 'Fixes: "),
    ([], "Fixes:0123456789ab ('mm: x')", "is not of the form 'Fixes: ")])
def test_topic_and_patch_name_other_commits(project, topic, fixes, lines, says):
    says_what_it_fixes(project, topic, fixes, lines)
    assert says in only(project)


def says_what_it_fixes(project, topic, fixes, lines):
    """Let a topic name some commits, and its patch have some lines at the end."""
    if fixes:
        edit(topic, "[base]", f"""fixes = {[f'{fix} ("mm: x")' for fix in fixes]}\n[base]""")
    if lines:
        text = lines.replace("'", '"')
        edit(project.patch, "The body of it.", f"The body of it.\n\n{text}")


def test_merged_topic_says_how_each_variant_differs(project, topic):
    edit(topic, '"not-submitted"', f'"merged {COMMIT} v7.3-rc1"')
    edit(topic, "[base]", f"{MAINLINE}[base]")
    assert "[backport] and the variants disagree about 6.1" in only(project)
    with topic.open("a") as text:
        text.write('[backport]\n"6.1" = "It is older."\n')
    assert queue.problems(project.layout) == []
    edit(topic, f"merged {COMMIT} v7.3-rc1", "in-mainline")
    assert "[backport] and the variants disagree about 6.1" in only(project)


@pytest.mark.parametrize("status, says", [
    ("in-base", ""), ("not-applicable none", ""),
    ("needed", "series/6.1 has other not ahead of one-line")])
def test_what_a_topic_depends_on_is_ahead_of_it(project, topic, status, says):
    edit(topic, "suites =", 'depends = ["other"]\nsuites =')
    folder = project.root / "patches/other"
    folder.mkdir()
    (folder / "topic.toml").write_text(
        topic.read_text().replace('depends = ["other"]\n', "").replace(
            SUITES, "").replace(
            '"6.1" = "needed"', f'"6.1" = "{status}"').replace(
                '"7.2" = "needed"', '"7.2" = "in-base"'))
    if status == "needed":
        (folder / "6.1.patch").write_text(stored("mm/gup: other", unified(
            GUP_C, with_line(50, "int other;"), "mm/gup.c")))
        (project.root / "series/6.1").write_text("one-line/6.1.patch\nother/6.1.patch\n")
    assert says in only(project) if says else queue.problems(project.layout) == []


@pytest.mark.parametrize("line, needs", [
    ("return helper(1);", True), ("int helpers;", False), ("int helper(int a)", False)])
def test_topic_depends_on_what_defines_the_functions_it_calls(project, topic, line, needs):
    folder = project.root / "patches/other"
    folder.mkdir()
    (folder / "topic.toml").write_text(topic.read_text().replace(SUITES, "").replace(
        '"7.2" = "needed"', '"7.2" = "in-base"'))
    (folder / "6.1.patch").write_text(stored("mm/gup: other", unified(
        GUP_C, with_line(50, "static int helper(int a)"), "mm/gup.c")))
    project.patch.write_text(stored("mm/gup: change a line", unified(
        GUP_C, with_line(30, line), "mm/gup.c")))
    (project.root / "series/6.1").write_text("other/6.1.patch\none-line/6.1.patch\n")
    assert queue.problems(project.layout) == ([
        f"{topic}: depends: 6.1.patch uses helper of other; add other"] if needs else [])


def test_dependency_on_no_topic(project, topic):
    edit(topic, "suites =", 'depends = ["none"]\nsuites =')
    assert all("depends: there is no topic 'none'" in problem
               for problem in queue.problems(project.layout))


@pytest.mark.parametrize("cases, says", [
    ('["put_user_page.adds*"]', ""),
    ('["put_user_page.no_such"]', "'put_user_page.no_such' is none of config/cells.toml"),
    ('["adds"]', "'adds' is of none of its suites; write SUITE.CASE")])
def test_cases_of_a_topic_are_those_of_its_suites(project, topic, cases, says):
    edit(topic, SUITES, f"{SUITES}cases = {cases}\n")
    assert says in only(project) if says else queue.problems(project.layout) == []


def test_topics_that_share_a_suite_name_their_cases(project, topic):
    folder = project.root / "patches/other"
    folder.mkdir()
    (folder / "topic.toml").write_text(
        topic.read_text().replace('"needed"', '"in-base"'))
    assert {problem.partition(": ")[2].partition(" with")[0]
            for problem in queue.problems(project.layout)} == {"shares put_user_page"}
    for each in (topic, folder / "topic.toml"):
        edit(each, SUITES, f'{SUITES}cases = ["put_user_page.*"]\n')
    assert queue.problems(project.layout) == []


@pytest.mark.parametrize("status", ["", "maybe", "not-applicable", "in-base since 5.9"])
def test_base_status_outside_the_vocabulary(project, topic, status):
    edit(topic, '"7.2" = "needed"', f'"7.2" = "{status}"')
    assert "is none of 'needed', 'in-base'" in only(project)


def test_needed_topic_must_be_in_the_series(project):
    (project.root / "series/7.2").write_text("")
    path = project.root / "config/bases.toml"
    path.write_text(path.read_text().rpartition('"mm/gup.c"')[0])
    assert "base 7.2 is 'needed', but series/7.2 lacks a patch" in only(project)


def test_topic_in_the_base_must_not_be_in_the_series(project, topic):
    edit(topic, '"7.2" = "needed"', '"7.2" = "in-base"')
    assert "base 7.2 is 'in-base', but series/7.2 has a patch" in only(project)


def test_topic_names_an_unknown_base(project, topic):
    edit(topic, '"7.2" = "needed"', '"7.2" = "needed"\n"8.0" = "in-base"')
    assert "base 8.0 is not in config/bases.toml" in only(project)


def test_older_variant_needs_a_reason(project, topic):
    (project.root / "patches/one-line/7.2.patch").write_text(project.patch.read_text())
    (project.root / "series/7.2").write_text("one-line/7.2.patch\n")
    assert "[difference] says nothing of 6.1" in only(project)
    topic.write_text(topic.read_text() + '[difference]\n"6.1" = "no folios"\n')
    assert queue.problems(project.layout) == []


def test_reason_for_a_variant_that_is_not_there(project, topic):
    topic.write_text(topic.read_text() + '[difference]\n"6.1" = "no folios"\n')
    assert "no older variant" in only(project)


@pytest.mark.parametrize("line", ['title = "mm/gup: change a line"',
                                  'why = "A line was wrong."'])
def test_topic_without_title_or_reason(project, topic, line):
    edit(topic, line + "\n", "")
    assert "is missing; add it" in only(project)


def test_topic_with_a_key_of_its_own(project, topic):
    edit(topic, "[base]", 'author = "me"\n[base]')
    assert "unknown key 'author'" in only(project)


def test_topic_that_is_no_toml(project, topic):
    topic.write_text("title = \n")
    assert "not valid TOML" in only(project) and "line 1" in only(project)


def test_folder_without_a_topic(project):
    (project.root / "patches/empty").mkdir()
    assert "patches/empty/topic.toml: no such file" in only(project)


@pytest.mark.parametrize("text, part", [
    ("diff --git a/x b/x\n", "not a stored patch"),
    ("Subject: x\n\nbody\n---\nno diff\n", "no diff after"),
    ("Subject: a\nDate: today\n\nbody\n---\n", "not a stored patch")])
def test_file_that_is_no_stored_patch(project, refused, text, part):
    project.patch.write_text(text)
    assert part in refused(2, "tree")


def test_patch_that_is_no_text(project, refused):
    project.patch.write_bytes(b"\xff\xfe")
    assert "not UTF-8" in refused(2, "tree")


def test_case_that_cells_toml_does_not_list(project):
    edit(project.root / "config/cells.toml", '"adds", ', "")
    assert "case adds is not in config/cells.toml" in only(project)


def test_listed_case_that_no_suite_has(project):
    edit(project.root / "config/cells.toml", '"adds", ', '"adds", "subtracts", ')
    assert "put_user_page.subtracts is not in" in only(project)


def test_skip_of_an_unknown_case(project, refused):
    edit(project.root / "config/cells.toml", '["dr*"]', '["drips"]')
    assert "a need names put_user_page.drips, which no suite" in refused(2, "kunit")


@pytest.mark.parametrize("old, new, says", [
    ('options = ["CONFIG_THP"]', 'options = ["THP"]', "need: 'THP' is no option"),
    ('options = ["CONFIG_THP"]', "options = []", "need: '' is no option"),
    ('options = ["CONFIG_THP"]', 'has = "f(int)"', "need 'f(int)' is no name"),
    ('options = ["CONFIG_THP"]', 'has = "f()"\nsince = "6.1"', "a need has has and since of"),
    ('options = ["CONFIG_THP"]', "", "a need has none of options, has, since; give one"),
    ('options = ["CONFIG_THP"]', 'since = "7.2"', "need 7.2: 'what' is missing"),
    ('options = ["CONFIG_THP"]', 'has = "f()"\nreason = "x"', "unknown key 'reason'"),
    ('compiled_with = ["CONFIG_MMU"]', "", "suite put_user_page: '' is no option"),
    ("[need.cases]\nput", "[need.cases]\nget", "a need names get_user_page.dr*, which no"),
    ('put_user_page = ["dr*"]', "", "need ['CONFIG_THP']: there are no cases; remove it"),
    ('["dr*"]', '"dr*"', "'put_user_page'"),
    ('["dr*"]', "[1]", "'put_user_page'"),
    ('options = ["CONFIG_THP"]', "options = [1]", "'options', item 1 has to be a string"),
    ('options = ["CONFIG_THP"]', 'since = "soon"\nwhat = "x"\nreason = "y"',
     "need since 'soon' is no release; write it as 6.12"),
    ('options = ["CONFIG_THP"]', 'since = "v6.1"\nwhat = "x"\nreason = "y"',
     "need since 'v6.1' is no release"),
    ('options = ["CONFIG_THP"]', 'since = "7.2"\nwhat = ""\nreason = "y"',
     "need 7.2: what or reason is empty"),
    ('options = ["CONFIG_THP"]', 'since = "7.2"\nwhat = "x"\nreason = " "',
     "need 7.2: what or reason is empty"),
    ('options = ["CONFIG_THP"]', 'has = ""', "need '' is no name"),
    ("[[need]]", '[[need]]\noptions = ["CONFIG_THP"]\n[need.cases]\nput_user_page = '
     '["adds"]\n[[need]]', "need ['CONFIG_THP'] is there twice; say it once"),
    ('cases = ["adds", "drops"]', 'cases = ["adds", "drops", "adds"]',
     "suite put_user_page, or a case of it, is there twice"),
    ("[[need]]", '[[suite]]\nname = "put_user_page"\ncases = ["adds"]\n[[need]]',
     "suite put_user_page, or a case of it, is there twice"),
])
def test_need_that_is_not_in_form(project, refused, old, new, says):
    edit(project.root / "config/cells.toml", old, new)
    assert says in refused(2, "kunit")


@pytest.mark.parametrize("old, new, says", [
    ('bases = ["*"]', 'bases = ["since 6"]', "arch um: 'since 6' is no base"),
    ('bases = ["*"]', 'bases = ["sinse 6.1"]', "arch um: 'sinse 6.1' is no base"),
    ('bases = ["*"]', "bases = [6.1]", "arch um: 'bases', item 1 has to be a string"),
    ('checked = ["*"]', 'checked = ["all"]', "arch um: 'all' is no base"),
    ('options = ["CONFIG_MMU"]', "options = []", "arch um: '' is no option"),
    ('options = ["CONFIG_MMU"]', 'options = ["CONFIG_A|B"]', "arch um: 'B' is no option"),
    ('options = ["CONFIG_MMU"]', 'options = [["CONFIG_A"]]',
     "'options', item 1 has to be a string"),
    ('options = ["CONFIG_MMU"]\n', "", "arch um: 'options' is missing"),
])
def test_arch_that_is_not_in_form(project, refused, old, new, says):
    edit(project.root / "config/arches.toml", old, new)
    assert says in refused(2, "kunit")


@pytest.mark.parametrize("base, among", [
    ("5.10", False), ("6.1", True), ("6.6", False), ("7.1", False), ("7.2", True),
    ("7.3", True), ("9.9", True), ("10.0", True)])
def test_bases_are_named_or_begin_with_a_release(project, gup, base, among):
    assert config.is_among(base, ["6.1", "since 7.2"]) == among
    assert not config.is_among(base, []) and config.is_among(base, ["*"])
    edit(project.root / "config/arches.toml", 'bases = ["*"]', 'bases = ["6.1", "since 7.2"]')
    assert config.arch(project.layout, "um").serves(base) == among


@pytest.mark.parametrize("suites, count", [
    ("", 0), ('static struct kunit_suite a = {\n\t.name = "a",\n};\n' * 2, 2)])
def test_file_has_one_suite(project, suites, count):
    path = project.root / "kunit/odd_kunit.c"
    path.write_text(suites)
    assert only(project) == f"{path}: {count} suites in one file; keep one"


def test_cover_without_a_base(project):
    path = project.root / "series/9.9.cover"
    path.write_text("EDITME\n")
    assert only(project) == f"{path}: no base of that name in config/bases.toml"
    path.rename(path.with_name("7.2.cover"))
    assert queue.problems(project.layout) == []


def test_topic_that_depends_on_itself(project, topic):
    edit(topic, "suites =", 'depends = ["one-line"]\nsuites =')
    assert {problem.rpartition(": ")[2] for problem in queue.problems(project.layout)} == {
        f"series/{base} has one-line not ahead of one-line; move it" for base in ("6.1", "7.2")}


def test_topic_that_cannot_be_read_is_told_once_and_hides_no_other(project):
    """Whose suites it has is not known then, so it shares them with nobody."""
    other = project.root / "patches/other"
    other.mkdir()
    (other / "topic.toml").write_text("title = \n")
    edit(project.layout.topic("one-line"), '"not-submitted"', '"soon"')
    told = queue.problems(project.layout)
    assert sum("other/topic.toml" in line for line in told) == 1
    assert sum("is none of 'merged" in line for line in told) == 1 and len(told) == 2


def test_words_are_those_of_one_line(project, topic):
    """The end of a line and the beginning of the next are not a name."""
    folder = project.root / "patches/other"
    folder.mkdir()
    (folder / "topic.toml").write_text(topic.read_text().replace(SUITES, "").replace(
        '"7.2" = "needed"', '"7.2" = "in-base"'))
    (folder / "6.1.patch").write_text(stored("mm/gup: other", unified(
        GUP_C, with_line(50, "static int helper(int a)"), "mm/gup.c")))
    project.patch.write_text(stored("mm/gup: change a line", unified(
        GUP_C, with_line(30, "help", with_line(31, "er;")), "mm/gup.c")))
    (project.root / "series/6.1").write_text("other/6.1.patch\none-line/6.1.patch\n")
    assert queue.problems(project.layout) == []


def test_unknown_topic_lists_the_known_ones(project):
    with pytest.raises(UsageError, match="unknown topic 'x'; choose from one-line"):
        queue.topic(project.layout, "x")


def test_touched_file_without_a_blob_id(project):
    edit(project.root / "config/bases.toml", '[base."7.2".blobs]\n"mm/gup.c"',
         '[base."7.2".blobs]\n"mm/mmu.c"')
    lacks, names = queue.problems(project.layout)
    assert "base 7.2: blobs lacks mm/gup.c" in lacks
    assert "base 7.2: blobs names mm/mmu.c" in names
