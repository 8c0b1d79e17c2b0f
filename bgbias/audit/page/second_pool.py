"""Drop and conflict on backgrounds of a second pool, beside the first."""

from bgbias.audit.page import charts
from bgbias.audit.page.charts import Group, Line
from bgbias.audit.page.markup import Html, joined, tag
from bgbias.audit.page.wording import PERCENT, POINTS
from bgbias.metrics.names import METRICS


def section(audit: dict) -> Html:
    """Draw what both pools give, and the differences query by query; nothing where there is one pool."""
    second = audit["second_backgrounds"]
    if second is None:
        return joined()
    first, other = audit["backgrounds"], second["backgrounds"]
    swapped = {first: audit["matrix"]["swapped"]["swapped"], other: second["swapped"]}
    drops = {first: audit["drop"], other: second["drop"], "The second less the first": second["moved"]}
    by_metric = [
        Group("Swapped, by pool", "High is good.", charts.scale([], PERCENT), _lines(swapped)),
        _points("Drop, by pool", "Clean minus swapped.", _lines(drops)),
    ]
    shares = [Line(first, "", audit["conflict"]), Line(other, "", second["conflict"])]
    moved = [Line("The second less the first", "", second["conflict_moved"])]
    of_conflict = [
        Group("Conflict, by pool", "The background wins.", charts.scale([], PERCENT, 0.5, "random"), shares, "bad"),
        _points("How far it moves", "Query by query. Far from 0, it depends on the pool.", moved),
    ]
    return joined(
        tag("h3", "On backgrounds of a second pool"),
        charts.chart("The drop on two pools", by_metric, *METRICS.values()),
        charts.chart("The conflict on two pools", of_conflict, "Value"),
    )


def _lines(asked: dict[str, dict]) -> list[Line]:
    return [Line(label, "", *(found[metric] for metric in METRICS)) for label, found in asked.items()]


def _points(title: str, note: str, lines: list[Line]) -> Group:
    return Group(title, note, charts.scale([line.estimate for line in lines], POINTS), lines, "bad")
