"""Whose background a photo is put on: the mixed views of ImageNet-9, drawn anew for any classes (arrays only).

Xiao et al. 2020 ("Noise or Signal: The Role of Image Backgrounds in Object Recognition", Table 1) put each object
on a random background of the same class (mixed_same), of a random class (mixed_rand), or of the next class
(mixed_next), and paste alike in all: what differs is what the background says of the class. They draw with
replacement. Here mixed_same and mixed_rand deal every background out once. So both show the same backgrounds, and no
two photos of a view share one, by which a search would find them.
"""

import numpy as np


def mixed_same(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another photo of the same class, each alike: the background agrees with the object.

    Args:
        labels: int64 (N,), the class of each photo.
        rng: where the randomness comes from.

    Returns:
        int64 (N,), the row of the photo whose background each gets, every row at most once and never its own; -1
        for the only photo of a class, which has no such view and is not to be counted (it is a lone query of
        `retrieval`, too).

    >>> mixed_same(np.array([5, 5, 8]), np.random.default_rng(0)).tolist()
    [1, 0, -1]
    """
    rows = np.full(len(labels), -1)
    for own in _rows_by_class(labels):
        order = rng.permutation(own)
        if len(order) > 1:
            rows[order] = np.roll(order, 1)
    return rows


def mixed_rand(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another photo of any class, each alike: the background says nothing about the object.

    Its own class is not left out: the background would then say what the object is not.

    Args:
        labels: int64 (N,).
        rng: where the randomness comes from.

    Returns:
        int64 (N,), rows, every row once, no photo its own.

    Raises:
        ValueError: there is a single class.
    """
    _refuse_one_class(labels)
    order = rng.permutation(len(labels))
    rows = np.empty_like(order)
    rows[order] = np.roll(order, 1)
    return rows


def mixed_next(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A photo of the next class in ascending order, of the first after the last: the background misleads.

    Args:
        labels: int64 (N,).
        rng: where the randomness comes from.

    Returns:
        int64 (N,), rows, those of a class as equally often as its size and that of the class before allow.

    Raises:
        ValueError: there is a single class.

    >>> mixed_next(np.array([5, 9, 8]), np.random.default_rng(0)).tolist()
    [2, 0, 1]
    """
    _refuse_one_class(labels)
    rows, by_class = np.empty(len(labels), dtype=np.int64), _rows_by_class(labels)
    for own, following in zip(by_class, by_class[1:] + by_class[:1], strict=True):
        rows[own] = np.resize(rng.permutation(following), len(own))
    return rows


def _rows_by_class(labels: np.ndarray) -> list[np.ndarray]:
    """The rows of each class, in ascending order both."""
    _, sizes = np.unique(labels, return_counts=True)
    return np.split(np.argsort(labels, kind="stable"), sizes.cumsum()[:-1])


def _refuse_one_class(labels: np.ndarray) -> None:
    if len(np.unique(labels)) < 2:
        raise ValueError("all photos are of one class: there is no background of another")


DRAWS = mixed_same, mixed_rand, mixed_next
