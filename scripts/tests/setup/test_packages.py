# SPDX-License-Identifier: GPL-2.0-only
"""What the machine may lack: programs, packages, a mirror."""

import shutil

import pytest

from conftest import edit
from guplib import config
from guplib.setup import packages
from guplib.system.errors import EnvironmentFault


def test_missing_qemu_without_root_gives_the_exact_command(refused, stub, monkeypatch):
    stub("apt-get", "exit 1")
    stub("sudo", "exit 1")
    monkeypatch.setattr(packages.os, "geteuid", lambda: 1000)
    said = refused(3, "kunit", "--arch", "far")
    assert "run: sudo apt-get install qemu-system-far" in said


def test_missing_package_is_installed_by_root(project, gup, stub, tmp_path, monkeypatch):
    log = tmp_path / "apt.log"
    stub("apt-get", f'echo "$@" >>{log}')
    monkeypatch.setattr(packages.os, "geteuid", lambda: 0)
    packages.ensure(project.layout, ["far", "kernel"])
    update, install = log.read_text().splitlines()
    assert update.endswith("=0 update") and install.endswith(
        "=0 install -y --no-install-recommends qemu-system-far")


@pytest.mark.skipif(not shutil.which("apt-config"), reason="apt is missing")
def test_machine_that_allows_unsigned_packages_does_not_have_gup_install_them(
        project, stub, tmp_path, monkeypatch):
    own = tmp_path / "apt.conf"
    own.write_text('APT::Get::AllowUnauthenticated "true";\n'
                   'Acquire::AllowInsecureRepositories "true";\n'
                   'Acquire::AllowWeakRepositories "true";\n'
                   'Acquire::AllowDowngradeToInsecureRepositories "true";\n')
    monkeypatch.setenv("APT_CONFIG", str(own))
    log = tmp_path / "log"
    stub("apt-get", 'while [ "$1" = -o ]; do set -- "$@" "$1" "$2"; shift 2; done; shift\n'
         'while [ "$1" != -o ]; do shift; done\n'
         f'apt-config "$@" dump | grep -i Allow.*true >>{log}; exit 0')
    monkeypatch.setattr(packages.os, "geteuid", lambda: 0)
    packages.ensure(project.layout, ["far"])
    allowed = log.read_text()
    assert "Unauthenticated" not in allowed and "Insecure" not in allowed \
        and "Weak" not in allowed


def test_what_is_installed_is_said_first_with_the_command(project, stub, capsys, monkeypatch):
    stub("apt-get", "exit 100")
    stub("sudo", "exit 0")
    monkeypatch.setattr(packages.os, "geteuid", lambda: 1000)
    packages.ensure(project.layout, ["far"])
    said = "".join(capsys.readouterr())
    assert "sudo -n apt-get install qemu-system-far" in said.partition("apt-get install …")[0]


def test_no_install_stops_there(refused, stub, tmp_path, monkeypatch):
    stub("apt-get", f"touch {tmp_path}/called")
    monkeypatch.setattr(packages.os, "geteuid", lambda: 0)
    said = refused(3, "kunit", "--arch", "far", "--no-install")
    assert "run: sudo apt-get install qemu-system-far" in said
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize("words", [
    ("tree",), ("refresh", "--base", "6.1", "--check"),
    ("export", "--base", "6.1", "--format", "quilt", "--out", "OUT")])
def test_compiler_is_asked_for_by_what_compiles_alone(project, gup, tmp_path, words):
    edit(project.root / "config/packages.toml", '[kernel]\n', '[kernel]\ngcc = "no-such-gcc"\n')
    words = [str(tmp_path / "out") if word == "OUT" else word for word in words]
    said = gup(*words, "--no-install")
    assert said.code in (0, 1) and "missing" not in said.err, said
    assert gup("kunit", "--no-install").code == 3


def test_package_that_apt_does_not_have(refused, stub, monkeypatch):
    stub("apt-get", "echo 'E: Unable to locate package'; exit 100")
    monkeypatch.setattr(packages.os, "geteuid", lambda: 0)
    assert "could not install qemu-system-far: E: Unable" in refused(
        3, "kunit", "--arch", "far")


def test_missing_compiler_is_named(project, refused, stub, monkeypatch):
    path = project.root / "config/packages.toml"
    path.write_text(path.read_text().replace('git = "git"', 'gcc = "no-such-gcc"'))
    stub("apt-get", "exit 1")
    stub("sudo", "exit 1")
    monkeypatch.setattr(packages.os, "geteuid", lambda: 1000)
    assert "apt-get install gcc" in refused(3, "kunit")


def test_package_is_known_by_its_file(project):
    assert packages.present(config.Need("x", "", "/usr/bin/env"))
    assert not packages.present(config.Need("x", "", "/usr/bin/no-such-file"))


def test_program_that_is_missing_is_one_line(project, refused, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git" in refused(3, "tree")


def test_not_a_debian_machine(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentFault, match="not a Debian machine.*: far"):
        packages.install(["far"], tmp_path / "log")
