"""What can be done to a file or folder, so that a stage must refuse it."""

import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

How = Callable[[Path], object]


def remove(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def content(text: str | bytes) -> How:
    """Write this instead."""
    return lambda path: path.write_bytes(text.encode() if isinstance(text, str) else text)


def edited(old: str, new: str) -> How:
    """Replace a text in a file, which must have it."""

    def edit(path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        assert old in text, (path, old)
        path.write_text(text.replace(old, new), encoding="utf-8")

    return edit


def cut(path: Path) -> None:
    """Keep the first half of a file, which ends within a line."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2].rstrip(b"\n"))


def folder(path: Path) -> None:
    """Put a folder in the place of a file."""
    remove(path)
    path.mkdir()


def fifo(path: Path) -> None:
    """Put a named pipe there: to read it would wait for ever."""
    remove(path)
    os.mkfifo(path)


def array(change: Callable[[np.ndarray], np.ndarray]):
    """Save a changed array in the place of one."""

    def write(path: Path) -> None:
        changed = change(np.load(path))
        buffer = io.BytesIO()
        np.save(buffer, changed, allow_pickle=True)
        path.write_bytes(buffer.getvalue())

    return write


def table(change: Callable[[pd.DataFrame], pd.DataFrame]):
    """Write a changed table in the place of one."""
    return lambda path: change(pd.read_csv(path, dtype=str, keep_default_na=False)).to_csv(path, index=False)


def figures(change: Callable[[dict], object]):
    """Write changed JSON in the place of some; a change that returns nothing has changed what it was given."""

    def write(path: Path) -> None:
        found = json.loads(path.read_text())
        path.write_text(json.dumps(found if (changed := change(found)) is None else changed))

    return write


BROKEN = {
    "gone": remove,
    "empty": content(""),
    "cut": cut,
    "garbage": content(bytes(range(256)) * 8),
    "a folder": folder,
}
