"""Archives extracted safely, and folders copied likewise."""

import gzip
import os
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from tqdm import tqdm

from bgbias.errors import InputError

BROKEN = (tarfile.TarError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)
MOST_TIMES, SMALL_BYTES = 20, 100 << 20  # photos hardly shrink in an archive; what is small may hold anything
ORDINARY = (0, stat.S_IFREG, stat.S_IFDIR)  # kinds of zip members; 0: packed elsewhere than on Unix


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
