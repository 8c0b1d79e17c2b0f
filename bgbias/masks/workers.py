"""How many workers make masks at once, and what they are: processes, or threads that share a network."""

import resource
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from bgbias import cores, ranks

OVERLAPPING = 2  # threads: while the network looks at one photo, the other decodes, resizes and writes
GROUP = Path("/sys/fs/cgroup")  # of a container, which may have less memory than the machine


def by_cores(method: str) -> int:
    """How many workers suit method and processor.

    u2net on two cores: 0.28 s a photo with one worker of two threads; 0.29 s with two workers of one, which take twice
    the memory. On a GPU the others decode and write while one computes.
    """
    return cores.count() if method != "rembg" or on_gpu() else max(1, cores.count() // 4)


def by_memory(workers: int, each: int, free: int | None) -> int:
    """Take fewer workers where memory does not suffice for them, and say so.

    Args:
        workers: that the processor suits.
        each: bytes that one takes.
        free: bytes; None: not known.

    >>> by_memory(4, 2_300_000_000, 8_000_000_000)
    masks: 3 workers, not 4: each takes 2.3 GB, and 8.0 GB of memory are free
    3
    """
    fewer = workers if free is None else min(workers, max(1, free // each))
    if fewer < workers:
        print(
            f"masks: {fewer} worker{'s' * (fewer > 1)}, not {workers}: each takes {each / 1e9:.1f} GB, and "
            f"{free / 1e9:.1f} GB of memory are free",
            flush=True,
        )
    return fewer


def free_memory() -> int | None:
    """Bytes that this process may still take, of the machine and of this container; None where the system tells none.

    Processes that share a stage share them.
    """
    found = []
    info = Path("/proc/meminfo")
    if info.is_file():
        found += [int(line.split()[1]) * 1024 for line in info.read_text().splitlines() if "MemAvailable" in line]
    limit = GROUP / "memory.max"
    if limit.is_file() and limit.read_text().strip().isdigit():
        found.append(int(limit.read_text()) - int((GROUP / "memory.current").read_text()))
    return min(found) // ranks.on_this_machine() if found else None


def peak_memory() -> int:
    """The bytes that this process has taken at most."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def on_gpu() -> bool:
    """Whether networks of rembg run on a GPU, which they take by themselves."""
    import onnxruntime  # slow, like rembg, and not needed by the other methods

    return onnxruntime.get_device() != "CPU"


def executor(method: str, workers: int) -> AbstractContextManager[Executor]:
    """Start workers: processes, but threads where one network serves all."""
    if method == "rembg" and (workers == 1 or on_gpu()):
        return _threads(max(OVERLAPPING, workers))
    return cores.pool(workers)


@contextmanager
def _threads(count: int) -> Iterator[Executor]:
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
