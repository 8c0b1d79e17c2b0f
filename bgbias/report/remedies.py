"""Tables of what remedies recover."""

import pandas as pd

from bgbias.metrics.names import METRICS
from bgbias.report.tables import end, percent, score, signed


def recovered(measured: dict[str, dict]) -> pd.DataFrame:
    """Return a row a remedy: what a query costs, Recall@1 and MAP@R, and how many percent of the drop are recovered.

    Where validation chooses, a last column has by what: the mean of MAP@R on clean and on swapped validation photos.
    """
    rows = []
    for remedy in measured.values():
        row = _named(remedy)
        for metric, heading in METRICS.items():
            for view in ("clean", "swapped"):
                row[f"{heading} {view}"] = score(remedy[view], metric)
            row[f"{heading} recovered"] = share_of_drop(remedy["recovered"][metric])
        if "validation" in remedy:
            row["validation"] = percent(remedy["validation"])
        rows.append(row)
    return pd.DataFrame(rows)


def elsewhere(measured: dict[str, dict]) -> pd.DataFrame:
    """Return a row a remedy: Recall@1 of photos as they are in their own place and elsewhere, and what is won there.

    Where validation chooses, a last column has by what: Recall@1 of validation photos elsewhere.
    """
    rows = []
    for remedy in measured.values():
        row = _named(remedy)
        for name, heading in {"same_place": "own place", "elsewhere": "elsewhere"}.items():
            row[heading] = percent(remedy[name]["recall_at_1"]["value"])
        row["won elsewhere"] = signed(**remedy["change_elsewhere"]["recall_at_1"])
        if "validation_elsewhere" in remedy:
            row["validation"] = percent(remedy["validation_elsewhere"])
        rows.append(row)
    return pd.DataFrame(rows)


def share_of_drop(recovered: dict[str, float | None]) -> str:
    """Return a share in percent with its interval; "" where it has none: a drop that is not certain has no shares.

    >>> share_of_drop({"value": 0.731, "low": 0.65, "high": 0.8})
    '73 (65 to 80)'
    >>> share_of_drop({"value": 0.1, "low": -0.004, "high": 0.21})
    '10 (-0.4 to 21)'
    >>> share_of_drop({"value": 9.0, "low": None, "high": None})
    ''
    """
    if recovered["low"] is None:
        return ""
    low, high = (end(100 * recovered[name], digits=0) for name in ("low", "high"))
    return f"{100 * recovered['value']:z.0f} ({low} to {high})"


def _named(remedy: dict) -> dict[str, str]:
    row = {"remedy": remedy["name"].replace("_", " "), "sides": remedy["sides"]}
    return row | {"passes": str(remedy["passes"]), "mask": "yes" if remedy["needs_mask"] else "no"}
