# SPDX-License-Identifier: GPL-2.0-only
"""gup selftest: what it makes of a log, and of a tree that does not build."""

import pytest

from guplib.run import selftest
from guplib.config import Selftest

pytestmark = pytest.mark.usefixtures("with_trees")

PLAN = Selftest("bzImage", ("qemu",), "", (), ("/written/t -a",), ("/unwritten/t -a",))
GOOD = """\
[    0.500000] Run /init as init process
ok 1 ioctl status 0
selftest: '/written/t -a' ended with 0
selftest: the zero page was 256 of 256 pages
ok 1 ioctl status 0
selftest: '/unwritten/t -a' ended with 0
selftest: end
"""


def faults(log: str) -> list[str]:
    """What is found in a log."""
    return selftest.faults(PLAN, log.splitlines())


def test_good_log_has_no_fault():
    assert faults(GOOD) == []
    assert faults(GOOD.replace("\n", "\r\n")) == []


@pytest.mark.parametrize("old, new, fault", [
    ("'/written/t -a' ended with 0", "'/written/t -a' ended with 1",
     "/written/t -a: ended with 1"),
    ("selftest: '/written/t -a' ended with 0\n", "",
     "/written/t -a: did not run to its end"),
    ("ok 1 ioctl status 0\nselftest: '/w", "not ok 1 ioctl status -1\nselftest: '/w",
     "not ok 1 ioctl status -1"),
    ("ok 1 ioctl status 0\nselftest: '/w", "ok 1 # SKIP run as root\nselftest: '/w",
     "ok 1 # SKIP run as root"),
    ("256 of 256", "255 of 256", "/unwritten/t -a: the zero page was 255 of 256 pages"),
    ("256 of 256", "0 of 0", "/unwritten/t -a: the zero page was 0 of 0 pages"),
    ("selftest: the zero page was 256 of 256 pages\n", "",
     "/unwritten/t -a: the zero page was 0 of 0 pages"),
])
def test_each_fault_is_found(old, new, fault):
    assert old in GOOD
    assert faults(GOOD.replace(old, new)) == [fault]


def test_zero_pages_of_one_run_do_not_count_for_the_next():
    zero = "selftest: the zero page was 256 of 256 pages\n"
    log = zero + GOOD.replace(zero, "")
    assert faults(log) == ["/unwritten/t -a: the zero page was 0 of 0 pages"]
