"""The chart of Recall@1 of all views: the object and the background, together and each alone."""

from bgbias.audit.page import charts, wording
from bgbias.audit.page.charts import Group, Line
from bgbias.audit.page.markup import Html
from bgbias.audit.page.wording import PERCENT
from bgbias.errors import InputError
from bgbias.metrics.names import METRICS

BY_OBJECT = "High is good: found by the object."
LEFT = (
    "High: what is left of the photos tells the classes apart. The next rows show whether clean photos are found by it."
)
EMPTIED = {
    "background_silhouette": ("Object filled", "with its background's colour; its outline is left"),
    "background_box_blacked": ("Object's box black", "its box is left"),
    "background_box_tiled": ("Object's box tiled over", "with its surroundings; nothing of it is left"),
}
GROUPS = (  # heading, note, kind, view -> label and note; in the order of the page
    (
        "Object and background agree",
        "Found by the object, by the background, or by both.",
        "open",
        {
            "clean": ("Clean", "photos as they are"),
            "pasted_back": ("Put back", "on its own background, the object painted over"),
            "pasted_mirrored": ("Put back, mirrored", "on the same, mirrored"),
            "mixed_same": ("Mixed, same class", "on the background of another photo of its class"),
            "foreground_mean": ("On the photo's mean colour", "which tells of its background"),
        },
    ),
    (
        "Objects on random backgrounds",
        BY_OBJECT,
        "good",
        {
            "swapped": ("Swapped", "backgrounds: {backgrounds}"),
            "mixed_rand": ("Mixed, random class", "on the background of another photo of any class"),
        },
    ),
    (
        "Objects on misleading backgrounds, in clean photos",
        "High is good: found by the object, against its background.",
        "good",
        {"mixed_other_in_clean": ("Mixed, other class", "on the background of a photo of another class")},
    ),
    ("Objects alone", BY_OBJECT, "good", {"foreground_black": ("On black", ""), "foreground_grey": ("On grey", "")}),
    ("Backgrounds alone", LEFT, "open", EMPTIED),
    (
        "Backgrounds alone, in clean photos",
        "High is bad where nothing of the object is left.",
        "bad",
        {f"{view}_in_clean": described for view, described in EMPTIED.items()},
    ),
)


def chart(audit: dict) -> Html:
    """Draw the chart of Recall@1 of all views."""
    against_clean = dict(audit.get("background_only_against_clean", {}))  # a quick audit has neither
    if "mixed_other_against_clean" in audit:
        against_clean["mixed_other"] = audit["mixed_other_against_clean"]
    scores = audit["views"] | {f"{view}_in_clean": score for view, score in against_clean.items()}
    unknown = set(scores) - {view for *_, labels in GROUPS for view in labels}
    if unknown:
        raise InputError(f"unknown views {', '.join(sorted(unknown))}: describe them in view_chart.GROUPS")
    level = f"chance {wording.number(audit['chance']['recall_at_1'], PERCENT)}"
    recalls = [score["recall_at_1"] for score in scores.values()]
    scale = charts.scale(recalls, PERCENT, audit["chance"]["recall_at_1"], level)
    groups = [
        Group(title, note, scale, _lines(labels, scores, audit["backgrounds"]), kind)
        for title, note, kind, labels in GROUPS
    ]
    return charts.chart(f"{' and '.join(METRICS.values())} of every view", groups, *METRICS.values())


def _lines(labels: dict, scores: dict, backgrounds: str) -> list[Line]:
    return [
        charts.line(label, note.format(backgrounds=backgrounds), scores[view])
        for view, (label, note) in labels.items()
        if view in scores
    ]
