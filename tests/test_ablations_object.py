"""Photos without their object."""

import pytest
import torch
from random_tensors import random_bytes

from bgbias import ablations
from bgbias.ablations import box_blacked, box_tiled, inpainted
from bgbias.photos.extent import can_be_probed, object_box
from bgbias.photos.foreground import Box


def mask_of(box, height=10, width=12):
    mask = torch.zeros(1, 1, height, width, dtype=torch.uint8)
    mask[..., box.top : box.top + box.height, box.left : box.left + box.width] = 255
    return mask


def test_faint_mask_pixels_do_not_widen_the_box():
    mask = mask_of(Box(3, 2, 4, 5))[0]
    mask[0, 9, 11], mask[0, 8, 2] = 127, 128
    assert object_box(mask) == Box(2, 2, 5, 7)


def test_photos_without_object_or_with_little_background_cannot_be_probed():
    boxes = [Box(0, 0, 0, 0), Box(3, 3, 1, 1), Box(0, 0, 12, 9), Box(0, 0, 12, 10)]  # 0, 1/120, 9/10, all
    assert can_be_probed(torch.cat([mask_of(box) for box in boxes])).tolist() == [False, True, True, False]
    assert can_be_probed(mask_of(boxes[1])[:0]).tolist() == []


def test_box_is_black_and_the_rest_untouched():
    photo, mask = random_bytes(1, 3, 10, 12), mask_of(Box(3, 2, 4, 5))
    mask[0, 0, 3, 4] = 0  # a hole in the object is in its box, too
    seen = box_blacked(photo, mask)
    inside = mask_of(Box(3, 2, 4, 5)).bool().expand_as(photo)
    assert (seen[inside] == 0).all() and torch.equal(seen[~inside], photo[~inside])


@pytest.mark.parametrize(
    ("box", "tile"),
    [
        (Box(4, 1, 4, 2), Box(0, 3, 12, 7)),  # below
        (Box(4, 7, 4, 2), Box(0, 0, 12, 7)),  # above
        (Box(1, 2, 3, 6), Box(4, 0, 8, 10)),  # right
        (Box(8, 2, 3, 6), Box(0, 0, 8, 10)),  # left
    ],
)
def test_box_is_tiled_from_the_largest_rectangle_beside_it(box, tile):
    photo = random_bytes(1, 3, 10, 12)
    seen = box_tiled(photo, mask_of(box))
    for y in range(10):
        for x in range(12):
            inside = box.top <= y < box.top + box.height and box.left <= x < box.left + box.width
            source = (tile.top + y % tile.height, tile.left + x % tile.width) if inside else (y, x)
            assert torch.equal(seen[0, :, y, x], photo[0, :, *source])


def test_of_equally_large_rectangles_the_one_below_is_the_tile():
    photo = random_bytes(1, 3, 9, 9)
    seen = box_tiled(photo, mask_of(Box(3, 3, 3, 3), 9, 9))
    assert torch.equal(seen[0, :, 3:6, 3:6], photo[0, :, 6:9, 3:6])  # tiles of 9 x 3, from row 6


@pytest.mark.parametrize("view", [box_blacked, box_tiled, lambda *batch: inpainted(*batch, 1)])
def test_no_view_of_the_background_depends_on_the_object(view):
    photo, mask = random_bytes(1, 3, 10, 12), mask_of(Box(3, 2, 4, 5))
    repainted = torch.where(mask == 255, random_bytes(1, 3, 10, 12, seed=1), photo)
    assert torch.equal(view(photo, mask), view(repainted, mask))


def test_inpainting_leaves_the_photo_beyond_the_margin_untouched():
    photo, mask = random_bytes(1, 3, 10, 12), mask_of(Box(4, 3, 3, 3))
    seen = inpainted(photo, mask, 2)
    outside = ~mask_of(Box(2, 1, 7, 7)).bool().expand_as(photo)
    assert torch.equal(seen[outside], photo[outside])
    assert not torch.equal(seen[~outside], photo[~outside])


def test_inpainting_continues_a_plain_background_at_full_and_reduced_size(monkeypatch):
    colour = torch.tensor([30, 120, 210], dtype=torch.uint8)
    mask = mask_of(Box(8, 9, 15, 17), 40, 37)
    photo = torch.where(mask == 255, random_bytes(1, 3, 40, 37), colour[:, None, None])
    for side in (40, 16):
        monkeypatch.setattr(ablations, "INPAINT_PX", side)
        difference = inpainted(photo, mask, 0).int() - colour[:, None, None].int()
        assert difference.abs().max() <= 3  # OpenCV rounds


@pytest.mark.parametrize("view", [box_blacked, box_tiled, lambda *batch: inpainted(*batch, 1)])
def test_empty_masks_are_refused(view):
    masks = torch.cat([mask_of(Box(3, 2, 4, 5)), mask_of(Box(0, 0, 0, 0))])
    with pytest.raises(ValueError, match=r"photos \[1\] of the batch: the mask has no pixel of 128 or more. Leave out"):
        view(random_bytes(2, 3, 10, 12), masks)


def test_photos_without_background_are_refused():
    photo, mask = random_bytes(1, 3, 10, 12), mask_of(Box(0, 0, 12, 10))
    with pytest.raises(ValueError, match="the object's box is the whole picture"):
        box_tiled(photo, mask)
    with pytest.raises(ValueError, match="no background is left to inpaint from"):
        inpainted(photo, mask_of(Box(1, 1, 10, 8)), 1)
