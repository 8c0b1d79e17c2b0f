"""What must hold between the names and blocks of params.yaml."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bgbias.config import losses
from bgbias.errors import InputError, refuse_unknown

if TYPE_CHECKING:
    from bgbias.config.params import Params

RECORDED = {"clean", "drop", "attention", "mask_iou", "queries", "lone_queries", "seeds"}  # keys of a regime's metrics
BY_DATASET = ("images", "masks", "backgrounds", "train", "evaluate")


def refuse_odd_names(block: str, names: Iterable[str]) -> None:
    """Raise ValueError for the first name that could be more than a part of a path, a key or a command.

    >>> refuse_odd_names("audit", ["shop", "../shop"])
    Traceback (most recent call last):
    bgbias.errors.InputError: audit.../shop: name it with letters, digits, _ and - only, at most 100
    """
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}", name):
            raise InputError(f"{block}.{name}: name it with letters, digits, _ and - only, at most 100")


def refuse_twice(name: str, values: Sequence) -> None:
    """Raise ValueError for a list that holds something twice.

    >>> refuse_twice("seeds", [42, 7, 42])
    Traceback (most recent call last):
    bgbias.errors.InputError: seeds [42, 7, 42]: name each once
    """
    if len(set(values)) < len(values):
        raise InputError(f"{name} {values}: name each once")


def refuse_contradictions(params: "Params") -> None:
    """Raise ValueError for an unknown loss, regime or dataset, a dataset that lacks a block, or a batch too small."""
    refuse_unknown("loss", [params.loss], losses.names())
    board = params.leaderboard
    measured = [*(entry.dataset for entry in params.remedies.values()), *board.datasets]
    refuse_unknown("dataset", [*params.datasets, *measured], params.data)
    refuse_unknown("regime", params.regimes, params.regime_settings)
    for name in ("datasets", "regimes", "seeds"):
        refuse_twice(name, getattr(params, name))
    for name in ("data", "regime_settings", "mask_quality", "audit", "remedies"):
        refuse_odd_names(name, getattr(params, name))
    if board.datasets and not board.embedders:
        raise InputError("leaderboard.embedders is empty: add a row, such as hog: baseline:hog")
    refuse_odd_names("leaderboard.embedders", board.embedders)
    refuse_twice("leaderboard.embedders", list(board.embedders.values()))
    blocks = {name: getattr(params, name) for name in BY_DATASET}
    blocks["attention.max_images"] = params.attention.max_images
    for dataset in params.data:
        for name, block in blocks.items():
            if dataset not in block:
                raise InputError(f"{name}.{dataset} is missing")
    blocks |= {f"losses.{name}.overrides": loss.overrides for name, loss in vars(params.losses).items()}
    for name, block in blocks.items():
        refuse_unknown(f"dataset in {name}:", block, params.data)
    loss = getattr(params.losses, params.loss)
    for dataset in params.datasets:
        batch_size = params.train[dataset].batch_size
        per_class = loss.overrides.get(dataset, {}).get("per_class", loss.per_class)
        if per_class > batch_size:
            raise InputError(
                f"train.{dataset}.batch_size {batch_size} is less than losses.{params.loss}.per_class {per_class}: "
                "raise the one or lower the other"
            )
