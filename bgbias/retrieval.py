"""Nearest neighbours, Recall@K, MAP@R and R-precision (tensors only).

Every photo is a query against all other photos. References never contain the query's own photo, also where
queries and references are two views of the same photos. A query whose class has no other photo (a lone
query) has nothing to find and is not counted. Of equally similar references the one of the lower row comes
first, as in a stable sort. Higher is better for every metric; all are shares in [0, 1].
"""

from collections.abc import Iterator
from statistics import mean, stdev

import torch
from torch import Tensor

ENTRIES = 12_000_000  # similarities at a time, 48 MB: more would be no faster
FEW = 16  # queries whose whole ranking is looked at together


def neighbours(queries: Tensor, references: Tensor, k: int) -> Tensor:
    """The k most similar references of each query, most similar first, its own photo excluded.

    Args:
        queries: float (N, D), one row a photo.
        references: float (N, D), the same photos in the same or another view; similar means a large
            inner product.
        k: how many, at most N - 1.

    Returns:
        int64 (N, k), rows of `references`.

    Raises:
        ValueError: shapes differ, or an embedding is not finite.

    >>> points = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.8, 0.6]])
    >>> neighbours(points, points, 2).tolist()
    [[2, 1], [2, 0], [0, 1]]
    """
    _check(queries, references)
    if k >= len(references):
        raise ValueError(f"{k} neighbours asked of {len(references) - 1} other photos")
    every = torch.arange(len(queries), device=queries.device)
    return torch.cat([_nearest(similarity, k) for _, similarity in _similarities(queries, references, every)])


def _check(queries: Tensor, references: Tensor) -> None:
    if queries.shape != references.shape:
        raise ValueError(f"queries {tuple(queries.shape)} and references {tuple(references.shape)} differ")
    for name, embeddings in (("queries", queries), ("references", references)):
        broken = int((~embeddings.isfinite()).any(1).sum())
        if broken:
            raise ValueError(f"{name}: {broken} of {len(embeddings)} embeddings are not finite")


def _similarities(queries: Tensor, references: Tensor, wanted: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Some queries' rows and their similarities with all references, -inf with their own photo, in one memory."""
    some = min(max(32, ENTRIES // len(references)), 512)
    memory = queries.new_empty(some, len(references))
    for rows in wanted.split(some):
        similarity = torch.mm(queries[rows], references.T, out=memory[: len(rows)])
        yield rows, similarity.scatter_(1, rows[:, None], -torch.inf)


def _nearest(similarity: Tensor, k: int) -> Tensor:
    value, index = _largest(similarity, k + 1)  # one more shows whether the k-th ties with the next
    nearest = index[:, :k].contiguous()
    tied = (value[:, 1:] == value[:, :-1]).any(1)  # these came in any order: sort their rows whole
    nearest[tied] = similarity[tied].argsort(dim=1, descending=True, stable=True)[:, :k]
    return nearest


def _largest(values: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """As `values.topk(k)`, several times faster: the k largest lie in the k blocks of the largest maxima."""
    size = round((values.shape[1] / k) ** 0.5)  # of a block; as many candidates in the end as there are blocks
    blocks = values.shape[1] // max(size, 1)
    if size < 2 or blocks < k:
        return values.topk(k)
    whole = values[:, : size * blocks].unflatten(1, (size, blocks))  # a block is a column: maxima of rows are fast
    chosen = whole.amax(1).topk(k, sorted=False).indices
    within = chosen[:, None] + blocks * torch.arange(size, device=values.device)[:, None]
    rest = torch.arange(size * blocks, values.shape[1], device=values.device).expand(len(values), -1)
    candidates = torch.cat([within.flatten(1), rest], 1)
    value, place = values.gather(1, candidates).topk(k)
    return value, candidates.gather(1, place)


def per_query(queries: Tensor, references: Tensor, labels: Tensor, recall_at: list[int]) -> dict[str, Tensor]:
    """Retrieval metrics of each query.

    With R the number of other photos of the query's class, and the references in order of similarity:

    - recall_at_K: 1 if any of the first K is of the class, else 0 (Jegou et al. 2011, as used in deep metric
      learning since Oh Song et al. 2016);
    - r_precision: the share of the first R that is of the class;
    - map_at_r: 1/R * the sum over i = 1..R of P(i) where the i-th is of the class, P(i) being the share of
      the first i (Musgrave et al. 2020, "A Metric Learning Reality Check").

    Args:
        queries: float (N, D).
        references: float (N, D), the same photos.
        labels: int64 (N,), the class of each photo.
        recall_at: the values of K.

    Returns:
        Metric name -> float32 (M,), M the number of queries that are not lone, in order; and "rows", int64
        (M,), which queries these are.

    >>> points = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.1], [1.0, 0.3], [0.0, 1.0]]))
    >>> scores = per_query(points, points, torch.tensor([0, 1, 0, 1]), [1, 2])
    >>> scores["recall_at_1"].tolist(), scores["recall_at_2"].tolist()
    ([0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 1.0, 1.0])
    """
    _check(queries, references)
    _, inverse, sizes = labels.unique(return_inverse=True, return_counts=True)
    positives = (sizes - 1)[inverse]
    counted = positives.nonzero()[:, 0]
    if len(counted) == 0:
        raise ValueError("every class has a single photo: there is nothing to retrieve")
    k = int(positives.max())
    chunks = []
    for rows, similarity in _similarities(queries, references, counted):
        hit = labels[_nearest(similarity, k)] == labels[rows, None]
        first = _rank_of_first(hit, similarity, labels, labels[rows])
        recall = {f"recall_at_{at}": (first <= at).float() for at in recall_at}
        chunks.append({**recall, **_precision(hit.float(), positives[rows]), "rows": rows})
    return {name: torch.cat([chunk[name] for chunk in chunks]) for name in chunks[0]}


def _rank_of_first(hit: Tensor, similarity: Tensor, labels: Tensor, wanted: Tensor) -> Tensor:
    """The rank of each query's first reference of its class, from 1: in its list, else in the whole ranking."""
    rank = hit.byte().argmax(1) + 1  # of several maxima the first
    order = torch.arange(len(labels), device=labels.device)
    for some in (~hit.any(1)).nonzero()[:, 0].split(FEW):
        values, positive = similarity[some], labels == wanted[some, None]
        best = values.masked_fill(~positive, -torch.inf).amax(1, keepdim=True)
        tied = values == best
        place = (tied & positive).byte().argmax(1, keepdim=True)
        rank[some] = ((values > best) | (tied & (order < place))).float().sum(1).long() + 1
    return rank


def _precision(hit: Tensor, r: Tensor) -> dict[str, Tensor]:
    rank = torch.arange(1, hit.shape[1] + 1, device=hit.device)
    within = hit * (rank <= r[:, None])
    precision = hit.cumsum(1) / rank
    return {"r_precision": within.sum(1) / r, "map_at_r": (precision * within).sum(1) / r}


def evaluate(queries: Tensor, references: Tensor, labels: Tensor, recall_at: list[int]) -> dict[str, float]:
    """The means of `per_query` over the queries that are not lone.

    >>> points = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]]))
    >>> evaluate(points, points, torch.tensor([0, 0, 1, 1]), [1])
    {'recall_at_1': 1.0, 'r_precision': 1.0, 'map_at_r': 1.0}
    """
    scores = per_query(queries, references, labels, recall_at)
    return {name: values.double().mean().item() for name, values in scores.items() if name != "rows"}


def over_draws(draws: list[dict[str, float]]) -> dict[str, float]:
    """Mean and sample standard deviation of each metric over repeats of a view.

    >>> over_draws([{"recall_at_1": 0.25}, {"recall_at_1": 0.75}])
    {'recall_at_1': 0.5, 'recall_at_1_sd': 0.3535533905932738}
    """
    columns = {name: [draw[name] for draw in draws] for name in draws[0]}
    spread = {f"{name}_sd": stdev(values) for name, values in columns.items()}
    return {**{name: mean(values) for name, values in columns.items()}, **spread}
