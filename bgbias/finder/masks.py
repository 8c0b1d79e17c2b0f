"""Predicted masks against given ones: the finder's loss, and how well they agree (tensors only)."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate

from bgbias.finder.network import Finder
from bgbias.photos.foreground import OBJECT


def cross_entropy(logits: Tensor, masks: Tensor) -> Tensor:
    """Return the mean cross-entropy of predicted masks against soft ones.

    Args:
        logits: float (B, 1, h, w).
        masks: uint8 (B, 1, H, W), 255 where the object is; they are shrunk to the logits' size.

    >>> mask = torch.tensor([[[[0, 255], [0, 255]]]], dtype=torch.uint8)
    >>> round(cross_entropy(torch.tensor([[[[0.0]]]]), mask).item(), 4)  # half of it is object: log 2
    0.6931
    """
    soft = interpolate(masks.float() / 255, size=logits.shape[2:], mode="area")
    return binary_cross_entropy_with_logits(logits, soft)


def iou(found: Tensor, masks: Tensor) -> Tensor:
    """Intersection over union of each mask with a given one; a pixel of 128 or more is object.

    Args:
        found: uint8 (B, 1, H, W).
        masks: uint8 (B, 1, H, W).

    Returns:
        float (B,) in [0, 1]; NaN where both masks are empty.

    >>> row = torch.tensor([[[[0, 255, 255]]]], dtype=torch.uint8)
    >>> iou(row, row.flip(3)).tolist()
    [0.3333333432674408]
    """
    found, masks = (of.flatten(1) >= OBJECT for of in (found, masks))
    return (found & masks).sum(1) / (found | masks).sum(1)


@torch.no_grad()
def found(finder: Finder, pictures: Tensor) -> Tensor:
    """Find the object in pictures, uint8 (B, 3, S, S), red first: masks on the CPU, uint8 (B, 1, S, S)."""
    images = pictures.to(next(finder.parameters()).device, memory_format=torch.channels_last).float()
    return (255 * finder.masks(images)).round().byte().cpu()
