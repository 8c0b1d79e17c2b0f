"""The dial of the demo and the measures together: the more scene and class agree, the more it costs to see scenes.

Three embedders of known looks: at the scene alone (the colours of the photo's rim), at the object alone (the colours
under the mask), and at both.
"""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from bgbias.ablations import inpainted
from bgbias.audit.inputs.mixed import mixed_rand, mixed_same
from bgbias.config.read import load
from bgbias.datasets.demo import backgrounds, fetch
from bgbias.metrics.background_bias import background_gap, conflict
from bgbias.metrics.retrieval import per_query
from bgbias.photos import decode
from bgbias.photos.compose import paste

SIDE, RIM, SWAPS = 32, 3, 4
DIAL = (0.0, 0.5, 1.0)
SMALL = {"size_px": SIDE, "train_classes": 1, "val_classes": 1, "test_classes": 16, "test_photos": 8, "test_scenes": 20}
FEW = {"train_photos": 1, "val_photos": 1, "train_scenes": 2, "val_scenes": 2, "backgrounds": SWAPS, "home_scenes": 1}


def rim(pictures: Tensor) -> Tensor:
    """The scene alone: no object reaches the rim."""
    edges = [pictures[..., :RIM, :], pictures[..., -RIM:, :], pictures[..., :RIM].mT, pictures[..., -RIM:].mT]
    return torch.cat([edge.float().unflatten(-1, (4, -1)).mean((-3, -1)).flatten(1) for edge in edges], 1)


def under(masks: Tensor):
    """The object alone."""
    weights = (masks == 255).float()
    return lambda pictures: ((pictures * weights).sum((2, 3)) / weights.sum((2, 3))).repeat(1, 16)


def read(folder: Path, paths: pd.Series, how: decode.Read) -> Tensor:
    pictures = [np.asarray(how(folder / path)).reshape(SIDE, SIDE, -1) for path in paths]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()


@pytest.fixture(scope="module")
def demos(tmp_path_factory):
    """Photos, masks, labels and backgrounds at every position of the dial."""
    found = {}
    for correlation in DIAL:
        options = dataclasses.replace(load().data["demo"], **SMALL, **FEW, background_correlation=correlation)
        folder = tmp_path_factory.mktemp("demo")
        fetch(folder / "raw", options)
        table = pd.read_csv(folder / "raw/photos.csv").query("split == 'test'")
        photos, masks = (
            read(folder / "raw", table.path, decode.read_photo),
            read(folder / "raw", table["mask"], decode.read_mask),
        )
        labels = torch.from_numpy(table["class"].factorize()[0])
        pool = [torch.from_numpy(picture[:SIDE, :SIDE]).permute(2, 0, 1) for _, picture in backgrounds("test", options)]
        found[correlation] = photos, masks, labels, pool
    return found


@pytest.fixture(scope="module", params=["scene", "object", "both"])
def measured(request, demos):
    """Drop, gap and conflict at every position of the dial, of one embedder."""
    found = {}
    for correlation, (photos, masks, labels, pool) in demos.items():
        looks = {"scene": [rim], "object": [under(masks)], "both": [rim, under(masks)]}[request.param]
        found[correlation] = measures(photos, masks, labels, pool, looks)
    return request.param, found


def measures(photos: Tensor, masks: Tensor, labels: Tensor, pool: list[Tensor], looks: list) -> dict[str, float]:
    """Recall@1 lost to swaps, the background gap, and the conflict."""
    centre = torch.cat([look(photos) for look in looks], 1).mean(0)

    def embed(pictures):
        return normalize(torch.cat([look(pictures) for look in looks], 1) - centre, dim=1)

    def scores(pictures):
        embeddings = embed(pictures)
        return per_query(embeddings, embeddings, labels, [1])

    rng, filled = np.random.default_rng(0), inpainted(photos, masks, 1)
    mixed = [scores(paste(photos, masks, filled[draw(labels.numpy(), rng)])) for draw in (mixed_same, mixed_rand)]
    grid = [paste(photos, masks, picture.expand_as(photos)) for picture in pool]
    drawn = torch.stack(grid, 1)[torch.arange(len(photos)), torch.from_numpy(rng.integers(SWAPS, size=len(photos)))]
    return {
        "drop": (scores(photos)["recall_at_1"] - scores(drawn)["recall_at_1"]).mean().item(),
        "gap": background_gap(*mixed)["recall_at_1"].mean().item(),
        "conflict": conflict([embed(pictures) for pictures in grid], labels).nanmean().item(),
    }


def test_drop_and_gap_grow_with_the_correlation_for_who_looks_at_scenes(measured):
    look, found = measured
    for name in ("drop", "gap"):
        low, middle, high = (found[correlation][name] for correlation in DIAL)
        if look == "object":
            assert low == middle == high == 0
        else:
            assert low < middle < high
            assert low < 0.15
            assert high - low > 0.3


def test_the_conflict_tells_who_looks_at_what(measured):
    look, found = measured
    for of in found.values():
        low, high = {"scene": (0.95, 1), "object": (0, 0.3), "both": (0.3, 0.95)}[look]
        assert low <= of["conflict"] <= high
