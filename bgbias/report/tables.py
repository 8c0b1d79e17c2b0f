"""Result tables in Markdown."""

import pandas as pd

from bgbias.metrics.names import METRICS

MASK_MEASURES = {"iou": "IoU", "overlap": "overlap", "precision": "precision", "failure_rate": "failure rate"}


def percent(value: float, sd: float | None = None) -> str:
    """A share as percent with one decimal, with its standard deviation where there is one.

    >>> percent(0.8307, 0.0042)
    '83.1 ± 0.4'
    """
    return f"{100 * value:.1f}" if sd is None else f"{100 * value:.1f} ± {100 * sd:.1f}"


def summary(regimes: dict[str, dict], swaps: list[str]) -> pd.DataFrame:
    """The table of one dataset: a row a regime; clean, swapped, drop and attention score by columns.

    Args:
        regimes: regime -> its metrics, as the stages evaluate and attention record them, merged.
        swaps: the swapped views, "swapped" among them.

    Returns:
        Text cells; retrieval in percent, attention scores as they are. What follows the ± says `spread`.
    """
    rows = []
    for regime, found in regimes.items():
        row = {"regime": regime}
        for metric, heading in METRICS.items():
            for view in ("clean", *swaps, "drop"):
                sd = found[view].get(f"{metric}_seeds_sd", found[view].get(f"{metric}_sd"))
                row[f"{heading} {view.replace('_', ' ')}"] = percent(found[view][metric], sd)
        for view, score in found["attention"].items():
            row[f"attention {view}"] = f"{score['mean']:.2f} ± {score.get('mean_seeds_sd', score['sd']):.2f}"
        rows.append(row)
    return pd.DataFrame(rows)


def spread(found: dict, classes: int) -> str:
    """What stands behind the figures of `summary` and after their ±, in a sentence.

    Args:
        found: the metrics of a regime.
        classes: of the test photos.

    >>> spread({"queries": 480, "seeds": 3}, classes=40)
    '480 queries of 40 classes; mean ± standard deviation over 3 training seeds.'
    """
    said = f"{found['queries']:,} queries of {classes} classes"
    if found["seeds"] > 1:
        return f"{said}; mean ± standard deviation over {found['seeds']} training seeds."
    return f"{said}, one training seed; ± over the draws of backgrounds, of attention over the photos."


def mask_quality(found: dict) -> pd.DataFrame:
    """A summary as text: a row a measure, shares with four decimals as in the study; empty where undefined."""
    rows = []
    for measure, heading in MASK_MEASURES.items():
        text = {name: "" if value is None else f"{value:.4f}" for name, value in found[measure].items()}
        row = {"": heading, "mean": text.get("mean", text.get("share"))}
        row |= {name: text.get(name, "") for name in ("sd", "median", "min", "q25", "q75")}
        rows.append(row | {"95 % interval": " to ".join(filter(None, (text["ci_low"], text["ci_high"])))})
    return pd.DataFrame(rows)


def remedies(found: dict[str, dict]) -> pd.DataFrame:
    """A row a remedy: what a query costs, Recall@1 and MAP@R, and how many percent of the drop are recovered."""
    rows = []
    for remedy in found.values():
        row = {"remedy": remedy["name"].replace("_", " "), "sides": remedy["sides"]}
        row |= {"passes": str(remedy["passes"]), "mask": "yes" if remedy["needs_mask"] else "no"}
        for metric, heading in METRICS.items():
            swapped = remedy["swapped"]
            row[f"{heading} clean"] = percent(remedy["clean"][metric])
            row[f"{heading} swapped"] = percent(swapped[metric], swapped[f"{metric}_sd"])
            row[f"{heading} recovered"] = share_of_drop(remedy["recovered"][metric])
        rows.append(row)
    return pd.DataFrame(rows)


def share_of_drop(recovered: dict[str, float | None]) -> str:
    """A share in percent with its interval; nothing where it has none: a drop that is not certain has no shares.

    >>> share_of_drop({"value": 0.731, "low": 0.65, "high": 0.8})
    '73 (65 to 80)'
    >>> share_of_drop({"value": 9.0, "low": None, "high": None})
    ''
    """
    if recovered["low"] is None:
        return ""
    value, low, high = (f"{100 * recovered[end]:.0f}" for end in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def markdown(table: pd.DataFrame, left: int = 1) -> str:
    """Return a table of text as Markdown, its first columns, as many as `left`, left-aligned, the others right.

    >>> print(markdown(pd.DataFrame({"regime": ["base"], "drop": ["61.6"]})))
    | regime   |   drop |
    |:---------|-------:|
    | base     |   61.6 |
    """
    alignment = ["left"] * left + ["right"] * (table.shape[1] - left)
    return table.to_markdown(index=False, colalign=alignment, disable_numparse=True)
