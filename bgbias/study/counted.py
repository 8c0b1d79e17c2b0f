"""Which parameters of params.yaml change the figures of which cells."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

OF_DATASET = ("data", "images", "masks", "backgrounds", "train", "evaluate")  # blocks of params.yaml by dataset


def settings(values: Mapping[str, Any], dataset: str, regimes: Sequence[str]) -> dict[str, Any]:
    """Return the parameters that the figures of some regimes of a dataset come from, beside regimes, loss and seeds.

    Args:
        values: of params.yaml.
        dataset: its name.
        regimes: which.

    Returns:
        Flat name, as `dvc params diff` gives it -> value.

    >>> values = {"loss": "triplet", "seeds": [1], "threads": 2, "train": {"demo": {"epochs": 3}, "sop": {"epochs": 4}}}
    >>> settings(values | {"losses": {"triplet": {"margin": 0.2}, "arcface": {"margin": 0.5}}}, "demo", ["base"])
    {'threads': 2, 'train.demo.epochs': 3, 'losses.triplet.margin': 0.2}
    """
    cells = [(dataset, regime, values["loss"]) for regime in regimes]
    return {
        name: value
        for name, value in _flat(values)
        if name == "threads" or (name != "seeds" and any(counts(name, *cell) for cell in cells))
    }


def counts(name: str, dataset: str, regime: str, loss: str) -> bool:
    """Whether a parameter, by its flat name, changes a figure of one cell; threads do by rounding alone.

    >>> names = ("train.demo.epochs", "train.demo.workers", "losses.triplet.overrides.cars196.lr", "threads")
    >>> [counts(name, "demo", "base", "triplet") for name in names]
    [True, False, False, False]
    """
    block, *keys = name.split(".")
    if keys[1:2] == ["overrides"]:
        return keys[0] == loss and keys[2:3] == [dataset]
    if block in OF_DATASET:
        return keys[:1] == [dataset] and keys[1:] != ["workers"]
    if block == "attention":
        return keys[:1] != ["max_images"] or keys[1:] == [dataset]
    return keys[:1] == [{"regime_settings": regime, "losses": loss}.get(block)] or name in ("seed", "seeds")


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", list(value) if isinstance(value, tuple) else value
