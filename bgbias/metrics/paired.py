"""Two tables of the same queries compared, measure by measure."""

from collections.abc import Sequence

import pandas as pd

from bgbias.errors import InputError
from bgbias.metrics.bootstrap import estimates, sums
from bgbias.seeding import generator

NAMES = ("first", "second")


def compare(first: pd.DataFrame, second: pd.DataFrame, seed: int, names: Sequence[str] = NAMES) -> pd.DataFrame:
    """Return the mean of every measure in both tables, and how much larger it is in the second.

    Paired: only queries that have a value in both count, in all columns, so that difference is second - first. The
    interval takes what was measured as given, also where a table has means over training seeds: how far other seeds
    would move the difference is not in it.

    Args:
        first: a table of queries.
        second: one of the same photos and measures, in any order.
        seed: of the resamples.
        names: what the two are called in errors.

    Returns:
        A row for each measure, in the first's order; columns first, second, difference, low and high (95 % interval of
        the difference by bootstrap over classes), queries and classes (how many). NaN where nothing
        is defined.

    Raises:
        ValueError: the two are not of the same photos, classes and measures, or name a photo twice.

    >>> base = pd.DataFrame({"class": ["a", "a", "b"], "recall_at_1": [0.0, 0.0, 1.0]}, index=["1", "2", "3"])
    >>> compared = compare(base, base.assign(recall_at_1=1.0), seed=0)
    >>> compared.loc["recall_at_1", ["difference", "low", "high"]].round(2).tolist()
    [0.67, 0.0, 1.0]
    """
    _refuse_unlike(first, second, names)
    second, rows, labels = second.loc[first.index], {}, first["class"].to_numpy()
    measures = first.columns.drop("class")
    asked = {measure: sums(second[measure] - first[measure], labels) for measure in measures}
    for measure, paired in estimates(asked, lambda: generator(seed, "comparison")).items():
        pair = first[measure], second[measure]
        both = pair[0].notna() & pair[1].notna()
        means = {name: values[both].mean() for name, values in zip(("first", "second"), pair, strict=True)}
        interval = {"low": paired.low, "high": paired.high, "queries": paired.queries, "classes": paired.classes}
        rows[measure] = means | {"difference": paired.value} | interval
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("measure")


def _refuse_unlike(first: pd.DataFrame, second: pd.DataFrame, names: Sequence[str]) -> None:
    both, mend = f"{names[0]} and {names[1]}", "compare what was measured on the same photos"
    for name, table in zip(names, (first, second), strict=True):
        if not table.index.is_unique:
            raise InputError(f"{name}: {table.index[table.index.duplicated()][0]} is there twice: measure it again")
    odd = first.index.symmetric_difference(second.index)
    if len(odd):
        common = len(first.index.intersection(second.index))
        where = names[0] if odd[0] in first.index else names[1]
        raise InputError(
            f"{both} are of different photos: {common} in common of {len(first)} and {len(second)}, {odd[0]} only in "
            f"{where}: {mend}"
        )
    moved = first.index[first["class"] != second.loc[first.index, "class"]]
    if len(moved):
        raise InputError(f"{both} have {moved[0]} in different classes: {mend}")
    unlike = set(first.columns) ^ set(second.columns)
    if unlike:
        raise InputError(
            f"{both} have different measures, such as {min(unlike)}: measure both anew by the same code and options"
        )
