"""Nearest neighbours, Recall@K, MAP@R and R-precision (tensors only).

Every photo is a query against all other photos. References never contain the query's own photo, also where
queries and references are two views of the same photos. A query whose class has no other photo (a lone
query) has nothing to find and is not counted. Of equally similar references the one of the lower row comes
first, as in a stable sort. Higher is better for every metric; all are shares in [0, 1].
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from bgbias.errors import InputError

ENTRIES = 6_000_000  # similarities at a time, 24 MB: more would be no faster
FEW = 16  # queries whose whole ranking is looked at together
SPARE = 16  # candidates of a screening beyond those that are wanted


def neighbours(queries: Tensor, references: Tensor, k: int) -> Tensor:
    """Return the k most similar references of each query, most similar first, its own photo excluded.

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
        raise InputError(f"{k} neighbours asked of {len(references) - 1} other photos")
    every = torch.arange(len(queries), device=queries.device)
    return torch.cat([nearest for _, nearest in _lists(queries, references, every, k)])


def _check(queries: Tensor, references: Tensor) -> None:
    if queries.shape != references.shape:
        raise InputError(f"queries {tuple(queries.shape)} and references {tuple(references.shape)} differ")
    for name, embeddings in (("queries", queries), ("references", references)):
        low, high = embeddings.aminmax(dim=1)
        broken = int((~(low.isfinite() & high.isfinite())).sum())
        if broken:
            raise InputError(f"{name}: {broken} of {len(embeddings)} embeddings are not finite")


def _lists(queries: Tensor, references: Tensor, wanted: Tensor, k: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Some queries' rows and their k nearest references, screened where that pays; the result is the same."""
    if not _screening_pays(references, k):
        for rows, similarity in _similarities(queries, references, wanted):
            yield rows, _nearest(similarity, k)
        return
    margins = 1.1 * (2**-8 + 2**-9) * queries.norm(dim=1, keepdim=True) * references.norm(dim=1).max()
    for rows, rough in _similarities(queries, references.bfloat16(), wanted):
        nearest, sure = _screened(queries[rows], references, rough, margins[rows], k)
        again = _similarities(queries, references, rows[~sure])
        nearest[~sure] = torch.cat([nearest[:0], *(_nearest(similarity, k) for _, similarity in again)])
        yield rows, nearest


def _screening_pays(references: Tensor, k: int) -> bool:
    """Whether there are many references, and a processor that multiplies bf16 numbers faster than fp32."""
    fast = references.is_cpu and torch.cpu._is_avx512_bf16_supported()  # also where there is AMX
    return fast and references.dtype == torch.float32 and len(references) > 100 * (k + SPARE)


def _screened(queries: Tensor, references: Tensor, rough: Tensor, margins: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k nearest among the candidates of the largest rough similarities, and for which queries that is proven.

    Rounding a factor to bf16 changes it by at most 2^-9 of itself, so a sum of products by at most 2^-8 |q| |r|
    (Cauchy-Schwarz); rounding the sum, by 2^-9 |q| |r|. The margin adds a tenth for the small rest. A list is
    proven when its last similarity exceeds every rough one left out by more than the margin, and no two tie.
    """
    value, index = _largest(rough, min(k + 1 + SPARE, len(references)))
    exact = (references[index] * queries[:, None]).sum(2).masked_fill(value.isinf(), -torch.inf)  # its own photo
    best, place = exact.topk(k + 1)
    sure = (best[:, k - 1 : k] > value[:, -1:] + margins)[:, 0] & (best[:, 1:] < best[:, :-1]).all(1)
    return index.gather(1, place[:, :k]), sure


def _similarities(queries: Tensor, references: Tensor, wanted: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Some queries' rows and their similarities, of the references' precision, -inf with their own photo."""
    at_once = min(max(32, ENTRIES // len(references)), 256)
    memory = references.new_empty(at_once, len(references))
    for rows in wanted.split(at_once):
        similarity = torch.mm(queries[rows].to(references.dtype), references.T, out=memory[: len(rows)])
        similarity[torch.arange(len(rows), device=rows.device), rows] = -torch.inf
        yield rows, similarity


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
    """Compute the retrieval metrics of each query.

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

    Raises:
        ValueError: shapes differ, an embedding is not finite, or every class has a single photo.

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
        raise InputError("every class has a single photo: there is nothing to retrieve")
    k = int(positives.max())
    chunks = []
    for rows, nearest in _lists(queries, references, counted, k):
        hit = labels[nearest] == labels[rows, None]
        first = hit.byte().argmax(1) + 1  # of several maxima the first
        missed = ~hit.any(1)
        first[missed] = _ranks_beyond(queries, references, labels, rows[missed]) if max(recall_at) > k else k + 1
        recall = {f"recall_at_{at}": (first <= at).float() for at in recall_at}
        chunks.append({**recall, **_precision(hit.float(), positives[rows]), "rows": rows})
    return {name: torch.cat([chunk[name] for chunk in chunks]) for name in chunks[0]}


def _ranks_beyond(queries: Tensor, references: Tensor, labels: Tensor, wanted: Tensor) -> Tensor:
    """The rank of some queries' first reference of their class in the whole ranking, from 1."""
    order = torch.arange(len(labels), device=labels.device)
    ranks = [wanted[:0]]
    for rows, similarity in _similarities(queries, references, wanted):
        for few, values in zip(rows.split(FEW), similarity.split(FEW), strict=True):
            positive = labels == labels[few, None]
            best = values.masked_fill(~positive, -torch.inf).amax(1, keepdim=True)
            tied = values == best
            place = (tied & positive).byte().argmax(1, keepdim=True)
            ranks.append(((values > best) | (tied & (order < place))).float().sum(1).long() + 1)
    return torch.cat(ranks)


def _precision(hit: Tensor, r: Tensor) -> dict[str, Tensor]:
    rank = torch.arange(1, hit.shape[1] + 1, device=hit.device)
    within = hit * (rank <= r[:, None])
    precision = hit.cumsum(1) / rank
    return {"r_precision": within.sum(1) / r, "map_at_r": (precision * within).sum(1) / r}


def evaluate(queries: Tensor, references: Tensor, labels: Tensor, recall_at: list[int]) -> dict[str, float]:
    """Return the means of `per_query` over the queries that are not lone. Same arguments and errors.

    >>> points = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]]))
    >>> evaluate(points, points, torch.tensor([0, 0, 1, 1]), [1])
    {'recall_at_1': 1.0, 'r_precision': 1.0, 'map_at_r': 1.0}
    """
    scores = per_query(queries, references, labels, recall_at)
    return {name: values.double().mean().item() for name, values in scores.items() if name != "rows"}
