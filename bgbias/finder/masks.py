"""Masks that a finder predicts: its loss, and those of pictures (tensors only)."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate

from bgbias.finder.network import Finder


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


@torch.no_grad()
def found(finder: Finder, pictures: Tensor) -> Tensor:
    """Find the object in pictures, uint8 (B, 3, S, S), red first: masks on the CPU, uint8 (B, 1, S, S)."""
    images = pictures.to(next(finder.parameters()).device, memory_format=torch.channels_last).float()
    return (255 * finder.masks(images)).round().byte().cpu()
