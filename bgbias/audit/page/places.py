"""What is found among photos of the own place, and of others."""

from bgbias.audit.page import charts, wording
from bgbias.audit.page.charts import Line
from bgbias.audit.page.markup import Html, joined, tag
from bgbias.audit.page.wording import PERCENT, POINTS
from bgbias.audit.verdict import sensitivity
from bgbias.audit.verdict.places import searched
from bgbias.report import comparison

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


def short(audit: dict) -> Html:
    """Return the sentence on both searches, and by how much they differ; nothing without places."""
    if "places" not in audit:
        return joined()
    searches, less = searched(audit["places"])
    few = comparison.too_few(audit["places"]["photos"]["drop"]["classes"])
    within = tag("p", wording.kept_together(" ".join([f"That is {less}.", *few])), class_="within")
    return joined(tag("p", wording.kept_together(f"{searches}."), class_="plain"), within)


def section(audit: dict) -> Html:
    """Draw both searches of each view, and the drops from the one to the other; not by second masks in doubt."""
    places, believed = audit["places"], sensitivity.opinion(audit)
    places = {of: found for of, found in places.items() if believed or not of.endswith("_second")}
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
    return charts.chart("The search by place", groups, "Recall@1")
