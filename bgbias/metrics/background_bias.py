"""Measures of what the background does to retrieval, from embeddings and labels (tensors only).

Embeddings are float and of length 1, so that inner products are cosines. Shares are in [0, 1].
"""

import torch
from torch import Tensor

from bgbias.metrics.invariance import check_grid
from bgbias.metrics.retrieval import per_query


def background_gap(mixed_same: dict[str, Tensor], mixed_rand: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return how much better photos are found on backgrounds of their own classes than on those of random ones.

    The BG-gap of Xiao et al. 2020 ("Noise or Signal"), for retrieval: score(mixed_same) - score(mixed_rand). Both
    paste alike, so traces of pasting cancel out. 0: what backgrounds tell of the class changes nothing, though
    backgrounds themselves may; positive: the model uses what they tell.

    Choose the gallery with care. A gallery of clean photos holds the photo that gave a query its background, and a
    model may find just that one: right in mixed_same, wrong in mixed_rand. Each view against a gallery of itself,
    where `audit.mixed` gives no two photos one background, leaves what backgrounds of a class have in common.

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


def over_backgrounds(grid: Tensor, gallery: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Return Recall@1 over K backgrounds: whether a query finds its class whatever it stands on.

    The worst falls with K by itself, for a random ranking as chance ** K: compare it at the same K only, and with
    the mean beside it. Higher is better. Ties and lone queries as in `retrieval`.

    Args:
        grid: float (N, K, D), the photos on K backgrounds each, as queries.
        gallery: float (N, D), the same photos in one view.
        labels: int64 (N,).

    Returns:
        worst: float32 (M,), 1 where the query is right on all K backgrounds, else 0; mean: float32 (M,), the share
        of backgrounds on which it is right; rows: int64 (M,), which queries these are.

    Raises:
        ValueError: as raised by `check_grid` and `per_query`.

    >>> gallery, labels = torch.eye(2)[[0, 0, 1, 1]], torch.tensor([0, 0, 1, 1])
    >>> collapsed = torch.eye(2)[[0, 0, 0, 0]]
    >>> scores = over_backgrounds(torch.stack([gallery, collapsed], 1), gallery, labels)
    >>> scores["worst"].tolist(), scores["mean"].tolist()
    ([1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0.5, 0.5])
    """
    check_grid(grid)
    searches = [per_query(queries, gallery, labels, [1]) for queries in grid.unbind(1)]
    hits = torch.stack([search["recall_at_1"] for search in searches])
    return {"worst": hits.amin(0), "mean": hits.mean(0), "rows": searches[0]["rows"]}


def conflict(grid: Tensor, labels: Tensor) -> Tensor:
    """Return how often the same background outweighs the same product.

    The anchor is a photo on background b. Its rival is a photo of another class on the same b, its friend another
    photo of the same class on another background b'. The share of all (b, rival, friend, b') in which the rival
    is the more similar one; equally similar (to 9 decimals) counts half. 0: the product always outweighs; 1/2: no
    better than random embeddings; 1: the background always outweighs. Lower is better; what outweighs need not be all
    that matters, and other backgrounds may give another figure. A cue conflict, as Geirhos et al. 2019
    ("ImageNet-trained CNNs are biased towards texture") have it for shape and texture, asked of similarities.

    All are counted, none drawn: for each anchor and b this is the area under the curve of rivals against friends,
    which takes one sort. 2,000 photos on 5 backgrounds take a few seconds.

    Args:
        grid: float (N, K, D), of length 1; background k is the same picture for all photos.
        labels: int64 (N,).

    Returns:
        float64 (N,); NaN for the only photo of a class, which has no friend.

    Raises:
        ValueError: as raised by `check_grid`; labels of other photos; a single class, so there is no rival.

    >>> photos, backgrounds = torch.eye(4)[:2, None], torch.eye(4)[None, 2:]
    >>> grid = torch.nn.functional.normalize(photos[[0, 0, 1, 1]] + 0.9 * backgrounds, dim=2)
    >>> conflict(grid, torch.tensor([0, 0, 1, 1])).tolist()  # the product weighs more
    [0.0, 0.0, 0.0, 0.0]
    """
    check_grid(grid)
    if len(labels) != len(grid):
        raise ValueError(f"{len(labels)} labels of {len(grid)} photos")
    if len(labels.unique()) < 2:
        raise ValueError("all photos are of one class: there is no rival")
    views = grid.double().transpose(0, 1).contiguous()  # (K, N, D)
    shares = torch.full(labels.shape, torch.nan, dtype=torch.float64, device=grid.device)
    for label in labels.unique():
        own = labels == label
        if own.sum() > 1:
            shares[own] = torch.stack([_rivals_ahead(views, own, b) for b in range(len(views))]).mean(0)
    return shares


def _rivals_ahead(views: Tensor, own: Tensor, b: int) -> Tensor:
    """The share of rivals ahead of friends, for the photos of one class (own: bool (N,)) on background b."""
    family = views[:, own]
    others = [k for k in range(len(views)) if k != b]
    rivals = (family[b] @ views[b].T)[:, ~own].round(decimals=9).sort(1).values
    friends = (family[b] @ family[others].transpose(1, 2)).round(decimals=9)  # (others, anchors, friends)
    friends = friends.permute(1, 2, 0)
    itself = torch.eye(len(friends), dtype=torch.bool, device=own.device)
    friends = friends[~itself].reshape(len(friends), -1)
    behind = torch.searchsorted(rivals, friends) + torch.searchsorted(rivals, friends, right=True)  # twice
    return 1 - behind.double().mean(1) / (2 * rivals.shape[1])
