"""Processes that share the work of a stage: the ranks that torchrun starts.

All ranks run the same code on the same input. They share what takes long, by `spread` or, of a training batch, by
`share` (see `training.shared`); files are written by the first alone. A process by itself is the first of one: it does
all of it, and imports nothing.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from bgbias.errors import InputError

if TYPE_CHECKING:
    import torch

Item, Result = TypeVar("Item"), TypeVar("Result")
FOREVER = timedelta(days=365)  # the others wait while the first does what takes long; torchrun sees who has died
PATIENCE_S = 10.0  # until torchrun ends a process that has lost the others
LOST = "another process of this stage has ended: start it again, and it goes on with what is kept"


class _World(NamedTuple):
    """The place of this process among all, and how many of them there are: in all, and on this machine."""

    rank: int = 0
    count: int = 1
    local: int = 1


_world = _World()


def under_torchrun() -> bool:
    """Whether torchrun has started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def join() -> None:
    """Take part in the work of all ranks, on a GPU of its own where there are some."""
    global _world
    import torch
    from torch import distributed

    with _connected():
        distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=FOREVER)
    _world = _World(*(int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")))


def leave() -> None:
    """End the work of all ranks."""
    global _world
    from torch import distributed

    wait()
    distributed.destroy_process_group()
    _world = _World()


@contextmanager
def alone() -> Iterator[None]:
    """Do by itself what the block does, as the first of one process."""
    global _world
    before, _world = _world, _World()
    try:
        yield
    finally:
        _world = before


def count() -> int:
    """How many processes share the work: 1 within what one of them does by itself."""
    return _world.count


def rank() -> int:
    """Which of them this process is, from 0 on."""
    return _world.rank


def on_this_machine() -> int:
    """How many of them share the cores and the memory of this machine."""
    return _world.local


def is_first() -> bool:
    """Whether this process is the one that writes."""
    return _world.rank == 0


def enough(number: int, what: str) -> None:
    """Refuse more processes than there is work for.

    Args:
        number: of what they share.
        what: they share.

    Raises:
        InputError: there are more processes.
    """
    if _world.count > number:
        raise InputError(
            f"{_world.count} processes share {number} {what}: start {number} at most (BGBIAS_PROCESSES, or "
            "--nproc-per-node of torchrun)"
        )


def gather(value: Result) -> list[Result]:
    """The values of all ranks, in their order; anything that can be pickled."""
    if _world.count == 1:
        return [value]
    from torch import distributed

    found = [None] * _world.count
    with _connected():
        distributed.all_gather_object(found, value)
    return found


def wait() -> None:
    """Wait until all ranks have come here."""
    gather(None)


def by_first(function: Callable[..., Result], *arguments: object) -> Result:
    """Let the first rank call a function while the others wait.

    Returns:
        What it returns, on all ranks.

    Raises:
        InputError, OSError: it raises one, on all ranks.

    >>> by_first(max, 3, 5)
    5
    """
    outcome = _outcome(function, *arguments) if is_first() else None
    return _result(gather(outcome)[0])


def spread(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Call a function for each item, as `map` does, each rank for some of them; all get all results in order.

    Each call is what it would be in one process, so the results are the same to the byte.

    Args:
        function: its results can be pickled.
        items: the same on all ranks.

    Raises:
        InputError, OSError: a call raises one: the first such, on all ranks.

    >>> list(spread(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    items = iter(items)
    while turn := list(islice(items, _world.count)):
        outcome = _outcome(function, turn[_world.rank]) if _world.rank < len(turn) else None
        yield from map(_result, gather(outcome)[: len(turn)])


def _outcome(function: Callable[..., Result], *arguments: object) -> tuple[Result | None, Exception | None]:
    if _world.count == 1:
        return function(*arguments), None
    try:
        with alone():
            return function(*arguments), None
    except (InputError, OSError) as error:  # any other is told where it is raised
        return None, error


def _result(outcome: tuple[Result, Exception | None]) -> Result:
    result, error = outcome
    if error:
        raise error
    return result


def share(number: int) -> range:
    """The rows of this rank, of so many: as many as the others have, give or take one.

    >>> share(5)
    range(0, 5)
    """
    return range(_world.rank * number // _world.count, (_world.rank + 1) * number // _world.count)


def add_up(tensor: "torch.Tensor") -> None:
    """Replace a tensor by its sum over all ranks."""
    from torch import distributed

    with _connected():
        distributed.all_reduce(tensor)


@contextmanager
def _connected() -> Iterator[None]:
    """Of processes that have lost one, the cause is told by that one, and torchrun ends the others."""
    try:
        yield
    except RuntimeError as error:
        time.sleep(PATIENCE_S)
        raise ChildProcessError(f"{LOST} ({' '.join(str(error).split())[:100]})") from error
