"""The object alone, the background alone, and masks in doubt: to the byte."""

import pytest
import torch
from random_tensors import random_bytes

from bgbias.ablations import BLACK, GREY, mean_colours, on_colour, silhouette
from bgbias.photos.extent import grown
from bgbias.remedies.pictures import cropped


def half_masks(photos=2, size=8):
    """The object is the left half."""
    masks = torch.zeros(photos, 1, size, size, dtype=torch.uint8)
    masks[..., : size // 2] = 255
    return masks


def test_on_colour_keeps_the_object_and_nothing_else():
    photos, masks = random_bytes(2, 3, 8, 8), half_masks()
    seen = on_colour(photos, masks, GREY)
    assert torch.equal(seen[..., :4], photos[..., :4])
    assert (seen[..., 4:] == 128).all()


def test_masks_of_0_and_1_are_those_of_0_and_255_and_floats_are_refused():
    photos, masks = torch.full((2, 3, 8, 8), 200, dtype=torch.uint8), torch.zeros(2, 1, 8, 8, dtype=torch.uint8)
    masks[:, :, 2:6, 1:4] = 1
    assert torch.equal(on_colour(photos, masks, GREY), on_colour(photos, 255 * masks, GREY))
    assert torch.equal(cropped(255 * masks, masks), cropped(255 * masks, 255 * masks))
    for turned in (masks.float(), masks.bool()):
        with pytest.raises(ValueError, match=f"masks are {turned.dtype}, expected torch.uint8: bring them to bytes"):
            on_colour(photos, turned, GREY)
    assert len(on_colour(photos[:0], masks[:0], GREY)) == 0


def test_silhouette_keeps_the_background_and_nothing_else():
    photos, masks = random_bytes(2, 3, 8, 8), half_masks()
    seen = silhouette(photos, masks, BLACK)
    assert torch.equal(seen[..., 4:], photos[..., 4:])
    assert (seen[..., :4] == 0).all()


def test_each_photo_can_have_its_own_colour():
    photos, masks = random_bytes(2, 3, 8, 8), half_masks()
    colours = torch.tensor([[1, 2, 3], [4, 5, 6]], dtype=torch.uint8)
    assert on_colour(photos, masks, colours)[:, :, 0, 7].tolist() == colours.tolist()


def test_object_alone_and_background_alone_on_black_add_up_to_the_photo():
    photos, masks = random_bytes(2, 3, 8, 8), random_bytes(2, 1, 8, 8, seed=1)
    total = on_colour(photos, masks, BLACK).int() + silhouette(photos, masks, BLACK).int()
    assert (total - photos.int()).abs().max() <= 1  # each is rounded


def test_mean_colour_of_the_background_does_not_know_the_object():
    photos, masks = random_bytes(2, 3, 8, 8), half_masks()
    repainted = on_colour(random_bytes(2, 3, 8, 8, seed=1), masks, BLACK) + silhouette(photos, masks, BLACK)
    assert torch.equal(mean_colours(photos, 255 - masks), mean_colours(repainted, 255 - masks))
    assert not torch.equal(mean_colours(photos), mean_colours(repainted))


def test_mean_colour_equals_brute_force():
    photos, weights = random_bytes(3, 3, 5, 7), random_bytes(3, 1, 5, 7, seed=1)
    for i, found in enumerate(mean_colours(photos, weights)):
        for channel in range(3):
            pairs = list(zip(photos[i, channel].flatten().tolist(), weights[i, 0].flatten().tolist(), strict=True))
            mean = sum(value * weight for value, weight in pairs) / sum(weight for _, weight in pairs)
            assert found[channel] == int(mean + 0.5)


def test_a_photo_without_weight_has_no_mean_colour():
    masks = half_masks()
    masks[1] = 255
    with pytest.raises(ValueError, match=r"photos \[1\] of the batch: all weights are 0"):
        mean_colours(random_bytes(2, 3, 8, 8), 255 - masks)


@pytest.mark.parametrize("by_px", [0, 1, 2, -1, -2])
def test_grown_masks_equal_brute_force(by_px):
    masks, r = random_bytes(2, 1, 6, 9), abs(by_px)
    found = grown(masks, by_px)
    for y in range(6):
        for x in range(9):
            around = masks[:, 0, max(0, y - r) : y + r + 1, max(0, x - r) : x + r + 1].flatten(1)
            assert torch.equal(found[:, 0, y, x], around.amax(1) if by_px >= 0 else around.amin(1))


def test_masks_shrink_within_what_they_were_and_grow_beyond():
    masks = random_bytes(2, 1, 12, 12)
    assert (grown(masks, -2) <= masks).all() and (grown(masks, 2) >= masks).all()


def test_the_picture_s_edge_shrinks_no_mask():
    full = torch.full((1, 1, 6, 6), 255, dtype=torch.uint8)
    assert torch.equal(grown(full, -2), full)
