"""Files written whole or not at all, and read with their name and the fix in every complaint; checksums."""

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from typing import Any, Literal

import numpy as np
import pandas as pd

from bgbias.errors import InputError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
KINDS = {"f": "floats", "i": "whole numbers", "u": "whole numbers without a sign"}  # of NumPy's
REMAKE = "run the stage again that writes it, as `dvc repro` does"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        with _named(path):
            yield partial
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """An empty temporary folder beside `path` that takes its place when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{path.name}.partial-", dir=path.parent))
    partial.chmod(0o755)  # mkdtemp makes it private
    try:
        with _named(path):
            yield partial
            shutil.rmtree(path, ignore_errors=True)
            partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """A write that fails, as on a full disk, does not say of which file."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL and not error.filename:
            raise OSError(error.errno, f"{error.strerror}: make room there, or write elsewhere", str(path)) from error
        raise


def write_json(path: Path, content: Any) -> None:
    """Write JSON with sorted keys, floats rounded to six digits, a line end; refuse NaN and infinity.

    Six digits are below what any metric here resolves and above the last bits in which two runs may differ.
    """
    text = json.dumps(_rounded(content), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8; of a file name that is no UTF-8, such bytes become question marks."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="replace")


def _rounded(content: Any) -> Any:
    if isinstance(content, float):
        return round(content, 6)
    if isinstance(content, dict):
        return {key: _rounded(value) for key, value in content.items()}
    return [_rounded(value) for value in content] if isinstance(content, list | tuple) else content


@contextmanager
def _readable(path: Path, mend: str) -> Iterator[None]:
    """Whatever a parser trips over, RecursionError and MemoryError too, is the file's fault."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file: {mend}")
    try:
        yield
    except Exception as error:
        reason = shorten(" ".join(str(error).split()), 200, placeholder=" ...") or type(error).__name__
        raise InputError(f"{path}: does not read ({reason}): {mend}") from error


def read_json(path: Path, *keys: str, mend: str = REMAKE) -> Any:
    """Read a JSON file, or what stands in it under one key after the other.

    Args:
        path: of the file, in UTF-8.
        *keys: such as a dataset and a regime of metrics; without any, the whole content is returned.
        mend: what to do about a missing or broken file, for the message.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no JSON (which has no NaN or infinity), or lacks a key.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_json(Path(folder) / "a.json", {"demo": {"base": 1}})
    ...     read_json(Path(folder) / "a.json", "demo", "base")
    1
    """
    with _readable(path, mend):
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    for number, key in enumerate(keys, 1):
        if not isinstance(content, dict) or key not in content:
            raise InputError(f"{path}: holds no {'.'.join(keys[:number])}: {mend}")
        content = content[key]
    return content


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def read_csv(path: Path, columns: Iterable[str], mend: str = REMAKE, whole: bool = True, **how: Any) -> pd.DataFrame:
    """Read a table of comma-separated values.

    Args:
        path: of the file.
        columns: that it must have.
        mend: what to do about a missing or broken file, for the message.
        whole: it was written here, so its last line ends.
        **how: of pandas.read_csv.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no such table, cut off, lacks a column or every row, or holds infinite numbers.
    """
    with _readable(path, mend):
        table = pd.read_csv(path, **how)
        lacking = [name for name in columns if name not in table and name not in table.index.names]
    if np.isinf(table.select_dtypes("number")).any(axis=None):
        raise InputError(f"{path}: holds infinite numbers: {mend}")
    if whole and not path.read_bytes().endswith(b"\n"):
        raise InputError(f"{path}: is cut off within its last line: {mend}")
    if lacking or table.empty:
        what = f"column {lacking[0]}" if lacking else "rows"
        raise InputError(f"{path}: has no {what}: {mend}")
    return table


def read_array(path: Path, mend: str = REMAKE, mmap_mode: Literal["r"] | None = None) -> np.ndarray:
    """Read an array that NumPy has saved; "r" maps the file instead of reading it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no array, or cut off, or of Python objects, which could run code.
    """
    with _readable(path, mend):
        return np.lib.format.open_memmap(path, mode="r") if mmap_mode else np.load(path, allow_pickle=False)


def read_numbers(path: Path, kind: Literal["f", "i", "u"], *shape: int | None) -> np.ndarray:
    """Read an array that must hold finite numbers of a kind and have a shape; nothing in it is empty.

    Args:
        path: of the file.
        kind: NumPy's: "f" floats, "i" whole numbers, "u" the same without a sign.
        *shape: a side each; None: any.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no array, or another one.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/a.npy", np.zeros((3, 8)))
    ...     read_numbers(Path(folder) / "a.npy", "f", 3, None).shape
    (3, 8)
    """
    found = read_array(path)
    fits = len(shape) == found.ndim and all(a in (None, b) for a, b in zip(shape, found.shape, strict=True))
    if found.dtype.kind != kind or not fits or not found.size:
        expected = f"{KINDS[kind]} ({', '.join(str(side or 'any') for side in shape)})"
        raise InputError(f"{path}: holds {found.dtype} {found.shape}, expected {expected}: {REMAKE}")
    if not np.isfinite(found).all():
        raise InputError(f"{path}: holds numbers that are not finite: {REMAKE}")
    return found


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table without its index, floats with six significant digits, Unix line ends; any file name as it is."""
    with whole_file(path) as partial:
        table.to_csv(partial, index=False, float_format="%.6g", lineterminator="\n", errors="surrogateescape")


def checksum(*paths: Path) -> str:
    """SHA-256 over files and folders, in the order given: names (relative, within folders) and contents.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a.txt").write_text("hello")
    ...     checksum(Path(folder)) == checksum(Path(folder) / "a.txt")
    False
    """
    total = hashlib.sha256()
    for path in paths:
        if path.is_dir():
            for file in sorted(file for file in path.rglob("*") if file.is_file()):
                total.update(file.relative_to(path).as_posix().encode(errors="surrogateescape") + b"\0" + _digest(file))
        else:
            total.update(_digest(path))
    return total.hexdigest()


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def checksum_in_name(name: str) -> str:
    """How the SHA-256 of a file begins, as its name tells; "": it does not.

    >>> checksum_in_name("resnet18-f37072fd.pth"), checksum_in_name("resnet18.pth")
    ('f37072fd', '')
    """
    named = re.search(r"-([0-9a-f]{8,64})\.\w+$", name)
    return named[1] if named else ""


def refuse_other_content(path: Path, mend: str) -> None:
    """Raise an InputError where a file's name holds how its SHA-256 begins, and its content has another."""
    digest, expected = _digest(path).hex(), checksum_in_name(path.name)
    if not digest.startswith(expected):
        raise InputError(f"{path}: SHA-256 begins with {digest[: len(expected)]}, expected {expected}: {mend}")


def pinned(path: Path) -> Path:
    """Return the path of a large file that params.yaml names, if the name holds how its SHA-256 begins.

    So the parameter says which content it is, and what DVC has made of another one is stale.

    Raises:
        InputError: the name does not hold it, or the content has another.
    """
    if not checksum_in_name(path.name):
        name = f"{path.stem}-{_digest(path).hex()[:8]}{path.suffix}"
        mend = f"`mv {path} {path.with_name(name)}`, and give that path"
        raise InputError(f"{path}: its name does not tell its content, so DVC would not see another one: {mend}")
    refuse_other_content(path, "put the original there, or name it after its content")
    return path


def root() -> Path:
    """The folder of the user's checkout, also where DVC runs the stage in a temporary copy."""
    return Path(os.environ.get("DVC_ROOT", "."))
