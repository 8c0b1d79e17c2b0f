"""What is found among photos of the own place, and of others."""

from bgbias.audit.page import charts
from bgbias.audit.page.charts import Line
from bgbias.audit.page.markup import Html, joined, tag
from bgbias.audit.page.wording import PERCENT, POINTS

PARTS = {
    "photos": "Photos as they are",
    "objects": "Objects alone, on grey",
    "objects_second": "Objects alone, second masks",
    "backgrounds": "Backgrounds alone",
}
BEYOND = {
    "beyond_objects": ("Photos less objects alone", "query by query"),
    "beyond_objects_second": ("Photos less objects alone", "second masks"),
}


def section(audit: dict) -> Html:
    """Draw both searches of each view, and the drops from the one to the other; nothing without places."""
    places = audit.get("places")
    if places is None:
        return joined()
    measured = {name: places[part] for part, name in PARTS.items() if part in places}
    searches = [
        Line(name, where, of_part[key])
        for name, of_part in measured.items()
        for key, where in (("same", "its own place"), ("elsewhere", "other places"))
    ]
    drops = [Line(name, "", of_part["drop"]) for name, of_part in measured.items()]
    drops += [Line(*named, places[of]) for of, named in BEYOND.items() if of in places]
    groups = [
        charts.group(
            "Recall@1, by place", "Among as many of the class, and the same others.", searches, PERCENT, "open"
        ),
        charts.group("Drop in another place", "Its own place minus other places.", drops, POINTS, "bad", 0.0),
    ]
    return joined(tag("h3", "In another place"), charts.chart("The search by place", groups, "Recall@1"))
