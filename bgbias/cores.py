"""The processors that this process may use, and worker processes on them."""

import os
import platform
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from threading import Thread

from bgbias import ranks


def count() -> int:
    """The number of processors that this process may use; several that share a stage share them."""
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, found // ranks.on_this_machine())


def named() -> str:
    """Return the name of the processor, such as "AMD EPYC", as Linux tells it; elsewhere of its kind."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


@contextmanager
def pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of spawned processes, which end with this one however it ends. An error cancels what has not begun.

    They are spawned, as the fork of a process with threads (of onnxruntime, OpenMP) may hang.

    Raises:
        ChildProcessError: one of them was killed, or could not start: each runs the user's script anew, as a module.
    """
    context = _Quiet()
    executor = ProcessPoolExecutor(workers, context, _end_with_parent)
    try:
        yield executor
    except BrokenProcessPool as error:
        executor.shutdown()
        if any((one.exitcode or 0) > 0 for one in context.started):
            mend = 'if your script started it, let that be a file that works under `if __name__ == "__main__":` only'
            raise ChildProcessError(f"a worker process ended by itself, see its error above: {mend}") from error
        mend = "for want of memory? Close other programs and start it again, it goes on with what is kept"
        raise ChildProcessError(f"a worker process was killed, {mend}") from error
    finally:
        executor.shutdown(cancel_futures=True)


class _QuietProcess(SpawnProcess):
    """Is not interrupted by Ctrl-C, which goes to all processes of a terminal, from its first moment on."""

    def start(self) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Quiet(SpawnContext):
    def __init__(self):
        self.started: list[_QuietProcess] = []

    def Process(self, *args, **kwargs) -> _QuietProcess:
        self.started.append(_QuietProcess(*args, **kwargs))
        return self.started[-1]


def _end_with_parent() -> None:
    def wait() -> None:
        parent_process().join()
        os._exit(1)

    Thread(target=wait, daemon=True).start()
