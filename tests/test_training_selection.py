"""The scores by which an epoch is chosen: of validation photos alone, on the same composites every time."""

import pytest
import torch
from torch import nn

from bgbias.metrics import retrieval
from bgbias.models.cards import Input, card
from bgbias.models.embedder import Embedder, embed
from bgbias.training.selection import validation

SEED = 7


def means():
    """An embedder of mean colours: the background counts by its area."""
    return Embedder(nn.AdaptiveAvgPool2d(1), card("means", Input(16, (0,) * 3, (1,) * 3)), "means")


def expected(photos, batches):
    embeddings = embed(means(), batches, photos.split("val"))
    return retrieval.evaluate(
        embeddings, embeddings, torch.tensor(photos.table.class_id[photos.split("val")].to_numpy()), [1]
    )


def test_scores_are_the_means_over_the_views_of_validation_photos(photos):
    pool, ids = photos.pool("val"), photos.split("val")
    clean = expected(photos, photos.clean(ids))
    swapped = expected(photos, photos.swapped(photos.draw(ids, pool, SEED, "validation", 0), pool))
    assert clean != swapped
    assert validation(photos, ["clean"], pool, SEED)(means()) == clean
    assert validation(photos, ["swapped"], pool, SEED)(means()) == swapped
    both = {name: (clean[name] + swapped[name]) / 2 for name in clean}
    assert validation(photos, ["clean", "swapped"], pool, SEED)(means()) == pytest.approx(both)


def test_every_epoch_is_measured_on_the_same_composites(photos):
    validate = validation(photos, ["swapped"], photos.pool("val"), SEED)
    assert validate(means()) == validate(means())
