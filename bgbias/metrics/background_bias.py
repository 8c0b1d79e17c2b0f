"""Measures of what the background does to retrieval, from embeddings and labels (tensors only).

Embeddings are float and of length 1, so that inner products are cosines. Shares are in [0, 1].
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np
import torch
from torch import Tensor

from bgbias.metrics.invariance import check_grid
from bgbias.metrics.retrieval import Scores, per_query

AT_ONCE, COLUMNS = 256, 4096  # anchors and rivals at a time: 8 MB of similarities
FRIENDS = 2**21  # similarities of a class's anchors and friends at a time: 16 MB
Piece = tuple[Tensor, Tensor]  # rows of some photos of a class, rows of all of its photos


def background_gap(mixed_same: Scores, mixed_rand: Scores) -> Scores:
    """Return how much better photos are found on backgrounds of their own classes than on those of random ones.

    The BG-gap of Xiao et al. 2020 ("Noise or Signal"), for retrieval: score(mixed_same) - score(mixed_rand). Both
    paste alike, so traces of pasting cancel out. 0: what backgrounds tell of the class changes nothing, though
    backgrounds themselves may; positive: the model uses what they tell.

    Choose the gallery with care. A gallery of clean photos holds the photo that gave a query its background, and a
    model may find just that one: right in mixed_same, wrong in mixed_rand. Each view against a gallery of itself,
    where `audit.inputs.mixed` gives no two photos one background, leaves what backgrounds of a class have in common.

    Args:
        mixed_same: what `retrieval.per_query` returns for the mixed_same view as queries. The only photo of a class has
            no such view and is not counted there whatever embedding stands in for it.
        mixed_rand: the same for mixed_rand.

    Returns:
        Metric name -> float (M,) in [-1, 1], the difference of each query; and "rows", which these are.

    Raises:
        ValueError: the two are of different queries.

    >>> rows = torch.tensor([0, 1])
    >>> gap = background_gap({"recall_at_1": torch.ones(2), "rows": rows}, {"recall_at_1": rows, "rows": rows})
    >>> gap["recall_at_1"].tolist()
    [1.0, 0.0]
    """
    if not torch.equal(mixed_same["rows"], mixed_rand["rows"]):
        raise ValueError("mixed_same and mixed_rand are of different queries")
    gap = {name: mixed_same[name] - mixed_rand[name] for name in mixed_same if name != "rows"}
    return {**gap, "rows": mixed_same["rows"]}


def over_backgrounds(
    grid: Sequence[Tensor], gallery: Tensor, labels: Tensor, rows: Tensor | None = None
) -> dict[str, Tensor]:
    """Return Recall@1 over K backgrounds: whether a query finds its class whatever it stands on.

    The worst falls with K by itself, for a random ranking as chance ** K: compare it at the same K only, and with
    the mean beside it. Higher is better. Ties and lone queries as in `retrieval`.

    Args:
        grid: K times float (Q, D), the photos on each background, as queries.
        gallery: float (N, D), all photos in one view.
        labels: int64 (N,).
        rows: int64 (Q,), which photos the queries are; None: all, in order.

    Returns:
        worst: float32 (M,), 1 where the query is right on all K backgrounds, else 0; mean: float32 (M,), the share
        of backgrounds on which it is right; rows: int64 (M,), which queries these are.

    Raises:
        ValueError: as raised by `check_grid` and `per_query`.

    >>> gallery, labels = torch.eye(2)[[0, 0, 1, 1]], torch.tensor([0, 0, 1, 1])
    >>> collapsed = torch.eye(2)[[0, 0, 0, 0]]
    >>> scores = over_backgrounds([gallery, collapsed], gallery, labels)
    >>> scores["worst"].tolist(), scores["mean"].tolist()
    ([1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0.5, 0.5])
    """
    check_grid(grid)
    searches = [per_query(queries, gallery, labels, [1], rows) for queries in grid]
    hits = torch.stack([search["recall_at_1"] for search in searches])
    return {"worst": hits.amin(0), "mean": hits.mean(0), "rows": searches[0]["rows"]}


def conflict(grid: Sequence[Tensor], labels: Tensor) -> Tensor:
    """Return how often the same background outweighs the same product.

    The anchor is a photo on background b. Its rival is a photo of another class on the same b, its friend another
    photo of the same class on another background b'. The share of all (b, rival, friend, b') in which the rival
    is the more similar one; equally similar (to 9 decimals) counts half. 0: the product always outweighs; 1/2: no
    better than random embeddings; 1: the background always outweighs. Lower is better; what outweighs need not be all
    that matters, and other backgrounds may give another figure. A cue conflict, as Geirhos et al. 2019
    ("ImageNet-trained CNNs are biased towards texture") have it for shape and texture, asked of similarities.

    All are counted, none drawn: for each anchor and b this is the area under the curve of rivals against friends. The
    friends, which are few, are sorted, and each rival is put among them.

    Args:
        grid: K times float (N, D), of length 1; background k is the same picture for all photos.
        labels: int64 (N,).

    Returns:
        float64 (N,); NaN for the only photo of a class, which has no friend.

    Raises:
        ValueError: as raised by `check_grid`; labels of other photos; a single class, so there is no rival.

    >>> photos, backgrounds = torch.eye(4)[[0, 0, 1, 1]], torch.eye(4)[2:]
    >>> grid = [torch.nn.functional.normalize(photos + 0.9 * background) for background in backgrounds]
    >>> conflict(grid, torch.tensor([0, 0, 1, 1])).tolist()  # the product weighs more
    [0.0, 0.0, 0.0, 0.0]
    """
    check_grid(grid)
    if len(labels) != len(grid[0]):
        raise ValueError(f"{len(labels)} labels of {len(grid[0])} photos")
    if len(labels.unique()) < 2:
        raise ValueError("all photos are of one class: there is no rival")
    shares = torch.full(labels.shape, torch.nan, dtype=torch.float64)
    for pieces in _pieces(labels, len(grid)):
        rows = torch.cat([anchors for anchors, _ in pieces])
        shares[rows] = torch.stack([_rivals_ahead(grid, labels, pieces, b) for b in range(len(grid))]).mean(0)
    return shares


def _pieces(labels: Tensor, backgrounds: int) -> Iterator[list[Piece]]:
    """The photos that have friends, class by class, about AT_ONCE at a time."""
    families = labels.argsort(stable=True).split(labels.unique(return_counts=True)[1].tolist())
    pieces = [
        (anchors, family)
        for family in families
        for anchors in family.split(max(1, min(AT_ONCE, FRIENDS // (backgrounds * len(family)))))
        if len(family) > 1
    ]
    numbers = np.cumsum([len(anchors) for anchors, _ in pieces]) // AT_ONCE
    for _, group in groupby(zip(numbers, pieces, strict=True), itemgetter(0)):
        yield [piece for _, piece in group]


def _rivals_ahead(grid: Sequence[Tensor], labels: Tensor, pieces: list[Piece], b: int) -> Tensor:
    """The share of rivals ahead of friends, for the anchors on background b."""
    rows = torch.cat([anchors for anchors, _ in pieces])
    anchors, friends = grid[b][rows], [_friends(grid, b, *piece) for piece in pieces]
    behind = [torch.zeros(len(of_piece), dtype=torch.int64) for of_piece in friends]  # rivals behind friends, twice
    for columns in torch.arange(len(labels)).split(COLUMNS):
        rivals = _similarities(anchors, grid[b][columns])
        rivals[labels[rows, None] == labels[columns]] = torch.inf  # its own class is behind no friend
        for count, of_piece, them in zip(behind, friends, rivals.split([len(each) for each in friends]), strict=True):
            count += (of_piece.shape[1] - torch.searchsorted(of_piece, them, out_int32=True)).sum(1)
    shares = [
        1 - count.double() / (of_piece.shape[1] / 2) / (2 * (len(labels) - len(family)))
        for count, of_piece, (_, family) in zip(behind, friends, pieces, strict=True)
    ]
    return torch.cat(shares)


def _friends(grid: Sequence[Tensor], b: int, anchors: Tensor, family: Tensor) -> Tensor:
    """Similarities of each anchor on b with the others of its class on other backgrounds, sorted.

    Each is there twice, the second time a little smaller: a rival that is equally similar is behind one of the two.
    """
    others = [view for k, view in enumerate(grid) if k != b]
    found = torch.stack([_similarities(grid[b][anchors], view[family]) for view in others], 2)
    found = found[family != anchors[:, None]].reshape(len(anchors), -1)
    return torch.cat([found, found.nextafter(torch.tensor(-torch.inf))], 1).sort(1).values


def _similarities(queries: Tensor, references: Tensor) -> Tensor:
    return (queries.double() @ references.double().T).round_(decimals=9)
