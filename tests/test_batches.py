"""Training batches: sampling, crops, composition."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from bgbias.batches import Batch, Crops, sample
from bgbias.views import Photos

CPU = torch.device("cpu")


@pytest.fixture
def crops(data, geometry, options):
    def make(regime="bgaugment", per_class=2, seed=3, **changes):
        photos = Photos("drawn", geometry, data)
        return Crops(photos, regime, dataclasses.replace(options, **changes), per_class, seed)

    return make


def same(one: Batch, other: Batch) -> bool:
    return all(a is b is None or torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_batch_has_m_photos_of_each_class_and_no_photo_twice():
    by_class = [np.arange(10 * c, 10 * c + 5) for c in range(9)]
    batch = sample(by_class, 16, 4, np.random.default_rng(0))
    assert len({image_id for image_id, _ in batch}) == 16
    assert np.bincount([label for _, label in batch]).tolist().count(4) == 4
    assert all(image_id // 10 == label for image_id, label in batch)


def test_a_class_with_too_few_photos_gives_some_twice():
    batch = sample([np.array([0, 1])], 4, 4, np.random.default_rng(0))
    assert {image_id for image_id, _ in batch} <= {0, 1} and len(batch) == 4


def test_every_class_and_photo_is_sampled():
    by_class, rng = [np.arange(5 * c, 5 * c + 5) for c in range(9)], np.random.default_rng(0)
    seen = {image_id for _ in range(60) for image_id, _ in sample(by_class, 8, 2, rng)}
    assert seen == set(range(45))


def test_only_training_photos_are_sampled(crops):
    made = crops()
    assert set(np.concatenate(made.by_class)) == set(made.photos.split("train"))


def test_base_needs_no_masks_and_sees_the_photos(crops):
    batch = crops("base")[1, 0]
    assert batch.masks is None and batch.backgrounds is None
    assert batch.photos.shape == (4, 3, 16, 16) and batch.photos.dtype == torch.uint8
    flipped = torch.where(batch.flipped[:, None, None, None], batch.photos.flip(3), batch.photos)
    assert torch.equal(batch.pictures(CPU), flipped)


def test_bgaugment_replaces_backgrounds_and_keeps_objects(crops):
    batch = crops("bgaugment")[1, 0]
    unflipped = batch._replace(flipped=torch.zeros(4, dtype=torch.bool))
    pictures = unflipped.pictures(CPU)
    objects = (batch.masks == 255).expand_as(pictures)
    grounds = (batch.masks == 0).expand_as(pictures)
    mirrored = batch.backgrounds_flipped[:, None, None, None]
    backgrounds = torch.where(mirrored, batch.backgrounds.flip(3), batch.backgrounds)
    assert torch.equal(pictures[objects], batch.photos[objects])
    assert torch.equal(pictures[grounds], backgrounds[grounds])


def test_photo_and_mask_share_crop_and_flip(crops):
    for step in range(5):
        batch = crops()[1, step]
        brightness = batch.photos.float().amax(1, keepdim=True)
        assert (brightness[batch.masks == 255] > 110).all() and (brightness[batch.masks == 0] < 110).all()
        upright = batch._replace(flipped=~batch.flipped, backgrounds_flipped=~batch.backgrounds_flipped)
        assert torch.equal(batch.pictures(CPU).flip(3), upright.pictures(CPU))


def test_both_regimes_see_the_same_photos_and_crops(crops):
    base, bgaugment = crops("base")[2, 1], crops("bgaugment")[2, 1]
    assert torch.equal(base.photos, bgaugment.photos) and torch.equal(base.labels, bgaugment.labels)


def test_a_batch_depends_on_seed_epoch_and_step_alone(crops):
    made = crops()
    first = made[2, 1]
    made[5, 0]
    assert same(first, made[2, 1])
    assert not same(first, made[2, 2]) and not same(first, made[3, 1]) and not same(first, crops(seed=4)[2, 1])


def test_workers_change_nothing(crops):
    made, steps = crops(), [(1, step) for step in range(3)]
    loaded = DataLoader(made, batch_size=None, sampler=steps, num_workers=2)
    assert all(same(made[at], batch) for at, batch in zip(steps, loaded, strict=True))


def test_a_batch_of_more_classes_than_there_are_is_refused_with_the_mend(crops):
    with pytest.raises(ValueError, match="batch_size 10 needs 5 classes .*, and 4 are .*batch_size to 8, or"):
        crops(batch_size=10)
