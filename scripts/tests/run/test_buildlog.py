# SPDX-License-Identifier: GPL-2.0-only
"""What is read out of a build's output."""

from pathlib import Path

import pytest

from guplib.run import buildlog

TREE = Path("/t/linux")
MATTER = {"mm/gup.c", "include/linux/mm.h"}


@pytest.mark.parametrize("prefix", ["", "./", "../", "../../", "/t/linux/", "../../linux/",
                                    "../../../t/linux/", "./../../t/linux/"])
def test_warning_in_a_touched_file_is_found_however_it_is_spelt(prefix):
    log = buildlog.read(f"{prefix}mm/gup.c:4:7: warning: unused variable\n", TREE, MATTER)
    assert log.warnings == ("mm/gup.c:4:7: warning: unused variable",)
    assert log.units == {"mm/gup.c"}


def test_folder_of_the_kernel_that_is_called_like_the_tree_is_one_of_its_own():
    text = "linux/mm.h:4:7: warning: x\nlinux/mm/gup.c:4:7: warning: x\n"
    assert not buildlog.read(text, TREE, {*MATTER, "mm.h"}).warnings


def test_warning_elsewhere_is_not_ours():
    assert not buildlog.read("mm/slab.c:4:7: warning: x\n", TREE, MATTER).warnings


def test_warning_in_a_header_names_the_unit_it_came_by():
    log = buildlog.read("In file included from ../include/linux/fs.h:3,\n"
                        "                 from ../fs/open.c:9:\n"
                        "../include/linux/mm.h:8:1: warning: odd\n", TREE, MATTER)
    assert log.warnings == ("include/linux/mm.h:8:1: warning: odd",)
    assert log.units == {"fs/open.c"}


def test_errors_are_found():
    log = buildlog.read("mm/gup.c:4:7: error: no\nld: undefined reference to x\n"
                        "make[2]: *** [mm/gup.o] Error 1\n", TREE, MATTER)
    assert len(log.errors) == 3


def test_warning_printed_twice_is_one():
    text = "mm/gup.c:4:7: warning: x\n" * 2
    assert len(buildlog.read(text, TREE, MATTER).warnings) == 1
