"""Whole files and folders where outputs lie on another file system than the checkout."""

from errno import EXDEV
from pathlib import Path

import pytest

from bgbias import files
from bgbias.files import locks


@pytest.fixture
def another_disk(tmp_path, monkeypatch):
    """A folder as on another file system than the rest."""
    disk, rename = tmp_path / "disk", Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if Path(path).is_relative_to(disk) != Path(target).is_relative_to(disk):
            raise OSError(EXDEV, "Invalid cross-device link")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    return disk


def test_files_and_folders_are_whole_on_another_file_system_too(another_disk, tmp_path, checkout):
    files.write_text(another_disk / "out/a.txt", "a")
    for content in ("old", "new"):
        (tmp_path / "made").mkdir()
        (tmp_path / "made" / content).touch()
        files.move(tmp_path / "made", another_disk / "out/folder")
        assert not (tmp_path / "made").exists()
    assert sorted(path.name for path in another_disk.rglob("*")) == ["a.txt", "folder", "new", "out"]
    with pytest.raises(KeyError), locks.scratch(another_disk / "out/b") as folder:
        assert folder.parent == another_disk / "out" and folder.name.startswith(".partial-")
        raise KeyError
    assert not folder.exists() and not list((checkout / ".checkpoints").rglob("*"))


@pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")  # within DVC
def test_a_leftover_on_another_file_system_is_in_no_hash_of_dvc(another_disk, tmp_path):
    from dvc.repo import Repo

    files.write_text(another_disk / "out/a.txt", "a")
    repo = Repo.init(str(tmp_path), no_scm=True)
    (tmp_path / ".dvcignore").write_text(Path(".dvcignore").read_text())
    hashes = [repo.add(str(another_disk / "out"))[0].outs[0].hash_info.value]
    with locks.scratch(another_disk / "out/b") as folder:
        (folder / "half").touch()
        hashes.append(Repo(str(tmp_path)).add(str(another_disk / "out"))[0].outs[0].hash_info.value)
        assert folder.parent == another_disk / "out"
    assert hashes[0] == hashes[1]
