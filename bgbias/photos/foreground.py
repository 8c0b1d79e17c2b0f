"""Foreground masks looked at: where the object is, and what is probably wrong with a mask (arrays only)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from bgbias.errors import InputError

OBJECT = 128  # of 255: a pixel from this value on is the object's, as in the study's mask quality
TINY = 0.01  # of the photo, a tenth of its sides: too few pixels of a network's input to tell a class from
NEARLY_FULL = 0.9  # of the photo: there is hardly a background to swap
FAINT, SOLID = 25, 230  # of 255: between them a pixel is see-through
SOFT = 0.9  # of what a mask covers; ISNet has as much in few masks, which are faint all over
PURE = 252  # of 255: white, in a JPEG, too
BORDER = 0.5  # of the outermost pixels: objects rarely reach so far, an inverted mask does
LARGEST_BOX = 0.9  # share of the picture; ImageNet-9 leaves out what has more


class Box(NamedTuple):
    """A rectangle of a picture, in pixels."""

    left: int
    top: int
    width: int
    height: int


def suspicion(mask: np.ndarray) -> str:
    """Name what is probably wrong with a mask, uint8 (H, W) or (H, W, 1).

    Returns:
        The first that fits: "empty" (no pixel of 128 or more), "tiny" (covers less than 0.01 of the photo),
        "nearly_full" (more than 0.9), "border" (more than half of the outermost pixels), "soft" (more than 0.9 of the
        pixels of 25 or more are below 230: the object is see-through), "" for nothing.

    >>> suspicion(np.zeros((4, 6), dtype=np.uint8)), suspicion(np.eye(4, dtype=np.uint8) * 255)
    ('empty', '')
    """
    found, share = mask.reshape(mask.shape[:2]) >= OBJECT, mask.mean() / 255
    if not found.any():
        return "empty"
    if share < TINY:
        return "tiny"
    if share > NEARLY_FULL:
        return "nearly_full"
    inner = found[1:-1, 1:-1]
    if found.sum() - inner.sum() > BORDER * (found.size - inner.size):
        return "border"
    return "soft" if (mask[mask >= FAINT] < SOLID).mean() > SOFT else ""


def summary(masks: Iterable[np.ndarray]) -> dict[str, float]:
    """Count masks, read one by one, by their `suspicion`.

    Returns:
        masks (how many), mean_share (mean of the soft share of the photo that they cover), empty, tiny,
        nearly_full, border, soft (left out where there are none), suspect (the sum of these) and suspect_share.

    Raises:
        ValueError: there are no masks.
    """
    shares, kinds = [], Counter(empty=0, tiny=0, nearly_full=0, border=0)
    for mask in masks:
        shares.append(mask.mean() / 255)
        kinds[suspicion(mask)] += 1
    if not shares:
        raise InputError("no masks to count: make them first")
    suspect = len(shares) - kinds.pop("", 0)
    rates = {"mean_share": float(np.mean(shares)), "suspect_share": suspect / len(shares)}
    return {"masks": len(shares), **kinds, "suspect": suspect, **rates}


def masks_among(photos: Iterable[np.ndarray], paths: Sequence[str]) -> list[str]:
    """Say how many photos are black and white alone, as masks are that lie beside them; a sentence, or nothing.

    Args:
        photos: uint8 (H, W, 3) each.
        paths: of these.

    >>> masks_among([np.zeros((4, 6, 3), np.uint8), np.full((4, 6, 3), 90, np.uint8)], ["a_mask.png", "a.jpg"])
    ['1 of 2 photos is black and white alone, as masks are, such as a_mask.png: leave masks out of the class folders.']
    """
    found = [path for photo, path in zip(photos, paths, strict=True) if _black_and_white(photo)]
    if not found:
        return []
    are, such = "is" if len(found) == 1 else "are", f"such as {found[0]}: leave masks out of the class folders"
    return [f"{len(found):,} of {len(paths):,} photos {are} black and white alone, as masks are, {such}."]


def _black_and_white(photo: np.ndarray) -> bool:
    """All grey, and at least 0.9 of it black or white: the rest is edges."""
    extreme = (photo <= 255 - PURE) | (photo >= PURE)
    return bool(extreme.mean() >= 0.9 and np.ptp(photo, axis=2).max() <= 255 - PURE)


def grown(masks: Tensor, by_px: int) -> Tensor:
    """Masks that reach further, or less far: the greatest (least) value of the square of 2r + 1 pixels around each.

    What a figure loses when masks grow or shrink by a few pixels is what it owes to their edges. What lies beyond
    the picture is taken to continue its edge, so nothing grows in or shrinks from there.

    Args:
        masks: uint8 (B, 1, H, W), soft or not.
        by_px: r; dilates where positive, erodes where negative.

    Returns:
        uint8 (B, 1, H, W).

    >>> mask = torch.tensor([[[[0, 0, 100, 255, 255]]]], dtype=torch.uint8)
    >>> grown(mask, 1).tolist(), grown(mask, -1).tolist()
    ([[[[0, 100, 255, 255, 255]]]], [[[[0, 0, 0, 100, 255]]]])
    """
    if by_px < 0:
        return 255 - grown(255 - masks, -by_px)
    wide = max_pool2d(masks.float(), (1, 2 * by_px + 1), stride=1, padding=(0, by_px))
    return max_pool2d(wide, (2 * by_px + 1, 1), stride=1, padding=(by_px, 0)).byte()


def doubt_px(side_px: int) -> int:
    """By how much masks are grown and shrunk to see what hangs on their edges: 2 % of a picture's side, 1 px at least.

    >>> doubt_px(224), doubt_px(16)
    (4, 1)
    """
    return max(1, round(0.02 * side_px))


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

    Of these, every view of `ablations` has something to show. Leave the others out of all probes, and say how
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


def iou(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union of masks: of the pixels that are object in one of two, the share that is in both.

    Args:
        first: uint8 (B, 1, H, W).
        second: likewise.

    Returns:
        float64 (B,) in [0, 1]; NaN where both are empty.

    >>> first = torch.tensor([[[[255, 128, 0]]], [[[0, 0, 0]]]], dtype=torch.uint8)
    >>> iou(first, torch.tensor([[[[0, 255, 127]]], [[[0, 0, 0]]]], dtype=torch.uint8)).tolist()
    [0.5, nan]
    """
    first, second = ((masks >= OBJECT).flatten(1) for masks in (first, second))
    return (first & second).sum(1).double() / (first | second).sum(1)
