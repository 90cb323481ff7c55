# SPDX-License-Identifier: GPL-2.0-only
"""Who may use a tree beside whom, and what they find in it."""

import threading

import pytest

from guplib import config
from guplib.kernel import tree
from guplib.kernel.spec import UNPATCHED, WHOLE, Contents, TreeSpec, all_but, prefix
from guplib.system import files
from guplib.system.errors import UsageError

SECONDS = 20


@pytest.fixture
def spec(project):
    return lambda contents=WHOLE: TreeSpec(project.layout,
                                           config.base(project.layout, "6.1"), contents)


def test_tree_is_used_by_two_at_a_time(spec):
    with tree.use(spec()) as one, tree.use(spec()) as other:
        assert one.state == other.state


def test_patched_and_unpatched_tree_are_used_side_by_side(spec):
    with tree.use(spec()) as patched, tree.use(spec(UNPATCHED)) as bare:
        assert patched.state.base == bare.state.base
        assert patched.state.head != bare.state.head


def test_main_tree_can_move_while_one_beside_it_is_used(project, spec):
    with tree.use(spec(UNPATCHED)):
        (project.root / "kunit/compat/6.1.h").write_text("/* more */\n")
        with tree.use(spec()) as ready:
            assert (ready.path / "mm/tests/gup_compat.h").read_text() == "/* more */\n"


def test_who_changes_a_tree_waits_for_those_that_use_it(spec):
    changed = threading.Event()

    def change():
        with tree.hold(spec()):
            changed.set()
    with tree.use(spec()):
        other = threading.Thread(target=change)
        other.start()
        assert not changed.wait(0.2)
    assert changed.wait(SECONDS)
    other.join()


def test_who_waits_is_told_for_whom(spec, capfd):
    with tree.use(spec()):
        other = threading.Thread(target=lambda: tree.hold(spec()).__enter__())
        other.start()
        other.join(0.3)
        said = "".join(capfd.readouterr())
    other.join()
    assert "base 6.1 is in use by process " in said


def test_list_of_who_has_shared_a_lock_does_not_grow_for_ever(tmp_path):
    for _ in range(200):
        with files.locked(tmp_path / "lock", "it", shared=True):
            pass
    assert (tmp_path / "lock").stat().st_size <= 2 * files.OWNERS_BYTES


def test_tree_that_is_changed_all_the_time_is_given_up(project, spec, monkeypatch):
    monkeypatch.setattr(tree, "prepare", lambda *_, **__: None)
    with pytest.raises(UsageError, match="other calls of gup change it all the time"):
        with tree.use(spec()):
            pass


def test_contents_say_which_patches_a_tree_has(tmp_path):
    series = [tmp_path / name for name in ("a/1.patch", "b/1.patch", "c/1.patch")]
    assert WHOLE.of(series) == series and WHOLE.whole
    assert UNPATCHED.of(series) == [] and not UNPATCHED.whole
    assert prefix(2).of(series) == series[:2]
    assert prefix(9).of(series) == series
    assert prefix(1).lacks(series) == {"b", "c"} and not WHOLE.lacks(series)
    assert all_but(["b"], tmp_path / "x").lacks(series) == {"b"}


def test_tree_with_a_change_on_top_has_it_last(project, spec, tmp_path):
    text = project.patch.read_text()
    change = tmp_path / "mutant.patch"
    change.write_text(text.replace("-int line_30;", "-int changed;")
                      .replace("+int changed;", "+int mutant;"))
    with tree.use(spec(Contents("mutant", change=change))) as ready:
        assert "int mutant;" in (ready.path / "mm/gup.c").read_text()
