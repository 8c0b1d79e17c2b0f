"""What a network sees: clean photos, and composites that can be made again to the byte."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from bgbias.photos.compose import centre_box, flip, paste, take
from bgbias.photos.foreground import Box
from bgbias.photos.table import read_table
from bgbias.photos.views import MANIFEST, Photos, draw_background


def whole(batches):
    return torch.cat(list(batches))


def test_clean_photos_are_centre_crops_in_the_order_asked_for(photos):
    seen = whole(photos.clean([20, 3]))
    assert seen.shape == (2, 3, 16, 16) and seen.dtype == torch.uint8
    picture = photos.photos[20]
    assert torch.equal(seen[0], take(picture, centre_box(*picture.shape[:2], 20), 16))


def test_masks_lie_on_their_objects(photos):
    ids = photos.split("test")
    clean, masks = whole(photos.clean(ids)), whole(photos.foregrounds(ids))
    brightness = clean.float().mean(1, keepdim=True)
    assert (brightness[masks == 255] > 100).all() and (brightness[masks == 0] < 100).all()


def test_swapped_photos_are_remade_from_the_manifest_to_the_byte(photos):
    pool = photos.pool("test")
    manifest = photos.draw(photos.split("test"), pool, seed=7, view="swapped", number=2)
    assert manifest.columns.tolist() == MANIFEST
    seen = whole(photos.swapped(manifest, pool))
    row = manifest.iloc[4]
    background = take(pool[row.background_id], Box(*row[list(Box._fields)].astype(int)), 16)[None]
    clean, mask = (whole(of([row.image_id])) for of in (photos.clean, photos.foregrounds))
    assert torch.equal(seen[4:5], paste(clean, mask, flip(background, torch.tensor([bool(row.flipped)]))))


def test_a_draw_depends_on_seed_view_number_and_photo_alone(photos):
    ids, pool = photos.split("test"), photos.pool("test")
    first = photos.draw(ids, pool, 7, "swapped", 0)
    assert first.equals(photos.draw(ids, pool, 7, "swapped", 0))
    assert first.iloc[3:5].reset_index(drop=True).equals(photos.draw(ids[3:5], pool, 7, "swapped", 0))
    for other in ((8, "swapped", 0), (7, "new_scene", 0), (7, "swapped", 1)):
        assert not first.equals(photos.draw(ids, pool, *other))


def test_all_backgrounds_of_a_pool_are_drawn_and_half_are_flipped(photos):
    manifest = photos.draw(np.arange(27).repeat(40) + np.arange(1080), photos.pool("val"), 0, "swapped", 0)
    assert manifest.background_id.value_counts(normalize=True).between(0.15, 0.25).sum() == 5
    assert manifest.flipped.mean() == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("shape", [(20, 60, 3), (60, 20, 3)])
def test_the_part_of_a_background_lies_within_it(geometry, shape):
    """NumPy would cut less, and it would be stretched, without a word."""
    rng = np.random.default_rng(0)
    boxes = [draw_background(np.array([shape]), geometry, rng)[1] for _ in range(100)]
    assert max(box.left + box.width for box in boxes) <= shape[1]
    assert max(box.top + box.height for box in boxes) <= shape[0]


def test_an_unknown_pool_is_refused_with_those_there_are(photos):
    with pytest.raises(ValueError, match="no pool 'scene'; there are test, val"):
        photos.pool("scene")


def test_masks_of_other_photos_are_refused(data, geometry):
    shapes = data / "masks/drawn/packed/shapes.npy"
    np.save(shapes, np.load(shapes)[::-1])
    with pytest.raises(ValueError, match="drawn.packed: masks and photos differ in number or size: make"):
        Photos.prepared("drawn", geometry, data)


def test_photos_that_were_packed_for_smaller_crops_are_refused(data, geometry):
    """NumPy would take a crop of another shape, without a word."""
    larger = dataclasses.replace(geometry, short_side_px=48, crop_px=48)
    with pytest.raises(
        ValueError, match=r"drawn.photos: photos of 24 pixels, too small for crops of 48: pack them aga"
    ):
        Photos.prepared("drawn", larger, data)


def test_separate_pools_share_no_background_and_hold_all_of_val(photos):
    whole_pool = photos.pool("val")
    for_training, for_selection = photos.val_pools(separate=True)
    assert len(for_training) == 3 and len(for_selection) == 2
    pictures = [pool[i].tobytes() for pool in (for_training, for_selection) for i in range(len(pool))]
    assert sorted(pictures) == sorted(whole_pool[i].tobytes() for i in range(5))
    assert all(len(pool) == 5 for pool in photos.val_pools(separate=False))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": "dev"}, "images.csv: unknown split; make it again, `dvc repro -f prepare@drawn`: dev"),
        ({"class_id": -1}, "images.csv: class_id -1 is below 0: make it again"),
        ({"image_id": 0}, "images.csv: its photos are not numbered from 0 on"),
    ],
)
def test_another_table_than_prepare_writes_is_refused(data, changes, message):
    path = data / "prepared/drawn/images.csv"
    pd.read_csv(path).assign(**changes).to_csv(path, index=False)
    with pytest.raises(ValueError, match=message):
        read_table(path)


def test_a_class_may_be_called_na(data):
    path = data / "prepared/drawn/images.csv"
    pd.read_csv(path).assign(class_name="NA").to_csv(path, index=False)
    assert set(read_table(path).class_name) == {"NA"}


def test_masks_must_be_as_many_as_photos_and_grey(photos):
    for masks in (photos.photos, photos.masks.subset(np.s_[1:])):
        with pytest.raises(ValueError, match="masks and photos differ in number or size: make the masks again"):
            Photos(photos.table, photos.photos, masks, photos.geometry)


def test_a_split_without_photos_is_refused(photos):
    photos.table = photos.table[photos.table.split != "test"]
    with pytest.raises(ValueError, match="photos: no photos of the split test: run the stage again"):
        photos.split("test")


def test_a_pool_that_is_not_there_is_refused_with_those_there_are(photos):
    with pytest.raises(ValueError, match="no pool 'tset'; there are test, val: correct the name, or run the stage"):
        photos.pool("tset")
