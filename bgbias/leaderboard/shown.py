"""A leaderboard as a table, and as a picture."""

import re

import pandas as pd
from matplotlib.figure import Figure

from bgbias.report import tables
from bgbias.report.figures import PALETTE, apart

MARKERS = "osD^vPX"
FAMILIES = ("dinov3", "dinov2", "siglip", "clip", "unicom")  # by what they were trained with, whatever network it is
LINE = 4.4  # points of Recall@1 that a label takes


def table(found: dict) -> pd.DataFrame:
    """Return what `rows.board` gives as text, best on swapped photos first: percent, 95 % intervals in brackets."""
    rows, second = [], found["second_masks"]
    for name, row in sorted(found["rows"].items(), key=lambda item: -item[1]["swapped"]["value"]):
        cells = {"embedder": name}
        cells |= {f"Recall@1 {view}": tables.percent(row[view]["value"]) for view in ("clean", "swapped")}
        cells |= {"drop": percent(row["drop"]), "background gap": percent(row["gap"])}
        cells["object decides"] = percent(_opposite(row["conflict"]))
        if second:
            cells[f"swapped, {second}"] = tables.percent(row["second"]["swapped"]["value"])
            cells[f"drop, {second}"] = percent(row["second"]["drop"])
            cells[f"object decides, {second}"] = percent(_opposite(row["second"]["conflict"]))
        attention = (row["attention"] or {}).get("value")
        cells["attention"] = "" if attention is None else f"{attention:.2f}"
        cells["drop, object alone"] = f"{percent(row['remedy'])}, on {row['remedy']['name']}"
        cells[f"drop less {found['first']}"] = _less_first(row, "drop")
        if found.get("places"):  # tables of earlier versions do not tell
            cells["own place"] = tables.percent(row["same_place"]["value"])
            cells["elsewhere"] = percent(row["elsewhere"])
            cells["lost elsewhere"] = percent(row["place_drop"])
            cells[f"elsewhere less {found['first']}"] = _less_first(row, "elsewhere")
        rows.append(cells)
    return pd.DataFrame(rows)


def percent(estimate: dict, sign: str = "") -> str:
    """Return an estimate, or with a sign a difference, in percent with its interval; "" where there is none.

    >>> percent({"value": 0.653, "low": 0.61, "high": 0.69})
    '65.3 (61.0 to 69.0)'
    >>> percent({"difference": -0.021, "low": -0.043, "high": -0.0004}, "+")
    '-2.1 (-4.3 to -0.04)'
    """
    value = estimate.get("value", estimate.get("difference"))
    if value is None:
        return ""
    text = f"{100 * value:{sign}z.1f}"
    if estimate["low"] is None:
        return text
    ends = (100 * estimate[name] for name in ("low", "high"))
    return f"{text} ({' to '.join(tables.end(end) if sign else f'{end:z.1f}' for end in ends)})"


def _opposite(conflict: dict) -> dict:
    """Of the trials in which the background does not win, the share; how often the object decides."""
    ends = conflict["high"], conflict["low"]
    low, high = (None if end is None else 1 - end for end in ends)
    return {"value": 1 - conflict["value"], "low": low, "high": high}


def _less_first(row: dict, name: str) -> str:
    difference = (row["less_first"] or {}).get(name)
    return percent(difference, "+") if difference else ""


def notes(found: dict) -> str:
    """Say what the table was measured on, and what its columns mean."""
    masks = f"masks: {found['masks']}" + (f", and {found['second_masks']}" if found["second_masks"] else "")
    measured = (
        f"{found['photos']:,} photos of {found['classes']} classes; {masks}; swapped in: {found['backgrounds']}; "
        f"guessing finds {tables.percent(found['chance'])} %. Figures are in percent, but for attention; "
        "in brackets are 95 % intervals by bootstrap over classes. Differences are of the same queries. Rows are in "
        "the order of Recall@1 swapped as estimated: that of neighbours may be chance."
    )
    return "\n\n".join(filter(None, [found["doubt"], measured, MEANING + _of_places(found)]))


def _of_places(found: dict) -> str:
    """Say what the columns of places mean, and of how many photos they are; "" without."""
    if not found.get("places"):
        return ""
    drop = next(iter(found["rows"].values()))["place_drop"]
    return (
        f"\n- **own place**, **elsewhere**: Recall@1 of {drop['queries']:,} photos as they are, of {drop['classes']} "
        f"classes in {found['places']} places, among photos of their class of the own place, then as many of others.\n"
        "- **lost elsewhere**: the one less the other, query by query."
    )


MEANING = """\
- **drop**: Recall@1 on the photos as they are, less that with swapped backgrounds.
- **background gap**: Recall@1 on backgrounds of the photos' own classes, less that on those of random photos.
- **object decides**: how often a photo of the same class on another background is nearer than one of another class on
  the same background; 50 is as by chance.
- **attention**: how much of it falls on the object beyond the object's share of the area; empty where no gradients
  reach the photo, as in ONNX files and in what was not learned.
- **drop, object alone**: what is still lost where queries and gallery show the object alone on black, on grey or on the
  photo's mean colour, whichever loses least; then no background is left to depend on."""


def family(spec: str) -> str:
    """Return the kind of an embedder: what it was trained with where its name tells, else its architecture or scheme.

    >>> family("timm:vit_small_patch16_dinov3.lvd1689m:pretrained"), family("timm:tf_efficientnet_lite0")
    ('dinov3', 'efficientnet')
    >>> family("torchvision:resnet50:imagenet"), family("baseline:hog"), family("model:models/demo/base/42")
    ('resnet', 'baseline', 'trained here')
    """
    scheme, _, rest = spec.partition("?")[0].partition(":")
    if scheme in ("timm", "torchvision"):
        name = rest.partition(":")[0]
        return next((known for known in FAMILIES if known in name), re.match(r"(?:tf_)?([a-z]*)", name)[1])
    return {"model": "trained here", "small_resnet": "untrained"}.get(scheme, scheme)


def _look(number: int) -> tuple[str, str]:
    """The colour and marker of a family: no two of the first 49 have both alike."""
    again, place = divmod(number, len(PALETTE))
    return PALETTE[place], MARKERS[(place + again) % len(MARKERS)]


def clean_against_swapped(found: dict) -> Figure:
    """Draw Recall@1 on clean against swapped photos, a point a row, coloured by family; the diagonal is no loss."""
    figure = Figure(figsize=(6.8, 4.9), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 100], [0, 100], color="0.6", linewidth=0.8)
    axes.annotate(
        "nothing lost",
        (50, 50),
        xytext=(0, 4),
        textcoords="offset points",
        rotation=45,
        color="0.4",
        ha="center",
        rotation_mode="anchor",
    )
    points = {name: [100 * row[view]["value"] for view in ("clean", "swapped")] for name, row in found["rows"].items()}
    families = list(dict.fromkeys(family(row["embedder"]) for row in found["rows"].values()))
    line = min(LINE, 100 / len(points))  # of many rows names are smaller, and none lies beyond the axis
    heights = apart([y for _, y in points.values()], line, 100)
    for (name, (x, y)), height in zip(points.items(), heights, strict=True):
        colour, marker = _look(families.index(family(found["rows"][name]["embedder"])))
        axes.plot([x, 101], [y, height], color=colour, linewidth=0.5, alpha=0.6, clip_on=False)
        axes.plot(x, y, marker, color=colour, clip_on=False)  # whole at 0 and at 100, too
        axes.annotate(name, (101.5, height), color=colour, va="center", fontsize=9 * line / LINE, annotation_clip=False)
    for number, name in enumerate(families):
        colour, marker = _look(number)
        axes.plot([], [], marker, color=colour, label=name)
    axes.set(xlim=(0, 100), ylim=(0, 100), aspect="equal")
    axes.set_xlabel("Recall@1, photos as they are (%)")
    axes.set_ylabel("Recall@1, backgrounds swapped (%)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper left", frameon=False, fontsize=9)
    return figure
