"""The scores of queries: over draws, paired with others, and as those of all photos."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from bgbias.audit.inputs import views
from bgbias.metrics.bootstrap import Sums, sums
from bgbias.metrics.names import METRICS
from bgbias.metrics.retrieval import Scores


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


def means(scores: Scores) -> dict[str, float]:
    """Average each metric over its queries."""
    return {metric: scores[metric].double().mean().item() for metric in METRICS}


def over_draws(draws: Sequence[Scores]) -> Scores:
    """Average the scores of the same queries over draws of backgrounds."""
    means = {name: torch.stack([scores[name] for scores in draws]).double().mean(0) for name in METRICS}
    return means | {"rows": draws[0]["rows"]}


def by_changed_masks(clean: Scores, search: Callable[[str], Scores]) -> dict[str, Scores]:
    """The drop by eroded and by dilated masks, and how far it moves from that by whole ones on the same backgrounds.

    Args:
        clean: of the photos as they are.
        search: swapped view -> its scores.
    """
    whole, found = search("swapped/0"), {}
    for change in views.CHANGES:
        changed = search(f"swapped/{change}")
        found |= {f"drop_{change}": less(clean, changed), f"moved_{change}": less(whole, changed)}
    return found


def kept(clean: Scores, swapped: Scores, chance: Tensor, labels: np.ndarray | Tensor) -> Sums:
    """Of what is found on clean photos beyond guessing, the share that is found on swapped ones.

    Args:
        clean: of M queries.
        swapped: of the same.
        chance: Recall@1 of guessing, float64 (M,).
        labels: (M,), their classes.
    """
    before, after = (scores["recall_at_1"].double() - chance for scores in (clean, swapped))
    return sums(after, labels, before)
