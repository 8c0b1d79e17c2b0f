"""Checkpoints of a training: all that it needs to go on to the same network."""

import copy
import sys
import warnings
from pathlib import Path
from textwrap import shorten
from typing import Any

import torch

from bgbias import files, ranks
from bgbias.errors import InputError


def save(checkpoint: Path, trained: dict[str, Any], curve: list[dict], best: dict) -> None:
    """Write a checkpoint, whole or not at all.

    Args:
        checkpoint: the file.
        trained: by name, all that has a state: networks, optimizer, schedule.
        curve: what was measured, an epoch each, counted from 1 in "epoch".
        best: of the best epoch, with the "weights" of the embedder.
    """
    states = {name: part.state_dict() for name, part in trained.items()}

    def write() -> None:
        with files.whole_file(checkpoint) as partial:
            torch.save({**states, "curve": curve, "best": best}, partial)

    ranks.by_first(write)


def resume(checkpoint: Path, trained: dict[str, Any]) -> tuple[list[dict], dict] | None:
    """Load what `save` has written into `trained`, on whatever device that is, and the checkpoint was.

    Returns:
        Curve and best; None if the checkpoint is damaged: then it is set aside, as CHECKPOINT.damaged, standard error
        says so, and `trained` is as it was.
    """
    if ranks.by_first(_set_aside_if_damaged, checkpoint, trained):
        return None
    saved = _read(checkpoint)
    _load(saved, trained)
    print(f"resuming after epoch {len(saved['curve'])} from {checkpoint}", flush=True)
    return saved["curve"], saved["best"]


def _set_aside_if_damaged(checkpoint: Path, trained: dict[str, Any]) -> bool:
    try:
        _load(_read(checkpoint), copy.deepcopy(trained))
    except Exception as error:  # whatever PyTorch trips over
        aside = checkpoint.with_name(f"{checkpoint.name}.damaged")
        files.move(checkpoint, aside)
        reason = shorten(" ".join(str(error).split()), 200, placeholder=" ...")
        complaint = f"{checkpoint} is damaged ({type(error).__name__}: {reason})"
        print(f"{complaint}: it is now {aside.name}, and training starts anew", file=sys.stderr)
        return True
    return False


def _read(checkpoint: Path) -> dict[str, Any]:
    """Read it to the CPU: parts copy their states to where they are, but optimizers their counts of steps."""
    with warnings.catch_warnings(action="ignore"):  # of other kinds of pickles
        return torch.load(checkpoint, map_location="cpu", weights_only=True)


def _load(saved: dict[str, Any], trained: dict[str, Any]) -> None:
    trained["embedder"].load_state_dict(saved["best"]["weights"])
    for name, part in trained.items():
        part.load_state_dict(saved[name])
    epochs = [row["epoch"] for row in saved["curve"]]
    if epochs != list(range(1, len(epochs) + 1)) or saved["best"]["epoch"] not in epochs:
        raise InputError("epochs are missing")
