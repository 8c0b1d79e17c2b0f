"""Masks of a second kind beside the first: how far they agree, and which classes and photos hang on the kind.

A mask leaves some of the old background, or takes some of the object, and one kind alone does not show it. Where two
kinds give the same figures, these do not hang on them; where they do not, no interval of one of them says so.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bgbias.metrics.names import METRICS

AGREED = 0.5  # IoU; of two masks below it, more is in one alone than in both
COLUMNS = [f"{metric}_{name}_second" for metric in METRICS for name in ("swapped", "drop", "moved")]
COLUMNS += ["conflict_second", "mask_agreement"]  # of the queries, that masks of a second kind give
GIVEN = ("swapped", "drop", "moved", "kept", "conflict")
BY_CLASS = {"drop": "recall_at_1_drop", "drop_second": "recall_at_1_drop_second", "agreement": "mask_agreement"}


def by_class(queries: pd.DataFrame) -> list[dict]:
    """Return what each class loses by masks of either kind, those first that add most to the drop by the first.

    Args:
        queries: a row a photo; columns class_name and those of BY_CLASS, NaN where a photo has no value.

    Returns:
        For each class that has queries: class, queries (how many), and its means: drop, drop_second, and agreement,
        None where no photo has one.

    >>> drops = {"recall_at_1_drop": [1, 0.5, 1, None], "recall_at_1_drop_second": 0.0, "mask_agreement": float("nan")}
    >>> by_class(pd.DataFrame({"class_name": ["a", "b", "b", "b"]} | drops))[0]
    {'class': 'b', 'queries': 2, 'drop': 0.75, 'drop_second': 0.0, 'agreement': None}
    """
    groups = queries[queries[BY_CLASS["drop"]].notna()].groupby("class_name")
    means, added, sizes = groups[list(BY_CLASS.values())].mean(), groups[BY_CLASS["drop"]].sum(), groups.size()
    found = []
    for name in added.sort_values(ascending=False, kind="stable").index:
        values = {key: float(means.loc[name, column]) for key, column in BY_CLASS.items()}
        counted = {"class": name, "queries": int(sizes[name])}
        found.append(counted | {key: None if np.isnan(value) else value for key, value in values.items()})
    return found


def most_unlike(paths: Sequence[str], agreements: np.ndarray) -> list[list]:
    """Return path and IoU of the photos on whose masks the two kinds do not agree, the least alike first.

    >>> most_unlike(["a", "b", "c", "d"], np.array([0.4, 0.5, 0.1, np.nan]))
    [['c', 0.1], ['a', 0.4]]
    """
    order = np.argsort(agreements, kind="stable")
    return [[paths[row], float(agreements[row])] for row in order if agreements[row] < AGREED]


def summary(queries: pd.DataFrame, found: dict[str, dict]) -> dict:
    """Return what masks of the second kind give, and how far that is from what the first give.

    Args:
        queries: a row a photo; columns path, class_name and COLUMNS.
        found: the estimates of all measures by name, for each metric or alone.

    Returns:
        agreement; unlike (see `most_unlike`) and unlike_share, of the photos; swapped, drop, kept and conflict by the
        second masks (no conflict where a sample of queries was audited); moved, the drop by the first less that by the
        second, query by query; drop_agreed and second_drop_agreed, of the photos on which they agree, as if there were
        no others (None where these are all, or too few to search); classes (see `by_class`).
    """
    agreements, paths = queries.mask_agreement.to_numpy(), list(queries.path)
    unlike = most_unlike(paths, agreements)
    return {
        "agreement": found["mask_agreement"],
        "unlike_share": len(unlike) / len(paths),
        "unlike": unlike,
        **{name: found[f"{name}_second"] for name in GIVEN if f"{name}_second" in found},
        "drop_agreed": found.get("drop_without_unlike"),
        "second_drop_agreed": found.get("drop_without_unlike_second"),
        "classes": by_class(queries),
    }
