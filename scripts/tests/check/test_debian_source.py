# SPDX-License-Identifier: GPL-2.0-only
"""The proof of the Debian form, on a made-up source package."""

import shutil

import pytest

from conftest import GUP_C, edit, kernel_files, with_line
from guplib import config
from guplib.kernel import fetch
from guplib.system.errors import EnvironmentFault

pytestmark = [pytest.mark.usefixtures("with_trees"),
              pytest.mark.skipif(not shutil.which("quilt"), reason="quilt is missing")]

MAKEFILE = """\
defconfig:
\tmkdir -p $(O)/mm
mm/gup.o:
\tgrep -q changed mm/gup.c && cp mm/gup.c $(O)/$@
.PHONY: mm/gup.o
"""
TEST_PATCHES = """\
#!/bin/sh -e
shift 2
dpkg-checkbuilddeps
for patch in "$@"; do
\techo "Applying patch debian/patches/test/$(basename "$patch")"
done
dpkg-buildpackage
"""


@pytest.fixture
def package(project, stub, tmp_path):
    """Debian's source package of 6.1; returns the folder that it unpacks to."""
    place = project.layout.downloads("6.1") / "debian"
    place.mkdir(parents=True)
    (place / "linux_6.1.8-1.dsc").write_text("")
    edit(project.root / "config/packages.toml", "[lint]", "[check]\n[debian]\n[lint]")
    source = tmp_path / "source"
    for name, text in {**kernel_files("6.1.8"), "Makefile": MAKEFILE,
                       "debian/bin/test-patches": TEST_PATCHES,
                       "debian/patches/series": ""}.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    (source / "debian/bin/test-patches").chmod(0o755)
    stub("dpkg-source", f'for place; do :; done; cp -a {source} "$place"')
    return source


def proof(gup):
    return gup("check", "--only", "debian", "--bases", "6.1")


def test_patches_go_behind_debians_own_and_compile(project, package, gup):
    said = proof(gup)
    assert said.code == 0 and said.out.endswith("3 passed, 0 failed\n"), said
    place = project.layout.check_log / "debian-6.1"
    assert "int changed;" in (place / "build/mm/gup.o").read_text()
    assert not (place / "patched").exists() and not (place / "tested").exists()


def test_patch_that_needs_fuzz_there_is_found(package, gup):
    (package / "mm/gup.c").write_text("\n".join(with_line(28, "int debians;", GUP_C)) + "\n")
    said = proof(gup)
    assert said.out.endswith("1 passed, 1 failed\n")
    assert "FAILED debian 6.1 linux_6.1.8-1 quilt push: " in said.out


def test_tree_that_does_not_compile_is_found(package, gup):
    edit(package / "Makefile", "grep -q changed", "false")
    said = proof(gup)
    assert "FAILED debian 6.1 linux_6.1.8-1 mm/gup.o: " in said.out
    assert said.out.endswith("2 passed, 1 failed\n")


@pytest.mark.parametrize("line", ["echo no jinja2; exit 1", "exit 77"])
def test_test_patches_that_ends_early_is_found(package, gup, line):
    edit(package / "debian/bin/test-patches", "shift 2\n", f"shift 2\n{line}\n")
    said = proof(gup)
    assert "FAILED debian 6.1 linux_6.1.8-1 test-patches: " in said.out
    assert "not as far as the build" in said.out


APT = ('case "$*" in indextargets*) echo "stable http://mirror.example/debian/";; '
       '*linux={version}) : >linux_{version}.dsc;; *" source "*) : >linux_half.tar; exit 100;; '
       'esac')


def base(project):
    return config.base(project.layout, "6.1")


def test_newest_source_package_that_the_mirror_really_has(project, stub):
    stub("apt-get", APT.format(version="6.1.12-1"))
    stub("apt-cache", "printf 'l | 6.1.4-1 | m\\nl | 6.1.12-1 | m\\nl | 6.1.100-2 | m\\n"
                      "l | 6.12.200-1 | m\\n'")
    found = fetch.debian_source(project.layout, base(project))
    assert found.name == "linux_6.1.12-1.dsc"
    assert not list(found.parent.glob("*half*"))
    stub("apt-get", "exit 1")
    assert fetch.debian_source(project.layout, base(project)) == found


def test_source_package_that_is_not_to_be_had_is_skipped(project, package, stub, gup):
    (project.layout.downloads("6.1") / "debian/linux_6.1.8-1.dsc").unlink()
    stub("apt-get", APT.format(version="none"))
    stub("apt-cache", "printf 'l | 6.1.12-1 | m\\n'")
    with pytest.raises(EnvironmentFault, match="no source package linux 6.1 to be had"):
        fetch.debian_source(project.layout, base(project))
    assert "skipped debian 6.1: base 6.1: no source package" in proof(gup).out
