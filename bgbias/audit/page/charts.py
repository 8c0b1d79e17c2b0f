"""Charts as rows of a table: each with its number, and a dot with its interval on a common scale.

The drawings are inline SVG with positions in percent, so they fill any width, and text keeps its size. They are hidden
from screen readers: the numbers stand beside them.
"""

from collections.abc import Sequence
from typing import NamedTuple

from bgbias.audit.page import wording
from bgbias.audit.page.markup import Html, tag
from bgbias.audit.page.wording import Unit
from bgbias.audit.verdict.wording import Estimate
from bgbias.metrics.names import METRICS

AXIS_PX, BAR_PX = 30, 30
SHAPES = {  # of `Group.kind`
    "good": tag("circle", r=5.5),
    "bad": tag("path", d="M0-7 7 0 0 7-7 0Z"),
    "open": tag("path", d="M-5-5H5V5H-5Z"),
}


class Scale(NamedTuple):
    """A horizontal axis.

    Attributes:
        ticks: values with a line and a number; at the left end is the first, at the right end the last.
        unit: of the numbers.
        mark: value of a dashed line to read the others against, or None.
        mark_name: what is there.
    """

    ticks: tuple[float, ...]
    unit: Unit
    mark: float | None = None
    mark_name: str = ""

    def at(self, value: float) -> str:
        """Return where a value is, in percent of the width; beyond the ends, at the end."""
        low, *_, high = self.ticks
        share = (min(max(value, low), high) - low) / (high - low)
        return f"{100 * share:.2f}%"


def scale(estimates: Sequence[Estimate | None], unit: Unit, mark: float | None = None, mark_name: str = "") -> Scale:
    """Choose the scale of estimates: from 0 to 1, or from -1 where a value or an interval goes below 0."""
    ends = [end for estimate in filter(None, estimates) for end in (estimate["value"], estimate["low"])]
    below = any(end is not None and end < 0 for end in ends)
    return Scale((-1, -0.5, 0, 0.5, 1) if below else (0, 0.25, 0.5, 0.75, 1), unit, mark, mark_name)


class Line(NamedTuple):
    """A row of a chart.

    Attributes:
        label: what was measured.
        note: a few words on it, or "".
        estimate: what is drawn; None where it was not measured.
        other: a second estimate, as a number only.
    """

    label: str
    note: str
    estimate: Estimate | None
    other: Estimate | None = None


class Group(NamedTuple):
    """Rows of a chart with a common scale.

    Attributes:
        title: their heading.
        note: how to read them.
        scale: their axis.
        lines: the rows.
        kind: "good" where high values are (dots), "bad" where low ones are (diamonds), "open" where a value is neither
            by itself (squares).
    """

    title: str
    note: str
    scale: Scale
    lines: Sequence[Line]
    kind: str = "good"


def line(label: str, note: str, score: dict[str, Estimate] | None) -> Line:
    """A row of Recall@1, with MAP@R as its second estimate; None: it was not measured."""
    return Line(label, note, *(score and score[metric] for metric in METRICS))


def group(
    title: str,
    note: str,
    lines: Sequence[Line],
    unit: Unit,
    kind: str = "good",
    mark: float | None = None,
    mark_name: str = "",
) -> Group:
    """Rows on a scale that fits their estimates, see `scale`."""
    return Group(title, note, scale([line.estimate for line in lines], unit, mark, mark_name), lines, kind)


def chart(caption: str, groups: Sequence[Group], heading: str, other: str | None = None) -> Html:
    """Draw a table of groups of rows.

    Args:
        caption: of the table.
        groups: the rows.
        heading: of the column of numbers.
        other: heading of the column of the second estimates; None where there are none.
    """
    headings = ["Measured", "On a scale", heading, *([other] if other else []), "Counted on"]
    head = tag("thead", tag("tr", *(tag("th", text, scope="col") for text in headings)))
    groups = [group for group in groups if group.lines]
    before = [None, *(group.scale for group in groups)]
    bodies = [_group(group, group.scale != last, other) for group, last in zip(groups, before, strict=False)]
    caption = tag("caption", caption, class_="hidden")
    return tag("div", tag("table", caption, head, *bodies, class_="chart"), class_="box")


def _group(group: Group, with_axis: bool, other: str | None) -> Html:
    """Its axis is drawn where it differs from that above; else the lines go on."""
    titled = tag("th", tag("strong", group.title), tag("small", group.note), scope="rowgroup")
    rest = tag("td", "", colspan=3 if other else 2, class_="rest")
    drawn = _axis(group.scale) if with_axis else track(None, group.scale, group.kind)
    kind = "group" if with_axis else "group on"
    top = tag("tr", titled, tag("td", drawn, class_="drawn"), rest, class_=kind)
    return tag("tbody", top, *(_line(line, group, other) for line in group.lines))


def _line(line: Line, group: Group, other: str | None) -> Html:
    unit = group.scale.unit
    label = tag("th", line.label, tag("small", line.note), scope="row")
    drawn = tag("td", track(line.estimate, group.scale, group.kind), class_="drawn")
    second = [tag("td", *_written(line.other, unit), class_="other", data_heading=other)] if other else []
    counted = dict.fromkeys(map(wording.counts, filter(None, (line.estimate, line.other))))  # mostly the same
    written = tag("td", *_written(line.estimate, unit), class_="number")
    return tag(
        "tr", label, drawn, written, *second, tag("td", *(tag("div", text) for text in counted), class_="counts")
    )


def _written(estimate: Estimate | None, unit: Unit) -> list[Html]:
    if estimate is None:
        return [tag("span", wording.NOT_MEASURED, class_="none")]
    if estimate["value"] is None:
        return [tag("span", wording.NOT_DEFINED, class_="none")]
    return [tag("b", wording.value(estimate, unit)), tag("small", wording.interval(estimate, unit))]


def track(estimate: Estimate | None, along: Scale, kind: str) -> Html:
    """Draw a row: lines of the axis, the dashed mark, the interval, and the shape of its kind."""
    parts = [_upright(along.at(tick), "tick") for tick in along.ticks]
    if along.mark is not None:
        parts.append(_upright(along.at(along.mark), "mark"))
    if estimate and estimate["value"] is not None:
        if estimate["low"] is not None and estimate["high"] is not None:
            ends = {"x1": along.at(estimate["low"]), "x2": along.at(estimate["high"])}
            parts.append(tag("line", **ends, y1="50%", y2="50%", class_=f"range {kind}"))
        parts.append(tag("svg", SHAPES[kind], x=along.at(estimate["value"]), y="50%", class_=f"dot {kind}"))
    return _drawing("100%", *parts)


def _axis(along: Scale) -> Html:
    numbers = [f"{along.unit.factor * tick:g}".replace("-", "−") for tick in along.ticks]  # noqa: RUF001
    parts = [
        tag("text", text, x=along.at(tick), y=AXIS_PX - 5, class_="tick-number")
        for tick, text in zip(along.ticks, numbers, strict=True)
    ]
    if along.mark is not None and along.mark_name:
        middle = (along.ticks[0] + along.ticks[-1]) / 2
        kind = "name" if along.mark < middle else "name end"  # it runs towards the middle, so it is not cut off
        parts.append(tag("text", along.mark_name, x=along.at(along.mark), y=9, class_=kind))
    return _drawing(AXIS_PX, *parts)


def _upright(x: str, kind: str) -> Html:
    return tag("line", x1=x, x2=x, y1="0", y2="100%", class_=kind)


def _drawing(height: int | str, *parts: Html) -> Html:
    return tag("svg", *parts, width="100%", height=height, aria_hidden="true", focusable="false")


def stacked(shares: dict[str, float]) -> Html:
    """Draw shares that sum to 1 side by side in one bar; each has its name as its class."""
    parts, start = [], 0.0
    for name, share in shares.items():
        place = {"x": f"{100 * start:.2f}%", "width": f"{100 * share:.2f}%", "height": "100%"}
        parts.append(tag("rect", **place, class_=name))
        start += share
    return _drawing(BAR_PX, *parts)
