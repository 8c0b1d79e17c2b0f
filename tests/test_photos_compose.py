"""Crops and composites, to the byte."""

import numpy as np
import pytest
import torch
from PIL import Image
from random_tensors import random_bytes
from torchvision.transforms import RandomResizedCrop

from bgbias.photos import compose
from bgbias.photos.foreground import Box


def test_paste_is_the_nearest_byte_for_every_mask_foreground_and_background():
    values = torch.arange(256)
    for m in range(256):
        x, b = torch.meshgrid(values, values, indexing="ij")
        exact = (2 * (m * x + (255 - m) * b) + 255) // 510  # integers: round half up, and no halves occur
        masks = torch.full((1, 1, 256, 256), m, dtype=torch.uint8)
        pasted = compose.paste(x.byte()[None, None], masks, b.byte()[None, None])
        assert torch.equal(pasted[0, 0].long(), exact)


def test_swap_leaves_foreground_pixels_untouched_and_background_pixels_replaced():
    photo, background = random_bytes(1, 3, 8, 8), random_bytes(1, 3, 8, 8, seed=1)
    mask = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    mask[..., :4] = 255
    composed = compose.paste(photo, mask, background)
    assert torch.equal(composed[..., :4], photo[..., :4])
    assert torch.equal(composed[..., 4:], background[..., 4:])


def test_take_cuts_the_box_unchanged_where_the_size_fits():
    picture = random_bytes(9, 12, 3).numpy()
    cut = compose.take(picture, Box(3, 2, 5, 5), 5)
    assert np.array_equal(cut.permute(1, 2, 0).numpy(), picture[2:7, 3:8])


def test_take_resizes_as_pillow_does():
    picture = random_bytes(90, 120, 3).numpy()
    box = Box(11, 7, 80, 60)
    expected = Image.fromarray(picture).crop((11, 7, 91, 67)).resize((32, 32), Image.Resampling.BILINEAR)
    difference = compose.take(picture, box, 32).permute(1, 2, 0).numpy().astype(int) - np.asarray(expected)
    assert abs(difference).max() <= 1


def test_flip_mirrors_the_chosen_pictures_only():
    pictures = random_bytes(2, 3, 4, 5)
    flipped = compose.flip(pictures, torch.tensor([True, False]))
    assert torch.equal(flipped[0], pictures[0].flip(2))
    assert torch.equal(flipped[1], pictures[1])


@pytest.mark.parametrize(("height", "width"), [(256, 341), (341, 256), (96, 96), (256, 1000)])
def test_random_box_lies_inside_with_permitted_area_and_ratio(height, width):
    rng = np.random.default_rng(0)
    for _ in range(300):
        box = compose.random_box(height, width, [0.16, 1.0], [0.75, 4 / 3], rng)
        assert 0 <= box.left <= width - box.width and 0 <= box.top <= height - box.height
        assert 0.74 <= box.width / box.height <= 1.35
        assert box.width * box.height / (height * width) >= 0.155


def test_random_box_is_distributed_as_torchvision_s():
    torch.manual_seed(0)
    picture, rng = torch.zeros(3, 256, 341), np.random.default_rng(0)
    theirs = [RandomResizedCrop.get_params(picture, [0.16, 1.0], [0.75, 4 / 3]) for _ in range(4000)]
    ours = [compose.random_box(256, 341, [0.16, 1.0], [0.75, 4 / 3], rng) for _ in range(4000)]
    top, left, height, width = np.array(theirs).mean(0)
    expected = [left, top, width, height]
    assert np.array(ours).mean(0) == pytest.approx(expected, rel=0.05)


def test_random_box_of_an_extreme_picture_is_the_largest_centred_one():
    box = compose.random_box(10, 1000, [0.9, 1.0], [0.75, 4 / 3], np.random.default_rng(0))
    assert box == Box(493, 0, 13, 10)


@pytest.mark.parametrize("box", [Box(3, 5, 40, 30), Box(0, 0, 16, 16), Box(9, 2, 11, 13)])
def test_a_photo_and_its_mask_taken_together_are_the_same_bytes(box):
    rng = np.random.default_rng(0)
    photo, mask = (rng.integers(0, 256, (40, 50, channels), dtype=np.uint8) for channels in (3, 1))
    both = compose.take_both(photo, mask, box, 16)
    assert all(torch.equal(part, compose.take(alone, box, 16)) for part, alone in zip(both, (photo, mask), strict=True))
