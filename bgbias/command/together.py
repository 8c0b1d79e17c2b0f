"""What a process does that torchrun has started: it joins the others, if they are at the same work."""

import hashlib
import os
import platform
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import NoReturn

from bgbias import ranks
from bgbias.command import launch
from bgbias.errors import InputError
from bgbias.files import locks

HEAD_START_S = 15.0  # of the first process in telling what all have met
SIGHT_S = 10.0  # until a file of another machine is to be seen


def silence_all_but_the_first() -> None:
    """Let the first process alone speak, of those that torchrun has started."""
    if ranks.under_torchrun() and os.environ["RANK"] != "0":
        sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 (until the process ends)


def end(error: str) -> NoReturn:
    """Tell an error and end the process, with exit code 1.

    Of several processes that meet the same one, the first on each machine tells it, at the last try of torchrun.
    """
    if not ranks.under_torchrun():
        sys.exit(error)
    if os.environ["TORCHELASTIC_RESTART_COUNT"] == os.environ["TORCHELASTIC_MAX_RESTARTS"]:
        others = (os.environ["RANK"] != "0") + (os.environ["LOCAL_RANK"] != "0" and _several_machines())
        time.sleep(others * HEAD_START_S)  # torchrun ends this process meanwhile, where one has ended
        print(error, file=sys.__stderr__, flush=True)
    os._exit(1)  # at once: threads of PyTorch may end otherwise in a way of their own


def _several_machines() -> bool:
    return os.environ["WORLD_SIZE"] != os.environ["LOCAL_WORLD_SIZE"]


@contextmanager
def joined(shared: bool, settings: object) -> Iterator[None]:
    """Take part in the work of all processes that torchrun has started, if it has started several.

    Args:
        shared: whether the stage is one that can be shared.
        settings: the parameters.

    Raises:
        InputError: it cannot; the processes have different code, parameters or arguments, or see different folders.
    """
    if not ranks.under_torchrun() or os.environ["WORLD_SIZE"] == "1":
        yield
        return
    if not shared:
        raise InputError("several processes cannot share this stage: start it without torchrun")
    _refuse_restarts()
    Thread(target=_end_with_torchrun, args=(os.getppid(),), daemon=True).start()
    import torch  # noqa: F401 (which ranks join by, and which then tells the GPUs, whatever their driver is called)

    _take_gpu()
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)  # Python does not hear it while PyTorch waits for the others
    ranks.join()
    signal.signal(signal.SIGTERM, before)
    _refuse_others(settings)
    yield
    ranks.leave()


def _refuse_restarts() -> None:
    """Raise an InputError where restarted processes would look for the dead ones, and wait for them."""
    shared = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    if shared and os.environ["TORCHELASTIC_MAX_RESTARTS"] != "0":
        raise InputError(
            "what torchrun starts again would wait for dead processes: set TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1, "
            f"of several machines also --rdzv-backend=c10d; or give {launch.NUMBER} instead of torchrun"
        )


def _end_with_torchrun(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _take_gpu() -> None:
    """See one GPU only, so that whatever computes takes it: PyTorch, onnxruntime."""
    if count := launch.gpus_here():
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(count)))).split(",")
        if int(os.environ["LOCAL_WORLD_SIZE"]) > count:
            raise InputError(
                f"each process takes a GPU, and this machine has {count}: lower {launch.NUMBER}, or --nproc-per-node "
                "of torchrun, to that"
            )
        os.environ["CUDA_VISIBLE_DEVICES"] = visible[int(os.environ["LOCAL_RANK"])]


def _refuse_others(settings: object) -> None:
    """Raise an InputError where the processes are not at the same work."""
    found = ranks.gather((platform.node(), _fingerprints(settings)))
    (_, expected), *others = found
    for rank, (machine, its) in enumerate(others, 1):
        for what, mark in its.items():
            if mark != expected[what]:
                mend = "give all processes the same code, params.yaml, arguments and versions"
                raise InputError(f"process {rank} (on {machine}) has other {what} than the first: {mend}")
    if _several_machines():
        _refuse_other_folder([machine for machine, _ in found])


def _fingerprints(settings: object) -> dict[str, str]:
    """What must be the same on all machines, by what it is called."""
    import torch

    here = Path(__file__).parents[2]
    code = sorted(path for folder in ("bgbias", "stages") for path in (here / folder).rglob("*.py"))
    parts = {
        "code": b"\0".join(path.read_bytes() for path in code),
        "parameters": repr(settings).encode(),
        "arguments": "\0".join(sys.argv[1:]).encode(errors="surrogateescape"),
        "versions": f"{sys.version} {torch.__version__}".encode(),
    }
    return {what: hashlib.sha256(content).hexdigest() for what, content in parts.items()}


def _refuse_other_folder(machines: list[str]) -> None:
    """Raise an InputError unless all see what the first writes; a network's folder shows it a little later."""
    token = locks.work() / f"seen-{os.environ['TORCHELASTIC_RUN_ID'][:16]}"

    def write() -> None:
        token.parent.mkdir(parents=True, exist_ok=True)
        token.touch()

    ranks.by_first(write)
    deadline = time.monotonic() + SIGHT_S
    while not (seen := token.is_file()) and time.monotonic() < deadline:
        time.sleep(0.5)
    blind = [machine for machine, sees in zip(machines, ranks.gather(seen), strict=True) if not sees]
    ranks.by_first(token.unlink)
    if blind:
        raise InputError(
            f"{Path.cwd()}: {blind[0]} does not see what {machines[0]} writes: put the checkout into a folder that "
            "all machines share"
        )
