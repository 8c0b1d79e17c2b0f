"""Readers whose every complaint names the file, its fault and the fix."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Literal

from bgbias.errors import InputError

if TYPE_CHECKING:  # slow, and whoever asks for a table or an array has them
    import numpy as np
    import pandas as pd

KINDS = {"f": "floats", "i": "whole numbers", "u": "whole numbers without a sign"}  # of NumPy's
REMAKE = "run the stage again that writes it, as `dvc repro` does"


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
    ...     _ = (Path(folder) / "a.json").write_text('{"demo": {"base": 1}}')
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
    raise InputError(f"{name} is no number")


def read_csv(path: Path, columns: Iterable[str], mend: str = REMAKE, whole: bool = True, **how: Any) -> "pd.DataFrame":
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
    import numpy as np
    import pandas as pd

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


def read_numbers(path: Path, kind: Literal["f", "i", "u"], *shape: int | None) -> "np.ndarray":
    """Read an array that must hold finite numbers of a kind and have a shape; nothing in it is empty.

    Args:
        path: of the file.
        kind: NumPy's: "f" floats, "i" whole numbers, "u" the same without a sign.
        *shape: a side each; None: any.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no array, cut off, of Python objects, which could run code, or another one.

    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/a.npy", np.zeros((3, 8)))
    ...     read_numbers(Path(folder) / "a.npy", "f", 3, None).shape
    (3, 8)
    """
    import numpy as np

    with _readable(path, REMAKE):
        found = np.load(path, allow_pickle=False)
    fits = len(shape) == found.ndim and all(a in (None, b) for a, b in zip(shape, found.shape, strict=True))
    if found.dtype.kind != kind or not fits or not found.size:
        expected = f"{KINDS[kind]} ({', '.join(str(side or 'any') for side in shape)})"
        raise InputError(f"{path}: holds {found.dtype} {found.shape}, expected {expected}: {REMAKE}")
    if not np.isfinite(found).all():
        raise InputError(f"{path}: holds numbers that are not finite: {REMAKE}")
    return found
