# SPDX-License-Identifier: GPL-2.0-only
"""Cells that are run with an instrument."""

import pytest

INSTRUMENTS = """\
[instrument.count]
about = "a count of what is done"
options = ["CONFIG_COUNT=y", "CONFIG_DEBUG_VM=n"]
arguments = ["--count"]
arches = ["um"]
"""


@pytest.fixture
def counted(project):
    (project.layout.config / "instruments.toml").write_text(INSTRUMENTS)
    return project


def test_instrument_has_options_arguments_and_a_folder_of_its_own(counted, gup):
    said = gup("kunit", "--instrument", "count")
    assert said.code == 0 and "6.1/um count: passed" in said.out
    folder = counted.layout.cell("6.1", "um", instrument="count")
    lines = (folder / "out/.kunitconfig").read_text().splitlines()
    assert "CONFIG_COUNT=y" in lines and "CONFIG_DEBUG_VM=y" not in lines
    assert "--count" in counted.calls()[-1]
    assert not counted.layout.results("6.1", "um").exists()


def test_option_of_the_person_is_the_last_word(counted, gup):
    gup("kunit", "--instrument", "count", "--kconfig-add", "CONFIG_DEBUG_VM=y")
    folder = counted.layout.cell("6.1", "um", kconfig=["CONFIG_DEBUG_VM=y"],
                                 instrument="count")
    assert "CONFIG_DEBUG_VM=y" in (folder / "out/.kunitconfig").read_text().splitlines()


def test_instrument_of_another_architecture_is_refused(counted, refused):
    assert "count is no instrument for far; it is for um" in refused(
        2, "kunit", "--arch", "far", "--instrument", "count")


def test_unknown_instrument_is_refused(counted, refused):
    assert "count" in refused(2, "kunit", "--instrument", "x")
