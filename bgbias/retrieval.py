"""Nearest neighbours, Recall@K, MAP@R and R-precision (tensors only).

Every photo is a query against all other photos. References never contain the query's own photo, also where
queries and references are two views of the same photos. A query whose class has no other photo (a lone
query) has nothing to find and is not counted. Of equally similar references the one of the lower row comes
first, as in a stable sort. Higher is better for every metric; all are shares in [0, 1].
"""

from statistics import mean, stdev

import torch
from torch import Tensor

CHUNK = 1024  # queries at a time: at 60,000 references their similarities take 250 MB


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
    return torch.cat([_nearest(queries, references, k, rows) for rows in every.split(CHUNK)])


def _check(queries: Tensor, references: Tensor) -> None:
    if queries.shape != references.shape:
        raise ValueError(f"queries {tuple(queries.shape)} and references {tuple(references.shape)} differ")
    for name, embeddings in (("queries", queries), ("references", references)):
        broken = int((~embeddings.isfinite()).any(1).sum())
        if broken:
            raise ValueError(f"{name}: {broken} of {len(embeddings)} embeddings are not finite")


def _nearest(queries: Tensor, references: Tensor, k: int, rows: Tensor) -> Tensor:
    similarity = queries[rows] @ references.T
    similarity.scatter_(1, rows[:, None], -torch.inf)  # the query's own photo
    value, index = similarity.topk(k + 1)  # one more shows whether the k-th ties with the next
    by_row = index[:, :k].argsort(dim=1)
    index, row_value = index.gather(1, by_row), value.gather(1, by_row)
    nearest = index.gather(1, row_value.argsort(dim=1, descending=True, stable=True))
    tied = value[:, k - 1] == value[:, k]  # topk chose freely among these: sort their rows whole
    nearest[tied] = similarity[tied].argsort(dim=1, descending=True, stable=True)[:, :k]
    return nearest


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
    k = min(max(int(positives.max()), *recall_at), len(labels) - 1)
    chunks = []
    for rows in counted.split(CHUNK):
        hit = labels[_nearest(queries, references, k, rows)] == labels[rows, None]
        chunks.append({**_scores(hit.float(), positives[rows], recall_at), "rows": rows})
    return {name: torch.cat([chunk[name] for chunk in chunks]) for name in chunks[0]}


def _scores(hit: Tensor, r: Tensor, recall_at: list[int]) -> dict[str, Tensor]:
    rank = torch.arange(1, hit.shape[1] + 1, device=hit.device)
    within = hit * (rank <= r[:, None])
    precision = hit.cumsum(1) / rank
    return {
        **{f"recall_at_{k}": hit[:, :k].amax(1) for k in recall_at},
        "r_precision": within.sum(1) / r,
        "map_at_r": (precision * within).sum(1) / r,
    }


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
