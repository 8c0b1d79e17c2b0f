"""Public data: from data/sources, or from a Git repository at a pinned revision; verified either way."""

import subprocess
from pathlib import Path

import pytest

from bgbias import files
from bgbias.backgrounds import UNSPLASH
from bgbias.datasets import sources
from bgbias.datasets.sources import Public


@pytest.fixture
def public(tmp_path, monkeypatch):
    """A Git repository with a dataset, and the facts about it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    repository = tmp_path / "repository"
    write_dataset(repository / "dataset")
    (repository / "dataset/iconic.txt").write_text("not wanted")

    def git(*command):
        done = subprocess.run(["git", "-C", repository, *command], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "-q")
    git("add", ".")
    git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "data")
    write_dataset(tmp_path / "expected")
    return Public(
        "drawn",
        str(repository),
        "dataset",
        git("rev-parse", "HEAD"),
        ("list.txt", "photos"),
        3,
        files.checksum(Path("expected")),
    )


def write_dataset(folder: Path) -> None:
    (folder / "photos/sub").mkdir(parents=True)
    (folder / "photos/a.jpg").write_text("a")
    (folder / "photos/sub/b.jpg").write_text("b")
    (folder / "list.txt").write_text("a b")


def test_the_repository_is_read_at_its_revision(public):
    sources.fetch(public, Path("out"))
    assert files.checksum(Path("out")) == public.checksum


def test_what_the_user_has_put_under_sources_comes_first_also_as_a_link(public):
    write_dataset(Path("elsewhere"))
    Path("data/sources").mkdir(parents=True)
    Path("data/sources/drawn").symlink_to(Path("elsewhere").absolute())
    sources.fetch(public._replace(url="nowhere"), Path("out"))
    assert files.checksum(Path("out")) == public.checksum and not Path("out/photos").is_symlink()


def test_the_user_s_folder_is_found_from_a_temporary_copy_too(public, monkeypatch, tmp_path):
    write_dataset(Path("data/sources/drawn"))
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    (tmp_path / "copy").mkdir()
    monkeypatch.chdir(tmp_path / "copy")
    sources.fetch(public._replace(url="nowhere"), Path("out"))
    assert (tmp_path / "copy/out/list.txt").is_file()


def test_a_read_only_source_gives_files_that_can_be_removed(public):
    write_dataset(Path("data/sources/drawn"))
    Path("data/sources/drawn/photos/a.jpg").chmod(0o444)
    sources.fetch(public, Path("out"))
    assert Path("out/photos/a.jpg").stat().st_mode & 0o200


def test_missing_data_without_a_network_names_both_mends(public):
    with pytest.raises(
        FileNotFoundError, match="connect to the network, or put its folder dataset at .* under data/sources/drawn"
    ):
        sources.fetch(public._replace(url="/no/such/repository"), Path("out"))
    assert not Path("out").exists()


def test_backgrounds_without_a_network_may_be_rendered(public, capfd):
    unreachable = UNSPLASH._replace(url="/no/such/" + "long/" * 60)
    with pytest.raises(FileNotFoundError) as refused:
        sources.fetch(unreachable, Path("out"))
    message = str(refused.value)
    assert "connect to the network, set backgrounds.<dataset>.source to rendered, which needs none, or put" in message
    assert len(message) < len(unreachable.url) + 500


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda folder: (folder / "photos/a.jpg").unlink(), "data/sources/drawn: 2 files, expected 3: replace"),
        (lambda folder: (folder / "list.txt").unlink(), "data/sources/drawn: 2 files, expected 3: replace"),
        (lambda folder: (folder / "photos/a.jpg").write_text("c"), "the checksum is not the published one: replace"),
    ],
)
def test_incomplete_or_changed_data_is_refused_and_leaves_nothing(public, break_it, message):
    write_dataset(Path("data/sources/drawn"))
    break_it(Path("data/sources/drawn"))
    with pytest.raises(ValueError, match=message):
        sources.fetch(public, Path("out"))
    assert not Path("out").exists() and not list(Path().glob(".out*"))
