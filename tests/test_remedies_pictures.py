"""What remedies show of a photo: to the byte."""

import numpy as np
import pytest
import torch
from random_tensors import random_bytes

from bgbias.ablations import GREY, mean_colours, on_colour
from bgbias.finder.network import OwnFinder, Shape
from bgbias.photos.compose import paste, take
from bgbias.photos.foreground import Box
from bgbias.remedies.pictures import FOUND, OWN, REMEDIES, SAME, Shown, averaged, cropped
from bgbias.remedies.pictures import found as found_by

SIDE = 16
IDS = np.array([3, 11])


@pytest.fixture
def shown(photos):
    return Shown(photos, photos.pool("val"), seed=7)


def box_mask(top, left, height, width):
    mask = torch.zeros(1, 1, SIDE, SIDE, dtype=torch.uint8)
    mask[..., top : top + height, left : left + width] = 255
    return mask


PICTURES, MASKS = random_bytes(2, 3, SIDE, SIDE), box_mask(5, 4, 6, 6).expand(2, -1, -1, -1)


def test_every_remedy_averages_passes_that_are_shown(shown):
    found = dict(shown.passes(PICTURES, MASKS, IDS))
    assert set(found) == {name for remedy in REMEDIES for name in remedy.passes}
    assert all(batch.shape == PICTURES.shape and batch.dtype == torch.uint8 for batch in found.values())


def test_a_finder_shows_the_object_on_grey_and_enlarged_whatever_the_given_mask(photos):
    finder = OwnFinder(Shape(4, 64, False))
    finder.masks = lambda images: MASKS.float() / 255  # exact
    found = dict(Shown(photos, photos.pool("val"), 7, finder).passes(PICTURES, 255 - MASKS, IDS))
    alone, enlarged = (found[remedy.name] for remedy in FOUND)
    assert set(found) - {remedy.name for remedy in FOUND} == {name for one in REMEDIES for name in one.passes}
    assert torch.equal(alone, on_colour(PICTURES, MASKS, GREY))
    finder.masks = lambda images: torch.full((2, 1, SIDE, SIDE), 0.5)  # not sure of any pixel
    unsure, _ = found_by(finder, PICTURES)
    assert torch.equal(unsure, ((PICTURES.float() + 128) / 2).round().byte())
    assert ((enlarged != 128).sum() > 1.5 * (alone != 128).sum()) and (enlarged[..., 7:9, 7:9] != 128).any()


def test_remedies_have_own_keys_and_only_pictures_can_be_remedied_on_one_side():
    assert len({remedy.key for remedy in REMEDIES}) == len(REMEDIES)
    assert all(remedy.needs_mask for remedy in REMEDIES if remedy.sides == "query")
    assert not any(remedy.needs_mask for remedy in FOUND)
    assert [remedy.key for remedy in REMEDIES if not remedy.needs_mask] == ["as_is", "removed", "whitened"]
    assert {len(remedy.passes) for remedy in REMEDIES} == {1, OWN, SAME}
    shown = {sides: {(one.name, one.passes) for one in REMEDIES if one.sides == sides} for sides in ("both", "query")}
    assert shown["query"] < shown["both"]


def test_an_exact_mask_undoes_a_swap(shown):
    swapped = paste(PICTURES, MASKS, random_bytes(2, 3, SIDE, SIDE, seed=1))
    clean, found = (dict(shown.passes(pictures, MASKS, IDS)) for pictures in (PICTURES, swapped))
    differing = {name for name, batch in clean.items() if not torch.equal(batch, found[name])}
    assert differing == {"as_is", "mean_colour", "crop", "grey_crop_dilated"}  # what shows some of the background


def test_on_grey_and_on_the_mean_colour_the_object_is_kept(shown):
    found, inside = dict(shown.passes(PICTURES, MASKS, IDS)), (MASKS == 255).expand_as(PICTURES)
    for name in ("grey", "mean_colour", "same_0", "own_0"):
        assert torch.equal(found[name][inside], PICTURES[inside])
    assert (found["grey"][~inside] == GREY[0]).all()
    assert torch.equal(found["mean_colour"][:, :, 0, 0], mean_colours(PICTURES))


def test_the_object_on_grey_is_cropped_by_its_mask_or_by_one_that_is_a_pixel_wider_or_tighter(shown):
    found = dict(shown.passes(PICTURES, MASKS, IDS))
    assert torch.equal(found["crop"], cropped(PICTURES, MASKS))
    for name, pixels in (("grey_crop", 0), ("grey_crop_dilated", 1), ("grey_crop_eroded", -1)):
        masks = box_mask(5 - pixels, 4 - pixels, 6 + 2 * pixels, 6 + 2 * pixels).expand_as(MASKS)
        assert torch.equal(found[name], cropped(on_colour(PICTURES, masks, GREY), masks)), name


def test_masks_are_in_doubt_by_the_pixels_of_a_picture_s_side(shown, monkeypatch):
    monkeypatch.setattr("bgbias.remedies.pictures.doubt_px", lambda side: side // 8)
    tighter = dict(shown.passes(PICTURES, MASKS, IDS))["grey_crop_eroded"]
    masks = box_mask(7, 6, 2, 2).expand_as(MASKS)
    assert torch.equal(tighter, cropped(on_colour(PICTURES, masks, GREY), masks))


def test_the_same_backgrounds_are_behind_all_photos_and_own_ones_behind_each(shown):
    nothing = torch.zeros_like(MASKS)
    found = dict(shown.passes(PICTURES, nothing, IDS))
    same = torch.stack([found[f"same_{number}"] for number in range(SAME)])
    own = torch.stack([found[f"own_{number}"] for number in range(OWN)])
    assert torch.equal(same[:, 0], same[:, 1]) and len(same[:, 0].unique(dim=0)) == SAME
    assert len(own.flatten(0, 1).unique(dim=0)) == 2 * OWN


def test_own_backgrounds_depend_on_the_photo_not_on_its_batch(shown):
    whole = dict(shown.passes(PICTURES, MASKS, IDS))
    second = dict(shown.passes(PICTURES[1:], MASKS[1:], IDS[1:]))
    assert all(torch.equal(whole[name][1:], second[name]) for name in whole)


def test_another_seed_draws_other_backgrounds_and_the_same_seed_the_same(photos, shown):
    again, other = (Shown(photos, photos.pool("val"), seed) for seed in (7, 8))
    assert all(torch.equal(a, b) for a, b in zip(shown.same, again.same, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(shown.same, other.same, strict=True))


def test_a_crop_is_the_square_around_the_box():
    picture = random_bytes(1, 3, SIDE, SIDE)
    found = cropped(picture, box_mask(5, 4, 4, 8), margin=0)  # the box's centre is at 7, 8
    assert torch.equal(found[0], take(picture[0].permute(1, 2, 0).numpy(), Box(4, 3, 8, 8), SIDE))


@pytest.mark.parametrize(("margin", "share"), [(0, 1), (0.25, 4 / 9), (0.5, 1 / 4)])
def test_a_margin_leaves_some_of_the_surroundings(margin, share):
    picture = box_mask(4, 4, 8, 8)
    assert cropped(picture, picture, margin).float().mean() / 255 == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize(("top", "left"), [(0, 0), (0, 12), (12, 12)])
def test_a_crop_at_the_edge_stays_inside_the_picture(top, left):
    mask = box_mask(top, left, 4, 4)
    found = cropped(mask, mask, margin=0.5)
    assert found.shape == mask.shape and found.float().mean() / 255 == pytest.approx(1 / 4, abs=0.05)


def test_without_an_object_or_without_surroundings_there_is_nothing_to_crop():
    picture = random_bytes(1, 3, SIDE, SIDE)
    for mask in (box_mask(0, 0, 0, 0), box_mask(0, 0, SIDE, SIDE)):
        assert torch.equal(cropped(picture, mask), picture)


def test_an_average_has_length_one_and_one_pass_is_its_own():
    one, other = torch.eye(3), torch.eye(3).flip(0)
    assert torch.equal(averaged([one]), one)
    assert torch.allclose(averaged([one, other, other]).norm(dim=1), torch.ones(3))
    assert averaged([one, other, other])[0].argmax() == 2
