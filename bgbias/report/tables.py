"""Result tables in Markdown."""

import math
import re

import pandas as pd

from bgbias.errors import printable
from bgbias.metrics.names import METRICS, SD, deviation

MASK_MEASURES = {"iou": "IoU", "overlap": "overlap", "precision": "precision", "failure_rate": "failure rate"}
ROUNDING = 5e-5  # of percent, as files have six decimals of a share
MOST = 0.5  # of the masks: if more are in doubt, nothing is concluded


def percent(value: float, sd: float | None = None) -> str:
    """Return a share as percent with one decimal, with its standard deviation where there is one.

    >>> percent(0.8307, 0.0042)
    '83.1 ± 0.4'
    >>> percent(-0.0001)
    '0.0'
    """
    return f"{100 * value:z.1f}" if sd is None else f"{100 * value:z.1f} ± {100 * sd:.1f}"


def score(scores: dict[str, float], metric: str) -> str:
    """Return a mean as percent, with its standard deviation where there is one."""
    return percent(scores[metric], deviation(scores, metric))


def end(value: float, digits: int = 1) -> str:
    """Write an interval's end, with more digits where it would be written as 0, so that its side of 0 is seen.

    >>> end(-3.1), end(-0.03), end(0.0123, digits=3), end(0.0), end(1e-15)
    ('-3.1', '-0.03', '0.012', '0.0', '0.0')
    """
    while abs(value) > ROUNDING and not round(value, digits):
        digits += 1
    return f"{value:z.{digits}f}"


def signed(value: float, low: float | None, high: float | None) -> str:
    """Write a difference of shares in points, with its interval where it has one.

    >>> signed(0.031, -0.004, 0.06), signed(0.031, None, None)
    ('+3.1 (-0.4 to 6.0)', '+3.1')
    """
    ends = "" if low is None or math.isnan(low) else f" ({end(100 * low)} to {end(100 * high)})"
    return f"{100 * value:+z.1f}{ends}"


def summary(regimes: dict[str, dict], swaps: list[str]) -> pd.DataFrame:
    """Return the table of one dataset: a row a regime; clean, swapped, drop and attention score by columns.

    Args:
        regimes: regime -> its metrics, as the stages evaluate and attention record them, merged.
        swaps: the swapped views, "swapped" among them.

    Returns:
        Text cells; retrieval in percent, attention scores as they are. `counted_on` says what follows the ±.
    """
    rows = []
    for regime, metrics in regimes.items():
        row = {"regime": regime}
        for metric, heading in METRICS.items():
            for view in ("clean", *swaps, "drop"):
                row[f"{heading} {view.replace('_', ' ')}"] = score(metrics[view], metric)
        for heading, scores in (("attention", metrics["attention"]), ("mask IoU", metrics.get("mask_iou", {}))):
            for view, found in scores.items():
                sd = found.get(f"mean{SD}", found["sd"])
                row[f"{heading} {view}"] = "undefined" if found["mean"] is None else f"{found['mean']:.2f} ± {sd:.2f}"
        rows.append(row)
    return pd.DataFrame(rows).fillna("")


def counted_on(regimes: dict[str, dict], classes: int) -> str:
    """Say in a sentence or more what the figures of `summary` were counted on, and what follows their ±.

    Args:
        regimes: as of `summary`.
        classes: of the test photos.

    >>> counted_on({"base": {"queries": 480, "seeds": 3}}, classes=40)
    '480 queries of 40 classes; mean ± standard deviation over 3 training seeds.'
    """
    one = next(iter(regimes.values()))
    if (seeds := one["seeds"]) > 1:
        over = f"; mean ± standard deviation over {seeds} training seeds."
    else:
        over = ", one training seed; ± over the draws of backgrounds, of attention over the photos."
    sentences = [f"{one['queries']:,} queries of {classes} classes{over}"]
    lost = {name: said for name, metrics in regimes.items() if (said := _undefined(metrics))}
    alike = len(lost) == len(regimes) and len(set(lost.values())) == 1
    lost = [*lost.values()][:1] if alike else [f"{name} {said}" for name, said in lost.items()]
    if lost:
        sentences.append(f"Photos without an attention score, left out of its mean: {'; '.join(lost)}.")
    if 0 < len(finders := [name for name, metrics in regimes.items() if "mask_iou" in metrics]) < len(regimes):
        sentences.append(no_comparison(finders))
    return " ".join(sentences)


def _undefined(metrics: dict) -> str:
    """Of how many photos a view has no attention score, of several seeds on average; "" where all have one."""
    counts = {view: (of["undefined"], of["images"]) for view, of in metrics.get("attention", {}).items()}
    return ", ".join(f"{round(no, 1):g} of {no + yes:.0f} {view}" for view, (no, yes) in counts.items() if no)


def no_comparison(finders: list[str]) -> str:
    """Say that attention of networks that find the object first is of another kind.

    >>> no_comparison(["early_masking"])
    "Attention scores of early_masking, which first finds the object, cannot be compared with the others'."
    """
    find = "which first finds" if len(finders) == 1 else "which first find"
    return f"Attention scores of {' and '.join(finders)}, {find} the object, cannot be compared with the others'."


def masks_in_doubt(counts: dict[str, int], masks: int, of: str = "") -> str:
    """Say that nothing can be concluded where most masks are in doubt; "" where they are not.

    Args:
        counts: what is probably wrong, see `foreground.suspicion` -> how many masks.
        masks: how many there are.
        of: what they are called, such as "test ".

    >>> masks_in_doubt({"empty": 50, "border": 0, "tiny": 1}, 100)
    'No conclusion: 51 of 100 masks are in doubt (50 empty, 1 tiny), so swapped photos show what the masks do, \
not what backgrounds do. Look at them, and make others.'
    >>> masks_in_doubt({"empty": 50}, 100)
    ''
    """
    if sum(counts.values()) <= MOST * masks:
        return ""
    shown = "so swapped photos show what the masks do, not what backgrounds do. Look at them, and make others."
    return f"No conclusion: {_counted(counts, masks, of)}, {shown}"


def some_in_doubt(counts: dict[str, int], masks: int, of: str = "") -> str:
    """Say how many masks are in doubt, and what that means for figures; "" where none is. See `masks_in_doubt`.

    >>> some_in_doubt({"empty": 9, "soft": 0}, 100, "test ")
    '9 of 100 test masks are in doubt (9 empty): of these photos the figures show what the masks do.'
    """
    said = f"{_counted(counts, masks, of)}: of these photos the figures show what the masks do."
    return said if any(counts.values()) else ""


def _counted(counts: dict[str, int], masks: int, of: str) -> str:
    listed = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in counts.items() if count)
    return f"{sum(counts.values())} of {masks} {of}masks are in doubt ({listed})"


def no_second_opinion(second: dict | None, photos: int) -> str:
    """Say that masks of a second kind are none where most of them are in doubt; "" where not, or there are none."""
    if not second or not masks_in_doubt(second["flagged"], photos):
        return ""
    flagged = f"{sum(second['flagged'].values())} of its {photos} masks are in doubt by size or place"
    return f"Masks of a second kind, {second['kind']}, are no second opinion: {flagged}."


def mask_quality(quality: dict) -> pd.DataFrame:
    """Return a summary of masks as text: a row a measure, four decimals as in the study; empty where undefined."""
    rows = []
    for measure, heading in MASK_MEASURES.items():
        text = {name: "" if value is None else f"{value:.4f}" for name, value in quality[measure].items()}
        row = {"": heading, "mean": text.get("mean", text.get("share"))}
        row |= {name: text.get(name, "") for name in ("sd", "median", "min", "q25", "q75")}
        rows.append(row | {"95 % interval": " to ".join(filter(None, (text["ci_low"], text["ci_high"])))})
    return pd.DataFrame(rows)


def plain(name: str) -> str:
    r"""Return a name from outside, such as a folder's, so that Markdown and a terminal show it as it is.

    >>> print(plain("a|b *c* <d> [e](f) \x1b[31m"))
    a\|b \*c\* \<d\> \[e\](f) \\x1b\[31m
    """
    return re.sub(r"([\\`*\[\]<>|])", r"\\\1", printable(name))


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\|", re.sub(r"[\r\n]+", " ", text))


def markdown(table: pd.DataFrame, left: int = 1) -> str:
    """Return a table of text as Markdown, its first columns, as many as `left`, left-aligned, the others right.

    No line break or stroke in a cell breaks the table.

    >>> print(markdown(pd.DataFrame({"regime": ["base"], "drop": ["61.6"]})))
    | regime   |   drop |
    |:---------|-------:|
    | base     |   61.6 |
    """
    alignment = ["left"] * left + ["right"] * (table.shape[1] - left)
    return table.rename(columns=_cell).map(_cell).to_markdown(index=False, colalign=alignment, disable_numparse=True)
