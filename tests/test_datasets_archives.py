"""Downloads that break off, archives that are broken or unsafe, and where an archive is looked for."""

import hashlib
import io
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bgbias.datasets import archives, published

CONTENT = bytes(range(256)) * 40
MD5 = hashlib.md5(CONTENT).hexdigest()
SIZE = len(CONTENT)


class Host(BaseHTTPRequestHandler):
    """Serves CONTENT; `ranges`: from any byte on; `breaks`: after how many bytes each answer breaks off."""

    ranges, breaks, kind, asked = True, (), "application/octet-stream", ()

    def do_GET(self):
        wish = self.headers["Range"]
        type(self).asked = (*self.asked, wish)
        start = int(wish.removeprefix("bytes=").removesuffix("-")) if wish and self.ranges else 0
        if self.path != "/a.zip" or start >= SIZE:
            self.send_error(404 if self.path != "/a.zip" else 416)
            return
        self.send_response(206 if wish and self.ranges else 200)
        self.send_header("Content-Type", self.kind)
        self.send_header("Content-Length", str(SIZE - start))
        self.end_headers()
        number = len(self.asked) - 1
        self.wfile.write(CONTENT[start:][: self.breaks[number] if number < len(self.breaks) else None])

    def log_message(self, *_):
        pass


@pytest.fixture
def host(monkeypatch):
    """The class of a running server, to be configured; its address is `host.url`."""
    monkeypatch.setenv("no_proxy", "*")
    kind = type("Configured", (Host,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    kind.url = f"http://127.0.0.1:{server.server_port}/a.zip"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield kind
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def target(tmp_path):
    return tmp_path / "downloads/a.zip"


def partial(target: Path, content: bytes | None = None) -> Path:
    """The file that a broken download leaves."""
    path = target.with_name("a.zip.partial")
    if content is not None:
        path.parent.mkdir()
        path.write_bytes(content)
    return path


def test_a_download_is_verified_and_shows_its_progress(host, target, capsys):
    archives.download(host.url, target, MD5, SIZE)
    assert target.read_bytes() == CONTENT and not partial(target).exists()
    assert "downloading a.zip: 100%" in capsys.readouterr().err


def test_what_is_there_is_not_downloaded_again(host, target):
    archives.download(host.url, target, MD5)
    archives.download(host.url, target, MD5)
    assert len(host.asked) == 1


def test_a_download_that_breaks_off_goes_on_from_there(host, target):
    host.breaks = (1000, 501, 2001)
    archives.download(host.url, target, MD5, SIZE)
    assert target.read_bytes() == CONTENT
    # the last byte is asked for again, so that there is always something to send
    assert host.asked == (None, "bytes=999-", "bytes=1499-", "bytes=3499-")


def test_the_next_run_goes_on_from_what_is_kept(host, target):
    host.breaks = (1000, 1)
    with pytest.raises(ConnectionError, match=r"broke off before byte 10,240: connect .* again \(1,000 bytes are kept"):
        archives.download(host.url, target, MD5)
    assert partial(target).read_bytes() == CONTENT[:1000] and not target.exists()
    archives.download(host.url, target, MD5)
    assert target.read_bytes() == CONTENT and host.asked[-1] == "bytes=999-"


def test_a_run_that_was_stopped_before_the_checksum_asks_for_one_byte(host, target):
    partial(target, CONTENT)
    archives.download(host.url, target, MD5)
    assert target.read_bytes() == CONTENT and host.asked == (f"bytes={SIZE - 1}-",)


def test_a_server_without_range_starts_over(host, target):
    partial(target, b"x" * 5000)
    host.ranges = False
    archives.download(host.url, target, MD5)
    assert target.read_bytes() == CONTENT


def test_a_server_without_range_that_breaks_off_is_not_asked_for_ever(host, target):
    host.ranges, host.breaks = False, (100, 100, 100)
    with pytest.raises(ConnectionError, match="broke off"):
        archives.download(host.url, target, MD5)
    assert len(host.asked) == 2


def test_a_partial_file_longer_than_the_whole_is_dropped(host, target):
    partial(target, CONTENT + b"more")
    archives.download(host.url, target, MD5)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("md5", "size", "message"),
    [
        ("0" * 32, None, f"md5 {MD5}, expected 0{{32}}: not what was published at .*a.zip, and removed: run it again"),
        (MD5, SIZE + 1, "10,240 bytes, expected 10,241: not what was published"),
    ],
)
def test_a_download_of_a_wrong_size_or_checksum_is_removed(host, target, md5, size, message):
    with pytest.raises(ValueError, match=message):
        archives.download(host.url, target, md5, size)
    assert list(target.parent.iterdir()) == []


def test_a_web_page_does_not_replace_what_is_kept(host, target):
    partial(target, CONTENT[:10])
    host.ranges, host.kind = False, "text/html; charset=utf-8"
    with pytest.raises(ConnectionError, match=r"answers with a web page.*\(10 bytes are kept\)"):
        archives.download(host.url, target, MD5)
    assert partial(target).read_bytes() == CONTENT[:10]


def test_a_missing_file_or_server_is_one_clear_line(host, target):
    with pytest.raises(ConnectionError, match=r"/b: HTTP Error 404: Not Found: connect to the network and run it"):
        archives.download(host.url.replace("a.zip", "b"), target, MD5)
    with pytest.raises(ConnectionError, match="refused.*: connect to the network"):
        archives.download("http://127.0.0.1:1/a.zip", target, MD5)
    assert list(target.parent.iterdir()) == []


def pack(path: Path, members: list[tuple[str, object]]) -> Path:
    """Write a .zip or .tgz of names and contents; the content of anything but a file is its tar type."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as packed:
            for name, content in members:
                info = zipfile.ZipInfo(name)
                info.create_system = 3
                modes = {tarfile.SYMTYPE: 0o120777, tarfile.CHRTYPE: 0o020666, tarfile.FIFOTYPE: 0o010666}
                info.external_attr = modes.get(content, 0o100644) << 16
                packed.writestr(info, content)
        return path
    with tarfile.open(path, "w:gz") as packed:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if content in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
                info.type, info.linkname, content = content, "1.jpg", b""
            info.size, info.mode = len(content), 0o4444
            packed.addfile(info, io.BytesIO(content))
    return path


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
