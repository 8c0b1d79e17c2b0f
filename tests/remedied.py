"""Embedders of known looks, and embeddings of a world whose backgrounds are in dimensions of their own."""

import numpy as np
import pytest
import torch
from random_tensors import random
from torch import nn
from torch.nn.functional import normalize

from bgbias.metrics import bootstrap
from bgbias.models.cards import Input, card
from bgbias.models.embedder import Embedder
from bgbias.remedies import passes
from bgbias.remedies.passes import Split
from bgbias.remedies.pictures import PASSES, Shown
from bgbias.remedies.recovery import Learnt

SEED, DRAWS = 7, 2


class Network(nn.Module):
    """A network that gives what a function makes of images, 0..255."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, images):
        return self.function(images)


def middle(images):
    """The drawn object's colour, as a direction."""
    return normalize(images[:, :, 6:10, 6:10].mean((2, 3)) - 99.5)


def corners(images):
    """The background alone, as a direction."""
    return normalize(images[:, :, ::15, ::15].flatten(1) - 99.5)


EMBEDDERS = {
    "object": middle,
    "background": corners,
    "both": lambda images: torch.cat([middle(images), 3 * corners(images)], 1),
}


def embedder(name):
    return Embedder(Network(EMBEDDERS[name]), card(name, Input(16, (0,) * 3, (1 / 255,) * 3)), name)


def split_of(photos, name, split="test"):
    shown, swaps = Shown(photos, photos.pool("val"), SEED), passes.Swaps(photos.pool("test"), DRAWS, SEED)
    return passes.embedded(embedder(name), photos, photos.split(split), swaps, shown, in_memory)


def in_memory(view, rows, make):
    made = np.concatenate(list(make()))
    assert len(made) == rows
    return made


def nothing_learnt(dimensions):
    return Learnt(torch.empty(0, dimensions), torch.eye(dimensions), {}, {})


@pytest.fixture
def few_resamples(monkeypatch):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 50)


def two_parts(labels, backgrounds, seed):
    """Embeddings of an object part in 8 dimensions and a larger background part in 4."""
    objects = random(20, 8, seed=1)[labels] + 0.2 * random(len(labels), 8, seed=seed)
    return normalize(torch.cat([normalize(objects), 2 * normalize(backgrounds)], 1))


def world(seed):
    """A split whose classes have a background each on the clean photos, and random ones on the swapped."""
    labels = torch.arange(100) % 20
    own = two_parts(labels, random(20, 4, seed=3)[labels], seed)
    swapped = [two_parts(labels, random(100, 4, seed=seed + number), seed) for number in range(1, 4)]
    return Split(labels, [dict.fromkeys(PASSES, view) for view in (own, *swapped)])


def swaps_of_other_photos():
    objects = random(40, 1, 8, seed=50).expand(-1, 5, -1)
    parts = normalize(objects, dim=2), 2 * normalize(random(40, 5, 4, seed=51), dim=2)
    return normalize(torch.cat(parts, 2), dim=2)
