"""The chart of Recall@1 of all views: the object and the background, together and each alone."""

from bgbias.audit.page import charts, wording
from bgbias.audit.page.charts import Group, Line
from bgbias.audit.page.markup import Html
from bgbias.audit.page.wording import PERCENT
from bgbias.errors import InputError
from bgbias.metrics.names import METRICS

GROUPS = (  # heading, note, kind, view -> label and note; in the order of the page
    ("Photos as they are", "", "good", {"clean": ("Clean", "")}),
    (
        "Objects on other backgrounds",
        "High is good: found by the object.",
        "good",
        {
            "swapped": ("Swapped", "of the pool, drawn at random"),
            "mixed_same": ("Mixed, same class", "of another photo of its class"),
            "mixed_rand": ("Mixed, random class", "of another photo of any class"),
            "mixed_next": ("Mixed, next class", "of a photo of a wrong class"),
        },
    ),
    (
        "Objects alone",
        "High is good: found by the object.",
        "good",
        {
            "foreground_black": ("On black", ""),
            "foreground_grey": ("On grey", ""),
            "foreground_mean": ("On the photo's mean colour", ""),
        },
    ),
    (
        "Backgrounds alone",
        "High is bad: found without the object.",
        "bad",
        {
            "background_silhouette": ("Object filled", "with its background's colour; its outline can be seen"),
            "background_box_blacked": ("Object's box black", ""),
            "background_box_tiled": ("Object's box tiled over", "with its surroundings"),
        },
    ),
)
AGAINST_CLEAN = "Backgrounds alone, in clean photos"


def chart(audit: dict) -> Html:
    """Draw the chart of Recall@1 of all views."""
    unknown = set(audit["views"]) - {view for _, _, _, labels in GROUPS for view in labels}
    if unknown:
        raise InputError(f"unknown views {', '.join(sorted(unknown))}: describe them in view_chart.GROUPS")
    scores = [*audit["views"].values(), *audit["background_only_against_clean"].values()]
    level = f"chance {wording.number(audit['chance']['recall_at_1'], PERCENT)}"
    scale = charts.scale([score["recall_at_1"] for score in scores], PERCENT, audit["chance"]["recall_at_1"], level)
    groups = [
        Group(title, note, scale, _of_views(labels, audit["views"]), kind) for title, note, kind, labels in GROUPS
    ]
    lines = _of_views(GROUPS[-1][-1], audit["background_only_against_clean"])
    groups.append(Group(AGAINST_CLEAN, "High is bad: found without the object.", scale, lines, "bad"))
    return charts.chart(f"{' and '.join(METRICS.values())} of every view", groups, *METRICS.values())


def _of_views(labels: dict, scores: dict) -> list[Line]:
    shown = [(label, note, scores[view]) for view, (label, note) in labels.items() if view in scores]
    return [Line(label, note, *(score[metric] for metric in METRICS)) for label, note, score in shown]
