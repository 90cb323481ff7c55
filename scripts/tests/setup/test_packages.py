# SPDX-License-Identifier: GPL-2.0-only
"""What the machine may lack: programs, packages, a mirror."""

import pytest

from guplib import config
from guplib.setup import packages
from guplib.system import process
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
    assert log.read_text().splitlines() == [
        "update", "install -y --no-install-recommends qemu-system-far"]


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


def test_what_a_shell_exports_for_another_kernel_is_left_out(gup, monkeypatch, tmp_path):
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "KBUILD_OUTPUT"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    monkeypatch.setenv("ARCH", "arm64")
    monkeypatch.setenv("CROSS_COMPILE", "aarch64-linux-gnu-")
    monkeypatch.setenv("MAKEFLAGS", "n")
    assert gup("kunit").code == 0
    passed_on = process.run(["env"], env={"GIT_INDEX_FILE": "ours"}).output.splitlines()
    assert "GIT_INDEX_FILE=ours" in passed_on
    assert not [line for line in passed_on if line.startswith(
        ("GIT_DIR=", "KBUILD_OUTPUT=", "ARCH=", "CROSS_COMPILE=", "MAKEFLAGS="))]
