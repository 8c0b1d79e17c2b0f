"""The scores of queries: paired with others, and as those of all photos."""

import numpy as np
from torch import Tensor

from bgbias.metrics.names import METRICS

Scores = dict[str, Tensor]  # of `retrieval.per_query`


def column(photos: int, values: Tensor | np.ndarray, rows: Tensor | np.ndarray) -> np.ndarray:
    """Values of some photos as those of all, float64 (photos,), NaN for the others.

    >>> column(3, np.array([0.5, 1.0]), np.array([2, 0])).tolist()
    [1.0, nan, 0.5]
    """
    found = np.full(photos, np.nan)
    found[np.asarray(rows)] = np.asarray(values)
    return found


def less(first: Scores, second: Scores) -> Scores:
    """Take first less second of the same queries; paired, so what makes a query hard in both cancels out."""
    return {name: first[name].double() - second[name].double() for name in METRICS} | {"rows": first["rows"]}
