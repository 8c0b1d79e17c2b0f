"""Near-duplicates: photos that are one another recompressed, resized or slightly cropped.

Any embedder finds such a photo by the other. Random backgrounds, drawn for each photo by itself, take that away, so
near-duplicates lift Recall@1 of photos as they are and pass for a drop.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image
from tqdm import tqdm

COARSE_PX, FINE_PX = 8, 24  # sides that photos are shrunk to: to find candidates, and to decide
LIKELY = 0.9  # correlation of coarse pictures
SAME = 0.02  # mean squared difference of fine pictures, of the sum of their variances: 1 for unrelated ones
KEPT = (1, 0.98, 0.96, 0.94, 0.92)  # of a photo's sides: what a crop may have left of them
ROWS, PAIRS = 1024, 512  # compared at a time


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
    fine = np.stack([[_shrunk(picture, FINE_PX, share) for share in KEPT] for picture in pictures])
    variances = np.stack([np.square(_centred(crops)).mean((1, 2, 3)) for crops in fine])
    fine, found = fine.reshape(*fine.shape[:2], -1), []
    blocks = math.ceil(len(pictures) / ROWS)
    for likely in tqdm(_candidates(pictures), "near-duplicates", blocks, unit="block", leave=False, delay=5):
        for start in range(0, len(likely), PAIRS):
            some = likely[start : start + PAIRS]
            least = [_difference(fine, variances, *some.T[order]) for order in ([0, 1], [1, 0])]
            found += map(tuple, some[np.minimum(*least) < SAME].tolist())
    return found


def _candidates(pictures: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Pairs that are alike from afar, int64 (M, 2), block by block of the first; photos before white are, mostly."""
    coarse = np.stack([_centred(_shrunk(picture, COARSE_PX).astype(np.float32)).ravel() for picture in pictures])
    coarse /= np.linalg.norm(coarse, axis=1, keepdims=True) + 1e-6
    for start in range(0, len(coarse), ROWS):
        yield start + np.argwhere(np.triu(coarse[start : start + ROWS] @ coarse[start:].T > LIKELY, 1))


def _difference(fine: np.ndarray, variances: np.ndarray, wholes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The least difference of a whole and a crop of another, float (M,); |w - c|² as |w|² + |c|² - 2 w c."""
    whole, crops = fine[wholes, :1].astype(np.float32), fine[others].astype(np.float32)
    squares = np.square(whole).sum(2) + np.square(crops).sum(2) - 2 * (crops @ whole.swapaxes(1, 2))[..., 0]
    return (squares / fine.shape[2] / (variances[wholes, :1] + variances[others] + 1e-6)).min(1)


def _centred(pictures: np.ndarray) -> np.ndarray:
    return pictures - pictures.mean((-3, -2), keepdims=True)


def _shrunk(picture: np.ndarray, side_px: int, share: float = 1) -> np.ndarray:
    height, width, _ = picture.shape
    x, y = (side * (1 - share) / 2 for side in (width, height))
    size, box = (side_px, side_px), (x, y, width - x, height - y)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR, box))


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
