# SPDX-License-Identifier: GPL-2.0-only
"""Kernels from the mirror: which suite, which version, and none that is stale."""

import dataclasses
import shutil

import pytest

from conftest import edit, tarball
from guplib import config
from guplib.kernel import fetch, mirror as mirrors
from guplib.kernel.mirror import Offer, by_version
from guplib.system.errors import EnvironmentFault


@pytest.fixture
def fresh(project, mirror):
    """A fresh clone."""
    shutil.rmtree(project.layout.build)
    return project


def suites(project, *names):
    """Let these be all the suites there are."""
    listed = ", ".join(f'"{name}"' for name in names)
    edit(project.layout.config / "bases.toml", '["stable", "sid"]', f"[{listed}]")


def sources(project):
    return (project.layout.lists("deb") / "sources.list").read_text()


def makefile(project):
    return (project.tree / "Makefile").read_text()


def test_verified_version_is_taken_from_whatever_suite(fresh, gup, mirror):
    mirror.offer("linux-source-6.1", "6.1.12-1", "sid")
    assert gup("tree").code == 0
    assert mirror.calls("download") == ["download linux-source-6.1=6.1.9-1"]
    assert tarball(fresh.root, "6.1", "6.1.9").exists()


def test_newest_is_taken_if_the_verified_one_is_gone(fresh, gup, mirror):
    mirror.withdraw("linux-source-6.1")
    for version, suite in (("6.1.12-1~bpo1", "stable"), ("6.1.12-1", "sid"),
                           ("6.1.12~rc3-1", "sid")):
        mirror.offer("linux-source-6.1", version, suite)
    said = gup("tree")
    assert said.code == 0, said
    assert "the mirror has linux-source-6.1 6.1.12-1, not the verified 6.1.9-1" in said.out
    assert "SUBLEVEL = 12" in makefile(fresh)
    assert "unpacking" not in gup("tree").out


def test_order_of_versions_is_that_of_dpkg():
    versions = ["7.3.4-1~bpo13+1", "7.3~rc7-1~exp1", "7.3.10-1", "7.3.4-1", "7.3-1~exp1"]
    assert sorted(versions, key=by_version) == [
        "7.3~rc7-1~exp1", "7.3-1~exp1", "7.3.4-1~bpo13+1", "7.3.4-1", "7.3.10-1"]


def test_a_version_is_told_with_all_its_suites():
    assert mirrors.told([Offer("p", "2-1", "sid"), Offer("p", "2-1", "trixie"),
                         Offer("p", "1-1", "stable")]) \
        == "2-1 in sid, trixie; 1-1 in stable"


def test_lists_that_have_the_version_are_not_fetched_again(fresh, gup, mirror):
    gup("tree")
    shutil.rmtree(fresh.tree)
    tarball(fresh.root, "6.1", "6.1.9").unlink()
    assert gup("tree").code == 0
    assert len(mirror.calls("update")) == 1


def test_tarball_of_another_version_is_not_taken(fresh, gup, mirror):
    mirror.offer("linux-source-6.1", "6.1.12-1")
    gup("tree")
    edit(fresh.layout.config / "bases.toml", "6.1.9-1", "6.1.12-1")
    assert gup("tree").code == 0
    assert "SUBLEVEL = 12" in makefile(fresh)
    assert not tarball(fresh.root, "6.1", "6.1.9").exists()


def test_unnamed_tarball_is_named_by_the_log(project, gup):
    named = tarball(project.root, "6.1", "6.1.9")
    named.rename(named.with_name("linux-source-6.1.tar.xz"))
    (named.parent / "download.log").write_text(
        "Get:1 http://mirror.example/debian stable/main amd64 linux-source-6.1 all 6.1.9-1 "
        "[153 MB]\nFetched 153 MB in 0s (398 MB/s)\n")
    assert gup("tree").code == 0
    assert named.exists()


def test_unnamed_tarball_of_which_nothing_is_known_is_fetched_again(project, gup, mirror):
    named = tarball(project.root, "6.1", "6.1.9")
    named.rename(named.with_name("linux-source-6.1.tar.xz"))
    said = gup("tree")
    assert said.code == 0 and "nothing says of what version it is" in said.out
    assert mirror.calls("download")
    assert [path.name for path in named.parent.glob("*.tar.xz")] == [named.name]


def test_half_a_download_never_counts(fresh, gup, refused, mirror, stub):
    stub("dpkg-deb", 'head -c 100 "$2"')
    refused(3, "tree")
    place = fresh.layout.downloads("6.1")
    assert not list(place.glob("*.tar.xz"))
    (place / "new/left_over.deb").write_text("")
    stub("dpkg-deb", 'cat "$2"')
    assert gup("tree").code == 0
    assert not (place / "new").exists()


def test_damaged_package(fresh, refused, stub):
    stub("dpkg-deb", "true")
    stub("tar", "true")
    assert "damaged package" in refused(3, "tree")


def test_package_that_no_suite_has(fresh, refused, mirror):
    mirror.withdraw("linux-source-6.1")
    said = refused(3, "tree")
    assert "linux-source-6.1 is in none of stable, sid" in said and "--ksrc" in said


def test_machine_without_a_debian_mirror(fresh, refused, stub):
    stub("apt-get", "true")
    assert "knows no Debian mirror" in refused(3, "tree")


def test_security_suite_without_a_mirror_for_it_is_left_out(fresh, gup, mirror, stub):
    suites(fresh, "stable", "stable-security")
    real = (mirror.root.parent / "stubs/apt-get").read_text()
    stub("apt-get", real.replace('echo "stable-security', ': "stable-security'))
    said = gup("tree")
    assert said.code == 0 and "no security mirror; stable-security is left out" in said.out
    assert sources(fresh).count("\n") == 1 and "/debian/ stable main" in sources(fresh)


def test_security_suite_is_on_its_own_mirror(fresh, gup):
    suites(fresh, "stable", "stable-security")
    assert gup("tree").code == 0
    assert "mirror.example/debian-security/ stable-security main" in sources(fresh)


def test_everything_is_to_be_signed(fresh, gup, mirror):
    assert gup("tree").code == 0
    assert sources(fresh).count(f"[signed-by={mirrors.KEYRING}]") == 2


def test_no_keyring(fresh, refused, monkeypatch, tmp_path):
    monkeypatch.setattr(mirrors, "KEYRING", tmp_path / "none")
    said = refused(3, "tree")
    assert "none is missing" in said and "install debian-archive-keyring" in said


@pytest.mark.parametrize("line, why", [
    ("Err:2 http://mirror.example/debian sid InRelease\n  The following signatures couldn't "
     "be verified because the public key is not available: NO_PUBKEY 1\n"
     "E: The repository 'http://mirror.example/debian sid InRelease' is not signed.",
     "no key of keyring has signed it, and nothing unsigned is taken (is not signed)"),
    ("Ign:1 http://mirror.example/debian sid InRelease\nErr:2 http://mirror.example/debian "
     "sid Release\n  404  Not Found [IP: 192.0.2.1 80]\nE: The repository "
     "'http://mirror.example/debian sid Release' does not have a Release file.",
     "the mirror does not have it")])
def test_suite_that_cannot_be_taken_is_left_out(fresh, gup, mirror, line, why):
    mirror.say(line, times=1)
    said = gup("tree")
    assert said.code == 0, said
    assert f"suite sid is left out: {why}\n" in said.out
    assert " sid " not in sources(fresh)


def test_no_suite_is_signed(fresh, refused, mirror):
    mirror.say("\n".join(f"E: The repository 'http://mirror.example/debian {suite} InRelease' "
                         "is not signed." for suite in ("stable", "sid")))
    mirror.withdraw("linux-source-6.1")
    assert "no suite is left to ask" in refused(3, "tree")


def test_mirror_that_cannot_be_reached(fresh, refused, mirror):
    mirror.say("Err:1 http://mirror.example/debian sid InRelease\n  Connection timed out")
    said = refused(3, "tree")
    assert "the mirror cannot be asked: sid: Connection timed out" in said


def test_exact_version_is_the_package_if_a_suite_has_it(fresh, mirror):
    mirror.offer("linux-source-6.1", "6.1.4-1", "sid")
    mirror.offer("linux", "6.1.4-1")
    found = fetch.exactly(fresh.layout, config.base(fresh.layout, "6.1"), "6.1.4-1")
    assert (found.package, found.path.name) == ("linux-source-6.1",
                                                "linux-source-6.1_6.1.4-1.tar.xz")


def test_exact_version_that_is_there_is_not_asked_for(project, mirror):
    found = fetch.exactly(project.layout, config.base(project.layout, "6.1"), "6.1.9-1")
    assert found == fetch.Tarball(tarball(project.root, "6.1", "6.1.9"), "linux-source-6.1",
                                  "6.1.9-1")
    assert mirror.calls("") == []


def test_exact_version_that_nobody_has_is_refused_with_those_that_are_there(fresh, mirror):
    base = config.base(fresh.layout, "6.1")
    mirror.offer("linux-source-6.1", "6.1.9-1", "sid")
    mirror.offer("linux", "6.1.4-1")
    with pytest.raises(EnvironmentFault, match="neither linux-source-6.1 nor the source "
                       "package linux is there in version 6.1.7-1; there are: "
                       "linux-source-6.1 6.1.9-1, linux 6.1.4-1$"):
        fetch.exactly(fresh.layout, base, "6.1.7-1")
    mirror.withdraw("linux-source-6.1")
    mirror.withdraw("linux")
    with pytest.raises(EnvironmentFault, match="there are: none$"):
        fetch.exactly(fresh.layout, base, "6.1.7-1")


def test_newest_version_is_told_with_the_others(fresh, mirror, capfd):
    mirror.offer("linux-source-6.1", "6.1.12-1", "sid")
    assert fetch.newest(fresh.layout, "6.1") == Offer("linux-source-6.1", "6.1.12-1", "sid")
    assert ("base 6.1: linux-source-6.1: 6.1.12-1 in sid; 6.1.9-1 in stable\n"
            in capfd.readouterr().out)


def test_version_that_is_there_is_not_downloaded_again(project, mirror):
    base, offer = config.base(project.layout, "6.1"), Offer("linux-source-6.1", "6.1.9-1", "x")
    there = tarball(project.root, "6.1", "6.1.9")
    before = there.stat().st_mtime_ns
    assert fetch.get(project.layout, base, offer).path == there
    assert there.stat().st_mtime_ns == before and mirror.calls("download") == []


@pytest.mark.parametrize("version, found", [
    ("6.1.4", "6.1.4-1"), ("6.1.0-rc4", "6.1~rc4-1~exp1"), ("6.1.5", None)])
def test_source_of_a_release_is_that_of_its_upstream_version(fresh, mirror, version, found):
    for offered in ("6.1.4-1", "6.1~rc4-1~exp1"):
        mirror.offer("linux", offered)
    base = dataclasses.replace(config.base(fresh.layout, "6.1"), version=version)
    tarball_of_it = fetch.of_release(fresh.layout, base)
    assert (tarball_of_it and tarball_of_it.version) == found


def test_verified_source_package_is_fetched_again(fresh, gup, mirror):
    mirror.offer("linux", "6.1.4-1")
    edit(fresh.layout.config / "bases.toml", 'package = "linux-source-6.1"\n'
         'package_version = "6.1.9-1"\nversion = "6.1.9"',
         'package = "linux"\npackage_version = "6.1.4-1"\nversion = "6.1.4"')
    assert gup("tree").code == 0
    assert "SUBLEVEL = 4" in makefile(fresh)
    assert "unpacking" not in gup("tree").out


def test_nothing_is_known_of_suites(fresh, refused):
    edit(fresh.layout.config / "bases.toml", 'suites = ["stable", "sid"]\n', "")
    assert "'suites' is missing" in refused(2, "tree")


def test_fault_names_the_suites(fresh, mirror):
    mirror.withdraw("linux-source-6.1")
    with pytest.raises(EnvironmentFault, match="none of stable, sid"):
        fetch.newest(fresh.layout, "6.1")
