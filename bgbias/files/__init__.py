"""Files written whole or not at all, and read with their name and the fix in every complaint; checksums."""

import json
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, ENOSPC, EXDEV
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgbias import ranks
from bgbias.files import locks
from bgbias.files.checksums import checksum as checksum
from bgbias.files.checksums import checksum_in_name as checksum_in_name
from bgbias.files.checksums import pinned as pinned
from bgbias.files.checksums import refuse_other_content as refuse_other_content
from bgbias.files.locks import root as root
from bgbias.files.locks import scratch as scratch
from bgbias.files.readers import REMAKE as REMAKE
from bgbias.files.readers import read_csv as read_csv
from bgbias.files.readers import read_json as read_json
from bgbias.files.readers import read_numbers as read_numbers

if TYPE_CHECKING:
    import pandas as pd  # slow, and whoever writes a table has it

FULL = (ENOSPC, EDQUOT, EFBIG)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary path of the same name that takes the place of `path` when the block ends without an error.

    Of several processes that share a stage, the first one's; all leave the block when it lies there.
    """
    with _named(path), _of_first(path) as folder:
        yield folder / path.name
        if ranks.is_first():
            (folder / path.name).replace(path)
    ranks.wait()


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """An empty temporary folder that takes the place of `path`, as `whole_file`."""
    with _named(path), _of_first(path) as folder:
        new = folder / "new"
        new.mkdir()
        yield new
        if ranks.is_first():
            locks.put(new, path, folder)
    ranks.wait()


@contextmanager
def _of_first(path: Path) -> Iterator[Path]:
    """A folder for what is to become `path`; of the other processes, one that is of no use."""
    if ranks.is_first():
        with scratch(path) as folder:
            yield folder
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """A write that fails, as on a full disk, does not say of which file."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL and not error.filename:
            raise OSError(error.errno, f"{error.strerror}: make room there, or write elsewhere", str(path)) from error
        raise


def move(folder: Path, path: Path) -> None:
    """Let a folder take the place of `path`, whole or not at all, also on another file system."""
    try:
        with scratch(path) as aside:
            locks.put(folder, path, aside)
    except OSError as error:
        if error.errno != EXDEV:
            raise
        with whole_folder(path) as partial:
            shutil.copytree(folder, partial, dirs_exist_ok=True)
        shutil.rmtree(folder)


def write_json(path: Path, content: Any, exact: Collection[str] = ()) -> None:
    """Write JSON with sorted keys, floats rounded to six digits, a line end; refuse NaN and infinity.

    Six digits are below what any metric here resolves and above the last bits in which two runs may differ. What stands
    under the keys `exact` is written as it is: of a learning rate they may leave nothing.
    """
    kept = {key: content[key] for key in exact}
    rounded = _rounded(content) | kept if kept else _rounded(content)
    text = json.dumps(rounded, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
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


def write_csv(path: Path, table: "pd.DataFrame") -> None:
    """Write a table without its index, floats with six significant digits, Unix line ends; any file name as it is."""
    with whole_file(path) as partial:
        table.to_csv(partial, index=False, float_format="%.6g", lineterminator="\n", errors="surrogateescape")
