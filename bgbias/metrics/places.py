"""Whether a photo finds its class in its own place, and in other places (tensors only).

Photos that were taken in one shop share its shelves and its light. Whether a query finds its product where it was not
taken itself is what person re-identification asks, where photos by the query's camera do not count (Zheng et al. 2015,
"Scalable Person Re-identification: A Benchmark"). Beside the same query's search for photos of its own place, among the
same others, that shows what the place does to retrieval.
"""

import torch
from torch import Tensor

from bgbias.errors import InputError
from bgbias.metrics import nearest
from bgbias.metrics.retrieval import Scores, checked, refuse_unequal

SAME, OTHER = "same", "other"


def by_place(embeddings: Tensor, labels: Tensor, places: Tensor, references: Tensor | None = None) -> dict[str, Scores]:
    """Compute Recall@1 of each query among photos of its class of its own place, and among those of other places.

    Either way it searches all photos of other classes, wherever they were taken, and as many of its own: of n photos of
    its class in its place, itself left out, and m elsewhere, min(n, m) are drawn. Where a of n are more similar than
    every photo of another class, the score is the chance that one of these is drawn, 1 - C(n - a, min) / C(n, min):
    the mean over all draws, without drawing. Of equally similar photos the one of the lower row comes first. A query
    that has no other photo of its class in its place, or none elsewhere, is not counted.

    Args:
        embeddings: float (N, D), of one length; similar means a large inner product.
        labels: int64 (N,), the class of each photo.
        places: int64 (N,), where it was taken.
        references: float (N, D), of the same photos as they are searched for; None: they are embedded alike.

    Returns:
        same, other: "recall_at_1", float64 (M,) in [0, 1], and "rows", int64 (M,), which photos the queries are, the
        same in both.

    Raises:
        ValueError: they are not of the same photos, an embedding is not finite, their lengths differ, no query is
            counted, or all photos are of one class.

    >>> points = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [1.0, 0.3]]))
    >>> found = by_place(points, torch.tensor([0, 0, 0, 1]), torch.tensor([0, 0, 1, 0]))
    >>> found["same"]["recall_at_1"].tolist(), found["other"]["recall_at_1"].tolist(), found["same"]["rows"].tolist()
    ([1.0, 1.0], [0.0, 0.0], [0, 1])
    """
    references = embeddings if references is None else references
    if not len(embeddings) == len(references) == len(labels) == len(places):
        lengths = [len(of_all) for of_all in (embeddings, references, labels, places)]
        raise InputError("{} embeddings, {} references, {} labels, {} places: give one each".format(*lengths))
    embeddings, references = checked(embeddings, references, torch.arange(len(embeddings)))
    for name, of_photos in (("queries", embeddings), ("references", references)):
        refuse_unequal(name, of_photos)
    near, far = _others(labels, places)
    rows = compared(labels, places)
    if not len(rows) or len(labels.unique()) < 2:
        raise InputError("two classes, and a photo with another of its class in its place and one elsewhere are needed")
    _, classes, sizes = labels.unique(return_inverse=True, return_counts=True)
    by_class, starts = classes.argsort(stable=True), sizes.cumsum(0) - sizes
    own, ahead = torch.arange(len(labels), device=labels.device), {SAME: [], OTHER: []}
    for some, similarity in nearest.similarities(embeddings, references, own, rows):
        alike = sizes[classes[some]]  # how many photos of its class, itself among them
        query = torch.arange(len(some), device=own.device).repeat_interleave(alike)
        within = torch.arange(len(query), device=own.device) - (alike.cumsum(0) - alike)[query]
        photo = by_class[starts[classes[some]][query] + within]
        of_class = similarity[query, photo]  # its own is -inf
        similarity[query, photo] = -torch.inf
        limit, first = (of_all[query] for of_all in similarity.max(1))  # of several the first
        before = (of_class > limit) | ((of_class == limit) & (photo < first))
        here = places[photo] == places[some][query]
        for name, counted in ((SAME, before & here), (OTHER, before & ~here)):
            ahead[name].append(query[counted].bincount(minlength=len(some)))
    drawn, counts = torch.minimum(near, far)[rows], {SAME: near[rows], OTHER: far[rows]}
    return {
        name: {"recall_at_1": 1 - _none_drawn(of, torch.cat(ahead[name]), drawn), "rows": rows}
        for name, of in counts.items()
    }


def compared(labels: Tensor, places: Tensor) -> Tensor:
    """Return the rows of the photos that have another one of their class in their place, and one elsewhere.

    Args:
        labels: int64 (N,), the class of each photo.
        places: int64 (N,), where it was taken.

    Returns:
        int64 (M,), ascending.

    >>> compared(torch.tensor([0, 0, 0, 1, 1]), torch.tensor([0, 0, 1, 0, 1])).tolist()
    [0, 1]
    """
    near, far = _others(labels, places)
    return ((near > 0) & (far > 0)).nonzero()[:, 0]


def _others(labels: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """How many other photos of its class each has in its place, and elsewhere; int64 (N,) both."""
    near = _size_of_each(torch.stack([labels, places])) - 1
    return near, _size_of_each(labels[None]) - near - 1


def _size_of_each(groups: Tensor) -> Tensor:
    """How many photos are in the group of each, of int64 (G, N) that name it; int64 (N,)."""
    _, inverse, sizes = groups.unique(dim=1, return_inverse=True, return_counts=True)
    return sizes[inverse]


def _none_drawn(n: Tensor, a: Tensor, drawn: Tensor) -> Tensor:
    """The chance that none of a is among those drawn of n, C(n - a, drawn) / C(n, drawn); float64."""
    n, a, drawn = n.double(), a.double(), drawn.double()
    left, every = ((of + 1).lgamma() - (of - drawn + 1).lgamma() for of in (n - a, n))
    return torch.where(n - a < drawn, 0.0, (left - every).exp())
