"""What a random ranking scores, exactly: the level that a score is to be read against (tensors only)."""

import torch
from torch import Tensor

from bgbias.errors import InputError
from bgbias.metrics.retrieval import others


def chance(labels: Tensor, references: int | None = None) -> dict[str, Tensor]:
    """Return the retrieval metrics to expect of each query if the references came in random order.

    A query has R photos of its class among M references, itself left out. Each rank is of the class with probability
    R / M, and two ranks both with R (R - 1) / (M (M - 1)). Hence

    - recall_at_1 and r_precision: R / M;
    - map_at_r: P(i) at a hit is 1/i * (1 + hits among the i - 1 before), so its expectation times that of the hit is
      R/M * 1/i * (1 + (i - 1) (R - 1) / (M - 1)); summed over i = 1..R and divided by R, with the harmonic number
      H = 1 + 1/2 + ... + 1/R: (H + (R - H) (R - 1) / (M - 1)) / M.

    Args:
        labels: int64 (N,), the class of each photo.
        references: how many of the photos, the first ones, are searched; None: all.

    Returns:
        recall_at_1, r_precision, map_at_r: float64, one for each query that is not lone, in order; and "rows",
        which these are: as returned by `retrieval.per_query`, so that the two can be subtracted.

    Raises:
        ValueError: every class has a single photo.

    >>> chance(torch.tensor([0, 0, 0, 1, 1]))["recall_at_1"].tolist()
    [0.5, 0.5, 0.5, 0.25, 0.25]
    >>> chance(torch.tensor([0, 0, 0, 1, 1]), references=4)["recall_at_1"][-1].tolist()
    0.25
    """
    references = len(labels) if references is None else references
    positives = others(labels, references)
    rows = positives.nonzero()[:, 0]
    if len(rows) == 0:
        raise InputError("every class has a single photo: there is nothing to retrieve")
    r, m = positives[rows].double(), references - (rows < references).double()
    harmonic = torch.cat([r.new_zeros(1), 1 / torch.arange(1, int(r.max()) + 1, device=r.device)]).cumsum(0)
    h = harmonic[positives[rows]]
    both = (r - h) * (r - 1) / (m - 1).clamp(min=1)  # of a single reference r - 1 is 0
    return {"recall_at_1": r / m, "r_precision": r / m, "map_at_r": (h + both) / m, "rows": rows}
