"""Archives that are broken or unsafe, and what is extracted of the others."""

import hashlib
import tarfile
import zipfile
from types import SimpleNamespace

import pytest
from packed import pack

from bgbias.datasets import archives

BOTH = pytest.mark.parametrize("name", ["a.zip", "a.tgz"])


@BOTH
def test_only_what_is_wanted_is_extracted_and_can_be_removed_again(tmp_path, name):
    members = [("./top/1.jpg", b"one"), ("top/notes.txt", b"two"), ("top/sub/2.jpg", b"three"), ("top/.jpg", b"4")]
    packed = pack(tmp_path / name, members)
    assert archives.extract(packed, tmp_path / "out", r"top/(.*[^/.]\.jpg)") == 2
    assert (tmp_path / "out/1.jpg").read_bytes() == b"one" and (tmp_path / "out/sub/2.jpg").read_bytes() == b"three"
    found = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(found) == 2 and all(path.stat().st_mode & 0o7200 == 0o200 for path in found)


@BOTH
@pytest.mark.parametrize("path", ["../x", "a/../../x", "/tmp/x", "..\\x", "\\x", "C:\\x"])
def test_an_archive_with_a_path_outside_of_it_is_refused_before_anything_is_written(tmp_path, name, path):
    packed = pack(tmp_path / "in" / name, [("1.jpg", b"one"), (path, b"evil")])
    with pytest.raises(ValueError, match="a path outside of it; nothing was extracted: get the original"):
        archives.extract(packed, tmp_path / "in/out", "(.*jpg)")
    assert [file.name for file in tmp_path.rglob("*")] == ["in", name]


@pytest.mark.parametrize(
    ("name", "kind"),
    [(n, k) for n in ("a.zip", "a.tgz") for k in (tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE)]
    + [("a.tgz", tarfile.LNKTYPE)],
)
def test_an_archive_with_a_link_or_a_device_is_refused_before_anything_is_written(tmp_path, name, kind):
    packed = pack(tmp_path / name, [("1.jpg", b"one"), ("2", kind)])
    with pytest.raises(ValueError, match=f"{name}: holds '2', a link or a device; nothing was extracted"):
        archives.extract(packed, tmp_path / "out", "(.*jpg)")
    assert not (tmp_path / "out").exists()


@BOTH
@pytest.mark.parametrize("keep", [0, 50, 3000])
def test_a_truncated_archive_is_refused(tmp_path, name, keep):
    noise = hashlib.shake_128(b"").digest(5000)  # does not shrink
    packed = pack(tmp_path / name, [("1.jpg", noise), ("2.jpg", noise)])
    packed.write_bytes(packed.read_bytes()[:keep])
    with pytest.raises(
        ValueError, match=rf"{name}: truncated or no archive \(.*\): remove it and run it again"
    ) as error:
        archives.extract(packed, tmp_path / "out", "(.*jpg)")
    assert "\n" not in str(error.value)


def test_a_zip_whose_bytes_have_changed_is_refused(tmp_path):
    packed = pack(tmp_path / "a.zip", [("1.jpg", b"some bytes")])
    packed.write_bytes(packed.read_bytes().replace(b"some bytes", b"same bytes"))
    with pytest.raises(ValueError, match="Bad CRC-32"):
        archives.extract(packed, tmp_path / "out", "(.*jpg)")


@BOTH
def test_two_files_for_one_place_are_refused(tmp_path, name):
    packed = pack(tmp_path / name, [("a/1.jpg", b"one"), ("b/1.jpg", b"two")])
    with pytest.raises(ValueError, match=f"{name}: holds 1.jpg twice: remove the wrong one"):
        archives.extract(packed, tmp_path / "out", "[ab]/(.*jpg)")


@BOTH
def test_a_bomb_is_refused_before_anything_is_written(tmp_path, name, monkeypatch):
    monkeypatch.setattr(archives, "SMALL_BYTES", 1000)
    packed = pack(tmp_path / name, [("1.jpg", bytes(1 << 20))], zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match=f"{name}: unpacks to 1,048,576 bytes, [0-9]+ times its size, as no photos do"):
        archives.extract(packed, tmp_path / "out", "(.*jpg)")
    assert not (tmp_path / "out").exists()


@BOTH
def test_more_than_the_disk_has_free_is_refused(tmp_path, name, monkeypatch):
    packed = pack(tmp_path / name, [("1.jpg", b"some bytes")])
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda folder: SimpleNamespace(free=9))
    with pytest.raises(ValueError, match=f"{name}: unpacks to 10 bytes, and the disk of .*out has 9 free: make room"):
        archives.extract(packed, tmp_path / "out", "(.*jpg)")
