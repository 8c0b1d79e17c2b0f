"""Nearest neighbours, Recall@K, MAP@R and R-precision (tensors only).

Every photo is a query against all other photos. References never contain the query's own photo, also where
queries and references are two views of the same photos. A query whose class has no other photo (a lone
query) has nothing to find and is not counted. Of equally similar references the one of the lower row comes
first, as in a stable sort. Higher is better for every metric; all are shares in [0, 1].
"""

import torch
from torch import Tensor

from bgbias import ranks
from bgbias.errors import InputError
from bgbias.metrics import nearest

FEW = 16  # queries whose whole ranking is looked at together
ALIKE = 0.02  # share by which lengths of embeddings may differ, as in half precision
AT_ONCE = 2**16  # embeddings that are checked together
Scores = dict[str, Tensor]  # metric -> the score of each query; and rows, which these are: see `per_query`


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
        ValueError: as raised by `checked`; or k is too large.

    >>> points = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.8, 0.6]])
    >>> neighbours(points, points, 2).tolist()
    [[2, 1], [2, 0], [0, 1]]
    """
    rows = torch.arange(len(queries), device=queries.device)
    queries, references = checked(queries, references, rows)
    if k >= len(references):
        raise InputError(f"{k} neighbours asked of {len(references) - 1} other photos")
    return torch.cat([found for _, found in nearest.lists(queries, references, rows, k)])


def checked(queries: Tensor, references: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return both in fp32 at least: products of half as many bits tie where embeddings are alike, and overflow.

    Raises:
        ValueError: they are no floating point numbers (N, D), shapes differ, or an embedding or its product with
            itself is not finite.
    """
    if queries.shape != (len(rows), *references.shape[1:]):
        of = "" if len(rows) == len(references) else f" for {len(rows)} queries"
        raise InputError(f"queries {tuple(queries.shape)} and references {tuple(references.shape)} differ{of}")
    names = ("queries", "references")
    for name, of in zip(names, (queries, references), strict=True):
        if of.ndim != 2 or not of.shape[1] or not of.is_floating_point():
            found = f"{name} are {str(of.dtype).removeprefix('torch.')} {tuple(of.shape)}"
            raise InputError(f"{found}, expected floating point numbers (N, D): a row of them for each photo")
    both = [of.to(torch.promote_types(of.dtype, torch.float32)) for of in (queries, references)]
    for name, embeddings in zip(names, both, strict=True):
        broken = 0
        for part in embeddings.split(AT_ONCE):
            low, high = part.aminmax(dim=1)
            largest = torch.maximum(-low, high)  # NaN where one of them is
            broken += int((~(part.shape[1] * largest * largest).isfinite()).sum())
        if broken:
            raise InputError(f"{name}: {broken} of {len(embeddings)} embeddings are not finite, or their products")
    return both[0], both[1]


def per_query(
    queries: Tensor, references: Tensor, labels: Tensor, recall_at: list[int], rows: Tensor | None = None
) -> Scores:
    """Compute the retrieval metrics of each query; several processes share the queries.

    With R the number of other photos of the query's class, and the references in order of similarity:

    - recall_at_K: 1 if any of the first K is of the class, else 0 (Jegou et al. 2011, as used in deep metric
      learning since Oh Song et al. 2016);
    - r_precision: the share of the first R that is of the class;
    - map_at_r: 1/R * the sum over i = 1..R of P(i) where the i-th is of the class, P(i) being the share of
      the first i (Musgrave et al. 2020, "A Metric Learning Reality Check").

    Args:
        queries: float (Q, D).
        references: float (N, D), all photos; they may be mapped from a file larger than memory.
        labels: int64 (N,), the class of each photo; of queries that are not among the references N and more, theirs
            last.
        recall_at: the values of K.
        rows: int64 (Q,), which photos the queries are; None: all, in order.

    Returns:
        Metric name -> float32 (M,), M the number of queries that are not lone, in order; and "rows", int64
        (M,), which photos these are.

    Raises:
        ValueError: as raised by `checked`; labels are no whole numbers (N,), or not as many as said above; or every
            class has a single photo.

    >>> points = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.1], [1.0, 0.3], [0.0, 1.0]]))
    >>> scores = per_query(points, points, torch.tensor([0, 1, 0, 1]), [1, 2])
    >>> scores["recall_at_1"].tolist(), scores["recall_at_2"].tolist()
    ([0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 1.0, 1.0])
    """
    if labels.ndim != 1 or labels.is_floating_point() or labels.dtype == torch.bool:
        found = f"{str(labels.dtype).removeprefix('torch.')} {tuple(labels.shape)}"
        raise InputError(f"labels are {found}, expected whole numbers (N,): number the classes")
    most = len(references) if rows is None else len(labels)  # labels
    rows = torch.arange(len(labels), device=labels.device) if rows is None else rows
    queries, references = checked(queries, references, rows)
    if not len(references) <= len(labels) <= most:
        mend = "give the references' and then those of queries that are not among them, and rows, which these are"
        raise InputError(f"{len(labels)} labels of {len(references)} references: {mend}")
    positives = others(labels, len(references))[rows]
    counted = positives > 0
    if not counted.any():
        raise InputError("every class has a single photo: there is nothing to retrieve")
    queries, rows, positives = (of_all if counted.all() else of_all[counted] for of_all in (queries, rows, positives))
    own = ranks.share(len(rows)) if len(rows) >= ranks.count() else range(len(rows))
    some = slice(own.start, own.stop)
    scores = _per_query(queries[some], references, labels, recall_at, rows[some], positives[some], int(positives.max()))
    if len(own) == len(rows):
        return scores
    shares = ranks.gather({name: of_some.cpu() for name, of_some in scores.items()})
    return {name: torch.cat([of_some[name] for of_some in shares]).to(labels.device) for name in scores}


def others(labels: Tensor, references: int) -> Tensor:
    """Count the references of each photo's class, itself left out.

    Args:
        labels: int64 (N,), the class of each photo.
        references: how many of the photos, the first ones, are searched.

    Returns:
        int64 (N,).

    >>> others(torch.tensor([0, 0, 1, 0, 1]), 5).tolist(), others(torch.tensor([0, 0, 1, 0, 1]), 3).tolist()
    ([2, 2, 1, 2, 1], [1, 1, 0, 2, 1])
    """
    classes, inverse = labels.unique(return_inverse=True)
    found = torch.bincount(inverse[:references], minlength=len(classes))[inverse]
    found[:references] -= 1
    return found


def _per_query(
    queries: Tensor, references: Tensor, labels: Tensor, recall_at: list[int], rows: Tensor, positives: Tensor, k: int
) -> Scores:
    chunks = []
    for places, found in nearest.lists(queries, references, rows, k):
        hit = labels[found] == labels[rows[places], None]
        first = hit.byte().argmax(1) + 1  # of several maxima the first
        missed, beyond = ~hit.any(1), max(recall_at) > k
        first[missed] = _ranks_beyond(queries, references, labels, rows, places[missed]) if beyond else k + 1
        recall = {f"recall_at_{at}": (first <= at).float() for at in recall_at}
        chunks.append({**recall, **_precision(hit.float(), positives[places]), "rows": rows[places]})
    return {name: torch.cat([chunk[name] for chunk in chunks]) for name in chunks[0]}


def _ranks_beyond(queries: Tensor, references: Tensor, labels: Tensor, rows: Tensor, wanted: Tensor) -> Tensor:
    """The rank of some queries' first reference of their class in the whole ranking, from 1."""
    order, of = torch.arange(len(references), device=labels.device), labels[: len(references)]
    found = [wanted[:0]]
    for places, similarity in nearest.similarities(queries, references, rows, wanted):
        for few, values in zip(places.split(FEW), similarity.split(FEW), strict=True):
            positive = of == labels[rows[few], None]
            best = values.masked_fill(~positive, -torch.inf).amax(1, keepdim=True)
            tied = values == best
            place = (tied & positive).byte().argmax(1, keepdim=True)
            found.append(((values > best) | (tied & (order < place))).float().sum(1).long() + 1)
    return torch.cat(found)


def _precision(hit: Tensor, r: Tensor) -> dict[str, Tensor]:
    rank = torch.arange(1, hit.shape[1] + 1, device=hit.device)
    within = hit * (rank <= r[:, None])
    precision = hit.cumsum(1) / rank
    return {"r_precision": within.sum(1) / r, "map_at_r": (precision * within).sum(1) / r}


def refuse_unequal(name: str, embeddings: Tensor) -> None:
    """Raise an InputError for embeddings, float (N, D), whose lengths differ: the longest would be near to all."""
    length = torch.linalg.vector_norm(embeddings, dim=1, dtype=torch.float64)
    if length.max() - length.min() > ALIKE * length.max():
        found = f"{name} of length {length.min():.3g} to {length.max():.3g}, expected the same"
        raise InputError(f"{found}: divide each by its length first; `per_query` ranks by any inner product")


def evaluate(
    queries: Tensor, references: Tensor, labels: Tensor, recall_at: list[int], rows: Tensor | None = None
) -> dict[str, float]:
    """Return the means of `per_query` over the queries that are not lone. Same arguments and errors.

    And a ValueError for embeddings whose lengths differ, as a network gives them: the longest would be near to all.

    >>> points = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]]))
    >>> evaluate(points, points, torch.tensor([0, 0, 1, 1]), [1])
    {'recall_at_1': 1.0, 'r_precision': 1.0, 'map_at_r': 1.0}
    """
    scores = per_query(queries, references, labels, recall_at, rows)
    for name, embeddings in (("queries", queries), ("references", references)):
        refuse_unequal(name, embeddings)
    return {name: values.double().mean().item() for name, values in scores.items() if name != "rows"}
