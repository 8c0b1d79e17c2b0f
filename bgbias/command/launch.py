"""How a stage becomes several processes that share it: by torchrun, a GPU each where there are some.

    BGBIAS_PROCESSES=2 python -m stages.embed demo base 42

is `torchrun --standalone --nproc-per-node=2 -m stages.embed demo base 42` with errors in one line; a machine with
several GPUs needs no variable. torchrun's options can be given as its own variables (PET_MAX_RESTARTS, PET_NNODES...).
"""

import logging
import os
import signal
import socket
import subprocess
import sys
from argparse import Namespace
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from bgbias import ranks
from bgbias.command import signals
from bgbias.errors import InputError

NUMBER = "BGBIAS_PROCESSES"
MOST = 4  # processes on a core
DRIVERS = "/dev/nvidiactl", "/dev/dxg", "/dev/kfd"  # of GPUs: PyTorch, which is asked then, takes two seconds
ANSWER_S = 30.0  # of torchrun on the first machine
GREET = "import sys; from torch.distributed import TCPStore; TCPStore(sys.argv[1], int(sys.argv[2]), is_master=False)"


def wanted() -> int:
    """How many processes torchrun is to start here for a stage that can be shared; 0: this one does it.

    Raises:
        InputError: the environment asks for no such number, or for more than there are GPUs, or cores.
    """
    asked, gpus = os.environ.get(NUMBER), gpus_here()
    if ranks.under_torchrun():
        return 0
    least = 1 if _of_several_machines() else 2
    asked = max(1, gpus) if asked is None else _number(asked, gpus)
    return asked if asked >= least else 0


def _number(asked: str, gpus: int) -> int:
    if not (asked.isascii() and asked.isdigit() and int(asked) > 0):
        raise InputError(f"{NUMBER} is '{asked}', expected a whole number from 1 on: correct it, or unset it")
    cores = os.cpu_count() or 1
    most, why = (gpus, f"{gpus} GPUs, one each") if gpus else (MOST * cores, f"{cores} cores, one for {MOST} at most")
    if int(asked) > most:
        raise InputError(f"{NUMBER} is {asked}, and this machine has {why}: lower it to {most}, or less")
    return int(asked)


def gpus_here() -> int:
    """How many GPUs PyTorch sees; it is not loaded where no driver is."""
    if "torch" not in sys.modules and not any(Path(driver).exists() for driver in DRIVERS):
        return 0
    import torch

    return torch.cuda.device_count()


def launch(module: str, count: int) -> None:
    """Start a module as several processes, and wait for their end. They tell what the user can mend themselves.

    Raises:
        InputError: torchrun does not take one of its variables, it is not said where the machines are to meet, or
            another program has the port there.
        ChildProcessError: a process was killed.
        ConnectionError: the machines did not find one another.
    """
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    asked = _asked(module, count)
    if _of_several_machines():  # which torchrun waits for without a word
        where = asked.rdzv_endpoint or asked.master_addr
        print(f"meeting the others of {asked.nnodes} machines at {where}", flush=True)
    logging.disable()  # of torchrun: each failure would be told three times
    os.environ["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"  # else restarted processes look for the dead ones
    try:
        run.run(asked)
    except SignalException as interrupted:
        print(signals.INTERRUPTED, file=sys.stderr)
        sys.exit(128 + interrupted.sigval)
    except ChildFailedError as failed:
        rank, failure = failed.get_first_failure()
        not_heard = failure.exitcode == -signal.SIGTERM  # by a process that was about to begin
        code = 128 + signal.SIGTERM if not_heard else failure.exitcode
        if code > 128 and code != signals.UNREAD:
            print(signals.INTERRUPTED, file=sys.stderr)
        if code >= 0:
            sys.exit(code)
        name = signal.Signals(-code).name
        mend = "for want of memory? Close other programs and start it again, it goes on with what is kept"
        raise ChildProcessError(f"process {rank} of {module} was killed ({name}), {mend}") from None
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        mend = (
            "what do the others say? Are all started, with the same PET_RDZV_ENDPOINT, of a free port of one of them?"
        )
        raise ConnectionError(
            f"torchrun does not bring the machines together, or lost one: {mend} ({reason})"
        ) from error
    finally:
        logging.disable(logging.NOTSET)


def _asked(module: str, count: int) -> Namespace:
    """What torchrun is asked for, by its variables, too."""
    from torch.distributed import run

    where = [] if _of_several_machines() else ["--standalone"]
    if not where and not {"PET_RDZV_ENDPOINT", "PET_MASTER_ADDR"} & set(os.environ):
        mend = "set PET_RDZV_BACKEND=c10d and PET_RDZV_ENDPOINT to a free port of one of them, such as first:29400"
        raise InputError(f"PET_NNODES is '{os.environ['PET_NNODES']}', and nothing says where these meet: {mend}")
    if os.environ.get("PET_RDZV_BACKEND") == "c10d":
        _refuse_foreign_port(os.environ.get("PET_RDZV_ENDPOINT", ""))
    try:
        with redirect_stderr(StringIO()) as said:
            return run.parse_args([*where, f"--nproc-per-node={count}", "-m", module, *sys.argv[1:]])
    except SystemExit:  # argparse's, after its usage of 20 lines
        complaint = said.getvalue().strip().rpartition("error: ")[2]
        raise InputError(f"torchrun does not take a variable PET_... of the environment: {complaint}") from None


def _of_several_machines() -> bool:
    return os.environ.get("PET_NNODES", "1") != "1"


def _refuse_foreign_port(endpoint: str) -> None:
    """Raise an InputError where a program answers that is not torchrun's: it would be waited for without end."""
    host, _, port = endpoint.rpartition(":")
    try:
        socket.create_connection((host, int(port)), ANSWER_S).close()
    except (OSError, ValueError):  # no one is there yet, or torchrun will tell
        return
    try:
        subprocess.run([sys.executable, "-c", GREET, host, port], timeout=ANSWER_S, check=True, capture_output=True)
    except subprocess.SubprocessError:
        mend = "choose a port that is free, the same on all machines"
        raise InputError(f"PET_RDZV_ENDPOINT is '{endpoint}', a port that another program has: {mend}") from None
