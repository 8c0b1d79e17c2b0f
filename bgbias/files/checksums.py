"""SHA-256 of files and folders, and of what params.yaml names."""

import hashlib
import re
from pathlib import Path

from bgbias.errors import InputError


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
