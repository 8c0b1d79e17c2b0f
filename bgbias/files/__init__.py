"""Files written whole or not at all, with checksums."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EXDEV
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgbias.files import processes
from bgbias.files.processes import root as root
from bgbias.files.processes import scratch as scratch

if TYPE_CHECKING:
    import pandas as pd  # slow, and whoever writes a table has it


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary path of the same name that takes the place of `path` when the block ends without an error."""
    with scratch(path) as folder:
        yield folder / path.name
        (folder / path.name).replace(path)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """An empty temporary folder that takes the place of `path` when the block ends without an error."""
    with scratch(path) as folder:
        new = folder / "new"
        new.mkdir()
        yield new
        processes.put(new, path, folder)


def move(folder: Path, path: Path) -> None:
    """Let a folder take the place of `path`, whole or not at all, also on another file system."""
    try:
        with scratch(path) as aside:
            processes.put(folder, path, aside)
    except OSError as error:
        if error.errno != EXDEV:
            raise
        with whole_folder(path) as partial:
            shutil.copytree(folder, partial, dirs_exist_ok=True)
        shutil.rmtree(folder)


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


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_csv(path: Path, table: "pd.DataFrame") -> None:
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
