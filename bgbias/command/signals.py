"""How a stage ends that is interrupted, or that no one reads any more."""

import atexit
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Timer
from types import FrameType

from bgbias import ranks

GRACE_S = 8.0  # in which an interrupted process ends by itself
UNREAD = 128 + signal.SIGPIPE  # the exit code of what writes to `| head`
INTERRUPTED = "interrupted: start it again, and it goes on with what is kept"


class _Interrupted(KeyboardInterrupt):
    """Of a signal; for a bare KeyboardInterrupt Python may end with a code of its own."""


@contextmanager
def interruptible() -> Iterator[None]:
    """End the process in one line and with 143 at SIGTERM, with 130 at Ctrl-C, and ignore what comes of it meanwhile.

    Where what is printed has no reader any more, as behind `| head`, it ends without a word, and with 141.

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
        if unread():
            sys.exit(UNREAD)
    except BaseException as error:  # of a signal may come other errors, too
        if not (signalled or isinstance(error, KeyboardInterrupt)):
            if unread() and isinstance(error, SystemExit) and not error.code:  # of --help
                sys.exit(UNREAD)
            raise
        tell(sys.stderr.write)
        sys.exit(128 + (signalled or [signal.SIGINT])[0])


def unread(error: BaseException | None = None) -> bool:
    """Whether what was printed has no reader any more; what is left of it is then thrown away.

    Args:
        error: that ends the stage. A pipe that is broken may also be a worker's.
    """
    if sys.stdout is None:  # closed from the start, as some schedulers do: nothing is printed, and nothing lost
        return False
    try:
        sys.stdout.flush()
        if not isinstance(error, BrokenPipeError) or not _closed(sys.stdout.fileno()):  # nothing is kept if unbuffered
            return False
    except BrokenPipeError:
        pass
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


def _closed(pipe: int) -> bool:
    poll = select.poll()
    poll.register(pipe, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _ignore() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
