"""Downloads that break off, and servers that give something else."""

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bgbias.datasets import downloads

CONTENT = bytes(range(256)) * 40
MD5 = hashlib.md5(CONTENT).hexdigest()
SIZE = len(CONTENT)


class Host(BaseHTTPRequestHandler):
    """Serves CONTENT, `ranges`: from any byte on, after `wait_s`; `breaks`: after how many bytes an answer ends."""

    ranges, breaks, kind, asked, wait_s = True, (), "application/octet-stream", (), 0.0

    def do_GET(self):
        wish = self.headers["Range"]
        type(self).asked = (*self.asked, wish)
        time.sleep(self.wait_s)
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
    downloads.download(host.url, target, MD5, SIZE)
    assert target.read_bytes() == CONTENT and not partial(target).exists()
    assert "downloading a.zip: 100%" in capsys.readouterr().err


def test_what_is_there_is_not_downloaded_again(host, target):
    downloads.download(host.url, target, MD5)
    downloads.download(host.url, target, MD5)
    assert len(host.asked) == 1


def test_what_two_want_at_once_is_downloaded_once(host, target):
    host.wait_s = 0.5
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(downloads.download, [host.url] * 2, [target] * 2, [MD5] * 2))
    assert len(host.asked) == 1 and target.read_bytes() == CONTENT


def test_a_download_that_breaks_off_goes_on_from_there(host, target):
    host.breaks = (1000, 501, 2001)
    downloads.download(host.url, target, MD5, SIZE)
    assert target.read_bytes() == CONTENT
    # the last byte is asked for again, so that there is always something to send
    assert host.asked == (None, "bytes=999-", "bytes=1499-", "bytes=3499-")


def test_the_next_run_goes_on_from_what_is_kept(host, target):
    host.breaks = (1000, 1)
    with pytest.raises(ConnectionError, match=r"broke off before byte 10,240: connect .* again \(1,000 bytes are kept"):
        downloads.download(host.url, target, MD5)
    assert partial(target).read_bytes() == CONTENT[:1000] and not target.exists()
    downloads.download(host.url, target, MD5)
    assert target.read_bytes() == CONTENT and host.asked[-1] == "bytes=999-"


def test_a_run_that_was_stopped_before_the_checksum_asks_for_one_byte(host, target):
    partial(target, CONTENT)
    downloads.download(host.url, target, MD5)
    assert target.read_bytes() == CONTENT and host.asked == (f"bytes={SIZE - 1}-",)


def test_a_server_without_range_starts_over(host, target):
    partial(target, b"x" * 5000)
    host.ranges = False
    downloads.download(host.url, target, MD5)
    assert target.read_bytes() == CONTENT


def test_a_server_without_range_that_breaks_off_is_not_asked_for_ever(host, target):
    host.ranges, host.breaks = False, (100, 100, 100)
    with pytest.raises(ConnectionError, match="broke off"):
        downloads.download(host.url, target, MD5)
    assert len(host.asked) == 2


def test_a_partial_file_longer_than_the_whole_is_dropped(host, target):
    partial(target, CONTENT + b"more")
    downloads.download(host.url, target, MD5)
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
        downloads.download(host.url, target, md5, size)
    assert list(target.parent.iterdir()) == []


def test_a_web_page_does_not_replace_what_is_kept(host, target):
    partial(target, CONTENT[:10])
    host.ranges, host.kind = False, "text/html; charset=utf-8"
    with pytest.raises(ConnectionError, match=r"answers with a web page.*\(10 bytes are kept\)"):
        downloads.download(host.url, target, MD5)
    assert partial(target).read_bytes() == CONTENT[:10]


def test_a_missing_file_or_server_is_one_clear_line(host, target):
    with pytest.raises(ConnectionError, match=r"/b: HTTP Error 404: Not Found: connect to the network and run it"):
        downloads.download(host.url.replace("a.zip", "b"), target, MD5)
    with pytest.raises(ConnectionError, match="refused.*: connect to the network"):
        downloads.download("http://127.0.0.1:1/a.zip", target, MD5)
    assert list(target.parent.iterdir()) == []
