"""What the levels of a decoded picture mean: 16 bits a channel, transparency, numbers of classes."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

CLASSES, THIN = 20, 4  # classes of PASCAL VOC; of a thin object edges are up to so many times as large
NUMBERED = 0.05  # of a mask: of less it is no certainty, as in a crop that holds the edge of a soft mask


def eight_bits(picture: Image.Image) -> Image.Image:
    """Scale the 65,536 levels of a grey picture to 256; Pillow would clip them. Colours come as 8 bits already."""
    if not picture.mode.startswith("I"):
        return picture
    return Image.fromarray((np.asarray(picture).astype(np.float64) / 257 + 0.5).clip(0, 255).astype(np.uint8))


def alpha(picture: Image.Image) -> Image.Image | None:
    """Return the alpha channel, where that is not 255 all over."""
    if not picture.has_transparency_data:
        return None
    if picture.mode.startswith("I"):  # Pillow would clip its levels to 255 before it compares them
        alpha = Image.fromarray(np.asarray(picture) != picture.info["transparency"]).convert("L")
    else:
        alpha = picture.convert("RGBA").getchannel("A")
    return alpha if alpha.getextrema() != (255, 255) else None


def numbers_classes(counts: Sequence[int]) -> bool:
    """Say whether a mask has numbers of classes in its objects, and 255 along their edges, as those of PASCAL VOC have.

    Taken for levels of grey they would make a ring the object.

    Args:
        counts: of its pixels of each level, 256.

    >>> ring, stray, soft = [6, 4, *[0] * 253, 9], [6, 1, *[0] * 253, 9], [6, 4, *[0] * 252, 2, 1]
    >>> numbers_classes(ring), numbers_classes(stray), numbers_classes(soft)
    (True, False, False)
    """
    numbered, between = sum(counts[1 : CLASSES + 1]), sum(counts[CLASSES + 1 : 255])
    certain = numbered >= NUMBERED * sum(counts)
    return certain and counts[0] > 0 and not between and THIN * numbered > counts[255] > 0
