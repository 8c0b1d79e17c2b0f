"""What the stage evaluate records of a trained network: scores of every view, the drop, attention (arrays only)."""

from collections.abc import Sequence
from math import isnan

import pandas as pd
import torch
from torch import Tensor

from bgbias.metrics import aggregate, retrieval
from bgbias.metrics.aggregate import Scores


def measure(
    views: dict[str, list[Tensor]], photos: pd.DataFrame, recall_at: Sequence[int]
) -> tuple[dict[str, Scores], pd.DataFrame]:
    """Score every view of a network, every photo a query against all others of the same view.

    Args:
        views: view -> the embeddings of each of its draws, float (N, D); "clean" and "swapped" among them.
        photos: N rows, columns image_id and class_id.
        recall_at: the K of Recall@K.

    Returns:
        View -> its scores, and as "drop" those of clean less those of swapped; and the scores of each query that is not
        lone: indexed by image_id and class, columns such as recall_at_1_clean, means over the draws.

    >>> views = {"clean": [torch.eye(2)[[0, 0, 1, 1]]], "swapped": [torch.eye(2)[[0, 1, 0, 1]]]}
    >>> photos = pd.DataFrame({"image_id": [7, 8, 9, 10], "class_id": [0, 0, 1, 1]})
    >>> scores, queries = measure(views, photos, [1])
    >>> scores["drop"]["recall_at_1"], queries.recall_at_1_clean.to_dict()
    (1.0, {(7, 0): 1.0, (8, 0): 1.0, (9, 1): 1.0, (10, 1): 1.0})
    """
    labels = torch.tensor(photos.class_id.to_numpy())
    draws = {
        view: [_of_queries(embeddings, labels, recall_at) for embeddings in of_draws]
        for view, of_draws in views.items()
    }
    scores = {
        view: aggregate.over([draw.mean().to_dict() for draw in of_draws], "_sd") for view, of_draws in draws.items()
    }
    scores["drop"] = {name: value - scores["swapped"][name] for name, value in scores["clean"].items()}
    queries = pd.concat({view: sum(of_draws) / len(of_draws) for view, of_draws in draws.items()}, axis=1)
    queries.columns = [f"{name}_{view}" for view, name in queries.columns]
    keys = photos[["image_id", "class_id"]].iloc[queries.index]
    return scores, queries.set_index(pd.MultiIndex.from_frame(keys, names=["image_id", "class"]))


def _of_queries(embeddings: Tensor, labels: Tensor, recall_at: Sequence[int]) -> pd.DataFrame:
    scores = retrieval.per_query(embeddings, embeddings, labels, recall_at)
    return pd.DataFrame(scores).set_index("rows").astype("float64")


def attention(scores: pd.DataFrame) -> dict[str, Scores]:
    """Return the mean and population standard deviation of attention scores, or masks' IoU, over the photos.

    Args:
        scores: a column a view, a row a photo; NaN where undefined, such as for empty or full masks.

    >>> attention(pd.DataFrame({"clean": [0.25, 0.75, float("nan")]}))
    {'clean': {'mean': 0.5, 'sd': 0.25, 'images': 2, 'undefined': 1}}
    """
    statistics = {}
    for view, column in scores.items():
        defined = column.dropna()
        statistics[view] = {"mean": float(defined.mean()), "sd": float(defined.std(ddof=0)), "images": len(defined)}
        statistics[view]["undefined"] = len(column) - len(defined)
    return statistics


def over_seeds(
    measured: Sequence[tuple[dict[str, Scores], dict[str, Scores], pd.DataFrame]], photos: int
) -> tuple[dict, pd.DataFrame]:
    """Merge what was measured of the networks of several training seeds.

    Args:
        measured: of each seed the scores and the queries' scores of `measure`, with the scores of `attention` between.
        photos: how many were embedded.

    Returns:
        Counts (queries, lone_queries, seeds) and the mean scores of all views, those of attention under "attention",
        with the standard deviation over several seeds as NAME_seeds_sd, and None where no photo has one; and the mean
        scores of each query.
    """
    scores, attentions, queries = map(list, zip(*measured, strict=True))
    counts = {"queries": len(queries[0]), "lone_queries": photos - len(queries[0]), "seeds": len(measured)}
    means = aggregate.over_views(scores)
    return counts | means | {"attention": attention_over_seeds(attentions)}, sum(queries) / len(queries)


def attention_over_seeds(measured: Sequence[dict[str, Scores]]) -> dict[str, Scores]:
    """Return the means of what `attention` gives of each seed; None where no photo has a score."""
    return {
        view: {name: None if isnan(value) else value for name, value in score.items()}
        for view, score in aggregate.over_views(measured).items()
    }
