"""Folders of models that were trained here, and weights to train from."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from spoils import content, cut, edited, folder, remove
from test_bad_inputs_models import saved

pytestmark = pytest.mark.slow
NETWORK, WEIGHTS = "models/demo/base/42/network.json", "models/demo/base/42/weights.safetensors"


def card(**changes: object):
    """Write another network.json; a value that is KeyError leaves the key out."""

    def write(path: Path) -> None:
        found = json.loads(path.read_text()) | changes
        path.write_text(json.dumps({key: value for key, value in found.items() if value is not KeyError}))

    return write


FIELDS = ("network", "embedding_dim", "input_px", "distance", "channels", "mean", "sd")
CARDS = {
    "gone": (remove, "network.json is missing"),
    "empty": (content(""), "does not read"),
    "cut": (cut, "does not read"),
    "a folder": (folder, "network.json is missing"),
    "a list": (content("[1]"), "network.json"),
    "null": (content("null"), "network.json"),
    "deep": (content(5000 * "["), "does not read"),
    "a surplus field": (card(px=3), "network.json"),
    **{f"{name}: missing": (card(**{name: KeyError}), "network.json") for name in FIELDS},
    **{f"{name}: null": (card(**{name: None}), "network.json") for name in FIELDS},
    **{f"{name}: a list": (card(**{name: [[1]]}), "network.json") for name in FIELDS},
    **{f"{name}: a block": (card(**{name: {"a": 1}}), "network.json") for name in FIELDS},
    "network: unknown": (card(network="small_resnt"), "network.json .*unknown network 'small_resnt'"),
    "network: another": (card(network="bn_inception"), "the weights do not fit|network.json"),
    "embedding_dim: 0": (card(embedding_dim=0), "42"),
    "embedding_dim: another": (card(embedding_dim=9), "the weights do not fit"),
    "embedding_dim: negative": (card(embedding_dim=-8), "42"),
    "embedding_dim: huge": (card(embedding_dim=10**30), "42"),
    "embedding_dim: text": (card(embedding_dim="8"), "network.json"),
    "input_px: 0": (card(input_px=0), "network.json .*input_px 0"),
    "input_px: negative": (card(input_px=-1), "network.json .*input_px -1"),
    "input_px: huge": (card(input_px=10**9), "network.json .*input_px 1000000000"),
    "input_px: a fraction": (card(input_px=32.5), "network.json"),
    "input_px: true": (card(input_px=True), "network.json"),
    "distance: unknown": (card(distance="manhattan"), "network.json"),
    "channels: GRB": (card(channels="GRB"), "network.json .*channels GRB"),
    "mean: two": (card(mean=[1, 2]), "network.json .*mean"),
    "mean: negative": (card(mean=[-1, 2, 3]), "network.json .*mean"),
    "mean: text": (card(mean=["a", "b", "c"]), "network.json"),
    "mean: NaN": (card(mean=[float("nan"), 2, 3]), "network.json: .*NaN is no number"),
    "sd: 0": (card(sd=[0, 1, 1]), "network.json .*sd"),
    "sd: inf": (card(sd=[float("inf"), 1, 1]), "network.json: .*Infinity is no number"),
    "sd: huge": (card(sd=[10**400, 1, 1]), "network.json"),
}


def weights(change: Callable[[dict], dict]):
    """Write changed weights."""
    return lambda path: save_file(
        {key: value.clone().contiguous() for key, value in change(load_file(path)).items()}, path
    )


STATES = {
    "gone": (remove, "weights.safetensors is missing"),
    "empty": (content(""), "the weights do not fit"),
    "cut": (cut, "the weights do not fit"),
    "a folder": (folder, "weights.safetensors is missing"),
    "text": (content("weights\n" * 99), "the weights do not fit"),
    "a pickle": (content(saved({"head.weight": torch.zeros(8, 256)})), "the weights do not fit"),
    "a huge header": (content(b"\xff" * 8 + b"{}"), "the weights do not fit"),
    "no tensors": (weights(lambda found: {}), "the weights do not fit"),
    "no head": (
        weights(lambda found: {k: v for k, v in found.items() if k != "head.weight"}),
        "the weights do not fit",
    ),
    "a surplus tensor": (weights(lambda found: found | {"tail": torch.zeros(1)}), "the weights do not fit"),
    "another shape": (weights(lambda found: found | {"head.bias": torch.zeros(9)}), "the weights do not fit"),
    "a flat head": (weights(lambda found: found | {"head.weight": torch.zeros(9)}), "the weights do not fit"),
    "NaN": (weights(lambda found: found | {"head.bias": torch.full((8,), torch.nan)}), "some are not finite"),
    "inf": (weights(lambda found: found | {"head.bias": torch.full((8,), torch.inf)}), "some are not finite"),
    "zeros": (weights(lambda found: {k: v * 0 for k, v in found.items()}), "all zeros|not finite"),
    "complex": (
        weights(lambda found: found | {"head.bias": torch.zeros(8, dtype=torch.complex64)}),
        "the weights do not fit",
    ),
    "whole numbers": (
        weights(lambda found: found | {"head.bias": torch.zeros(8, dtype=torch.int64)}),
        "the weights do not fit",
    ),
}


@pytest.mark.parametrize(("how", "words"), list(CARDS.values()), ids=CARDS)
def test_the_card_of_a_model(refuses, how, words):
    refuses("embed demo base 42", words, (NETWORK, how))


@pytest.mark.parametrize(("how", "words"), list(STATES.values()), ids=STATES)
def test_the_weights_of_a_model(refuses, how, words):
    refuses("embed demo base 42", words, (WEIGHTS, how))


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ("imagenet21k", "imagenet21k"),
        ("nowhere.pth", "nowhere.pth"),
        ("params.yaml", "its name does not tell its content"),
        ("data", "data"),
        ("", "weights"),
    ],
)
def test_weights_to_train_from(refuses, weights, words):
    spoil = edited(
        "network: small_resnet\n    weights: scratch", f"network: torchvision:resnet18\n    weights: '{weights}'"
    )
    refuses("train demo base 42", words, ("params.yaml", spoil))
