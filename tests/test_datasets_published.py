"""Where a published archive is looked for."""

import hashlib
from pathlib import Path

import pytest
from packed import pack

from bgbias.datasets import published


@pytest.fixture
def birds(tmp_path, monkeypatch):
    """An archive that can be downloaded, and the facts about it; the project's folder is the working one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    packed = pack(tmp_path / "host/birds.zip", [("birds/1.jpg", b"one"), ("readme", b"two")])
    md5 = hashlib.md5(packed.read_bytes()).hexdigest()
    return published.Archive(
        "birds.zip", packed.as_uri(), "https://birds.org", md5, packed.stat().st_size, r"(?:birds/)?(\d.jpg)"
    )


def written(folder: str = "out") -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()
    }


def test_an_archive_is_downloaded_where_nothing_is_given_and_stays_until_it_is_removed(birds):
    Path("data/sources/birds").mkdir(parents=True)
    Path("data/sources/birds/.keep").touch()
    where, mend = published.take("birds", birds, Path("out"))
    assert written() == {"1.jpg": b"one"} and where == ".checkpoints/downloads/birds.zip"
    assert mend == f"replace {where} by what https://birds.org offers, or remove it"
    published.take("birds", birds._replace(url="file:///nowhere"), Path("again"))  # needs no second download
    assert written("again") == written()


def test_downloads_are_kept_in_the_checkout_also_from_a_temporary_copy(birds, monkeypatch, tmp_path):
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "checkout"))
    published.take("birds", birds, Path("out"))
    assert published.downloaded(birds) == tmp_path / "checkout/.checkpoints/downloads/birds.zip"
    assert (
        published.downloaded(birds).is_file() and published.local("birds") == tmp_path / "checkout/data/sources/birds"
    )


@pytest.mark.parametrize("place", ["birds.zip", "birds/1.jpg", "1.jpg"])
def test_what_the_user_has_put_under_sources_comes_first_packed_or_extracted(birds, place):
    packed = Path("host/birds.zip").read_bytes()
    Path("data/sources/birds", place).parent.mkdir(parents=True)
    Path("data/sources/birds", place).write_bytes(packed if place == "birds.zip" else b"one")
    Path("data/sources/birds/notes.txt").touch()
    published.take("birds", birds._replace(url="file:///nowhere"), Path("out"))
    assert written() == {"1.jpg": b"one"} and not Path(".checkpoints").exists()


def test_a_linked_folder_of_read_only_files_gives_files_of_its_own(birds):
    Path("elsewhere").mkdir()
    Path("elsewhere/1.jpg").write_bytes(b"one")
    Path("elsewhere/1.jpg").chmod(0o444)
    Path("data/sources/birds").mkdir(parents=True)
    Path("data/sources/birds/birds").symlink_to(Path("elsewhere").absolute())
    published.take("birds", birds, Path("out"))
    assert written() == {"1.jpg": b"one"} and Path("out/1.jpg").stat().st_mode & 0o200
    assert not Path("out/1.jpg").is_symlink()


def test_a_given_archive_that_is_not_the_published_one_is_named_and_left_alone(birds):
    given = pack(Path("data/sources/birds/birds.zip"), [("birds/1.jpg", b"other")])
    found = hashlib.md5(given.read_bytes()).hexdigest()
    mend = "replace data/sources/birds/birds.zip by what https://birds.org offers, or remove it"
    with pytest.raises(ValueError, match=f"birds/birds.zip: md5 {found}, expected {birds.md5}: {mend}"):
        published.take("birds", birds._replace(size_bytes=None), Path("out"))
    with pytest.raises(ValueError, match=f"birds/birds.zip: .* bytes, expected .*: {mend}"):
        published.take("birds", birds, Path("out"))
    assert given.is_file() and not Path("out").exists()


def test_a_folder_without_any_wanted_file_is_refused_unless_it_belongs_to_something_else(birds):
    Path("data/sources/birds").mkdir(parents=True)
    Path("data/sources/birds/masks.tgz").touch()
    with pytest.raises(FileNotFoundError, match="sources/birds: holds none of the files of birds.zip: replace"):
        published.take("birds", birds, Path("out"))
    published.take("birds", birds, Path("out"), beside=r"masks\.tgz")
    assert written() == {"1.jpg": b"one"}


def test_a_failed_download_says_where_to_put_the_file(birds):
    mend = "or put what https://birds.org offers into data/sources/birds"
    with pytest.raises(ConnectionError, match=rf"^file:///nowhere: .*\(0 bytes are kept\), {mend}$"):
        published.take("birds", birds._replace(url="file:///nowhere"), Path("out"))
    with pytest.raises(ValueError, match=f"md5 .*, expected 0: .*removed: run it again, {mend}$"):
        published.take("birds", birds._replace(md5="0"), Path("out"))
    assert list(Path(".checkpoints/downloads").iterdir()) == []
