# SPDX-License-Identifier: GPL-2.0-only
"""What the machine's own apt makes of the words that it is called with."""

import os
import re
import shutil

import pytest

from guplib import config
from guplib.kernel import fetch, mirror as mirrors
from guplib.kernel.mirror import Mirror
from guplib.setup.packages import SIGNED_ALONE
from guplib.system import process

# Settings of a machine that takes whatever it gets.
CARELESS = """\
Acquire::AllowInsecureRepositories "true";
Acquire::AllowWeakRepositories "true";
Acquire::AllowDowngradeToInsecureRepositories "true";
APT::Get::AllowUnauthenticated "true";
APT::Update::Error-Mode "persistent-failure";
Acquire::Languages { "de"; };
APT::Get::List-Cleanup "1";
"""
needs_apt = pytest.mark.skipif(not all(map(shutil.which, ("apt-get", "apt-config"))),
                               reason="this machine has no apt")


@pytest.fixture
def careless(tmp_path, monkeypatch):
    """A machine whose apt takes what nobody has signed, from two Debian mirrors."""
    (tmp_path / "sources.list").write_text("".join(
        f"deb [trusted=yes] {address} {suite} main\n" for address, suite in (
            ("http://other.example/ubuntu/", "noble"),
            ("http://mirror.example/debian/", "bookworm"),
            ("http://later.example/debian/", "sid"),
            ("http://mirror.example/debian-security/", "bookworm-security"))))
    (tmp_path / "apt.conf").write_text(
        CARELESS + f'Dir::Etc::sourcelist "{tmp_path}/sources.list";\n'
        f'Dir::Etc::sourceparts "/dev/null";\nDir::State::lists "{tmp_path}/lists";\n')
    (tmp_path / "lists/partial").mkdir(parents=True)
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))


def settings(words):
    """What apt goes by when it is called with some options."""
    dump = process.run(["apt-config", *words, "dump"]).output
    return dict(re.findall(r'^(\S+) "(.*)";$', dump, re.MULTILINE))


@needs_apt
@pytest.mark.parametrize("kind", ["deb", "deb-src"])
def test_apt_goes_by_what_gup_says_and_not_by_the_machine(project, careless, kind):
    place = project.layout.lists(kind)
    found = settings(Mirror(project.layout, kind).options)
    assert {name: found[name] for name in (
        "Dir::Etc::sourcelist", "Dir::Etc::sourceparts", "Dir::State::lists", "Dir::Cache",
        "Dir::Cache::pkgcache", "APT::Get::List-Cleanup", "APT::Update::Error-Mode")} == {
        "Dir::Etc::sourcelist": f"{place}/sources.list", "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": f"{place}/lists", "Dir::Cache": f"{place}/cache",
        "Dir::Cache::pkgcache": "pkgcache.bin", "APT::Get::List-Cleanup": "0",
        "APT::Update::Error-Mode": "any"}
    assert found["Acquire::Languages::"] == "none"


@needs_apt
def test_apt_takes_nothing_that_is_not_signed(project, careless):
    found = settings(Mirror(project.layout).options)
    for line in CARELESS.splitlines()[:4]:
        name = line.partition(" ")[0]
        assert found[name] in ("0", "false"), name
    assert {*SIGNED_ALONE} >= {line.partition(" ")[0] for line in CARELESS.splitlines()[:4]}


@needs_apt
def test_mirrors_are_those_that_the_machine_fetches_from(careless):
    assert mirrors.mirrors() == {"": "http://mirror.example/debian/",
                                 "-security": "http://mirror.example/debian-security/"}


@pytest.mark.parametrize("user, said", [(0, True), (1000, False)])
def test_sandbox_is_left_to_apt_unless_root_calls(project, monkeypatch, user, said):
    monkeypatch.setattr(mirrors.os, "geteuid", lambda: user)
    words = Mirror(project.layout).options
    assert ("APT::Sandbox::User=root" in words) == said
    assert words[0::2] == ["-o"] * (len(words) // 2)


def test_every_call_of_apt_has_the_options(project, mirror, monkeypatch):
    mirror.offer("linux", "6.1.4-1")
    shutil.rmtree(project.layout.build)
    calls = []
    real = process.run

    def run(argv, **more):
        calls.append([str(word) for word in argv])
        return real(argv, **more)
    monkeypatch.setattr(process, "run", run)
    base = config.base(project.layout, "6.1")
    fetch.exactly(project.layout, base, "6.1.9-1")
    fetch.exactly(project.layout, base, "6.1.4-1")
    Mirror(project.layout).packages("linux-source-")
    for kind, verbs in (("deb", {"update", "madison", "download", "pkgnames"}),
                        ("deb-src", {"update", "madison", "source"})):
        options = Mirror(project.layout, kind).options
        ours = [call for call in calls if call[1:len(options) + 1] == options]
        assert {call[len(options) + 1] for call in ours} == verbs, kind
    apt = [call for call in calls if call[0].startswith("apt-")]
    assert len([call for call in apt if call[1] != "-o"]) == len(
        [call for call in apt if call[1] == "indextargets"])


def test_lists_are_where_apt_wants_to_write(project, mirror):
    place = project.layout.lists("deb")
    Mirror(project.layout).update()
    assert (place / "lists/partial").is_dir() and (place / "cache/partial").is_dir()
    assert os.listdir(place / "cache") == ["partial"]


def test_source_package_is_downloaded_and_not_unpacked(project, mirror):
    mirror.offer("linux", "6.1.4-1")
    fetch.exactly(project.layout, config.base(project.layout, "6.1"), "6.1.4-1")
    assert mirror.calls("source") == [
        "source --download-only --tar-only --only-source linux=6.1.4-1"]
