"""Whether attention lies on the object: measures beside the study's attention score (tensors only).

Both ask for the order of the attention alone, so any increasing rescaling of a map changes nothing; a map that is
clamped, such as `saliency.attention_map`, has lost the order of what it clamped. Equal attention is shared: the value
is the mean over all orders of the tied pixels, so a flat map scores what chance gives, the object's share of the
area. A pixel is the object's where its soft mask is 0.5 or more. Higher is better.
"""

import torch
from torch import Tensor

from bgbias.photos.foreground import OBJECT


def relevance_rank_accuracy(attention: Tensor, masks: Tensor) -> Tensor:
    """Of the M most attended pixels, the share on the object, M being the number of the object's pixels.

    Relevance rank accuracy (Arras et al. 2022, "CLEVR-XAI: A benchmark dataset for the ground truth evaluation of
    neural network explanations").

    Args:
        attention: float (B, H, W).
        masks: soft foreground masks, float (B, H, W) in [0, 1].

    Returns:
        float64 (B,) in [0, 1]; NaN where the object is no pixel or every pixel.

    Raises:
        ValueError: shapes differ, or attention is not finite.

    >>> mask = torch.tensor([[[1.0, 1.0, 0.0, 0.0]]])
    >>> relevance_rank_accuracy(torch.tensor([[[9.0, 1.0, 5.0, 0.0]]]), mask).item()
    0.5
    """
    attention, on_object, size = _flat(attention, masks)
    ranked = attention.sort(1, descending=True).values
    return _share_of_top(attention, on_object, ranked.gather(1, size.clamp(min=1)[:, None] - 1), size)


def pointing_game(attention: Tensor, masks: Tensor) -> Tensor:
    """Whether the most attended pixel is on the object.

    The pointing game (Zhang et al. 2018, "Top-down neural attention by excitation backprop"), without its margin of
    15 pixels around the object: grow the masks for that.

    Arguments, result and errors as of `relevance_rank_accuracy`; 0 or 1 where one pixel is the most attended, of
    several the share on the object.

    >>> mask = torch.tensor([[[1.0, 1.0, 0.0, 0.0]]])
    >>> pointing_game(torch.tensor([[[9.0, 1.0, 5.0, 0.0]]]), mask).item()
    1.0
    """
    attention, on_object, _ = _flat(attention, masks)
    top = attention.amax(1, keepdim=True)
    return _share_of_top(attention, on_object, top, torch.ones(len(attention), device=attention.device))


def _flat(attention: Tensor, masks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    if attention.shape != masks.shape:
        raise ValueError(f"attention {tuple(attention.shape)} and masks {tuple(masks.shape)} differ")
    if not attention.isfinite().all():
        raise ValueError("attention is not finite")
    on_object = (255 * masks.flatten(1)).round() >= OBJECT
    return attention.flatten(1), on_object, on_object.sum(1)


def _share_of_top(attention: Tensor, on_object: Tensor, cut: Tensor, count: Tensor) -> Tensor:
    """Of the `count` most attended pixels, the least of which has attention `cut`, the share on the object."""
    above, tied = attention > cut, attention == cut
    tied_share = (tied & on_object).sum(1) / tied.sum(1).double()
    hits = (above & on_object).sum(1) + (count - above.sum(1)) * tied_share
    defined = on_object.any(1) & ~on_object.all(1)
    return torch.where(defined, hits / count, torch.nan)
