"""Two tables of the same queries compared, measure by measure."""

from collections.abc import Mapping, Sequence

import pandas as pd

from bgbias.errors import InputError
from bgbias.metrics.bootstrap import estimates, sums
from bgbias.metrics.seeds import Spread, spread, widened
from bgbias.seeding import generator

NAMES = ("first", "second")


def compare(
    first: pd.DataFrame,
    second: pd.DataFrame,
    seed: int,
    names: Sequence[str] = NAMES,
    spreads: Sequence[Mapping[str, Spread]] = (),
) -> pd.DataFrame:
    """Return the mean of every measure in both tables, and how much larger it is in the second.

    Paired: only queries that have a value in both count, in all columns, so that difference is second - first. The
    interval takes networks as they were trained; with spreads it also holds what other training seeds would change.

    Args:
        first: a table of queries.
        second: one of the same photos and measures, in any order.
        seed: of the resamples.
        names: what the two are called in errors.
        spreads: of tables that have means over training seeds: measure -> how far these lie apart.

    Returns:
        A row for each measure, in the first's order; columns first, second, difference, low and high (95 % interval of
        the difference by bootstrap over classes, see also `seeds.widened`), queries and classes (how many). NaN where
        nothing is defined.

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
        moved = [of_table[measure] for of_table in spreads if measure in of_table]
        low, high = widened(*paired[:3], moved)
        counts = {"queries": paired.queries, "classes": paired.classes}
        rows[measure] = means | {"difference": paired.value, "low": low, "high": high} | counts
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("measure")


def ends(compared: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """Return measure -> difference, low, high of what `compare` gives; None where a number is not defined."""
    rows = compared[["difference", "low", "high"]].astype(object)
    return rows.where(rows.notna(), None).to_dict("index")


def over_seeds(tables: Sequence[pd.DataFrame], names: Sequence[str]) -> tuple[pd.DataFrame, dict[str, Spread]]:
    """Average tables of the same queries, such as of networks of several training seeds.

    Args:
        tables: one or more, of the same photos and measures.
        names: what they are called in errors.

    Returns:
        The mean of each query, NaN where a table has none; and measure -> how far the tables' own means lie apart, of
        the queries that all of them have; nothing of one table.

    Raises:
        ValueError: two tables are not of the same photos, classes and measures.

    >>> one = pd.DataFrame({"class": ["a", "b"], "recall_at_1": [0.0, 1.0]}, index=["1", "2"])
    >>> mean, spreads = over_seeds([one, one.assign(recall_at_1=1.0)], ["42", "43"])
    >>> mean.recall_at_1.to_dict(), round(spreads["recall_at_1"].variance, 4)
    ({'1': 0.5, '2': 1.0}, 0.0625)
    """
    first, *others = tables
    for number, other in enumerate(others, 1):
        _refuse_unlike(first, other, (names[0], names[number]))
    tables = [first, *(other.loc[first.index, first.columns] for other in others)]
    measures = first.columns.drop("class")
    mean = sum(table[measures] for table in tables) / len(tables)
    counted = [table[measures].where(mean.notna()).mean() for table in tables]
    sds = pd.DataFrame(counted).std().to_dict()
    spreads = {name: spread(sd, len(tables)) for name, sd in sds.items()} if others else {}
    return mean.assign(**{"class": first["class"]}), spreads


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
