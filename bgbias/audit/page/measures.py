"""The figures of an audit as sections: matrix, single measures, variance, attention."""

from bgbias.audit.page import charts, wording
from bgbias.audit.page.charts import Line
from bgbias.audit.page.markup import Html, joined, tag
from bgbias.audit.page.view_chart import BY_OBJECT, EMPTIED
from bgbias.audit.page.wording import PERCENT, PLAIN, POINTS
from bgbias.audit.verdict.parts import ALONE
from bgbias.audit.verdict.wording import Estimate
from bgbias.metrics.names import METRICS

CELLS = {  # query view, gallery view -> what such a search is
    ("clean", "clean"): "the search as it is",
    ("clean", "swapped"): "known pictures, the gallery on other backgrounds",
    ("swapped", "clean"): "another background, the gallery as it is",
    ("swapped", "swapped"): "only the object can help",
}
PASTED = {"pasted_back": "on their own backgrounds", "pasted_mirrored": "on these mirrored"}
UNSEEN = {"pasted_mirrored": "which the gallery does not show: also lost to another background"}
LOST = "Points that photos lose, cut out and put back. Before other backgrounds, objects fit worse."
SHARES = {"photo": "The photo", "background": "The background", "rest": "Neither alone"}


def matrix(cells: dict, metric: str, name: str) -> Html:
    """Draw the 2 x 2 table of query view and gallery view, the cells shaded by their value."""
    views = ("clean", "swapped")
    top = tag("tr", tag("td", ""), *(tag("th", f"Gallery {view}", scope="col") for view in views))
    rows = [
        tag("tr", tag("th", f"Queries {query}", scope="row"), *(_cell(cells, query, place, metric) for place in views))
        for query in views
    ]
    caption = tag("caption", name)
    return tag("table", caption, tag("thead", top), tag("tbody", *rows), class_="matrix")


def _cell(cells: dict, query: str, place: str, metric: str) -> Html:
    score = cells[query][place][metric]
    shade = f"background:rgb(var(--shade)/{0.05 + 0.4 * (score['value'] or 0):.2f})"  # ink stays readable on it
    return tag("td", *estimate(score, PERCENT), tag("em", CELLS[query, place]), style=shade)


def estimate(measured: Estimate, unit: wording.Unit) -> list[Html]:
    """Write a number with its interval and what it was counted on."""
    return [
        tag("b", wording.value(measured, unit)),
        tag("small", wording.interval(measured, unit)),
        tag("small", wording.counts(measured)),
    ]


def single(audit: dict) -> Html:
    """Draw the chart of gap, conflict, worst of K, invariance, objects on grey and pasting."""
    over = audit["worst_of_backgrounds"]
    k = over["backgrounds"]
    groups = [
        charts.group(
            "Background gap",
            "Points that backgrounds of the right class add, over random ones. 0: what they tell changes nothing.",
            [Line(heading, "", audit["gap"][metric]) for metric, heading in METRICS.items()],
            POINTS,
            "bad",
            0.0,
        ),
        charts.group(
            "Conflict",
            "How often the same background outweighs the same class. 0 is best.",
            [Line("Background ahead", f"on {k} of the backgrounds: {audit['backgrounds']}", audit["conflict"])],
            PERCENT,
            "bad",
            0.5,
            "random",
        ),
        charts.group(
            f"Recall@1 over {k} backgrounds",
            "High is good. What lies between the two is lost to some of the backgrounds.",
            [
                Line("Mean of the backgrounds", "", over["mean"]),
                Line(f"Right on all {k}", "falls with their number", over["worst"]),
            ],
            PERCENT,
            mark=audit["chance"]["recall_at_1"],
            mark_name="chance on each",
        ),
        charts.group(
            "Invariance",
            "1: the background does nothing. 0: a swap is like another photo.",
            [Line("Invariance", "", audit["invariance"])],
            PLAIN,
        ),
        charts.group(
            "Objects alone on grey",
            "Points that they gain over swapped photos. Above 0, it helps to show them so.",
            [Line(heading, "", audit["grey_gain"][metric]) for metric, heading in METRICS.items()],
            POINTS,
            mark=0.0,
        ),
        charts.group(
            "Lost to pasting",
            LOST,
            [
                Line(f"{heading}, {where}", "", audit["pasting"][view][metric])
                for view, where in PASTED.items()
                for metric, heading in METRICS.items()
            ],
            POINTS,
            "bad",
            0.0,
        ),
    ]
    return charts.chart("Gap, conflict, worst of the backgrounds, invariance, grey, pasting", groups, "Value")


def alone(audit: dict) -> Html:
    """Draw the chart of what objects and backgrounds find of themselves by themselves, and of pasting."""
    objects, backgrounds, pasting = (
        audit[name] for name in ("object_alone_against_clean", "background_only_against_clean", "pasting")
    )
    level = audit["chance"]["recall_at_1"], "chance"
    of_objects = [Line(how.capitalize(), "", objects[view]["recall_at_1"]) for view, how in ALONE.items()]
    of_backgrounds = [Line(*text, backgrounds[view]["recall_at_1"]) for view, text in EMPTIED.items()]
    put_back = [
        Line(f"Put back {where}", UNSEEN.get(view, ""), pasting[view]["recall_at_1"]) for view, where in PASTED.items()
    ]
    groups = [
        charts.group("Objects alone", BY_OBJECT, of_objects, PERCENT, "good", *level),
        charts.group(
            "Backgrounds alone", "High is bad: found by the background.", of_backgrounds, PERCENT, "bad", *level
        ),
        charts.group("Lost to pasting", LOST, put_back, POINTS, "bad", 0.0),
    ]
    return charts.chart("Objects alone, backgrounds alone, pasting", groups, "Value")


def variance(audit: dict) -> Html:
    """Draw the variance shares as bars, the model's above those of random embeddings."""
    own = {part: audit["variance"][part] for part in SHARES}
    random = {part: {"value": audit["variance"]["random"][part]} for part in SHARES}
    rows = []
    for name, note, parts in (("This model", wording.counts(own["photo"]), own), ("Random embeddings", "", random)):
        shares = {part: share["value"] for part, share in parts.items()}
        drawn = [] if None in shares.values() else [charts.stacked(shares)]
        cells = [tag("td", *_share(share), class_="number") for share in parts.values()]
        heading = tag("th", name, tag("small", note), scope="row")
        rows.append(tag("tr", heading, tag("td", *drawn, class_="drawn"), *cells))
    keys = [
        tag("th", tag("i", "", class_=f"key {part}"), label, scope="col", class_="number")
        for part, label in SHARES.items()
    ]
    head = tag("thead", tag("tr", tag("th", "Embeddings", scope="col"), tag("th", "Shares", scope="col"), *keys))
    caption = tag("caption", "Shares of the embeddings' variance", class_="hidden")
    counted = f"Each photo on {audit['worst_of_backgrounds']['backgrounds']} backgrounds, the same for all."
    table = tag("div", tag("table", caption, head, tag("tbody", *rows), class_="variance"), class_="box")
    return joined(table, tag("p", counted, class_="counted"))


def _share(share: Estimate) -> list[Html]:
    """A share, with its interval where it is no theory's."""
    return [
        tag("b", wording.value(share, PERCENT)),
        *([tag("small", wording.interval(share, PERCENT))] if "low" in share else []),
    ]


def attention(scores: dict | None) -> Html:
    """Draw the chart of the attention measures."""
    if scores is None:
        text = "Not measured. Attention maps need gradients at the pictures; a model from an ONNX file gives none."
        return tag("p", text, class_="none")
    asked = (
        ("score", "Attention score", "0: what its area alone would get. 1: all on the object.", PLAIN),
        (
            "rank_accuracy",
            "Rank accuracy",
            "The most attended pixels, as many as the object has: the share on it.",
            PERCENT,
        ),
        ("pointing_game", "Pointing game", "Photos whose most attended pixel is on the object.", PERCENT),
    )
    groups = [
        charts.group(title, note, [Line(view.capitalize(), "", of[name]) for view, of in scores.items()], unit)
        for name, title, note, unit in asked
    ]
    sides = {"pair_score": "query", "pair_score_retrieved": "found photo"}
    lines = [
        Line(f"{view.capitalize()}, {side}", "", measured[name])
        for view, measured in scores.items()
        for name, side in sides.items()
        if name in measured
    ]
    note = "Of what makes a query and the photo found first alike, as the attention score."
    groups += [charts.group("Pair score", note, lines, PLAIN)] if lines else []
    return charts.chart("Attention on the object", groups, "Value")
