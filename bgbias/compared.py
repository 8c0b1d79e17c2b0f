"""Two tables of the same queries compared, measure by measure.

A table of queries is a DataFrame: its index says which photo, its column class of which class, all others are measures,
shares in [0, 1] or the like, NaN where a photo has no value.
"""

import math
from collections.abc import Sequence

import pandas as pd

from bgbias.intervals import difference
from bgbias.seeding import generator
from bgbias.tables import HEADINGS

PLAIN = ("invariance", "attention_score")  # how the measures start that are no shares; all others are in percent
NAMES = ("first", "second")


def compare(first: pd.DataFrame, second: pd.DataFrame, seed: int, names: Sequence[str] = NAMES) -> pd.DataFrame:
    """The mean of every measure in both tables, and how much larger it is in the second.

    Paired: only queries that have a value in both count, in all columns, so that difference is second - first.

    Args:
        first: a table of queries.
        second: one of the same photos and measures, in any order.
        seed: of the resamples.
        names: what the two are called in errors.

    Returns:
        A row for each measure, in the first's order; columns first, second, difference, low and high (95 % interval of
        the difference by `intervals.difference`, over classes), queries and classes (how many). NaN where nothing
        is defined.

    Raises:
        ValueError: the two are not of the same photos, classes and measures, or name a photo twice.

    >>> base = pd.DataFrame({"class": ["a", "a", "b"], "recall_at_1": [0.0, 0.0, 1.0]}, index=["1", "2", "3"])
    >>> found = compare(base, base.assign(recall_at_1=1.0), seed=0)
    >>> found.loc["recall_at_1", ["difference", "low", "high"]].round(2).tolist()
    [0.67, 0.0, 1.0]
    """
    _refuse_unlike(first, second, names)
    second, rows = second.loc[first.index], {}
    for measure in first.columns.drop("class"):
        pair = first[measure], second[measure]
        paired = difference(pair[1], pair[0], first["class"], generator(seed, "comparison"))
        both = pair[0].notna() & pair[1].notna()
        means = {name: of[both].mean() for name, of in zip(("first", "second"), pair, strict=True)}
        some = {"low": paired.low, "high": paired.high, "queries": paired.queries, "classes": paired.classes}
        rows[measure] = means | {"difference": paired.value} | some
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("measure")


def between(tables: dict[str, pd.DataFrame], measures: Sequence[str], seed: int) -> pd.DataFrame:
    """How several tables of the same queries differ, each from all before it.

    Args:
        tables: name -> a table of queries.
        measures: columns of them, shares.
        seed: of the resamples.

    Returns:
        Text cells: a row for each pair, a column for each measure, in points with the 95 % interval of `compare`.

    Raises:
        ValueError: as of `compare`.

    >>> base = pd.DataFrame({"class": ["a", "a", "b"], "recall_at_1": [0.0, 0.0, 1.0]}, index=["1", "2", "3"])
    >>> found = between({"base": base, "cure": base.assign(recall_at_1=1.0)}, ["recall_at_1"], seed=0)
    >>> found.iloc[0].tolist()
    ['cure - base', '+66.7 (0.0 to 100.0)']
    """
    rows = []
    for number, later in enumerate(tables):
        for earlier in list(tables)[:number]:
            pair = (tables[name][["class", *measures]] for name in (earlier, later))
            found = compare(*pair, seed, (earlier, later))
            cells = {label(name): _signed(of) for name, of in found.iterrows()}
            rows.append({"difference in points": f"{later} - {earlier}"} | cells)
    return pd.DataFrame(rows)


def _signed(of: pd.Series) -> str:
    ends = f" ({100 * of.low:z.1f} to {100 * of.high:z.1f})" if not math.isnan(of.low) else ""
    return f"{100 * of.difference:+z.1f}{ends}"


def _refuse_unlike(first: pd.DataFrame, second: pd.DataFrame, names: Sequence[str]) -> None:
    both, mend = f"{names[0]} and {names[1]}", "compare what was measured on the same photos"
    for name, table in zip(names, (first, second), strict=True):
        if not table.index.is_unique:
            raise ValueError(f"{name}: {table.index[table.index.duplicated()][0]} is there twice: measure it again")
    odd = first.index.symmetric_difference(second.index)
    if len(odd):
        common = len(first.index.intersection(second.index))
        where = names[0] if odd[0] in first.index else names[1]
        raise ValueError(
            f"{both} are of different photos: {common} in common of {len(first)} and {len(second)}, {odd[0]} only in "
            f"{where}: {mend}"
        )
    moved = first.index[first["class"] != second.loc[first.index, "class"]]
    if len(moved):
        raise ValueError(f"{both} have {moved[0]} in different classes: {mend}")
    unlike = set(first.columns) ^ set(second.columns)
    if unlike:
        raise ValueError(f"{both} have different measures, such as {min(unlike)}: measure both anew by the same code")


def written(found: pd.DataFrame, names: Sequence[str] = NAMES) -> pd.DataFrame:
    """What `compare` found as text cells: in percent and points of a hundred, but for PLAIN measures."""
    rows = []
    for measure, of in found.iterrows():
        cells = {f"A: {names[0]}": _number(measure, of["first"]), f"B: {names[1]}": _number(measure, of.second)}
        ends = f" ({_number(measure, of.low)} to {_number(measure, of.high)})" if not math.isnan(of.low) else ""
        cells["B - A (95 % interval)"] = _number(measure, of.difference) + ends
        counts = {"queries": f"{of.queries:.0f}", "classes": f"{of.classes:.0f}"}
        rows.append({"measure": label(measure)} | cells | counts)
    return pd.DataFrame(rows)


def label(measure: str) -> str:
    """A measure's name in words.

    >>> label("recall_at_1_swapped_in_clean"), label("conflict")
    ('Recall@1 swapped in clean', 'conflict')
    """
    for start, heading in HEADINGS.items():
        if measure.startswith(start):
            measure = heading + measure.removeprefix(start)
    return measure.replace("_", " ")


def _number(measure: str, value: float) -> str:
    """No sign before zero."""
    if math.isnan(value):
        return "not defined"
    return f"{value:z.2f}" if measure.startswith(PLAIN) else f"{100 * value:z.1f}"


def sentences(found: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """In plain words how the second differs from the first in Recall@1: its drop, clean and swapped."""
    first, second = names
    drop = found.loc["recall_at_1_drop"]
    more, counted = "more" if drop.difference > 0 else "less", f"{drop.queries:.0f} queries"
    lost = f"{_points(drop)} of Recall@1 {more} to swapped backgrounds than {first}"
    said = [f"{second} loses {lost} ({_interval(drop)}{_shown(drop)}); {counted}."]
    for view in ("clean", "swapped"):
        of = found.loc[f"recall_at_1_{view}"]
        outcome = f"{_points(of)} {'higher' if of.difference > 0 else 'lower'} ({_interval(of)}{_shown(of)})"
        said.append(f"On {view} photos its Recall@1 is {outcome}.")
    return said


def _points(of: pd.Series) -> str:
    return f"{100 * abs(of.difference):.1f} points"


def _interval(of: pd.Series) -> str:
    """Turned over where less or lower is said."""
    if math.isnan(of.low):
        return "no interval"
    ends = (of.low, of.high) if of.difference > 0 else (-of.high, -of.low)
    return "95 % interval {:z.1f} to {:z.1f}".format(*(100 * end for end in ends))


def _shown(of: pd.Series) -> str:
    return "" if of.low > 0 or of.high < 0 else ": not shown to differ"
