"""What the background does to embeddings, without any labels (tensors only).

A grid holds the embeddings of N photos, each on K backgrounds: float (N, K, D), of length 1.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from bgbias.metrics.bootstrap import Estimate, percentile_interval, times_drawn

RESAMPLES = 1_000  # of the shares' intervals; each costs C * K * D, and their ends move by less than the digits shown


class VarianceShares(NamedTuple):
    """Shares of the embeddings' variance; they sum to 1."""

    photo: float
    background: float
    rest: float


def check_grid(grid: Tensor) -> None:
    """Refuse what is not a grid.

    Raises:
        ValueError: not three dimensions, less than two photos or backgrounds, embeddings that are not finite or
            not of length 1.
    """
    if grid.ndim != 3 or min(grid.shape[:2]) < 2:
        raise ValueError(
            f"a grid is photos x backgrounds x dimensions, two photos and backgrounds at least: {grid.shape}"
        )
    off = int(((grid.norm(dim=2) - 1).abs() < 1e-3).logical_not().sum())  # so that NaN is off, too
    if off:
        raise ValueError(f"{off} of {grid.shape[0] * grid.shape[1]} embeddings are not finite or not of length 1")


def invariance(grid: Tensor) -> Tensor:
    """Return how much more alike two swaps of one photo are than two photos.

    With `within` the mean cosine of a photo on b and on b', and `between` that of a photo on b and another photo on
    b', over all backgrounds b != b' and all photos: (within - between) / (1 - between). In both the background
    changes; in one of them the object stays. 1: the background does nothing. 0: two swaps of a photo are no more
    alike than two photos, as for random embeddings or a network that sees nothing but the background. Negative:
    less. Higher is better. Two photos of one product count as two photos.

    Args:
        grid: float (N, K, D), of length 1. The backgrounds need not be the same for all photos.

    Returns:
        float64 (N,), with `within` of each photo and `between` of all; their mean is the measure. NaN where all
        embeddings are alike (1 - between below 1e-6). Intervals of the mean take `between` as given.

    Raises:
        ValueError: as raised by `check_grid`.

    >>> photos = torch.eye(2)
    >>> invariance(photos[:, None].expand(2, 3, 2)).tolist()  # only the photo matters
    [1.0, 1.0]
    """
    check_grid(grid)
    grid = grid.double()
    n, k, _ = grid.shape
    # all pairs of backgrounds less those of a background with itself: |sum|^2 - sum of |.|^2
    same_photo = grid.sum(1).square().sum(1) - grid.square().sum((1, 2))
    all_photos = grid.sum((0, 1)).square().sum() - grid.sum(0).square().sum()
    within = same_photo / (k * (k - 1))
    between = (all_photos - same_photo.sum()) / (n * (n - 1) * k * (k - 1))
    return torch.where(1 - between > 1e-6, (within - between) / (1 - between), torch.nan)


def variance_shares(grid: Tensor) -> VarianceShares:
    """Return how much of the embeddings' variance the photo, the background, and neither alone explains.

    The two-way analysis of variance without replication, its sums of squares summed over the dimensions: with
    m_i the mean of a photo over backgrounds, m_b of a background over photos, m of all: photo K * sum |m_i - m|^2,
    background N * sum |m_b - m|^2, rest (interaction and noise) sum |x_ib - m_i - m_b + m|^2; each divided by
    their sum, sum |x_ib - m|^2. A large share of the background is bad.

    These are shares of the sample at hand. Random embeddings do not give 0: see `random_shares`. The share of the
    photo is to be read against about 1 / K, that of the background against about 1 / N.

    Args:
        grid: float (N, K, D), of length 1; background k is the same picture for all photos.

    Returns:
        Shares in [0, 1]; NaN where all embeddings are alike.

    Raises:
        ValueError: as raised by `check_grid`.

    >>> backgrounds = torch.eye(3)
    >>> [round(share, 9) for share in variance_shares(backgrounds[None].expand(4, 3, 3))]  # only the background matters
    [0.0, 1.0, 0.0]
    """
    check_grid(grid)
    grid = grid.double()
    n, k, _ = grid.shape
    centred = grid - grid.mean((0, 1))
    photos, backgrounds = centred.mean(1, keepdim=True), centred.mean(0, keepdim=True)
    parts = k * photos.square().sum(), n * backgrounds.square().sum(), (centred - photos - backgrounds).square().sum()
    total = sum(parts)
    alike = total / (n * k) < 1e-12  # float32 embeddings of one picture differ by less
    return VarianceShares(*(torch.nan if alike else (part / total).item() for part in parts))


def variance_estimates(grid: Tensor, labels: Tensor, rng: np.random.Generator) -> dict[str, Estimate]:
    """Return the variance shares, each with its 95 % interval over 1,000 resamples of the photos' classes.

    As in `bootstrap.estimate`, each resample draws as many classes as there are, with replacement, each with all its
    photos; the backgrounds are taken as given. Drawn twice, a class counts as two of equal photos: that makes photos a
    little more alike, so intervals lie a little low for the photo's share where classes are few.

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

    >>> grid = torch.eye(3)[None].expand(4, 3, 3)  # only the background matters
    >>> shares = variance_estimates(grid, torch.tensor([0, 0, 1, 1]), np.random.default_rng(0))
    >>> [round(number, 6) for number in shares["background"][:3]]
    [1.0, 1.0, 1.0]
    """
    shares = variance_shares(grid)
    if len(labels) != len(grid):
        raise ValueError(f"{len(labels)} labels of {len(grid)} photos")
    _, inverse, sizes = labels.unique(return_inverse=True, return_counts=True)
    ends = np.full((2, 3), np.nan)
    if len(sizes) > 1 and not np.isnan(shares.photo):
        times = torch.from_numpy(times_drawn(len(sizes), RESAMPLES, rng)).double()
        ends = percentile_interval(_resampled_shares(grid.double(), inverse, sizes.double(), times).numpy())
    return {
        name: Estimate(share, float(low), float(high), len(grid), len(sizes), 0)
        for (name, share), low, high in zip(shares._asdict().items(), *ends, strict=True)
    }


def _resampled_shares(grid: Tensor, inverse: Tensor, sizes: Tensor, times: Tensor) -> Tensor:
    """Shares (R, 3) of photo, background and rest, where class c counts times[r, c] times."""
    _, k, d = grid.shape
    grid = grid - grid.mean((0, 1))  # changes no share, and keeps differences of large sums away

    def by_class(values: Tensor) -> Tensor:
        return values.new_zeros(len(sizes), *values.shape[1:]).index_add_(0, inverse, values)

    n = times @ sizes
    squares, of_means = (
        times @ by_class(values) for values in (grid.square().sum((1, 2)), grid.mean(1).square().sum(1))
    )
    sums = (times @ by_class(grid.flatten(1))).unflatten(1, (k, d))
    middle = sums.sum(1).square().sum(1) / (n * k)
    photo = k * of_means - middle
    background = sums.square().sum((1, 2)) / n - middle
    total = squares - middle
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
