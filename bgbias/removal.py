"""Photos without their object: its box hidden, or the background painted on behind it (tensors only).

Photos are uint8 (B, 3, H, W), their masks uint8 (B, 1, H, W), on the CPU. A pixel is the object's where its mask is 128
or more, so a stray one widens the box.
A photo on another one's background is `compose.paste(photos, masks, inpainted(others, their masks, margin_px))`,
with the others drawn by `donors`.
"""

import cv2
import numpy as np
import torch
from torch import Tensor

from bgbias.compose import Box
from bgbias.probe_views import grown

OBJECT = 128  # of 255
LARGEST_BOX = 0.9  # share of the picture; ImageNet-9 leaves out what has more
INPAINT_PX = 112  # long side that is painted on: of 224 px this takes under half the time, and looks the same


def object_box(mask: Tensor) -> Box | None:
    """The smallest rectangle that holds the object; None where there is none.

    Args:
        mask: uint8 (1, H, W).

    >>> mask = torch.zeros(1, 4, 6, dtype=torch.uint8)
    >>> mask[0, 1:3, 2:5] = 255
    >>> object_box(mask)
    Box(left=2, top=1, width=3, height=2)
    """
    y, x = (mask[0] >= OBJECT).nonzero(as_tuple=True)
    if len(y) == 0:
        return None
    left, top = int(x.min()), int(y.min())
    return Box(left, top, int(x.max()) + 1 - left, int(y.max()) + 1 - top)


def can_be_probed(masks: Tensor) -> Tensor:
    """Which photos have an object, and a box around it of at most 90 % of the picture, as in ImageNet-9.

    For these, every view of this module has something to show. Leave the others out of all probes, and say how
    many they are.

    Args:
        masks: uint8 (B, 1, H, W).

    Returns:
        bool (B,).

    >>> masks = torch.zeros(3, 1, 4, 6, dtype=torch.uint8)
    >>> masks[1, 0, 1, 1], masks[2] = 255, 255
    >>> can_be_probed(masks).tolist()
    [False, True, False]
    """
    boxes = [object_box(mask) for mask in masks]
    most = LARGEST_BOX * masks.shape[2] * masks.shape[3]
    return torch.tensor([box is not None and box.width * box.height <= most for box in boxes], dtype=torch.bool)


def box_blacked(photos: Tensor, masks: Tensor) -> Tensor:
    """The background alone: the object's box black, which hides its outline (Only-BG-B of ImageNet-9).

    Args:
        photos: uint8 (B, 3, H, W).
        masks: uint8 (B, 1, H, W).

    Returns:
        uint8 (B, 3, H, W).

    Raises:
        ValueError: a mask is empty.
    """
    pictures = photos.clone()
    for picture, (left, top, width, height) in zip(pictures, _boxes(masks), strict=True):
        picture[:, top : top + height, left : left + width] = 0
    return pictures


def box_tiled(photos: Tensor, masks: Tensor) -> Tensor:
    """The background alone: the object's box filled from its surroundings (Only-BG-T of ImageNet-9).

    The largest rectangle of the picture that lies wholly below, above, right or left of the box (of equally
    large ones the first named) is the tile. Laid side by side from the upper left corner, tiles cover a whole
    picture, and the box shows its part of that.

    Args:
        photos: uint8 (B, 3, H, W).
        masks: uint8 (B, 1, H, W).

    Returns:
        uint8 (B, 3, H, W).

    Raises:
        ValueError: a mask is empty, or its box is the whole picture.
    """
    pictures, boxes = photos.clone(), _boxes(masks)
    tiles = [_beside(box, *photos.shape[2:]) for box in boxes]
    _refuse(torch.tensor([tile.width * tile.height == 0 for tile in tiles]), "the object's box is the whole picture")
    for picture, photo, box, tile in zip(pictures, photos, boxes, tiles, strict=True):
        rows = tile.top + torch.arange(box.top, box.top + box.height) % tile.height
        columns = tile.left + torch.arange(box.left, box.left + box.width) % tile.width
        inside = np.s_[:, box.top : box.top + box.height, box.left : box.left + box.width]
        picture[inside] = photo[:, rows[:, None], columns]
    return pictures


def _beside(box: Box, height: int, width: int) -> Box:
    below, right = box.top + box.height, box.left + box.width
    strips = [
        Box(0, below, width, height - below),
        Box(0, 0, width, box.top),
        Box(right, 0, width - right, height),
        Box(0, 0, box.left, height),
    ]
    return max(strips, key=lambda strip: strip.width * strip.height)  # the first of equals


def inpainted(photos: Tensor, masks: Tensor, margin_px: int) -> Tensor:
    """The background alone: the object and a margin around it painted over from its rim (Telea 2004, OpenCV).

    A smooth patch remains, and a network may still see its outline: what it finds here is not owed to the background
    alone.

    Args:
        photos: uint8 (B, 3, H, W).
        masks: uint8 (B, 1, H, W).
        margin_px: what is painted over around the object, against soft edges, shadows and tight masks.

    Returns:
        uint8 (B, 3, H, W); outside the margin the photos' bytes.

    Raises:
        ValueError: a mask is empty, or leaves no background.
    """
    _boxes(masks)
    holes = grown(masks, margin_px) >= OBJECT
    _refuse(holes.flatten(1).all(1), "no background is left to inpaint from")
    fills = [_fill(photo, hole) for photo, hole in zip(photos, holes, strict=True)]
    return torch.where(holes, torch.stack(fills), photos)


def _fill(photo: Tensor, hole: Tensor) -> Tensor:
    height, width = hole.shape[1:]
    shrink = max(1, max(height, width) / INPAINT_PX)
    size = round(width / shrink), round(height / shrink)
    small = cv2.resize(photo.permute(1, 2, 0).contiguous().numpy(), size, interpolation=cv2.INTER_AREA)
    touched = cv2.resize(hole[0].float().numpy(), size, interpolation=cv2.INTER_AREA) > 0  # be it a corner
    painted = cv2.inpaint(small, touched.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    return torch.from_numpy(cv2.resize(painted, (width, height))).permute(2, 0, 1)


def _boxes(masks: Tensor) -> list[Box]:
    boxes = [object_box(mask) for mask in masks]
    _refuse(torch.tensor([box is None for box in boxes]), f"the mask has no pixel of {OBJECT} or more")
    return boxes


def _refuse(broken: Tensor, why: str) -> None:
    if broken.any():
        which = broken.nonzero()[:, 0].tolist()
        raise ValueError(f"photos {which} of the batch: {why}. Leave out what can_be_probed does not let through")
