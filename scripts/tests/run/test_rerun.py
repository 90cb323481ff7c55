# SPDX-License-Identifier: GPL-2.0-only
"""gup rerun: what it makes of a log."""

import pytest

from guplib.run import rerun

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
