# SPDX-License-Identifier: GPL-2.0-only
"""What the person's and the machine's settings may do to gup's work: nothing."""

import os
from pathlib import Path

import pytest

from conftest import write_folder
from guplib.system import process
from guplib.system.git import Git

pytestmark = pytest.mark.usefixtures("with_trees")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A person's home folder, with a place for git's files."""
    folder = tmp_path / "home"
    (folder / ".config/git").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.mark.parametrize("where", [".config/git", "xdg/git"])
@pytest.mark.parametrize("attributes", ["*.c -diff\n", "*.c text eol=crlf\n"])
def test_attributes_of_the_person_change_no_patch(project, gup, home, monkeypatch, tmp_path,
                                                  where, attributes):
    if where.startswith("xdg"):
        monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "xdg"))
        (home / where).mkdir(parents=True)
    (home / where / "attributes").write_text(attributes)
    out = tmp_path / "out"
    said = gup("export", "--base", "6.1", "--format", "quilt", "--out", out)
    assert said.code == 0, said
    text = (out / "patches/mm-gup-change-a-line.patch").read_text()
    assert "Binary files" not in text and "+int changed;\n" in text
    gup("tree")
    assert b"\r" not in (project.tree / "mm/gup.c").read_bytes()


def test_ignored_names_of_the_person_hide_no_work(project, gup, home):
    gup("tree")
    (home / ".config/git/ignore").write_text("*.new\n")
    (project.tree / "mm/mine.new").write_text("work\n")
    assert "your work" in gup("status").out


@pytest.mark.parametrize("name, value", [
    ("GIT_DEFAULT_HASH", "sha256"), ("GIT_TRACE", "1"), ("GIT_DIFF_OPTS", "-U0"),
    ("GIT_EXTERNAL_DIFF", "false"), ("GIT_CONFIG_PARAMETERS", "'core.eol'='crlf'"),
    ("GIT_INDEX_VERSION", "99"), ("GIT_LITERAL_PATHSPECS", "1")])
def test_what_a_shell_exports_for_git_has_no_say(project, gup, monkeypatch, tmp_path,
                                                 name, value):
    gup("tree")
    gup("refresh", "--base", "6.1")
    monkeypatch.setenv(name, value)
    assert gup("tree", "--ksrc", write_folder(tmp_path / "linux-6.1.9", "6.1.9")).code == 0
    assert gup("refresh", "--base", "6.1", "--check").out.endswith("nothing changed\n")
    assert len(Git(project.tree).resolve("HEAD")) == 40


def hook(folder: Path, name: str, mark: Path) -> Path:
    """A git hook that leaves a mark when it runs."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\ntouch {mark}\n")
    (folder / name).chmod(0o755)
    return folder


def test_no_hook_runs(project, gup, monkeypatch, tmp_path):
    mark = tmp_path / "ran"
    template = hook(tmp_path / "template/hooks", "post-checkout", mark).parent
    monkeypatch.setenv("GIT_TEMPLATE_DIR", str(template))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.hooksPath")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(template / "hooks"))
    assert gup("tree").code == 0
    hook(project.tree / ".git/hooks", "post-checkout", mark)
    project.git("commit", "-q", "--allow-empty", "-m", "x")
    gup("tree", "--set-aside")
    assert not mark.exists()


def test_a_program_gets_what_the_list_has_and_nothing_else(monkeypatch):
    for name in ("GIT_DIR", "QUILT_PATCH_OPTS", "QUILT_PC", "MAKEFLAGS", "KBUILD_OUTPUT",
                 "DEB_BUILD_OPTIONS", "LANG", "SOMETHING_NEW"):
        monkeypatch.setenv(name, "x")
    got = {line.partition("=")[0] for line in
           process.run(["env"], env={"OURS": "1"}).output.splitlines()}
    assert got - process.PASSED_ON == {"OURS"} and {"PATH", "HOME"} <= got


def test_what_a_program_says_beside_its_output_is_not_in_it(tmp_path):
    both = ["sh", "-c", "echo out; echo err >&2; exit $0"]
    assert process.run([*both, "0"], stderr_apart=True).output == "out\n"
    assert process.run([*both, "1"], stderr_apart=True, check=False).output == "out\nerr\n"


def test_git_never_mixes_its_two_outputs(stub, tmp_path):
    real = process.run(["sh", "-c", "command -v git"]).output.strip()
    stub("git", f'echo "warning: noise" >&2\nexec {real} "$@"')
    Git(tmp_path).run("init", "-q")
    assert Git(tmp_path).run("rev-parse", "--is-bare-repository", check=False
                             ).output == "false\n"


def test_b4_hears_no_setting_of_the_person(home, tmp_path, stub):
    from guplib.delivery.b4 import B4
    from guplib.delivery.identity import NOBODY
    stub("b4", "env")
    said = B4(tmp_path / "b4", NOBODY).run(tmp_path, "am")
    assert "GIT_CONFIG_GLOBAL=/dev/null" in said and "GIT_ATTR_NOSYSTEM=1" in said
    assert "=/bin/false" in said and str(home) not in said.replace(
        os.environ["PATH"], "")


def test_what_a_shell_exports_for_another_kernel_is_left_out(gup, monkeypatch, tmp_path):
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "KBUILD_OUTPUT"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    monkeypatch.setenv("ARCH", "arm64")
    monkeypatch.setenv("CROSS_COMPILE", "aarch64-linux-gnu-")
    monkeypatch.setenv("MAKEFLAGS", "n")
    assert gup("kunit").code == 0


@pytest.mark.parametrize("where, name", [
    (".gitconfig", "GIT_CONFIG_GLOBAL"), (".config/git/config", "GIT_CONFIG_GLOBAL"),
    ("system", "GIT_CONFIG_SYSTEM")])
def test_no_setting_of_the_person_or_the_machine_is_read(home, monkeypatch, tmp_path, where,
                                                         name):
    (home / where).write_text("[test]\n\tread = yes\n")
    monkeypatch.setenv(name, str(home / where))
    monkeypatch.delenv("GIT_CONFIG_NOSYSTEM")
    git = Git(tmp_path)
    git.run("init", "-q")
    assert git.run("config", "--get", "test.read", check=False).returncode == 1
    assert git.env["GIT_CONFIG_NOSYSTEM"] == "1"    # the file of the machine is not ours


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_clone_of_somebody_else_can_be_read(tmp_path):
    git = Git(tmp_path / "clone")
    git.tree.mkdir()
    git.run("init", "-q")
    commit = git.commit(git.out("write-tree"), [], "x\n", 0)
    for path in (git.tree, *git.tree.rglob("*")):
        os.chown(path, 1234, 1234)
    assert git.resolve(commit) == commit
