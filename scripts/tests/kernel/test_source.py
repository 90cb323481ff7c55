# SPDX-License-Identifier: GPL-2.0-only
"""Sources that are no kernel, the wrong one, or broken."""

from conftest import write_folder, write_tarball


def test_missing_ksrc(refused, tmp_path):
    assert "no such file" in refused(2, "tree", "--ksrc", tmp_path / "none")


def test_folder_that_is_no_kernel(refused, tmp_path):
    (tmp_path / "Makefile").write_text("all:\n")
    assert "no Linux source tree (mm/gup.c is missing)" in refused(
        2, "tree", "--ksrc", tmp_path)


def test_makefile_without_a_version(refused, tmp_path):
    folder = write_folder(tmp_path / "linux", "6.1.9")
    (folder / "Makefile").write_text("all:\n")
    assert "Makefile has no VERSION" in refused(2, "tree", "--ksrc", folder)


def test_kernel_of_another_version(project, refused, tmp_path):
    tarball = write_tarball(tmp_path / "linux.tar", "6.5.1")
    assert "is Linux 6.5.1, not 6.1" in refused(2, "tree", "--ksrc", tarball)
    assert not project.tree.exists()


def test_version_is_compared_by_its_numbers(refused, tmp_path):
    tarball = write_tarball(tmp_path / "linux.tar", "6.12.1")
    assert "is Linux 6.12.1, not 6.1" in refused(2, "tree", "--ksrc", tarball)


def test_folder_built_in_place(refused, tmp_path):
    folder = write_folder(tmp_path / "linux", "6.1.9")
    (folder / ".config").write_text("CONFIG_X=y\n")
    assert "make mrproper" in refused(2, "tree", "--ksrc", folder)


def test_damaged_tarball_leaves_nothing_behind(project, gup, refused, tmp_path):
    tarball = write_tarball(tmp_path / "linux.tar.xz", "6.1.9")
    tarball.write_bytes(tarball.read_bytes()[:-60])
    assert "damaged or no tarball" in refused(3, "tree", "--ksrc", tarball)
    assert not project.tree.exists()
    assert gup("tree").code == 0


def test_file_that_is_no_tarball(refused, tmp_path):
    path = tmp_path / "linux.tar"
    path.write_text("not a tarball\n")
    assert "damaged or no tarball" in refused(3, "tree", "--ksrc", path)


def test_clone_without_the_ref(project, refused, tmp_path):
    folder = write_folder(tmp_path / "clone", "6.1.9")
    project.git("init", "-q", tree=folder)
    assert "has no commit 'v6.1'" in refused(2, "tree", "--ksrc", folder, "--ref", "v6.1")


def test_clone_of_something_else(project, refused, tmp_path):
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "README").write_text("hello\n")
    project.git("init", "-q", tree=folder)
    project.git("add", "-A", tree=folder)
    project.git("commit", "-q", "-m", "first", tree=folder)
    assert "no Linux source tree" in refused(2, "tree", "--ksrc", folder)


def test_ref_without_a_clone(refused, tmp_path):
    folder = write_folder(tmp_path / "linux", "6.1.9")
    assert "--ref is for a git clone" in refused(
        2, "tree", "--ksrc", folder, "--ref", "v6.1")
    assert "--ref goes with --ksrc" in refused(2, "tree", "--ref", "v6.1")
