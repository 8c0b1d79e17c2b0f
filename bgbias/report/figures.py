"""Pictures: sheets of photos, bar charts."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont
from scipy.optimize import isotonic_regression

from bgbias import files
from bgbias.metrics.names import METRICS, SD, deviation

INK, PAPER = (40, 40, 40), (255, 255, 255)
RIGHT, WRONG = (0, 158, 115), (213, 94, 0)  # told apart by colour-blind readers, too (Okabe and Ito)
COLOURS = {"clean": "#0072B2", "swapped": "#E69F00"}
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe and Ito
GAP, FRAME = 6, 4
LINES = 22  # labels that fit beside a chart
SPAN = 10  # points on an axis at least, so that a difference by chance does not fill it


class Cell(NamedTuple):
    """A picture of a sheet, uint8 (S, S, 3), and whether it is right or wrong, where that is asked."""

    picture: np.ndarray
    right: bool | None = None


def sheet(rows: Sequence[Sequence[Cell | None]], labels: Sequence[str], headings: dict[int, str]) -> Image.Image:
    """Arrange pictures in a grid; None leaves a narrow gap.

    Args:
        rows: of equal length, gaps in the same columns.
        labels: text left of each row, "" for none.
        headings: column -> text above it and what is right of it, in ascending order; smaller where it would reach
            over the next one.
    """
    font = ImageFont.load_default(13)
    side = next(cell.picture.shape[0] for cell in rows[0] if cell)
    left = 8 + max(int(font.getlength(label)) for label in labels) if any(labels) else 0
    edges = left + np.cumsum([0] + [GAP + (side if cell else GAP) for cell in rows[0]])
    top = 22 if headings else 0
    canvas = Image.new("RGB", (int(edges[-1]) - GAP, top + len(rows) * (side + GAP) - GAP), PAPER)
    draw = ImageDraw.Draw(canvas)
    for column, after in pairwise([*headings, len(edges) - 1]):
        room = int(edges[after] - edges[column]) - GAP
        draw.text((int(edges[column]), 2), headings[column], INK, _fitting(headings[column], room))
    for number, (row, label) in enumerate(zip(rows, labels, strict=True)):
        y = top + number * (side + GAP)
        draw.text((0, y + side // 2 - 8), label, INK, font)
        for x, cell in zip(edges, row, strict=False):
            if cell:
                canvas.paste(Image.fromarray(cell.picture), (int(x), y))
                if cell.right is not None:
                    _mark(draw, int(x), y, side, cell.right)
    return canvas


def _fitting(text: str, room: int) -> ImageFont.FreeTypeFont:
    """The largest font of 13 px or less in which a text is no wider than its room; 6 px at least."""
    fonts = map(ImageFont.load_default, range(13, 6, -1))
    return next((font for font in fonts if font.getlength(text) <= room), ImageFont.load_default(6))


def _mark(draw: ImageDraw.ImageDraw, x: int, y: int, side: int, right: bool) -> None:
    """A frame, and a tick or a cross in the corner, so that colour is not all that tells."""
    colour = RIGHT if right else WRONG
    draw.rectangle((x, y, x + side - 1, y + side - 1), outline=colour, width=FRAME)
    size, box = 18, (x + side - 18, y + side - 18, x + side - 1, y + side - 1)
    draw.rectangle(box, fill=colour)
    cx, cy = x + side - size / 2 - 0.5, y + side - size / 2 - 0.5
    strokes = [(-5, 0, -1, 4), (-1, 4, 5, -4)] if right else [(-4, -4, 4, 4), (-4, 4, 4, -4)]
    for x0, y0, x1, y1 in strokes:
        draw.line((cx + x0, cy + y0, cx + x1, cy + y1), PAPER, 2)


def bars(regimes: dict[str, dict], metric: str) -> Figure:
    """Draw clean against swapped retrieval, two bars a regime, in percent; with the standard deviations of the table.

    Args:
        regimes: regime -> metrics, with "clean" and "swapped".
        metric: one of `names.METRICS`.
    """
    figure = Figure(figsize=(1.2 + 1.9 * len(regimes), 3.2), layout="constrained")
    axes = figure.subplots()
    for place, (view, colour) in enumerate(COLOURS.items()):
        of_view = [metrics[view] for metrics in regimes.values()]
        heights = [100 * scores[metric] for scores in of_view]
        errors = [100 * (deviation(scores, metric) or 0) for scores in of_view]
        where = np.arange(len(regimes)) + 0.38 * (place - 0.5)
        drawn = axes.bar(where, heights, 0.36, yerr=errors if any(errors) else None, color=colour, label=view)
        axes.bar_label(drawn, fmt="%.1f", padding=2)
    axes.set_xticks(range(len(regimes)), map(_plain, regimes))
    several = any(f"{metric}_seeds_sd" in metrics["clean"] for metrics in regimes.values())
    over = "training seeds" if several else "draws of backgrounds, of one training seed"
    axes.set_xlabel(f"lines: ± standard deviation over {over}", fontsize=8)
    axes.set_ylim(0, 105)
    axes.set_ylabel(f"{METRICS[metric]} (%)")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def front(regimes: dict[str, dict], metric: str) -> Figure:
    """Draw clean against swapped retrieval, a point a regime, in percent; join those that no other beats in both.

    A point has the colour of its name, and neighbours in height have others, for a line to a name may cross points.
    """
    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    axes = figure.subplots()
    points = {name: [100 * metrics[view][metric] for view in COLOURS] for name, metrics in regimes.items()}
    order = np.argsort(np.argsort([y for _, y in points.values()], kind="stable"))
    colours = [PALETTE[place % len(PALETTE)] for place in order]
    spread = False
    for (name, (x, y)), colour in zip(points.items(), colours, strict=True):
        sds = [100 * regimes[name][view].get(f"{metric}{SD}", 0) for view in COLOURS]
        spread = spread or any(sds)
        axes.errorbar(x, y, xerr=sds[0], yerr=sds[1], fmt="o", color=colour, elinewidth=1.6)
    best = pareto(points.values())
    if best[1:]:
        axes.plot(*zip(*best, strict=True), color="0.8", linewidth=2.5, zorder=0, label="no other beats these in both")
        figure.legend(loc="outside upper left", frameon=False, fontsize=9)
    axes.set_xlim(_spanned(*axes.get_xlim()))
    low, high = axes.set_ylim(_spanned(*axes.get_ylim()))
    heights = apart([y for _, y in points.values()], (high - low) / LINES)
    beside, line = axes.get_yaxis_transform(), {"arrowstyle": "-", "linewidth": 0.5, "alpha": 0.6, "relpos": (0, 0.5)}
    for (name, point), height, colour in zip(points.items(), heights, colours, strict=True):
        place = {"xytext": (1.03, height), "textcoords": beside, "va": "center", "annotation_clip": False}
        axes.annotate(_plain(name), point, **place, color=colour, arrowprops=line | {"color": colour}, fontsize=9)
    said = "\nlines: ± standard deviation over training seeds" if spread else ""
    axes.set_xlabel(f"{METRICS[metric]}, photos as they are (%){said}")
    axes.set_ylabel(f"{METRICS[metric]}, backgrounds swapped (%)")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _spanned(low: float, high: float) -> tuple[float, float]:
    """Widen the ends of an axis to a span of `SPAN`, where they are closer."""
    more = max(0.0, SPAN - (high - low)) / 2
    return low - more, high + more


def apart(heights: list[float], least: float, highest: float = np.inf) -> list[float]:
    """Move heights apart until each is at least so far from the next, in their order, and little from where it was.

    With a highest one they stay from 0 to there.

    >>> apart([10.0, 10.0, 50.0], 4.0), apart([1.0, 0.0, 50.0], 4.0, 100.0)
    ([8.0, 12.0, 50.0], [4.0, 0.0, 50.0])
    """
    order, steps = np.argsort(heights, kind="stable"), least * np.arange(len(heights))
    moved = np.empty(len(heights))
    rising = isotonic_regression(np.array(heights)[order] - steps).x  # then they rise by a step at least
    moved[order] = (rising if highest == np.inf else rising.clip(0, highest - steps[-1])) + steps
    return moved.tolist()


def points(regimes: dict[str, dict], metric: str) -> pd.DataFrame:
    """Return what `bars` and `front` draw: columns regime, clean and swapped, in percent.

    >>> points({"base": {"clean": {"map_at_r": 0.5}, "swapped": {"map_at_r": 0.25}}}, "map_at_r").values.tolist()
    [['base', 50.0, 25.0]]
    """
    rows = [(name, *(100 * metrics[view][metric] for view in COLOURS)) for name, metrics in regimes.items()]
    return pd.DataFrame(rows, columns=["regime", *COLOURS])


def _plain(name: str) -> str:
    """A name as Matplotlib draws it, which would take what is between two dollars for a formula."""
    return name.replace("$", r"\$")


def pareto(points: Iterable[Sequence[float]]) -> list[tuple[float, float]]:
    """Return the points that no other one equals or beats in both coordinates, sorted by the first.

    >>> pareto([(1, 5), (2, 4), (1, 4), (2, 4), (3, 1)])
    [(1, 5), (2, 4), (3, 1)]
    """
    undominated: list[tuple[float, float]] = []
    for x, y in sorted(set(map(tuple, points)), reverse=True):
        if not undominated or y > undominated[-1][1]:
            undominated.append((x, y))
    return undominated[::-1]


def save(path: Path, picture: Image.Image | Figure) -> None:
    """Write a PNG."""
    with files.whole_file(path) as partial:
        if isinstance(picture, Figure):
            picture.savefig(partial, format="png", dpi=130, metadata={"Software": None})
        else:
            picture.save(partial, format="png", optimize=True)
