"""Drop and conflict on backgrounds of a second pool, beside the first."""

from bgbias.audit.page import charts
from bgbias.audit.page.charts import Line
from bgbias.audit.page.markup import Html, joined, tag
from bgbias.audit.page.wording import PERCENT, POINTS
from bgbias.metrics.names import METRICS


def section(audit: dict) -> Html:
    """Draw what both pools give, and the differences query by query; nothing where there is one pool."""
    second = audit["second_backgrounds"]
    if second is None:
        return joined()
    first, other = audit["backgrounds"], second["backgrounds"]
    less = "The second less the first"
    swapped = {first: audit["matrix"]["swapped"]["swapped"], other: second["swapped"]}
    drops = {first: audit["drop"], other: second["drop"], less: second["moved"]}
    by_metric = [
        charts.group("Swapped, by pool", "High is good.", _lines(swapped), PERCENT),
        charts.group("Drop, by pool", "Clean minus swapped.", _lines(drops), POINTS, "bad"),
    ]
    shares = [Line(first, "", audit["conflict"]), Line(other, "", second["conflict"])]
    moved, note = [Line(less, "", second["conflict_moved"])], "Query by query. Far from 0, it depends on the pool."
    of_conflict = [
        charts.group("Conflict, by pool", "The background wins.", shares, PERCENT, "bad", 0.5, "random"),
        charts.group("How far it moves", note, moved, POINTS, "bad"),
    ]
    return joined(
        tag("h3", "On backgrounds of a second pool"),
        charts.chart("The drop on two pools", by_metric, *METRICS.values()),
        charts.chart("The conflict on two pools", of_conflict, "Value"),
    )


def _lines(asked: dict[str, dict]) -> list[Line]:
    return [charts.line(label, "", score) for label, score in asked.items()]
