"""Two tables of the same queries compared, measure by measure.

A table of queries is a DataFrame: its index says which photo, its column class of which class, all others are measures,
shares in [0, 1] or the like, NaN where a photo has no value.
"""

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from bgbias.metrics.names import METRICS
from bgbias.metrics.paired import NAMES, compare
from bgbias.metrics.sample_size import FEWEST
from bgbias.metrics.seeds import Spread, spreads
from bgbias.report.tables import end, markdown, signed

PAIRED = "Differences of the same queries, with 95 % intervals by bootstrap over classes, "
ONE_SEED = "of the networks as trained: other seeds move them, too."
SEEDS = "widened by what other seeds would change, as the {} here tell it."
# names of measures that are not shares start so; others are in percent
PLAIN = ("invariance", "attention_score", "attention_pair_score", "mask_agreement")
OTHERS = {"second": "here by the first masks; by the second", "pool": "here on the first backgrounds; on the second"}
ELSEWHERE = "recall_at_1_elsewhere_photos"  # where both audits had the same list of places


def between(
    tables: dict[str, pd.DataFrame], measures: Sequence[str], seed: int, moved: Mapping[str, Mapping[str, Spread]]
) -> pd.DataFrame:
    """Compare several tables of the same queries, each with all before it.

    Args:
        tables: name -> a table of queries.
        measures: columns of them, shares.
        seed: of the resamples.
        moved: name -> how far other seeds would move its measures, see `compare`; nothing of one seed.

    Returns:
        Text cells: a row for each pair, a column for each measure, in points with the 95 % interval of `compare`.

    Raises:
        ValueError: as raised by `compare`.

    >>> base = pd.DataFrame({"class": ["a", "a", "b"], "recall_at_1": [0.0, 0.0, 1.0]}, index=["1", "2", "3"])
    >>> table = between({"base": base, "cure": base.assign(recall_at_1=1.0)}, ["recall_at_1"], seed=0, moved={})
    >>> table.iloc[0].tolist()
    ['cure - base', '+66.7 (0.0 to 100.0)']
    """
    rows = []
    for number, later in enumerate(tables):
        for earlier in list(tables)[:number]:
            pair = (tables[name][["class", *measures]] for name in (earlier, later))
            compared = compare(*pair, seed, (earlier, later), [moved.get(earlier, {}), moved.get(later, {})])
            cells = {label(name): signed(row.difference, row.low, row.high) for name, row in compared.iterrows()}
            rows.append({"difference in points": f"{later} - {earlier}"} | cells)
    return pd.DataFrame(rows)


def differences(queries: dict[str, pd.DataFrame], metrics: dict[str, dict], seed: int) -> list[str]:
    """Return the table of differences between regimes in clean and swapped scores, with its caption; [] of one regime.

    Args:
        queries: regime -> a table of queries.
        metrics: regime -> what the stage evaluate recorded of as many seeds.
        seed: of the resamples.
    """
    if len(queries) < 2:
        return []
    measures = [f"{metric}_{view}" for metric in METRICS for view in ("clean", "swapped")]
    seeds = next(iter(metrics.values()))["seeds"]
    caption = PAIRED + (SEEDS.format(seeds) if seeds > 1 else ONE_SEED)
    moved = {regime: spreads(found) for regime, found in metrics.items()}
    few = too_few(next(iter(queries.values()))["class"].nunique())
    return [*few, caption, markdown(between(queries, measures, seed, moved))]


def too_few(classes: float) -> list[str]:
    """Say that classes are too few to conclude anything from differences; nothing where they are not.

    >>> too_few(4), too_few(5)
    (['4 classes are too few to conclude anything: intervals over so few are too short.'], [])
    """
    said = f"{classes:.0f} classes are too few to conclude anything: intervals over so few are too short."
    return [said] if classes < FEWEST else []


def written(compared: pd.DataFrame, names: Sequence[str] = NAMES) -> pd.DataFrame:
    """Return the result of `compare` as text cells: in percent and points of a hundred, except PLAIN measures."""
    rows = []
    for measure, row in compared.iterrows():
        cells = {f"A: {names[0]}": _number(measure, row["first"]), f"B: {names[1]}": _number(measure, row.second)}
        ends = f" ({_end(measure, row.low)} to {_end(measure, row.high)})" if not math.isnan(row.low) else ""
        cells["B - A (95 % interval)"] = _number(measure, row.difference) + ends
        counts = {"queries": f"{row.queries:.0f}", "classes": f"{row.classes:.0f}"}
        rows.append({"measure": label(measure)} | cells | counts)
    return pd.DataFrame(rows)


def label(measure: str) -> str:
    """Return a measure's name in words.

    >>> label("recall_at_1_swapped_in_clean"), label("conflict")
    ('Recall@1 swapped in clean', 'conflict')
    """
    for start, heading in METRICS.items():
        if measure.startswith(start):
            measure = heading + measure.removeprefix(start)
    return measure.replace("_", " ")


def _number(measure: str, value: float) -> str:
    """No sign before zero."""
    if math.isnan(value):
        return "not defined"
    return f"{value:z.2f}" if measure.startswith(PLAIN) else f"{100 * value:z.1f}"


def _end(measure: str, value: float) -> str:
    return end(value, digits=2) if measure.startswith(PLAIN) else end(100 * value)


def sentences(compared: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Say in plain words how the second differs from the first in Recall@1: its drop, clean, swapped and elsewhere.

    They are by the first masks and on the first pool of backgrounds. Where there are second ones, that is said, with
    the drop by these.
    """
    first, second = names
    searched = "" if "recall_at_1_drop" in compared.index else "_in_clean"  # where samples of queries were audited
    drop = compared.loc[f"recall_at_1_drop{searched}"]
    more, counted = "more" if drop.difference > 0 else "less", f"{drop.queries:.0f} queries"
    lost = f"{_points(drop)} of Recall@1 {more} to swapped backgrounds than {first}"
    lines = [*too_few(drop.classes), f"{second} loses {lost} ({_interval(drop)}{_shown(drop)}); {counted}."]
    measured = {"On clean photos": "clean", "On swapped photos": f"swapped{searched}"}
    if ELSEWHERE in compared.index and not too_few(compared.loc[ELSEWHERE].classes):
        measured["Among photos of other places"] = "elsewhere_photos"
    for where, measure in measured.items():
        row = compared.loc[f"recall_at_1_{measure}"]
        outcome = f"{_points(row)} {'higher' if row.difference > 0 else 'lower'} ({_interval(row)}{_shown(row)})"
        same = row.difference == row.low == row.high == 0  # as of the same model by other masks
        lines.append(f"{where} its Recall@1 is {'the same' if same else outcome}.")
    for mark, how in OTHERS.items():
        drop = compared.loc[name] if (name := f"recall_at_1_drop_{mark}") in compared.index else None
        if drop is not None and drop.queries:  # both audits have measured it
            lost = f"{_points(drop)} {'more' if drop.difference > 0 else 'less'} than {first}"
            lines.append(f"Swapped photos are {how} {second} loses {lost} ({_interval(drop)}{_shown(drop)}).")
    return lines


def _points(row: pd.Series) -> str:
    return f"{100 * abs(row.difference):.1f} points"


def _interval(row: pd.Series) -> str:
    """With its ends negated where the sentence says less or lower."""
    if math.isnan(row.low):
        return "no interval"
    ends = (row.low, row.high) if row.difference > 0 else (-row.high, -row.low)
    return f"95 % interval {end(100 * ends[0])} to {end(100 * ends[1])}"


def _shown(row: pd.Series) -> str:
    return "" if row.low > 0 or row.high < 0 else ": not shown to differ"
