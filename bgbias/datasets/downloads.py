"""Downloads that go on where they broke off, and are verified."""

import hashlib
import ssl
import urllib.request
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError

from tqdm import tqdm

from bgbias.errors import InputError
from bgbias.files import locks

TIMEOUT_S = 60
BLOCK_BYTES = 1 << 20
OFFLINE = (URLError, HTTPException, ConnectionError, TimeoutError, ssl.SSLError)


def download(url: str, target: Path, md5: str, size_bytes: int | None = None) -> None:
    """Download a file; what a break leaves is kept beside it, and the next call goes on from there.

    Of several processes of the checkout that want the same, one downloads it, and the others wait.

    Args:
        url: of the file.
        target: where it goes when it is whole and verified; if it is there already, nothing happens.
        md5: as published, or "".
        size_bytes: as published, or None.

    Raises:
        ConnectionError: not reached, or broken off; as long as an attempt brings bytes, another follows.
        ValueError: the size or checksum is wrong; what came is removed.
    """
    with locks.locked(str(target), wait=True):
        if not target.is_file():
            _download(url, target, md5, size_bytes)


def _download(url: str, target: Path, md5: str, size_bytes: int | None) -> None:
    partial = target.with_name(f"{target.name}.partial")
    partial.parent.mkdir(parents=True, exist_ok=True)
    whole = False
    while not whole:
        before = _size(partial)
        try:
            whole = _receive(url, partial)
        except OFFLINE as error:
            if (kept := _size(partial)) <= before:
                mend = f"connect to the network and run it again ({kept:,} bytes are kept)"
                raise ConnectionError(f"{url}: {error}: {mend}") from error
    try:
        verify(partial, md5, size_bytes, f"not what was published at {url}, and removed: run it again")
    except ValueError:
        partial.unlink()
        raise
    partial.replace(target)


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _receive(url: str, partial: Path) -> bool:
    """Add to `partial` what is missing; False if it was longer than the file, and had to be removed."""
    have = max(0, _size(partial) - 1)  # the last byte again: a server refuses to send nothing
    asked = {"User-Agent": "bgbias"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=asked), timeout=TIMEOUT_S)
    except HTTPError as error:
        if error.code == 416 and have:  # range not satisfiable
            partial.unlink()
            return False
        raise
    with answer:
        if answer.headers.get_content_type() == "text/html":  # must not replace what is kept
            raise ConnectionError("answers with a web page, perhaps for a login or a download limit")
        have = have if answer.status == 206 else 0  # a server without Range sends all of it again
        rest = answer.headers["Content-Length"]
        total = have + int(rest) if rest else 0
        bar = tqdm(desc=f"downloading {partial.stem}", initial=have, total=total or None, unit="B", unit_scale=True)
        with partial.open("r+b" if have else "wb") as file, bar:
            file.seek(have)
            while block := answer.read(BLOCK_BYTES):
                file.write(block)
                bar.update(len(block))
    if _size(partial) < total:
        raise ConnectionError(f"broke off before byte {total:,}")
    return True


def verify(file: Path, md5: str, size_bytes: int | None, mend: str) -> None:
    """Compare a file with its published size (None: not known) and checksum ("": not known).

    >>> verify(Path(__file__), "", 1, "get the original")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    bgbias.errors.InputError: .../downloads.py: ... bytes, expected 1: get the original
    """
    if size_bytes not in (None, _size(file)):
        raise InputError(f"{file}: {_size(file):,} bytes, expected {size_bytes:,}: {mend}")
    if md5:
        with file.open("rb") as opened:
            actual = hashlib.file_digest(opened, "md5").hexdigest()
        if actual != md5:
            raise InputError(f"{file}: md5 {actual}, expected {md5}: {mend}")
