"""Queries of a catalogue: a sample of its photos, drawn without bias, or photos that are not in it.

The sample is balanced over the classes: each has queries in proportion to its photos, to within one. So the plain mean
over the sample estimates the mean over all queries, which is what an audit of all photos gives. As many of each class
would estimate the mean over classes; weighted back to the queries, it would estimate the same with a larger error.
"""

import math

import numpy as np
import torch

from bgbias.metrics.retrieval import others
from bgbias.seeding import generator

Z = 1.96  # of a 95 % interval
ROUNDING = 1e-9  # of a share: of values that are all alike, a spread may be left
LEFT_OUT = (
    "Not measured, for they need every photo on other backgrounds: swapped galleries, background gap, conflict, "
    "invariance, objects and backgrounds alone, and what makes two photos alike."
)


def searchable(labels: np.ndarray, gallery: int) -> np.ndarray:
    """Rows of the photos that are queries and have another of their class to find.

    Args:
        labels: (N,), the class of each photo.
        gallery: how many of them, the first ones, are searched: where not all are, the others are the queries.

    >>> searchable(np.array([3, 7, 3]), 3).tolist(), searchable(np.array([3, 3, 3, 5, 5]), 2).tolist()
    ([0, 2], [2])
    """
    found = np.flatnonzero(others(torch.tensor(labels), gallery) > 0)
    return found if gallery == len(labels) else found[found >= gallery]


def draw(labels: np.ndarray, count: int, seed: int, gallery: int | None = None) -> np.ndarray:
    """Draw queries: each is as likely as any other, and each class has its share of them to within one.

    Systematic sampling: photos are laid in a row, classes in random order, those of a class in random order, and every
    N / count-th is taken from a random start.

    Args:
        labels: (N,), the class of each photo; lone queries are not drawn.
        count: how many, 1 or more.
        seed: of the draw.
        gallery: as of `searchable`; None: all photos are searched.

    Returns:
        int64 (count,), rows, ascending; all searchable ones where they are no more.

    >>> labels = np.repeat([0, 1, 2], [40, 20, 1])
    >>> labels[draw(labels, 6, seed=0)].tolist()
    [0, 0, 0, 0, 1, 1]
    """
    rows, rng = searchable(labels, gallery or len(labels)), generator(seed, "audit sample of queries")
    if count >= len(rows):
        return rows
    rows = rng.permutation(rows)
    classes, inverse = np.unique(labels[rows], return_inverse=True)
    laid = rows[np.argsort(rng.permutation(len(classes))[inverse], kind="stable")]
    places = (rng.random() + np.arange(count)) * len(rows) / count
    return np.sort(laid[places.astype(np.int64)])


def adds(values: np.ndarray, of: int) -> float:
    """Return by how much drawing moves a mean over the sample: half a 95 % interval around the mean over all queries.

    As of simple random sampling without replacement; a sample that is balanced over the classes has no larger error.

    Args:
        values: float (Q,), one for each query of the sample, two at least.
        of: how many queries there are.

    >>> round(adds(np.array([0.0, 1.0] * 200), 40_000), 3), adds(np.array([0.0, 1.0]), 2)
    (0.049, 0.0)
    """
    return Z * math.sqrt((1 - len(values) / of) * float(np.var(values, ddof=1)) / len(values))


OF_ONE_EACH = (
    "Not measured are, for they need several photos of a product, the right product in another photo, background gap "
    "and conflict; nor are swapped galleries, invariance, and what makes two photos alike."
)


def describe(sample: dict) -> str:
    """Say what was drawn of what, and what that adds to the figures.

    Args:
        sample: queries, of, gallery: how many; apart: whether the gallery holds none of them; adds: {clean, drop}: see
            `adds`;
            one_each: whether each photo shows another product, and queries search for themselves.
    """
    if sample.get("one_each"):
        return _of_one_each(sample)
    gallery = f"the gallery of {sample['gallery']:,} {'other ' * sample['apart']}photos as they are"
    searched = f"Each searches {gallery}, once as it is and once swapped: drop and grade are of that."
    if sample["queries"] == sample["of"]:
        return f"Audited are {sample['of']:,} queries. {searched} {LEFT_OUT}"
    these = "queries" if sample["apart"] else "photos"
    return (
        f"Audited are {sample['queries']:,} of {sample['of']:,} queries, drawn by the seed from all classes in "
        f"proportion to their {these}, so their mean estimates that of all. {searched}{_adds(sample, *ADDS)} {LEFT_OUT}"
    )


def _of_one_each(sample: dict) -> str:
    every, drawn = f"{sample['of']:,} photos", sample["queries"] < sample["of"]
    asked = f"{sample['queries']:,} of {every}, drawn by the seed" if drawn else every
    adds = _adds(sample, "drop") if drawn else ""
    return (
        f"Audited are {asked}, each as a product, a class, of its own: on another background it has to find itself "
        f"among {'all' if drawn else 'the'} photos as they are. Of two photos of one product each counts as wrong for "
        f"the other. As a photo finds itself, what other views of a product would do is not asked.{adds} {OF_ONE_EACH}"
    )


def _adds(sample: dict, *names: str) -> str:
    """Say what drawing adds to some figures, sentences; of queries that are all alike it is not known, and not 0."""
    found = sample["adds"]
    alike = " and ".join(ADDS[name] for name in names if found[name] < ROUNDING)
    known = " and ".join(f"{100 * found[name]:.1f} points to {ADDS[name]}" for name in names if found[name] >= ROUNDING)
    said = f" That not all were asked adds up to {known}, which the intervals hold." if known else ""
    unknown = f"How much drawing adds to {alike} is not known: there all drawn queries are alike."
    return f"{said} {unknown}" if alike else said


ADDS = {"clean": "Recall@1 of clean photos", "drop": "the drop"}
