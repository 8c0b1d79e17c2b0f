"""The settings that the study's figures were made with, and in what those of our figures differ from them."""

import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from bgbias.errors import printable

WEIGHTS = "bn_inception-52deb4733.pth"  # a file of this name is held to the checksum in it
REGIMES = {"base": (0.0, ["clean"]), "bgaugment": (1.0, ["swapped"])}  # replace, select_on
ALL = {  # by the names of params.yaml, {0} a dataset; beside the published ones what docs/study.md says is chosen here
    "seeds": [42],
    "images.{0}.short_side_px": 256,
    "images.{0}.crop_px": 227,
    "images.{0}.input_px": 227,
    "images.{0}.train_crop_share": [0.16, 1.0],
    "images.{0}.train_crop_ratio": [0.75, 1.33],
    "masks.{0}.method": "rembg",
    "masks.{0}.rembg_model": "u2net",
    "backgrounds.{0}.source": "unsplash",
    "train.{0}.network": "bn_inception",
    "train.{0}.weights": "imagenet",
    "train.{0}.freeze_batch_norm": True,
    "train.{0}.embedding_dim": 128,
    "train.{0}.batch_size": 32,
    "train.{0}.batches_per_epoch": 100,
    "train.{0}.max_epochs": 1000,
    "train.{0}.patience": 15,
    "train.{0}.optimizer": "rmsprop",
    "train.{0}.lr": 1e-6,
    "train.{0}.head_lr": 1e-6,
    "train.{0}.weight_decay": 1e-4,
    "train.{0}.momentum": 0.9,
    "train.{0}.schedule": "constant",
    "train.{0}.precision": "fp32",
    "train.{0}.noise_share": 0.0,
    "train.{0}.separate_pools": False,
    "evaluate.{0}.draws": 5,
    "evaluate.{0}.swaps.swapped": "test",
    "attention.method": "smoothgrad",
    "attention.copies": 25,
    "attention.noise_share": 0.15,
    "attention.precision": "fp32",
    "attention.max_images.{0}": "all",
}
OF_REGIME = {"backgrounds": "pool", "vary_backgrounds": False, "skip_suspect": False, "grow_masks_px": 0}
OF_REGIME |= {"paired": False, "consistency": 0.0}
PER_CLASS = {"contrastive": 4, "triplet": 4, "multi_similarity": 4, "arcface": 1, "normalized_softmax": 1}
LOSSES = {  # loss, in the order of the study's tables -> dataset -> its settings
    "contrastive": {
        "cars196": {"pos_margin": 0.265234, "neg_margin": 0.540941},
        "cub200": {"pos_margin": -0.2, "neg_margin": 0.384119},
        "sop": {"pos_margin": 0.285026, "neg_margin": 0.513015},
    },
    "triplet": {"cars196": {"margin": 0.119027}, "cub200": {"margin": 0.0961007}, "sop": {"margin": 0.0451925}},
    "multi_similarity": {
        "cars196": {"alpha": 14.3588, "beta": 75.8348, "base": 0.661556},
        "cub200": {"alpha": 0.01, "beta": 50.6018, "base": 0.562482},
        "sop": {"alpha": 8.4925, "beta": 57.3886, "base": 0.416736},
    },
    "arcface": {
        "cars196": {"margin_degrees": 20.5223, "scale": 49.5017, "weights_lr": 7.39852e-06},
        "cub200": {"margin_degrees": 23.2259, "scale": 100.0, "weights_lr": 0.00513841},
        "sop": {"margin_degrees": 18.6319, "scale": 220.363, "weights_lr": 0.00201866},
    },
    "normalized_softmax": {
        "cars196": {"temperature": 0.0886325, "weights_lr": 0.0110462},
        "cub200": {"temperature": 0.108747, "weights_lr": 0.00446892},
        "sop": {"temperature": 0.0630624, "weights_lr": 0.000546834},
    },
}


def departures(found: Mapping[str, Any], dataset: str, cells: list[tuple[str, str]]) -> list[str]:
    """List the settings of some cells that are not those of the study's.

    Args:
        found: ours, flat name, as `counted.settings` gives it -> value.
        dataset: one of the study's.
        cells: (loss, regime), those of the study's.

    Returns:
        Each as what it is, and what it is in the study.

    >>> departures(settings("sop", "triplet", "base") | {"train.sop.lr": 0.1}, "sop", [("triplet", "base")])
    ['train.sop.lr 0.1 (1e-06)']
    """
    expected = {}
    for loss, regime in cells:
        expected |= settings(dataset, loss, regime)
        expected |= dict.fromkeys(name for name in found if name.startswith(f"regime_settings.{regime}.finder"))
    ours = {name: found.get(_overridden(name, dataset), found.get(name)) for name in expected}
    if PurePath(str(ours[weights := f"train.{dataset}.weights"])).name == WEIGHTS:
        del expected[weights]
    return [f"{name} {_said(ours[name])} ({_said(its)})" for name, its in expected.items() if ours[name] != its]


def unknown(dataset: str, cells: list[tuple[str, str]]) -> list[str]:
    """List those of some cells that are not the study's.

    >>> unknown("sop", [("triplet", "base"), ("proxy_nca", "base")])
    ['proxy_nca base']
    """
    return [" ".join(cell) for cell in cells if cell[1] not in REGIMES or dataset not in LOSSES.get(cell[0], ())]


def settings(dataset: str, loss: str, regime: str) -> dict[str, Any]:
    """Return the settings of one cell of the study's, by the names of params.yaml, a loss's without overrides.

    >>> settings("sop", "triplet", "base")["losses.triplet.margin"]
    0.0451925
    """
    replace, select_on = REGIMES[regime]
    of_regime = {"replace": replace, "select_on": select_on, **OF_REGIME}
    of_loss = {"per_class": PER_CLASS[loss], **LOSSES[loss][dataset]}
    return {
        **{name.format(dataset): value for name, value in ALL.items()},
        **{f"regime_settings.{regime}.{name}": value for name, value in of_regime.items()},
        **{f"losses.{loss}.{name}": value for name, value in of_loss.items()},
    }


def _overridden(name: str, dataset: str) -> str:
    """Of a loss's setting, what stands for one dataset."""
    block, *keys = name.split(".")
    return ".".join((block, keys[0], "overrides", dataset, keys[1])) if block == "losses" else name


def _said(value: Any) -> str:
    return printable(value) if isinstance(value, str) else json.dumps(value) if value is not None else "none"
