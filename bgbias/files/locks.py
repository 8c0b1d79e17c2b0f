"""Locks and scratch folders, which leave nothing behind when a process is killed at any moment.

They are in .checkpoints of the user's checkout, where neither DVC nor Git looks; `sweep` removes it.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EEXIST, ENOTEMPTY
from hashlib import sha256
from itertools import count
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from bgbias import ranks

PATIENCE_S = 1.0  # for a lock that another process may be about to give back


def root() -> Path:
    """The folder of the user's checkout, also where DVC runs the stage in a temporary copy."""
    return Path(os.environ.get("DVC_ROOT", "."))


def work() -> Path:
    """The folder of unfinished work."""
    return root().absolute() / ".checkpoints"


@contextmanager
def locked(what: str, wait: bool = False) -> Iterator[None]:
    """Let no other process work on the same while the block runs; the lock dies with this process.

    Of several processes that share a stage, the first has the lock.

    Args:
        what: is worked on, for all processes of the checkout.
        wait: for the other process to end, and say so on standard error, rather than raise an error.

    Raises:
        BlockingIOError: another process works on it.

    >>> with locked("doctest"), locked("doctest"):
    ...     pass
    Traceback (most recent call last):
    BlockingIOError: doctest: process ... is at it: wait until it has ended, or stop it with `kill ...`
    """
    held: list[FileLock] = []
    ranks.by_first(lambda: held.append(_taken(what, wait)))
    try:
        yield
    finally:
        for lock in held:
            _drop(lock)


def _taken(what: str, wait: bool) -> FileLock:
    file = work() / f"{sha256(os.fsencode(what)).hexdigest()[:16]}.lock"
    try:
        lock = _take(file, PATIENCE_S)
    except Timeout:
        holder = file.read_text() if file.is_file() else "?"  # it has just ended
        if not wait:
            mend = f"wait until it has ended, or stop it with `kill {holder}`"
            raise BlockingIOError(f"{what}: process {holder} is at it: {mend}") from None
        print(f"waiting for process {holder}, which makes {what}", file=sys.stderr)
        lock = _take(file, -1)
    file.write_text(str(os.getpid()))
    return lock


def _take(file: Path, timeout_s: float) -> FileLock:
    lock = FileLock(file, timeout=timeout_s)
    while True:
        try:
            lock.acquire()  # makes the folder, too
            return lock
        except (FileNotFoundError, FileExistsError):  # another process has removed the folder, as it was empty
            if file.parent.is_file() or file.parent.is_symlink():
                raise


def _drop(lock: FileLock) -> None:
    file = Path(lock.lock_file)
    file.unlink(missing_ok=True)
    lock.release()
    with suppress(OSError):
        file.parent.rmdir()


@contextmanager
def scratch(target: Path) -> Iterator[Path]:
    """A new folder on the file system of `target` for what is to become it; removed at the end.

    It lies in the folder of unfinished work, or beside `target` where that is another file system.
    """
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    name = f"partial-{uuid4().hex}"
    lock = _take(work() / f"{name}.lock", -1)
    try:
        Path(lock.lock_file).write_bytes(os.fsencode(target))
        folder = _beside(target, name)
        folder.mkdir()
        with suppress(OSError):  # of another file system
            folder = folder.rename(work() / name)
        yield folder
    finally:
        _clear(name, target)
        _drop(lock)


def _beside(target: Path, name: str) -> Path:
    return target.with_name(f".{name}")


def put(new: Path, target: Path, folder: Path) -> None:
    """Let a folder take the place of another one, which is moved away into a `scratch` folder before.

    Killed in between, the next `sweep` puts the old one back. Of two processes at once, the last one's stands.
    """
    for number in count():
        with suppress(FileNotFoundError):
            target.rename(folder / f"old-{number}")
        try:
            new.rename(target)
            return
        except OSError as error:
            if error.errno not in (EEXIST, ENOTEMPTY):  # another process has put its own
                raise


def _clear(name: str, target: Path) -> None:
    """Remove a scratch folder; what was moved away there goes back if nothing has taken its place."""
    for folder in filter(Path.is_dir, (work() / name, _beside(target, name))):
        with suppress(OSError):
            for old in sorted(folder.glob("old-*"))[-1:]:
                if not os.path.lexists(target):
                    old.rename(target)
        shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Remove the locks and scratch folders of processes that have died."""
    found: list[Path] = []
    with suppress(FileNotFoundError):  # another process has just removed the folder, as it was empty
        found += work().glob("*.lock")
    for file in found:
        with suppress(Timeout, PermissionError):  # of another user
            lock = _take(file, 0)
            target = file.read_bytes()
            if file.name.startswith("partial-") and target:
                _clear(file.stem, Path(os.fsdecode(target)))
            _drop(lock)
