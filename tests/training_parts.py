"""Everything that a training wants, on the drawn photos."""

import dataclasses
from functools import partial

import pytest
import torch

from bgbias.config import read
from bgbias.metrics import retrieval
from bgbias.models import trained as networks
from bgbias.models.embedder import embed_photos
from bgbias.photos.views import Photos
from bgbias.training import losses
from bgbias.training.batches import Crops

SETTINGS = read.load()


@pytest.fixture
def parts(data, geometry, options):
    """Everything that `fit` wants, made anew at each call."""
    return partial(make, data, geometry, options)


def make(data, geometry, options, regime="base", loss="triplet", changed=None, **changes):
    """Everything that `fit` wants."""
    photos = Photos.prepared("drawn", geometry, data)
    treated = dataclasses.replace(SETTINGS.regime_settings[regime], **changed or {})
    crops = Crops(photos, treated, dataclasses.replace(options, **changes), 2, 5)
    torch.manual_seed(5)
    settings = getattr(SETTINGS.losses, loss)
    criterion = losses.make(loss, settings, len(crops.by_class), 8)
    embedder = networks.new("small_resnet", 8, 16, "cosine")
    ids = photos.split("val")
    labels = torch.tensor(photos.table.class_id[ids].to_numpy())

    def validate(embedder):
        found = embed_photos(embedder, lambda part: photos.clean(ids[part]), ids)
        return retrieval.evaluate(found, found, labels, [1])

    return embedder, criterion, crops, getattr(settings, "weights_lr", None), validate


def weights(embedder):
    return torch.cat([tensor.flatten().double() for tensor in embedder.state_dict().values()])
