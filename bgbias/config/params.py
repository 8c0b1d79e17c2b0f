"""What params.yaml holds, as frozen dataclasses; pydantic checks types and ranges (see read).

No default but None, and no computing: then these files are dependencies of no stage, and a change of them makes none
stale.
"""

from itertools import product
from typing import Annotated

from annotated_types import Ge, MinLen

from bgbias.config import losses
from bgbias.config.audits import Audit, Leaderboard, Remedies
from bgbias.config.data import Backgrounds, Data, Geometry, Masks
from bgbias.config.evaluation import Attention, Evaluation, HandMasks
from bgbias.config.training import Regime, Training, refuse_idle
from bgbias.config.values import Processes, Seed, refuse_odd_names, refuse_twice, strict
from bgbias.errors import InputError, refuse, refuse_unknown

BY_DATASET = ("images", "masks", "backgrounds", "train", "evaluate")


@strict
class Params:
    """All of params.yaml."""

    datasets: Annotated[list[str], MinLen(1)]
    regimes: Annotated[list[str], MinLen(1)]  # of regime_settings
    loss: str  # one of losses
    seeds: Annotated[list[Seed], MinLen(1)]
    seed: Seed
    threads: Annotated[Processes, Ge(1)]  # of each process that computes on a CPU
    data: Data
    images: dict[str, Geometry]
    masks: dict[str, Masks]
    backgrounds: dict[str, Backgrounds]
    train: dict[str, Training]
    regime_settings: dict[str, Regime]
    losses: losses.Losses
    evaluate: dict[str, Evaluation]
    attention: Attention
    mask_quality: dict[str, HandMasks]
    audit: dict[str, Audit]
    remedies: dict[str, Remedies]
    leaderboard: Leaderboard

    def __post_init__(self):
        """Refuse blocks that do not go together."""
        _refuse_contradictions(self)


def _refuse_contradictions(params: Params) -> None:
    """Raise ValueError for an unknown name, a lacking block, a batch too small, or a setting that changes nothing."""
    refuse_unknown("loss", [params.loss], losses.names())
    board = params.leaderboard
    measured = [*(entry.dataset for entry in params.remedies.values()), *board.datasets]
    refuse_unknown("dataset", [*params.datasets, *measured], params.data)
    refuse_unknown("regime", params.regimes, params.regime_settings)
    for name in ("datasets", "regimes", "seeds"):
        refuse_twice(name, getattr(params, name))
    for parts in ((params.datasets, params.regimes), (board.datasets, board.embedders)):
        names = ["-".join(cell) for cell in product(*parts)]  # of DVC's stages; of two alike it would run one, unsaid
        refuse(
            {name for name in names if names.count(name) > 1}, "two stages would have one name; rename what it joins"
        )
    for name in ("data", "regime_settings", "mask_quality", "audit", "remedies"):
        refuse_odd_names(name, getattr(params, name))
    if board.datasets and not board.embedders:
        raise InputError("leaderboard.embedders is empty: add a row, such as hog: baseline:hog")
    refuse_odd_names("leaderboard.embedders", board.embedders)
    for name, regime in params.regime_settings.items():
        refuse_idle(name, regime)
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
        if per_class >= batch_size:
            raise InputError(
                f"train.{dataset}.batch_size {batch_size} is not more than losses.{params.loss}.per_class {per_class}, "
                "so a batch has one class: raise the one or lower the other"
            )
