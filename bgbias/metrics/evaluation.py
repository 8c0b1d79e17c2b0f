"""What the stage evaluate records of a trained network: scores of every view, the drop, attention (arrays only)."""

from collections.abc import Sequence

import pandas as pd
from torch import Tensor

from bgbias.metrics import aggregate, retrieval
from bgbias.metrics.aggregate import Scores


def measure(
    views: dict[str, list[Tensor]], labels: Tensor, recall_at: Sequence[int]
) -> tuple[dict[str, Scores], pd.DataFrame]:
    """Score every view of a network, every photo a query against all others of the same view.

    Args:
        views: view -> the embeddings of each of its draws, float (N, D); "clean" and "swapped" among them.
        labels: int64 (N,), the class of each photo.
        recall_at: the K of Recall@K.

    Returns:
        View -> its scores, and as "drop" those of clean less those of swapped; and the scores of each query: indexed by
        the photo's row, columns such as recall_at_1_clean, means over the draws.

    >>> import torch
    >>> found, queries = measure(
    ...     {"clean": [torch.eye(2)[[0, 0, 1, 1]]], "swapped": [torch.eye(2)[[0, 1, 0, 1]]]},
    ...     torch.tensor([0, 0, 1, 1]), [1])
    >>> found["drop"]["recall_at_1"], queries.recall_at_1_clean.tolist()
    (1.0, [1.0, 1.0, 1.0, 1.0])
    """
    draws = {
        view: [_of_queries(embeddings, labels, recall_at) for embeddings in of_draws]
        for view, of_draws in views.items()
    }
    found = {view: aggregate.over([draw.mean().to_dict() for draw in of], "_sd") for view, of in draws.items()}
    found["drop"] = {name: value - found["swapped"][name] for name, value in found["clean"].items()}
    queries = pd.concat({view: sum(of_draws) / len(of_draws) for view, of_draws in draws.items()}, axis=1)
    queries.columns = [f"{name}_{view}" for view, name in queries.columns]
    return found, queries


def _of_queries(embeddings: Tensor, labels: Tensor, recall_at: Sequence[int]) -> pd.DataFrame:
    scores = retrieval.per_query(embeddings, embeddings, labels, recall_at)
    return pd.DataFrame(scores).set_index("rows").astype("float64")


def attention(scores: pd.DataFrame) -> dict[str, Scores]:
    """Return the mean and population standard deviation of attention scores over the photos.

    Args:
        scores: a column a view, a row a photo; NaN where undefined, as of empty or full masks.

    >>> attention(pd.DataFrame({"clean": [0.25, 0.75, float("nan")]}))
    {'clean': {'mean': 0.5, 'sd': 0.25, 'images': 2, 'undefined': 1}}
    """
    found = {}
    for view, column in scores.items():
        defined = column.dropna()
        found[view] = {"mean": float(defined.mean()), "sd": float(defined.std(ddof=0)), "images": len(defined)}
        found[view]["undefined"] = len(column) - len(defined)
    return found
