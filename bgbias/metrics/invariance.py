"""What the background does to embeddings, without any labels (tensors only).

A grid holds the embeddings of N photos, each on K backgrounds: K times float (N, D), of length 1. All sums here run
over the dimensions, too, so a grid is taken some dimensions at a time, and need not be in memory.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from bgbias.metrics.bootstrap import Estimate, expanded_interval, times_drawn

CELLS = 2**22  # numbers of a grid at a time: 32 MB
RESAMPLES = 1_000  # of the shares' intervals; each costs C * K * D, and their ends move by less than the digits shown


class VarianceShares(NamedTuple):
    """Shares of the embeddings' variance; they sum to 1."""

    photo: float
    background: float
    rest: float


def check_grid(grid: Sequence[Tensor]) -> None:
    """Refuse what is not a grid.

    Raises:
        ValueError: less than two photos or backgrounds, backgrounds of other photos or dimensions, embeddings that are
            not finite or not of length 1.
    """
    shapes = [tuple(view.shape) for view in grid]
    if len(grid) < 2 or len(set(shapes)) > 1 or len(shapes[0]) != 2 or shapes[0][0] < 2:
        raise ValueError(
            f"a grid is photos x dimensions on each background, two photos and backgrounds at least: {shapes}"
        )
    lengths = torch.stack([view.norm(dim=1) for view in grid])
    off = int(((lengths - 1).abs() < 1e-3).logical_not().sum())  # so that NaN is off, too
    if off:
        raise ValueError(f"{off} of {lengths.numel()} embeddings are not finite or not of length 1")


def _parts(grid: Sequence[Tensor]) -> Iterator[Tensor]:
    """Some dimensions after the other, float64 (N, K, d)."""
    at_once = max(1, CELLS // (len(grid) * len(grid[0])))
    for parts in zip(*(view.split(at_once, dim=1) for view in grid), strict=True):
        yield torch.stack(parts, 1).double()


def invariance(grid: Sequence[Tensor]) -> Tensor:
    """Return how much more alike two swaps of one photo are than two photos.

    With `within` the mean cosine of a photo on b and on b', and `between` that of a photo on b and another photo on
    b', over all backgrounds b != b' and all photos: (within - between) / (1 - between). In both the background
    changes; in one of them the object stays. 1: the background does nothing. 0: two swaps of a photo are no more
    alike than two photos, as for random embeddings or a network that sees nothing but the background. Negative:
    less. Higher is better. Two photos of one product count as two photos.

    Args:
        grid: K times float (N, D), of length 1. The backgrounds need not be the same for all photos.

    Returns:
        float64 (N,), with `within` of each photo and `between` of all; their mean is the measure. NaN where all
        embeddings are alike (1 - between below 1e-6). Intervals of the mean take `between` as given.

    Raises:
        ValueError: as raised by `check_grid`.

    >>> photos = torch.eye(2)
    >>> invariance([photos, photos, photos]).tolist()  # only the photo matters
    [1.0, 1.0]
    """
    check_grid(grid)
    n, k, same_photo, all_photos = len(grid[0]), len(grid), 0, 0
    for part in _parts(grid):
        # all pairs of backgrounds less those of a background with itself: |sum|^2 - sum of |.|^2
        same_photo = same_photo + part.sum(1).square().sum(1) - part.square().sum((1, 2))
        all_photos = all_photos + part.sum((0, 1)).square().sum() - part.sum(0).square().sum()
    within = same_photo / (k * (k - 1))
    between = (all_photos - same_photo.sum()) / (n * (n - 1) * k * (k - 1))
    return torch.where(1 - between > 1e-6, (within - between) / (1 - between), torch.nan)


def variance_shares(grid: Sequence[Tensor]) -> VarianceShares:
    """Return how much of the embeddings' variance the photo, the background, and neither alone explains.

    The two-way analysis of variance without replication, its sums of squares summed over the dimensions: with
    m_i the mean of a photo over backgrounds, m_b of a background over photos, m of all: photo K * sum |m_i - m|^2,
    background N * sum |m_b - m|^2, rest (interaction and noise) sum |x_ib - m_i - m_b + m|^2; each divided by
    their sum, sum |x_ib - m|^2. A large share of the background is bad.

    These are shares of the sample at hand. Random embeddings do not give 0: see `random_shares`. The share of the
    photo is to be read against about 1 / K, that of the background against about 1 / N.

    Args:
        grid: K times float (N, D), of length 1; background k is the same picture for all photos.

    Returns:
        Shares in [0, 1]; NaN where all embeddings are alike.

    Raises:
        ValueError: as raised by `check_grid`.

    >>> backgrounds = torch.eye(3)
    >>> grid = [background.expand(4, 3) for background in backgrounds]  # only the background matters
    >>> [round(share, 9) for share in variance_shares(grid)]
    [0.0, 1.0, 0.0]
    """
    check_grid(grid)
    n, k, parts = len(grid[0]), len(grid), torch.zeros(3, dtype=torch.float64)
    for part in _parts(grid):
        centred = part - part.mean((0, 1))
        photos, backgrounds = centred.mean(1, keepdim=True), centred.mean(0, keepdim=True)
        rest = centred - photos - backgrounds
        parts += torch.stack([k * photos.square().sum(), n * backgrounds.square().sum(), rest.square().sum()])
    total = parts.sum()
    alike = total / (n * k) < 1e-12  # float32 embeddings of one picture differ by less
    return VarianceShares(*(torch.nan if alike else (part / total).item() for part in parts))


def variance_estimates(grid: Sequence[Tensor], labels: Tensor, rng: np.random.Generator) -> dict[str, Estimate]:
    """Return the variance shares, each with its 95 % interval over 1,000 resamples of the photos' classes.

    As in `bootstrap.estimate`, each resample draws as many classes as there are, with replacement, each with all its
    photos; the backgrounds are taken as given. Few classes are too much alike, so the photo's share is too small and
    the background's too large; in resamples, where classes are there twice, once more by as much. So the interval is
    the basic one (Davison & Hinkley 1997, "Bootstrap Methods and their Application", 5.2): the quantiles of resamples,
    mirrored in the share. Of samples of 10 of the demo's classes, each share's covers that of all in 84 to 98 of 100;
    the quantiles themselves do in 66 to 93.

    The three sums of squares need no grid: with S_b the sum of a resample's embeddings on b, Q its sum of |x|^2 and P
    its sum of |m_i|^2, they are K P - |S|^2 / N K, (sum |S_b|^2 - |S|^2 / K) / N, and what is left of Q - |S|^2 / N K.
    All are sums over the classes drawn.

    Args:
        grid: as in `variance_shares`.
        labels: (N,), the class of each photo.
        rng: where the randomness comes from.

    Returns:
        Name of a share -> its estimate, where `queries` counts photos. NaN where all embeddings are alike.

    Raises:
        ValueError: as raised by `check_grid`; labels of other photos.

    >>> grid = [background.expand(4, 3) for background in torch.eye(3)]  # only the background matters
    >>> shares = variance_estimates(grid, torch.tensor([0, 0, 1, 1]), np.random.default_rng(0))
    >>> [round(number, 6) for number in shares["background"][:3]]
    [1.0, 1.0, 1.0]
    """
    shares = variance_shares(grid)
    if len(labels) != len(grid[0]):
        raise ValueError(f"{len(labels)} labels of {len(grid[0])} photos")
    _, inverse, sizes = labels.unique(return_inverse=True, return_counts=True)
    ends = np.full((2, 3), np.nan)
    if len(sizes) > 1 and not np.isnan(shares.photo):
        times = torch.from_numpy(times_drawn(len(sizes), RESAMPLES, rng)).double()
        resampled = _resampled_shares(grid, inverse, sizes.double(), times).numpy()
        ends = np.clip(2 * np.array(shares) - expanded_interval(resampled, len(sizes))[::-1], 0, 1)
    return {
        name: Estimate(share, float(low), float(high), len(labels), len(sizes), 0)
        for (name, share), low, high in zip(shares._asdict().items(), *ends, strict=True)
    }


def _resampled_shares(grid: Sequence[Tensor], inverse: Tensor, sizes: Tensor, times: Tensor) -> Tensor:
    """Shares (R, 3) of photo, background and rest, where class c counts times[r, c] times."""
    k, n, photo, background, total = len(grid), times @ sizes, 0, 0, 0

    def by_class(values: Tensor) -> Tensor:
        return values.new_zeros(len(sizes), *values.shape[1:]).index_add_(0, inverse, values)

    for part in _parts(grid):
        part = part - part.mean((0, 1))  # changes no share, and keeps differences of large sums away
        squares, of_means = (
            times @ by_class(values) for values in (part.square().sum((1, 2)), part.mean(1).square().sum(1))
        )
        sums = (times @ by_class(part.flatten(1))).unflatten(1, part.shape[1:])
        middle = sums.sum(1).square().sum(1) / (n * k)
        photo = photo + k * of_means - middle
        background = background + sums.square().sum((1, 2)) / n - middle
        total = total + squares - middle
    shares = torch.stack([photo, background, total - photo - background], 1) / total[:, None]
    return shares.where((total / (n * k) > 1e-12)[:, None], torch.nan)


def random_shares(photos: int, backgrounds: int) -> VarianceShares:
    """Return the variance shares to expect of random embeddings: each part's share of the degrees of freedom.

    If the N * K embeddings are exchangeable, their total is spread evenly over its N K - 1 degrees of freedom, of
    which the photos have N - 1, the backgrounds K - 1, the rest (N - 1) (K - 1). Exact for any distribution:
    it holds for the mean over all orders in which given vectors can be dealt to the grid.

    >>> [round(share, 3) for share in random_shares(photos=100, backgrounds=5)]
    [0.198, 0.008, 0.794]
    """
    total = photos * backgrounds - 1
    return VarianceShares((photos - 1) / total, (backgrounds - 1) / total, (photos - 1) * (backgrounds - 1) / total)
