"""What takes long is kept under a fingerprint of all that it was made from, so no stale result is ever served.

The fingerprint covers settings, the content of data, and the code: every module of this library that is loaded. That is
all the code that a result can depend on, as long as modules of the library import one another at their top; a stage
imports what it needs before it asks for a fingerprint. The stage itself counts for unfinished work alone: stages that
load the same modules find what the other has kept.
"""

import dataclasses
import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from bgbias import files, ranks
from bgbias.files import locks

Read = TypeVar("Read")


def loaded_code(*packages: str) -> list[Path]:
    """The files of packages that are loaded now, sorted."""
    loaded = [module for name, module in sys.modules.items() if name.partition(".")[0] in packages]
    return sorted({Path(module.__file__) for module in loaded if getattr(module, "__file__", None)})


def fingerprint(settings: object, data: Iterable[Path] = ()) -> str:
    """Sixteen hexadecimal digits of settings, data and the library's loaded code.

    Args:
        settings: all that the result depends on and that lies in no file: dataclasses, lists, plain values.
        data: files and folders that the result depends on, read byte by byte.

    >>> fingerprint(["swapped", 5]) == fingerprint(["swapped", 5]), fingerprint(["swapped", 5]) == fingerprint([5])
    (True, False)
    """
    plain = json.dumps(settings, default=dataclasses.asdict, sort_keys=True)
    state = [plain, *(files.checksum(path) for path in data), files.checksum(*loaded_code("bgbias"))]
    return hashlib.sha256("\n".join(state).encode(errors="surrogateescape")).hexdigest()[:16]


@contextmanager
def unfinished(name: str, settings: object, data: list[Path]) -> Iterator[Path]:
    """A folder for unfinished work of a stage, which no other process uses: .checkpoints/NAME/FINGERPRINT.

    While another process makes the same, as two experiments of a queue may, this one waits, and then makes its own.
    Unfinished work of anything else is never taken up; that there is some is said on standard error. At the end the
    folder goes if no error ended the work.

    Args:
        name: of the stage and its cell, such as "train-demo-base".
        settings: see `fingerprint`.
        data: likewise.

    Yields:
        The folder, which exists.
    """
    parent = locks.work() / name
    folder = parent / fingerprint(settings, [*data, *loaded_code("__main__")])
    with locks.locked(str(folder), wait=True):
        for other in sorted(parent.glob("*")):
            if other != folder:
                print(f"ignoring {other}: made with other parameters, data or code", file=sys.stderr)
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        ranks.by_first(_remove, folder)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # it may have been moved
    with suppress(OSError):  # others lie there
        folder.parent.rmdir()


class Cache:
    """A folder of results by fingerprint. It may be deleted at any time; all in it is then made again.

    Of several processes that share a stage all read, and the first writes.
    """

    def __init__(self, folder: Path):
        """Use a folder, which need not exist."""
        self.root = folder

    def folder(self, name: str, made_from: str, write: Callable[[Path], None], read: Callable[[Path], Read]) -> Read:
        """What `read` finds in the folder of a name and fingerprint; `write` makes it, whole or not at all."""
        return _kept(self.root / made_from / name, partial(ranks.by_first, write), read)

    def array(self, name: str, made_from: str, rows: int, make: Callable[[], Iterator[np.ndarray]]) -> np.ndarray:
        """The same for an array of many rows, of which `make` gives some after the other; a name may have slashes.

        All processes make them, so that they can share the work.

        Returns:
            The array, mapped from its file: what is not read takes no memory. Changes of it reach no file.
        """

        def write(path: Path) -> None:
            with files.whole_file(path) as unfinished, unfinished.open("wb") as opened:
                for number, part in enumerate(make()):
                    if not ranks.is_first():
                        continue
                    if number == 0:
                        like = np.lib.format.header_data_from_array_1_0(part) | {"fortran_order": False}
                        np.lib.format.write_array_header_1_0(opened, like | {"shape": (rows, *part.shape[1:])})
                    opened.write(part.tobytes())

        return _kept(self.root / made_from / f"{name}.npy", write, _mapped)


def _mapped(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="c")  # copy on write, for PyTorch warns of arrays that cannot be written


def _kept(path: Path, write: Callable[[Path], None], read: Callable[[Path], Read]) -> Read:
    """Read what is there and whole, else make it; meanwhile other processes that want the same wait."""
    with locks.locked(str(path), wait=True):
        if not ranks.by_first(_is_whole, path, read):
            write(path)
        return read(path)


def _is_whole(path: Path, read: Callable[[Path], Read]) -> bool:
    if not path.exists():
        return False
    try:
        read(path)
    except Exception as error:  # whatever a reader trips over
        reason = " ".join(str(error).split())
        print(f"{path} is damaged ({type(error).__name__}: {reason}): made again", file=sys.stderr)
        return False
    return True
