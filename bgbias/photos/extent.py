"""How far the objects of masks reach: wider and narrower masks, boxes, what two masks share (tensors only)."""

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from bgbias.photos.foreground import OBJECT, Box

LARGEST_BOX = 0.9  # share of the picture; ImageNet-9 leaves out what has more


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
