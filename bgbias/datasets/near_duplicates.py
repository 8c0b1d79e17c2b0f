"""Near-duplicates: photos that are one another recompressed, resized or slightly cropped.

Any embedder finds such a photo by the other. Random backgrounds, drawn for each photo by itself, take that away, so
near-duplicates lift Recall@1 of photos as they are and pass for a drop.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from PIL import Image
from tqdm import tqdm

COARSE_PX, FINE_PX = 8, 24  # sides that photos are shrunk to: to find candidates, and to decide
LIKELY = 0.9  # correlation of coarse pictures
SAME = 0.02  # mean squared difference of fine pictures, of the sum of their variances: 1 for unrelated ones
KEPT = (1, 0.98, 0.96, 0.94, 0.92)  # of a photo's sides: what a crop may have left of them
ROWS = 256  # that are compared with as many at a time


class _Fine(NamedTuple):
    """Pictures as they are compared: whole, and cropped. levels: uint8 (N, KEPT, D), variances: float64 (N, KEPT)."""

    levels: np.ndarray
    variances: np.ndarray

    def some(self, rows: np.ndarray) -> "_Fine":
        return _Fine(self.levels[rows], self.variances[rows])


def near_duplicates(pictures: Sequence[np.ndarray], mirrored: bool = False) -> list[tuple[int, int]]:
    """Find the pairs of near-duplicates among pictures, whatever their sizes.

    Two are near-duplicates if, shrunk to 24 x 24 pixels, they differ by less than 2 % of what two unrelated pictures of
    their contrast do; one of them may be cropped by up to 4 % at each side. Pictures of a single colour have none.

    Args:
        pictures: uint8 (H, W, 3) each, such as a `Pack`.
        mirrored: whether pairs are asked for of which one is a near-duplicate of the other's mirror image.

    Returns:
        Pairs of places, the smaller first, in order.

    >>> photo, other = np.random.default_rng(0).integers(0, 256, (2, 48, 64, 3), dtype=np.uint8)
    >>> near_duplicates([photo, other, photo[1:-1, 1:-1] // 2 * 2])
    [(0, 2)]
    >>> near_duplicates([photo, other, photo[:, ::-1]]), near_duplicates([photo, other, photo[:, ::-1]], mirrored=True)
    ([], [(0, 2)])
    """
    coarse, fine, found = _coarse(pictures), _fine(pictures), []
    others, fine_others = coarse, fine
    if mirrored:
        others, fine_others = _turned(coarse, COARSE_PX), fine._replace(levels=_turned(fine.levels, FINE_PX))
    blocks = range(0, len(pictures), ROWS)
    for start in tqdm(blocks, "near-duplicates", unit="block", leave=False, delay=5):
        for beside in blocks[start // ROWS :]:
            likely = _likely(coarse[start : start + ROWS], others[beside : beside + ROWS]) + np.array([start, beside])
            found += _same(likely[likely[:, 0] < likely[:, 1]], fine, fine_others)
    return sorted(found)


def near_duplicates_of(
    queries: Sequence[np.ndarray],
) -> Callable[[Sequence[np.ndarray]], list[tuple[int, int]]]:
    """Return what finds the near-duplicates of some pictures among others, which come batch by batch; none is kept.

    Args:
        queries: as of `near_duplicates`, by the rule of which they are compared with the others.

    Returns:
        Pictures, as many as there are -> pairs of places, of a query and of one of them, in order.

    >>> photo, other = np.random.default_rng(0).integers(0, 256, (2, 48, 64, 3), dtype=np.uint8)
    >>> [near_duplicates_of([photo])(batch) for batch in ([other, photo], [other], [photo[1:-1, 1:-1]])]
    [[(0, 1)], [], [(0, 0)]]
    """
    coarse, fine = _coarse(queries), _fine(queries)

    def find(others: Sequence[np.ndarray]) -> list[tuple[int, int]]:
        likely, found = _likely(coarse, _coarse(others)), []
        if not len(likely):
            return []
        places, likely[:, 1] = np.unique(likely[:, 1], return_inverse=True)  # the others are not even shrunk
        of_others = _fine([others[place] for place in places])
        for start in range(0, len(queries), ROWS):
            found += _same(likely[likely[:, 0] // ROWS == start // ROWS], fine, of_others)
        return sorted((query, int(places[place])) for query, place in found)

    return find


def _likely(coarse: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Pairs that are alike from afar, int64 (M, 2); photos before white are, mostly."""
    return np.argwhere(coarse @ others.T > LIKELY)


def _same(likely: np.ndarray, fine: _Fine, others: _Fine) -> list[tuple[int, int]]:
    """Those of likely pairs that are near-duplicates, all pictures in them being compared: a product of matrices."""
    if not len(likely):
        return []
    (rows, row), (columns, column) = (np.unique(places, return_inverse=True) for places in likely.T)
    fine, others = fine.some(rows), others.some(columns)
    least = np.minimum(_differences(fine, others), _differences(others, fine).T)
    return [tuple(pair) for pair in likely[least[row, column] < SAME].tolist()]


def _differences(wholes: _Fine, others: _Fine) -> np.ndarray:
    """The least difference of each whole and a crop of each other, float64 (N, M); |w - c|² as |w|² + |c|² - 2 w c.

    All of these are whole numbers, so what is said of a pair depends on no other.
    """
    whole, crops = wholes.levels[:, 0].astype(np.float64), others.levels.astype(np.float64)
    products = (whole @ crops.reshape(-1, crops.shape[2]).T).reshape(len(whole), *crops.shape[:2])
    squares = np.square(whole).sum(1)[:, None, None] + np.square(crops).sum(2) - 2 * products
    return (squares / crops.shape[2] / (wholes.variances[:, :1, None] + others.variances + 1e-6)).min(2)


def _coarse(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures as candidates are found: float32 (N, D), of length 1."""
    coarse = np.stack([_centred(_shrunk(picture, COARSE_PX).astype(np.float32)).ravel() for picture in pictures])
    return coarse / (np.linalg.norm(coarse, axis=1, keepdims=True) + 1e-6)


def _fine(pictures: Sequence[np.ndarray]) -> _Fine:
    fine = np.stack([[_shrunk(picture, FINE_PX, share) for share in KEPT] for picture in pictures])
    variances = np.stack([np.square(_centred(crops)).mean((1, 2, 3)) for crops in fine])
    return _Fine(fine.reshape(*fine.shape[:2], -1), variances)


def _turned(shrunk: np.ndarray, side_px: int) -> np.ndarray:
    """Mirror shrunk pictures, (..., D), left to right."""
    return shrunk.reshape(*shrunk.shape[:-1], side_px, side_px, 3)[..., ::-1, :].reshape(shrunk.shape)


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


def describe(
    pairs: list[tuple[int, int]],
    paths: Sequence[str],
    classes: Sequence,
    which: str = "",
    mend: str = "keep one of each",
) -> str:
    """Say how many near-duplicates there are, and whether they are of one class; "" where there are none.

    Args:
        pairs: rows of two such photos each.
        paths: of all photos.
        classes: likewise.
        which: have one, such as "2 of 9 queries have a near-duplicate in the gallery"; "": they are counted.
        mend: what is to be done.

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
    which = which or f"{len({row for pair in pairs for row in pair})} of {len(paths)} photos are near-duplicates"
    how = f"recompressed, resized or slightly cropped; {counts[0]}"
    said = f"{which} ({how}), found by any model: {mend}."
    return f"{said} Of two classes, one of them wrong: {counts[1]}." if torn else said


def remarks(photos: Sequence[np.ndarray], paths: Sequence[str], classes: Sequence, kind: str = "") -> list[str]:
    """Say how many photos are near-duplicates, and how many of others' mirror images; a sentence each, or nothing.

    Networks that are trained with flips, as those here are, find a mirror image as they find a copy.

    Args:
        photos: uint8 (H, W, 3) each.
        paths: of these.
        classes: likewise.
        kind: what they are called, such as "test ".
    """
    pairs = near_duplicates(photos)
    turned = sorted(set(near_duplicates(photos, mirrored=True)) - set(pairs))
    said = []
    for some, of in ((pairs, ""), (turned, " of others' mirror images")):
        which = f"{len(set(chain(*some)))} of {len(paths)} {kind}photos are near-duplicates{of}"
        said.append(describe(some, paths, classes, which))
    return list(filter(None, said))
