"""Whose background a photo is put on: the mixed views of ImageNet-9, redefined for retrieval (arrays only).

Xiao et al. 2020 ("Noise or Signal: The Role of Image Backgrounds in Object Recognition", Table 1) put each object
on a random background of the same class (mixed_same), of a random class (mixed_rand), or of the next class
(mixed_next), and paste alike in all: what differs is what the background says of the class. They ask a classifier,
whose labels are fixed. A search knows no labels but those of its gallery, so two things differ here:

- They draw with replacement. Two photos of a gallery that share a background would find each other by it. Here
  mixed_same and mixed_rand deal every background out once, so both show the same backgrounds. Each view is both
  queries and gallery: a clean gallery would hold the photo that gave a query its background, which is a right answer
  in mixed_same and mostly a wrong one in mixed_rand, whatever backgrounds tell of the class.
- Where all photos of a class are on backgrounds of the next one, the background tells the class as surely as its own
  would: who sees the background alone finds everything. So mixed_other replaces mixed_next. It draws another class
  for each photo, and its queries search clean photos, among which the background leads to that other class.
"""

import numpy as np

from bgbias.errors import InputError


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


def mixed_other(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A photo of another class, each alike: the background misleads a search among clean photos.

    Photos may share a background, for they are queries only. With C classes of equal size the background alone finds
    the class for at most 1 in C - 1 queries, whatever is made of it.

    Args:
        labels: int64 (N,).
        rng: where the randomness comes from.

    Returns:
        int64 (N,), rows.

    Raises:
        ValueError: there is a single class.

    >>> mixed_other(np.array([5, 5, 8]), np.random.default_rng(0)).tolist()[:2]
    [2, 2]
    """
    _refuse_one_class(labels)
    rows = np.empty(len(labels), dtype=np.int64)
    for own in _rows_by_class(labels):
        rows[own] = rng.choice(np.delete(np.arange(len(labels)), own), len(own))
    return rows


def _rows_by_class(labels: np.ndarray) -> list[np.ndarray]:
    """The rows of each class, in ascending order both."""
    _, sizes = np.unique(labels, return_counts=True)
    return np.split(np.argsort(labels, kind="stable"), sizes.cumsum()[:-1])


def _refuse_one_class(labels: np.ndarray) -> None:
    if len(np.unique(labels)) < 2:
        raise InputError("all photos are of one class: there is no background of another")


DRAWS = mixed_same, mixed_rand, mixed_other
