"""Foreground masks looked at: where the object is, and what is probably wrong with a mask (arrays only)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from bgbias.errors import InputError

OBJECT = 128  # of 255: a pixel from this value on is the object's, as in the study's mask quality
TINY = 0.01  # of the photo, a tenth of its sides: too few pixels of a network's input to tell a class from
NEARLY_FULL = 0.9  # of the photo: there is hardly a background to swap
FAINT, SOLID = 25, 230  # of 255: between them a pixel is see-through
SOFT = 0.9  # of what a mask covers; ISNet has as much in few masks, which are faint all over
VEIL = 8  # of 255: 3 % of the old background
VEILED = 0.95  # of all pixels; a mask that covers so much is nearly full
PURE = 252  # of 255: white, in a JPEG, too
BORDER = 0.5  # of the outermost pixels: objects rarely reach so far, an inverted mask does


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
        pixels of 25 or more are below 230, so the object is see-through; or more than 0.95 of all pixels are 8 or more,
        so the old background shines through nearly everywhere), "" for nothing.

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
    veiled = (mask >= VEIL).mean() > VEILED
    return "soft" if veiled or (mask[mask >= FAINT] < SOLID).mean() > SOFT else ""


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
