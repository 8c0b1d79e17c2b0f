"""Downloads that go on where they broke off, checksums, and archives extracted safely."""

import gzip
import hashlib
import os
import re
import shutil
import ssl
import stat
import tarfile
import urllib.request
import zipfile
import zlib
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.error import HTTPError, URLError

from tqdm import tqdm

from bgbias.errors import InputError
from bgbias.files import processes

TIMEOUT_S = 60
BLOCK_BYTES = 1 << 20
OFFLINE = (URLError, HTTPException, ConnectionError, TimeoutError, ssl.SSLError)
BROKEN = (tarfile.TarError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)
MOST_TIMES, SMALL_BYTES = 20, 100 << 20  # photos hardly shrink in an archive; what is small may hold anything
ORDINARY = (0, stat.S_IFREG, stat.S_IFDIR)  # kinds of zip members; 0: packed elsewhere than on Unix


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
    with processes.locked(str(target), wait=True):
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
    bgbias.errors.InputError: .../archives.py: ... bytes, expected 1: get the original
    """
    if size_bytes not in (None, _size(file)):
        raise InputError(f"{file}: {_size(file):,} bytes, expected {size_bytes:,}: {mend}")
    if md5:
        with file.open("rb") as opened:
            actual = hashlib.file_digest(opened, "md5").hexdigest()
        if actual != md5:
            raise InputError(f"{file}: md5 {actual}, expected {md5}: {mend}")


def extract(archive: Path, out: Path, wanted: str) -> int:
    """Extract the wanted files of a zip or a (compressed) tar into a folder.

    Args:
        archive: nothing is written if anything in it is unsafe, wanted or not.
        out: the folder.
        wanted: pattern of whole paths in it; the first group is the path to write.

    Returns:
        The number of files.

    Raises:
        ValueError: truncated or no archive; a path that leads out of it, a link or a device; a file twice; more bytes
            than the disk has free, or than photos can unpack to.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with zipfile.ZipFile(Path(folder) / "a.zip", "w") as a:
    ...         a.writestr("birds/1.jpg", "")
    ...         a.writestr("birds/notes.txt", "")
    ...     extract(Path(folder) / "a.zip", Path(folder), r"birds/(.*jpg)"), sorted(os.listdir(folder))
    (1, ['1.jpg', 'a.zip'])
    """
    try:
        return (_unzip if archive.suffix == ".zip" else _untar)(archive, out, wanted)
    except BROKEN as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{archive}: truncated or no archive ({reason}): remove it and run it again") from error


def _unzip(archive: Path, out: Path, wanted: str) -> int:
    with zipfile.ZipFile(archive) as opened:
        members = opened.infolist()
        for member in members:
            _refuse_unsafe(archive, member.filename, stat.S_IFMT(member.external_attr >> 16) in ORDINARY)
        _refuse_too_large(archive, out, sum(member.file_size for member in members))
        return sum(
            _write(opened.open(member), out / target)
            for member in tqdm(members, f"extracting {archive.name}", unit="file")
            if not member.is_dir() and (target := _target(archive, out, member.filename, wanted))
        )


def _untar(archive: Path, out: Path, wanted: str) -> int:
    with tarfile.open(archive) as opened:
        members = opened.getmembers()
        for member in members:
            _refuse_unsafe(archive, member.name, member.isreg() or member.isdir())
        _refuse_too_large(archive, out, sum(member.size for member in members))
        return sum(
            _write(opened.extractfile(member), out / target)
            for member in tqdm(members, f"extracting {archive.name}", unit="file")
            if member.isreg() and (target := _target(archive, out, member.name, wanted))
        )


def copy(folder: Path, out: Path, wanted: str) -> int:
    """Copy the wanted files of a folder, as `extract` does those of an archive."""
    paths = sorted(Path(parent, name) for parent, _, names in os.walk(folder, followlinks=True) for name in names)
    return sum(
        _write(file.open("rb"), out / target)  # not its permissions: the source may be read-only
        for file in tqdm(paths, f"copying {folder}", unit="file")
        if (target := _target(folder, out, file.relative_to(folder).as_posix(), wanted))
    )


def _refuse_unsafe(archive: Path, name: str, ordinary: bool) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    outside = path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:", name)
    if outside or not ordinary:
        what = "a path outside of it" if outside else "a link or a device"
        raise InputError(f"{archive}: holds {name!r}, {what}; nothing was extracted: get the original")


def _refuse_too_large(archive: Path, out: Path, total: int) -> None:
    """The sizes are the declared ones, and no more than declared is ever written."""
    what, packed = f"{archive}: unpacks to {total:,} bytes", archive.stat().st_size
    if total > max(MOST_TIMES * packed, SMALL_BYTES):
        raise InputError(f"{what}, {total / packed:.0f} times its size, as no photos do: get the original")
    free = shutil.disk_usage(next(folder for folder in (out, *out.parents) if folder.is_dir())).free
    if total > free:
        raise InputError(f"{what}, and the disk of {out} has {free:,} free: make room there")


def _target(source: Path, out: Path, name: str, wanted: str) -> str:
    """Where a file goes, relative to `out`; "" if it is not wanted."""
    match = re.fullmatch(wanted, PurePosixPath(name).as_posix())
    if match and (out / match[1]).exists():
        raise InputError(f"{source}: holds {match[1]} twice: remove the wrong one")
    return match[1] if match else ""


def _write(source: BinaryIO, target: Path) -> bool:
    target.parent.mkdir(parents=True, exist_ok=True)
    with source, target.open("wb") as file:
        shutil.copyfileobj(source, file)
    return True
