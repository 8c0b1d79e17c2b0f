"""What is counted of masks."""

import numpy as np
import pytest
import torch

from bgbias.photos import extent, foreground


def test_summary_counts_what_suspicion_names():
    full, empty = np.full((10, 10), 255, dtype=np.uint8), np.full((10, 10), 127, dtype=np.uint8)
    tiny, inverted, good = (np.zeros((20, 20), dtype=np.uint8) for _ in range(3))
    tiny[5, 5:8] = 255  # 3 of 400 pixels
    inverted[:, [0, 19]] = inverted[0] = 255  # 58 of the 76 outermost ones
    good[:, 0] = good[0, :19] = 255  # 38 of the 76 are not more than half
    see_through = np.full((20, 20), 7, dtype=np.uint8)
    see_through[2:18, 2:18] = 150
    see_through[2:3, 2:18] = 230  # a sixteenth of what is covered; a tenth would do
    assert foreground.suspicion(see_through) == "soft"
    assert foreground.summary([see_through])["soft"] == foreground.summary([see_through])["suspect"] == 1
    see_through[3:4, 2:18] = 230
    assert foreground.suspicion(see_through) == ""
    grey = np.full((20, 20), 8, dtype=np.uint8)  # nearly nowhere is the old background gone
    grey[2:18, 2:18], grey[0, :19] = 255, 7
    assert foreground.suspicion(grey) == "soft"
    grey[0] = 7  # 20 of 400 pixels
    assert foreground.suspicion(grey) == ""
    just = good.copy()
    just[19, 0:2] = 255  # 39 of the 76
    assert foreground.suspicion(just) == "border"
    least = np.zeros((100, 100), dtype=np.uint8)
    least[50:60, 50:60] = least[40, 40] = 255  # 101 of 10,000
    assert foreground.suspicion(least) == ""
    least[40, 40] = least[50, 50] = 0
    assert foreground.suspicion(least) == "tiny"
    all_five = full, empty, tiny, inverted, good
    assert [foreground.suspicion(mask) for mask in all_five] == ["nearly_full", "empty", "tiny", "border", ""]
    found = foreground.summary(mask[..., None] for mask in all_five)
    assert found.pop("mean_share") == pytest.approx((1 + 127 / 255 + 3 / 400 + 58 / 400 + 38 / 400) / 5)
    counts = {"empty": 1, "tiny": 1, "nearly_full": 1, "border": 1}
    assert found == {"masks": 5, **counts, "suspect": 4, "suspect_share": 0.8}
    with pytest.raises(ValueError, match="no masks to count: make them first"):
        foreground.summary([])


def test_a_photo_of_pure_colours_is_no_mask_among_photos():
    flag = np.zeros((10, 10, 3), dtype=np.uint8)
    flag[:5, :, 0] = 255  # red and black: no level between
    assert foreground.masks_among([flag], ["flag.png"]) == []


def test_iou_of_masks_that_are_alike_apart_or_empty():
    mask = torch.zeros(3, 1, 4, 4, dtype=torch.uint8)
    mask[:2, :, 0] = 128
    other = torch.zeros_like(mask)
    other[0, :, 0], other[1, :, 0, :2], other[1, :, 1, :2] = 255, 255, 127
    values = extent.iou(other, mask)
    assert values[:2].tolist() == [1.0, 0.5] and values[2].isnan()
