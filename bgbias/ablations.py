"""Photos without their background, or without their object (tensors only).

Photos are uint8 (B, 3, H, W), their masks uint8 (B, 1, H, W), 255 where the object is.
"""

import cv2
import numpy as np
import torch
from torch import Tensor

from bgbias.errors import InputError
from bgbias.photos.compose import paste
from bgbias.photos.extent import grown, object_box
from bgbias.photos.foreground import OBJECT, Box

BLACK, GREY = torch.zeros(3, dtype=torch.uint8), torch.full((3,), 128, dtype=torch.uint8)
INPAINT_PX = 112  # long side that is painted on: of 224 px this takes under half the time, and looks the same


def mean_colours(photos: Tensor, weights: Tensor | None = None) -> Tensor:
    """The mean colour of each photo, rounded to bytes; with weights 255 - masks, of its background.

    Args:
        photos: uint8 (B, 3, H, W).
        weights: uint8 (B, 1, H, W); None weighs all pixels alike.

    Returns:
        uint8 (B, 3).

    Raises:
        ValueError: all weights of a photo are 0.

    >>> mean_colours(torch.tensor([10, 20], dtype=torch.uint8).expand(1, 3, 1, 2)).tolist()
    [[15, 15, 15]]
    """
    weights = torch.ones_like(photos[:, :1]).double() if weights is None else weights.double()
    total = weights.sum((2, 3))
    empty = (total[:, 0] == 0).nonzero()[:, 0].tolist()
    if empty:
        raise ValueError(f"photos {empty} of the batch: all weights are 0, so there is no mean colour")
    return ((photos * weights).sum((2, 3)) / total + 0.5).byte()


def of_bytes(masks: Tensor) -> Tensor:
    """Return masks of 0 and 1 as those of 0 and 255: by them no object would be seen, without a word.

    Args:
        masks: uint8, 255 where the object is, 0 where it is not, also in between; or of 0 and 1 only.

    Raises:
        ValueError: they are no bytes.

    >>> of_bytes(torch.tensor([0, 1], dtype=torch.uint8)).tolist()
    [0, 255]
    """
    if masks.dtype != torch.uint8:
        raise InputError(f"masks are {masks.dtype}, expected torch.uint8: bring them to bytes, 255 where the object is")
    return 255 * masks if masks.numel() and masks.max() == 1 else masks


def on_colour(photos: Tensor, masks: Tensor, colours: Tensor) -> Tensor:
    """The foreground alone, on one colour.

    On black this is Only-FG of ImageNet-9 (Xiao et al. 2020, "Noise or Signal: The Role of Image Backgrounds in
    Object Recognition"). No colour is neutral to every network, so ask with several: BLACK, GREY, and `mean_colours`,
    which still tell a little of the background.

    Args:
        photos: uint8 (B, 3, H, W).
        masks: uint8 (B, 1, H, W), as of `of_bytes`.
        colours: uint8 (3,), or (B, 3), one for each photo.

    Returns:
        uint8 (B, 3, H, W).

    >>> photo, mask = torch.full((1, 3, 1, 2), 200, dtype=torch.uint8), torch.tensor([[[[255, 0]]]], dtype=torch.uint8)
    >>> on_colour(photo, mask, GREY)[0, 0].tolist()
    [[200, 128]]
    """
    return paste(photos, of_bytes(masks), colours.reshape(-1, 3, 1, 1).expand_as(photos))


def silhouette(photos: Tensor, masks: Tensor, colours: Tensor) -> Tensor:
    """The background alone: the object's pixels filled with one colour. Its outline can still be seen.

    On black this is No-FG of ImageNet-9. Arguments and result as of `on_colour`.

    >>> photo, mask = torch.full((1, 3, 1, 2), 200, dtype=torch.uint8), torch.tensor([[[[255, 0]]]], dtype=torch.uint8)
    >>> silhouette(photo, mask, BLACK)[0, 0].tolist()
    [[0, 200]]
    """
    return on_colour(photos, 255 - masks, colours)


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
