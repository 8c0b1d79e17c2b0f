"""Training batches: crops, backgrounds, composition."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from bgbias.ablations import inpainted
from bgbias.config import read
from bgbias.photos import pack
from bgbias.photos.compose import flip
from bgbias.photos.views import Photos
from bgbias.training.augment import RIM_PX, Batch, varied, with_backgrounds_of_others
from bgbias.training.batch_size import without_half_pairs
from bgbias.training.batches import Crops

REGIMES = read.load().regime_settings
CPU = torch.device("cpu")


@pytest.fixture
def crops(data, geometry, options):
    def make(regime="bgaugment", per_class=2, seed=3, changed=None, **changes):
        photos = Photos.prepared("drawn", geometry, data)
        treated = dataclasses.replace(REGIMES[regime], **changed or {})
        return Crops(photos, treated, dataclasses.replace(options, **changes), per_class, seed)

    return make


def same(one: Batch, other: Batch) -> bool:
    return all(torch.equal(a, b) if isinstance(a, torch.Tensor) else a is b for a, b in zip(one, other, strict=True))


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


def test_a_pair_is_a_photo_as_it_is_and_on_another_background(crops):
    batch = crops("bgconsistency", changed={"replace_first": 0.0}, batch_size=8)[2, 1]
    pictures = batch.pictures(CPU)
    assert pictures.shape == (8, 3, 16, 16) and batch.photos.shape[0] == 4  # as many pictures as in any regime
    assert torch.equal(batch.labels[:4], batch.labels[4:])
    single = crops("base", per_class=1)[2, 1]
    assert torch.equal(pictures[:4], single.pictures(CPU)) and torch.equal(batch.labels[:4], single.labels)
    composed = crops("bgaugment", per_class=1, changed={"vary_backgrounds": True})[2, 1].pictures(CPU)
    assert torch.equal(pictures[4:], composed)
    assert not torch.equal(composed, crops("bgaugment", per_class=1)[2, 1].pictures(CPU))


def test_the_first_of_a_pair_is_replaced_as_often_as_the_regime_says(crops):
    made = crops("bgconsistency", changed={"replace_first": 0.3}, batch_size=8)
    replaced = torch.cat([(made[1, step].masks < 255).flatten(1).any(1).view(2, 4) for step in range(100)], 1)
    assert replaced[0].float().mean().item() == pytest.approx(0.3, abs=0.07)  # 400 photos: 3 sd
    assert replaced[1].all()


def test_the_first_of_a_pair_gets_the_background_of_a_photo_of_another_class(crops):
    for per_class in (2, 4):  # one and two photos of a class
        batch = crops("bgconsistency", changed={"replace_first": 1.0}, per_class=per_class, batch_size=8)[1, 0]
        first, second = batch.pictures(CPU).chunk(2)
        backs, mirrored = batch.backgrounds.chunk(2), batch.backgrounds_flipped.chunk(2)
        for row, label in enumerate(batch.labels[:4]):
            (giver,) = [at for at in range(4) if torch.equal(backs[0][row], backs[1][at])]
            assert mirrored[0][row] == mirrored[1][giver] and label != batch.labels[giver]
        objects = (flip(batch.masks[:4], batch.flipped) == 255).expand_as(first)
        assert torch.equal(first[objects], second[objects]) and not torch.equal(first, second)


def test_pairs_leave_as_many_classes_in_a_batch_and_pictures_of_each(crops):
    single, pairs = (crops(regime, per_class=2, batch_size=8)[1, 0].labels for regime in ("base", "bgconsistency"))
    assert single.bincount(minlength=4).tolist() == pairs.bincount(minlength=4).tolist() == [2, 2, 2, 2]


def test_backgrounds_are_replaced_as_often_as_the_regime_says(crops):
    made = crops(changed={"replace": 0.3})
    replaced = [(batch.masks < 255).flatten(1).any(1) for batch in (made[1, step] for step in range(100))]
    assert torch.cat(replaced).float().mean().item() == pytest.approx(0.3, abs=0.07)  # 400 photos: 3 sd
    batch = made[1, 0]
    kept = ~(batch.masks < 255).flatten(1).any(1)
    assert torch.equal(batch.pictures(CPU)[kept], crops("base")[1, 0].pictures(CPU)[kept])


def test_photos_of_suspect_masks_keep_their_background(crops, data):
    made = crops(changed={"skip_suspect": True})
    assert made.kept == set()
    masks, suspect = made.photos.masks, int(made.by_class[0][1])
    changed = [np.zeros_like(mask) if row == suspect else np.array(mask) for row, mask in enumerate(masks)]
    pack.Pack.write(data / "masks/drawn/packed", iter(changed))
    assert crops(changed={"skip_suspect": True}).kept == {suspect} and crops().kept == set()
    made = crops(changed={"skip_suspect": True}, per_class=3, batch_size=12)  # all training photos in each batch
    whole = (made[1, 0].masks == 255).flatten(1).all(1)
    assert whole.sum() == 1


def test_masks_grow_in_training_where_the_regime_says_so(crops):
    exact, grown, shrunk = (crops(changed={"grow_masks_px": px})[1, 0].masks.float().mean() for px in (0, 1, -1))
    assert shrunk < exact < grown


def test_backgrounds_of_other_photos_have_their_objects_painted_over(crops):
    batch = crops()[1, 0]
    given = with_backgrounds_of_others(batch, batch.masks, np.ones(4, dtype=bool), np.random.default_rng(0))
    filled = inpainted(batch.photos, batch.masks, RIM_PX)
    donors = [[torch.equal(one, other) for other in filled].index(True) for one in given]
    assert all(donor != row for row, donor in enumerate(donors))  # no photo keeps its own
    none = with_backgrounds_of_others(batch, batch.masks, np.zeros(4, dtype=bool), np.random.default_rng(0))
    assert torch.equal(none, batch.backgrounds)


def test_a_photo_whose_object_cannot_be_painted_over_gives_no_background(crops):
    batch = crops()[1, 0]
    full = torch.full_like(batch.masks, 255)
    everyone = np.ones(4, dtype=bool)
    assert torch.equal(with_backgrounds_of_others(batch, full, everyone, np.random.default_rng(0)), batch.backgrounds)
    full[2] = batch.masks[2]
    given = with_backgrounds_of_others(batch, full, everyone, np.random.default_rng(0))
    filled = inpainted(batch.photos[2:3], batch.masks[2:3], RIM_PX)[0]
    assert [torch.equal(one, filled) for one in given] == [True, True, False, True]
    assert torch.equal(given[2], batch.backgrounds[2])


def test_mixed_backgrounds_come_from_pool_and_photos(crops):
    made, pooled = crops(changed={"backgrounds": "mixed"}), crops()
    kept = [
        torch.equal(one, other)
        for step in range(50)
        for one, other in zip(made[1, step].backgrounds, pooled[1, step].backgrounds, strict=True)
    ]
    assert np.mean(kept) == pytest.approx(0.5, abs=0.11)  # 200 photos: 3 sd


def test_varied_backgrounds_are_blends_of_the_pool_s_in_other_colours(crops):
    rng = np.random.default_rng(0)
    grey = torch.tensor([40, 200], dtype=torch.uint8)[:, None, None, None].expand(2, 3, 4, 4)
    found = torch.stack([varied(grey, rng) for _ in range(300)]).float()  # (300, 2, 3, 4, 4)
    assert found.dtype == torch.float32 and varied(grey, rng).dtype == torch.uint8
    assert (found == found[..., :1, :1]).all()  # an even background stays even
    first = found[:, 0, :, 0, 0]  # 0.5 to 1 times 40, the rest 200: 40 to 120, times 0.5 to 1.5
    assert 20 <= first.min() < 30 and 150 < first.max() <= 180
    assert (first[:, 0] != first[:, 1]).float().mean() > 0.9


def test_varied_backgrounds_have_their_channels_in_any_order():
    red = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    red[:, 0] = 100
    found = [varied(red, np.random.default_rng(seed))[0, :, 0, 0] for seed in range(60)]
    assert {int(one.argmax()) for one in found} == {0, 1, 2} and all((one > 0).sum() == 1 for one in found)


def test_an_odd_batch_holds_no_pairs(crops):
    with pytest.raises(ValueError, match="batch_size 5 holds no whole pairs: make train.drawn.batch_size even"):
        crops("bgconsistency", batch_size=5)


def test_an_odd_number_of_pictures_of_a_class_is_one_less_in_pairs_and_that_is_said(crops):
    odd, even = (crops("bgconsistency", batch_size=8, per_class=per_class)[1, 0] for per_class in (5, 4))
    assert same(odd, even) and sorted(odd.labels.bincount().tolist())[-2:] == [4, 4]
    assert without_half_pairs(5, paired=True).endswith("as with 4") and not without_half_pairs(4, paired=True)


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
    with pytest.raises(
        ValueError, match="batch_size 10 needs 5 classes .*, and 4 are .*lower train.drawn.batch_size to 8, or"
    ):
        crops(batch_size=10)
    with pytest.raises(
        ValueError, match="batch_size 20 needs 10 classes .*, and 4 are .*lower train.drawn.batch_size to 8, or"
    ):
        crops("bgconsistency", batch_size=20)
