"""Photos reduced to colour: the object alone, the background alone; and masks in doubt (tensors only).

Photos are uint8 (B, 3, H, W), their masks uint8 (B, 1, H, W), 255 where the object is.
"""

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from bgbias.compose import paste

BLACK, GREY = torch.zeros(3, dtype=torch.uint8), torch.full((3,), 128, dtype=torch.uint8)


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


def on_colour(photos: Tensor, masks: Tensor, colours: Tensor) -> Tensor:
    """The foreground alone, on one colour.

    On black this is Only-FG of ImageNet-9 (Xiao et al. 2020, "Noise or Signal: The Role of Image Backgrounds in
    Object Recognition"). No colour is neutral to every network, so ask with several: BLACK, GREY, and `mean_colours`,
    which still tell a little of the background.

    Args:
        photos: uint8 (B, 3, H, W).
        masks: uint8 (B, 1, H, W).
        colours: uint8 (3,), or (B, 3), one for each photo.

    Returns:
        uint8 (B, 3, H, W).

    >>> photo, mask = torch.full((1, 3, 1, 2), 200, dtype=torch.uint8), torch.tensor([[[[255, 0]]]], dtype=torch.uint8)
    >>> on_colour(photo, mask, GREY)[0, 0].tolist()
    [[200, 128]]
    """
    return paste(photos, masks, colours.reshape(-1, 3, 1, 1).expand_as(photos))


def silhouette(photos: Tensor, masks: Tensor, colours: Tensor) -> Tensor:
    """The background alone: the object's pixels filled with one colour. Its outline can still be seen.

    On black this is No-FG of ImageNet-9. Arguments and result as of `on_colour`.

    >>> photo, mask = torch.full((1, 3, 1, 2), 200, dtype=torch.uint8), torch.tensor([[[[255, 0]]]], dtype=torch.uint8)
    >>> silhouette(photo, mask, BLACK)[0, 0].tolist()
    [[0, 200]]
    """
    return on_colour(photos, 255 - masks, colours)


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
