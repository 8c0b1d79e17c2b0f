"""Near-duplicates: photos that are one another recompressed, resized or slightly cropped.

Any embedder finds such a photo by the other. Random backgrounds, drawn for each photo by itself, take that away, so
near-duplicates lift Recall@1 of photos as they are and pass for a drop.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from PIL import Image

COARSE_PX, FINE_PX = 8, 24  # sides that photos are shrunk to: to find candidates, and to decide
LIKELY = 0.9  # correlation of coarse pictures
SAME = 0.02  # mean squared difference of fine pictures, of the sum of their variances: 1 for unrelated ones
KEPT = (1, 0.98, 0.96, 0.94, 0.92)  # of a photo's sides: what a crop may have left of them
ROWS = 1024  # compared at a time


def near_duplicates(pictures: Sequence[np.ndarray]) -> list[tuple[int, int]]:
    """Find the pairs of near-duplicates among pictures, whatever their sizes.

    Two are near-duplicates if, shrunk to 24 x 24 pixels, they differ by less than 2 % of what two unrelated pictures of
    their contrast do; one of them may be cropped by up to 4 % at each side. Pictures of a single colour have none.

    Args:
        pictures: uint8 (H, W, 3) each, such as a `Pack`.

    Returns:
        Pairs of places, the smaller first, in order.

    >>> photo, other = np.random.default_rng(0).integers(0, 256, (2, 48, 64, 3), dtype=np.uint8)
    >>> near_duplicates([photo, other, photo[1:-1, 1:-1] // 2 * 2])
    [(0, 2)]
    """

    @cache
    def shrunk(place: int) -> np.ndarray:
        return np.stack([_shrunk(pictures[place], FINE_PX, share) for share in KEPT])

    return [pair for pair in _candidates(pictures) if _same(*map(shrunk, pair))]


def _candidates(pictures: Sequence[np.ndarray]) -> list[tuple[int, int]]:
    coarse = np.stack([_centred(_shrunk(pictures[place], COARSE_PX)).ravel() for place in range(len(pictures))])
    coarse /= np.linalg.norm(coarse, axis=1, keepdims=True) + 1e-6
    found = []
    for start in range(0, len(coarse), ROWS):
        alike = np.triu(coarse[start : start + ROWS] @ coarse[start:].T > LIKELY, 1)
        found += [(start + first, start + second) for first, second in np.argwhere(alike).tolist()]
    return found


def _same(first: np.ndarray, second: np.ndarray) -> bool:
    """Compare each whole with all crops of the other; float32 (crops, 24, 24, 3)."""
    return min(_difference(first[:1], second), _difference(second[:1], first)) < SAME


def _difference(whole: np.ndarray, crops: np.ndarray) -> float:
    variances = np.square(_centred(whole)).mean((1, 2, 3)) + np.square(_centred(crops)).mean((1, 2, 3))
    return float((np.square(whole - crops).mean((1, 2, 3)) / (variances + 1e-6)).min())


def _centred(pictures: np.ndarray) -> np.ndarray:
    return pictures - pictures.mean((-3, -2), keepdims=True)


def _shrunk(picture: np.ndarray, side_px: int, share: float = 1) -> np.ndarray:
    height, width, _ = picture.shape
    x, y = (side * (1 - share) / 2 for side in (width, height))
    size, box = (side_px, side_px), (x, y, width - x, height - y)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR, box), dtype=np.float32)


def first_ones(pairs: list[tuple[int, int]], photos: int) -> np.ndarray:
    """Choose photos among which no two are near-duplicates: each but those that a chosen one before it is the same as.

    Args:
        pairs: of `near_duplicates`.
        photos: how many there are.

    Returns:
        bool (photos,).

    >>> first_ones([(0, 1), (1, 2)], 4).tolist()
    [True, False, True, True]
    """
    chosen = np.ones(photos, dtype=bool)
    for first, second in sorted(pairs):
        chosen[second] &= not chosen[first]
    return chosen


def describe(pairs: list[tuple[int, int]], paths: Sequence[str], classes: Sequence) -> str:
    """Say how many near-duplicates there are, and whether they are of one class; "" where there are none.

    >>> describe([(0, 1), (0, 2)], ["cup/1.jpg", "cup/1s.jpg", "mug/7.jpg"], ["cup", "cup", "mug"])
    '3 of 3 photos are near-duplicates (recompressed, resized or slightly cropped; 2 pairs, such as cup/1.jpg = \
cup/1s.jpg), found by any model: keep one of each. Of two classes, one of them wrong: 1 pair, such as \
cup/1.jpg = mug/7.jpg.'
    """
    if not pairs:
        return ""
    torn = [pair for pair in pairs if classes[pair[0]] != classes[pair[1]]]
    counts = [
        f"{len(some)} pair{'s' * (len(some) > 1)}, such as {paths[some[0][0]]} = {paths[some[0][1]]}"
        for some in (pairs, torn)
        if some
    ]
    photos = f"{len({row for pair in pairs for row in pair})} of {len(paths)} photos"
    how = f"recompressed, resized or slightly cropped; {counts[0]}"
    said = f"{photos} are near-duplicates ({how}), found by any model: keep one of each."
    return f"{said} Of two classes, one of them wrong: {counts[1]}." if torn else said
