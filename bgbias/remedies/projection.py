"""The directions in which embeddings move with the background, and embeddings without them (tensors only).

What differs between the embeddings of one photo on several backgrounds comes from the backgrounds alone. Its
principal components span the nuisance subspace, which can be removed from any embedding afterwards (nuisance attribute
projection: Solomonoff, Quillen & Campbell 2004, "Channel compensation for SVM speaker recognition"; Solomonoff,
Campbell & Boardman 2005), or each direction is shrunk by as much as it moves (within-class covariance normalisation:
Hatch, Kajarekar & Stolcke 2006, with one photo's swaps as the class). Both need neither a mask nor another forward
pass at query time, and both are to be applied to queries and gallery alike.

    directions, _ = projection.directions(swaps)    # swaps: (N, K, D), of photos that are not searched
    gallery = projection.removed(gallery, directions[:d])
    query = projection.removed(query, directions[:d])
"""

import torch
from torch import Tensor
from torch.nn.functional import normalize

FLAT = 1e-6  # of the greatest variance: below it float32 embeddings do not move
LEAST = 1e-4  # of an embedding's length: what is less, rounding may have left
SHRINKAGES = (1.0, 0.9, 0.7, 0.5, 0.3, 0.1, 0.03, 0.01)


def covariance(swaps: Tensor) -> Tensor:
    """Return the mean covariance within photos: how embeddings move with the background.

    Its eigenvectors are also those of the differences between any two swaps of a photo, whose covariance is twice it.

    Args:
        swaps: float (N, K, D), the embeddings of N photos on K backgrounds each.

    Returns:
        float64 (D, D).

    Raises:
        ValueError: the shape is another, there are less than two backgrounds, or a number is not finite.

    >>> covariance(torch.tensor([[[1.0, 3.0], [1.0, 5.0]]])).tolist()
    [[0.0, 0.0], [0.0, 2.0]]
    """
    if swaps.ndim != 3 or len(swaps) == 0 or swaps.shape[1] < 2:
        raise ValueError(f"swaps {tuple(swaps.shape)}: expected (N, K, D), N photos on K >= 2 backgrounds each")
    if not swaps.isfinite().all():
        raise ValueError("swaps: some embeddings are not finite")
    moved = (swaps.double() - swaps.double().mean(1, keepdim=True)).flatten(0, 1)
    return moved.T @ moved / (len(swaps) * (swaps.shape[1] - 1))


def directions(swaps: Tensor) -> tuple[Tensor, Tensor]:
    """Return the directions in which embeddings move with the background, the greatest movement first.

    Args:
        swaps: float (N, K, D), as in `covariance`.

    Returns:
        Directions, float32 (P, D), orthonormal rows, P <= D: those in which anything moves. And each one's share of
        the movement, float64 (P,), which sum up to 1.

    Raises:
        ValueError: as raised by `covariance`.

    >>> rows, shares = directions(torch.tensor([[[1.0, 3.0], [1.0, 5.0]]]))
    >>> rows.abs().tolist(), shares.tolist()
    ([[0.0, 1.0]], [1.0])
    """
    variances, vectors = torch.linalg.eigh(covariance(swaps))
    variances, vectors = variances.flip(0), vectors.flip(1).T
    moving = variances > FLAT * variances[0].clamp(min=FLAT)
    return vectors[moving].float(), variances[moving] / variances[moving].sum()


def removed(embeddings: Tensor, directions: Tensor) -> Tensor:
    """Remove from embeddings their part in some directions; what is left has length 1 again.

    Args:
        embeddings: float (N, D).
        directions: float (P, D), orthonormal rows, as returned by `directions`; without rows, nothing is removed.

    Returns:
        float (N, D), each row of length 1 and orthogonal to the directions.

    Raises:
        ValueError: the dimensions differ, directions are not orthonormal, or nothing is left of an embedding.

    >>> removed(torch.tensor([[3.0, 4.0, 5.0]]), torch.tensor([[0.0, 0.0, 1.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929, 0.0]]
    """
    _refuse_other_dimensions(embeddings, directions, "directions")
    directions = directions.to(embeddings)
    if not torch.allclose(directions @ directions.T, torch.eye(len(directions)).to(directions), atol=1e-4):
        raise ValueError("directions are not orthonormal: give rows of what `directions` returns")
    gone = (~something_left(embeddings, directions)).nonzero()[:, 0].tolist()
    if gone:
        raise ValueError(f"nothing is left of embeddings {gone[:5]}: remove less than {len(directions)} directions")
    return normalize(embeddings - embeddings @ directions.T @ directions)


def something_left(embeddings: Tensor, directions: Tensor) -> Tensor:
    """Tell of which embeddings more than rounding is left, as `removed` needs; same arguments as there.

    Returns:
        bool (N,).

    >>> something_left(torch.eye(2), torch.eye(2)[:1]).tolist()
    [False, True]
    """
    left = embeddings - embeddings @ directions.T @ directions
    return left.norm(dim=1) > LEAST * embeddings.norm(dim=1)


def whitening(swaps: Tensor, shrinkage: float) -> Tensor:
    """Return the matrix that makes embeddings move with the background by as much in every direction.

    That is the inverse square root of (1 - s) W + s tr(W)/D I, with the covariance W within photos and the shrinkage
    s: at 1 it changes nothing but the length.

    Args:
        swaps: float (N, K, D), as in `covariance`.
        shrinkage: s, above 0 and at most 1.

    Returns:
        float32 (D, D), symmetric; where nothing moves, the identity.

    Raises:
        ValueError: as raised by `covariance`; or the shrinkage is out of range.

    >>> swaps = torch.tensor([[[1.0, 0.0], [-1.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    >>> whitening(swaps, 0.5).diag().tolist()  # of variances 0.75 and 0.25
    [1.154700517654419, 2.0]
    """
    if not 0 < shrinkage <= 1:
        raise ValueError(f"shrinkage {shrinkage}: expected above 0 and at most 1")
    within = covariance(swaps)
    mean = within.trace() / len(within)
    if mean <= FLAT**2:
        return torch.eye(len(within))
    shrunk = (1 - shrinkage) * within + shrinkage * mean * torch.eye(len(within), dtype=within.dtype)
    variances, vectors = torch.linalg.eigh(shrunk)
    return ((vectors * variances.rsqrt()) @ vectors.T).float()


def whitened(embeddings: Tensor, matrix: Tensor) -> Tensor:
    """Multiply embeddings by the matrix of `whitening`; their length is 1 again.

    Args:
        embeddings: float (N, D).
        matrix: float (D, D).

    Returns:
        float (N, D).

    Raises:
        ValueError: the dimensions differ.

    >>> whitened(torch.tensor([[3.0, 2.0]]), torch.diag(torch.tensor([1.0, 2.0]))).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    _refuse_other_dimensions(embeddings, matrix, "matrix")
    return normalize(embeddings @ matrix.to(embeddings))


def _refuse_other_dimensions(embeddings: Tensor, other: Tensor, name: str) -> None:
    if embeddings.ndim != 2 or other.ndim != 2 or embeddings.shape[1] != other.shape[1]:
        shapes = f"embeddings {tuple(embeddings.shape)}, {name} {tuple(other.shape)}"
        raise ValueError(f"{shapes}: expected (N, D) and rows of the same D")


def counts(dimensions: int, moving: int) -> list[int]:
    """List how many directions to try to remove: 0, 1, 2, 4, 8... below the embeddings' dimensions, and all that move.

    >>> counts(64, 64)
    [0, 1, 2, 4, 8, 16, 32]
    >>> counts(64, 5)
    [0, 1, 2, 4, 5]
    """
    powers = [0, *(2**power for power in range(dimensions.bit_length()))]
    return sorted({count for count in (*powers, moving) if count <= moving and count < dimensions})
