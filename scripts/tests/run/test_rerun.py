# SPDX-License-Identifier: GPL-2.0-only
"""gup rerun: what it makes of a log."""

import pytest

from conftest import SCRIPTS
from guplib import config
from guplib.run import rerun
from guplib.system.paths import Layout

pytestmark = pytest.mark.usefixtures("with_trees")

GOOD = """\
[    0.500000]     # Subtest: gup_a
[    0.500000]     not ok 1 at_boot_that_is_for_gup_kunit
[    0.500000] not ok 1 gup_a
rerun: gup_a, round 1
[    1.500000]     # Subtest: gup_a
[    1.600000]     ok 1 holds
[    1.600000] ok 2 gup_a
rerun: gup_a, round 2
[    1.700000]     ok 1 holds
[    1.700000] ok 3 gup_a
rerun: end
"""


def faults(log: str) -> list[str]:
    """What is found in a log."""
    return rerun.faults(["gup_a"], ["always", "never"], log.splitlines())


def test_good_log_has_no_fault():
    assert faults(GOOD) == []
    assert faults(GOOD.replace("\n", "\r\n")) == []
    assert faults(GOOD.replace("[    1.700000]     ok 1 holds",
                               "[    1.700000]     ok 1 holds # SKIP needs "
                               "transparent_hugepage=always")) == []


@pytest.mark.parametrize("old, new, fault", [
    ("[    1.700000]     ok 1", "[    1.700000]     not ok 1",
     "gup_a.holds failed in round 2"),
    ("[    1.600000]     ok 1 holds", "[    1.600000]     ok 1 holds # SKIP needs "
     "transparent_hugepage=always", "gup_a.holds was skipped in round 1: needs "
     "transparent_hugepage=always"),
    ("rerun: gup_a, round 1", "/sys/kernel/debug/kunit: No such file or directory\n"
     "rerun: gup_a, round 1", "init: /sys/kernel/debug/kunit: No such file or directory"),
    ("[    1.700000] ok 3 gup_a\n", "", "gup_a did not end in round 2"),
    (GOOD[GOOD.index("rerun: gup_a, round 2"):], "", "gup_a did not run in round 2"),
])
def test_each_fault_is_found(old, new, fault):
    assert old in GOOD
    assert faults(GOOD.replace(old, new)) == [fault]


def test_base_whose_kunit_cannot_run_a_suite_again(project, refused):
    path = project.root / "config/rerun.toml"
    path.write_text((SCRIPTS.parent / "config/rerun.toml").read_text())
    assert "base 6.1: KUnit has no file \"run\" in debugfs; take one of 7.2" in refused(
        2, "rerun", "--base", "6.1")
    path.write_text(path.read_text().replace("since 6.12", "from 6.12"))
    assert "rerun: 'from 6.12' is no base" in refused(2, "rerun", "--base", "7.2")


@pytest.mark.parametrize("base", ["6.12", "7.3", "9.9"])
def test_rerun_and_all_cells_serve_a_base_that_is_added(base):
    layout = Layout(SCRIPTS.parent)
    assert config.is_among(base, config.rerun(layout).bases)
    assert config.rerun_fragments(layout, base)[-1].name == "rerun.config"
    if base != "6.12":
        assert all(arch.serves(base) for arch in config.arches(layout).values())
