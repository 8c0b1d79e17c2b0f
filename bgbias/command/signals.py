"""How a stage ends that is interrupted."""

import atexit
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Timer
from types import FrameType

from bgbias import ranks

GRACE_S = 8.0  # in which an interrupted process ends by itself
INTERRUPTED = "interrupted: start it again, and it goes on with what is kept"


class _Interrupted(KeyboardInterrupt):
    """Of a signal; for a bare KeyboardInterrupt Python may end with a code of its own."""


@contextmanager
def interruptible() -> Iterator[None]:
    """End the process in one line and with 143 at SIGTERM, with 130 at Ctrl-C, and ignore what comes of it meanwhile.

    A process that torchrun has started says nothing: torchrun ends those that are left where one has ended.

    The signal raises a KeyboardInterrupt. Python ignores it in some places, so the process is ended after a while.
    """
    signalled, told, telling = [], [], Lock()
    # a process that is ended leaves semaphores of its pools, which their tracker removes, and would name
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (os.environ.get("PYTHONWARNINGS"), "ignore:resource_tracker")))
    atexit.register(_ignore)  # what is done is done

    def tell(write: Callable[[str], object]) -> None:
        with telling:  # once, though the process may end by itself just when it is ended
            if not told and not ranks.under_torchrun():
                write(f"{INTERRUPTED}\n")
            told.append(True)

    def end() -> None:
        tell(lambda line: os.write(2, line.encode()))
        os._exit(128 + signalled[0])

    def interrupt(number: int, frame: FrameType | None) -> None:
        signalled.append(number)
        _ignore()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # PyTorch would raise an error when its workers end
        sys.unraisablehook = lambda ignored: None
        timer = Timer(GRACE_S, end)
        timer.daemon = True
        timer.start()
        raise _Interrupted

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:  # as for a job in the background
            signal.signal(number, interrupt)
    try:
        yield
    except BaseException as error:  # of a signal may come other errors, too
        if not (signalled or isinstance(error, KeyboardInterrupt)):
            raise
        tell(sys.stderr.write)
        sys.exit(128 + (signalled or [signal.SIGINT])[0])


def _ignore() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
