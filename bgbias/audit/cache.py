"""What takes long, kept under the fingerprint of what it was made from."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from bgbias import files, images


def fingerprint(*parts: object) -> str:
    """Sixteen hexadecimal digits of plain values: texts, numbers, lists, dictionaries.

    >>> fingerprint("swapped", 5) == fingerprint("swapped", 5), fingerprint("swapped", 5) == fingerprint("swapped", 4)
    (True, False)
    """
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def stamps(paths: list[Path]) -> list[tuple]:
    """Name, size and time of change of files: quick, and enough to know that they are as they were."""
    found = [(path, path.stat()) for path in paths]
    return [(str(path), stat.st_size, stat.st_mtime_ns) for path, stat in found]


class Cache:
    """A folder of arrays and packed pictures. It may be deleted at any time; all in it is then made again."""

    def __init__(self, folder: Path):
        """Use a folder, which need not exist."""
        self.folder = folder

    def pack(self, name: str, made_from: str, make: Callable[[], Iterator[np.ndarray]]) -> images.Pack:
        """The pictures that were packed under a name and fingerprint; else they are made, and packed."""
        path = self.folder / made_from / name
        if not path.is_dir():
            images.Pack.write(path, make())
        return images.Pack(path)

    def array(self, name: str, made_from: str, make: Callable[[], np.ndarray]) -> np.ndarray:
        """The same for an array; a name may have slashes."""
        path = self.folder / made_from / f"{name}.npy"
        if not path.is_file():
            made = make()
            with files.whole_file(path) as partial, partial.open("wb") as opened:
                np.save(opened, made)
        return np.load(path)
