"""The figures of an audit as sections: matrix, single measures, variance, attention, masks."""

from collections.abc import Sequence

from bgbias.audit.page import charts, wording
from bgbias.audit.page.charts import Group, Line
from bgbias.audit.page.markup import Html, joined, tag
from bgbias.audit.page.wording import PERCENT, PLAIN, POINTS, Estimate
from bgbias.metrics.names import METRICS

CELLS = {  # query view, gallery view -> what such a search is
    ("clean", "clean"): "the search as it is",
    ("clean", "swapped"): "known pictures, the gallery in new places",
    ("swapped", "clean"): "a new picture elsewhere, the gallery as it is",
    ("swapped", "swapped"): "only the object can help",
}
MASKS = {  # why a mask is in doubt
    "empty": ("Empty", "no object was found"),
    "full": ("Nearly full", "almost all of the photo is taken for the object"),
    "border": ("On the border", "most of the photo's border is taken for the object"),
    "tiny": ("Tiny", "hardly any of the photo is taken for the object"),
    "soft": ("Soft", "the object is see-through"),
}
LISTED = 100  # masks of a kind
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
    """Draw the chart of gap, conflict, worst of K, invariance and objects on grey."""
    gap, worst = audit["gap"], audit["worst_of_backgrounds"]
    k = worst["backgrounds"]
    grey = [Line(heading, "", audit["grey_gain"][metric]) for metric, heading in METRICS.items()]
    level = audit["chance"]["recall_at_1"]
    over = [
        Line("Mean of the backgrounds", "", worst["mean"]),
        Line(f"Right on all {k}", "falls with their number", worst["worst"]),
    ]
    lines = [Line(heading, "", gap[metric]) for metric, heading in METRICS.items()]
    groups = [
        _group(
            "Background gap",
            "Points that backgrounds of the right class add, over random ones. 0: what they tell changes nothing.",
            lines,
            POINTS,
            0.0,
            kind="bad",
        ),
        _group(
            "Conflict",
            "How often the same background outweighs the same class. 0 is best.",
            [Line("Background ahead", f"on {k} of the pool: {audit['backgrounds']}", audit["conflict"])],
            PERCENT,
            0.5,
            "random",
            "bad",
        ),
        _group(
            f"Recall@1 over {k} backgrounds",
            "High is good. What lies between the two is lost to some of the backgrounds.",
            over,
            PERCENT,
            level,
            "chance on each",
        ),
        _group(
            "Invariance",
            "1: the background does nothing. 0: a swap is like another photo.",
            [Line("Invariance", "", audit["invariance"])],
            PLAIN,
        ),
        _group(
            "Objects alone on grey",
            "Points that they gain over swapped photos. Above 0, it helps to show them so.",
            grey,
            POINTS,
            0.0,
        ),
    ]
    return charts.chart("Gap, conflict, worst of the backgrounds, invariance, grey", groups, "Value")


def _group(
    title: str,
    note: str,
    lines: Sequence[Line],
    unit: wording.Unit,
    mark: float | None = None,
    mark_name: str = "",
    kind: str = "good",
) -> Group:
    return Group(title, note, charts.scale([line.estimate for line in lines], unit, mark, mark_name), lines, kind)


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
        _group(title, note, [Line(view.capitalize(), "", measured[name]) for view, measured in scores.items()], unit)
        for name, title, note, unit in asked
    ]
    sides = {"pair_score": "query", "pair_score_retrieved": "found photo"}
    lines = [
        Line(f"{view.capitalize()}, {side}", "", measured[name])
        for view, measured in scores.items()
        for name, side in sides.items()
    ]
    note = "Of what makes a query and the photo found first alike, as the attention score."
    return charts.chart("Attention on the object", [*groups, _group("Pair score", note, lines, PLAIN)], "Value")


def _from_whole(doubt: dict) -> str:
    """Say from what changed masks move the drop: that of whole ones on the same backgrounds, the first draw's."""
    drop, moved = (doubt.get(f"{what}_eroded") for what in ("drop", "moved"))
    if not drop or not moved:
        return ""
    whole = 100 * (drop["recall_at_1"]["value"] - moved["recall_at_1"]["value"])
    return f"From masks as they are on the first draw of backgrounds (Recall@1: {whole:.1f} points). "


def masks(audit: dict) -> Html:
    """List masks in doubt, and draw the drop without them and with others."""
    doubt, drop = audit["mask_doubt"], audit["drop"]
    px = doubt["radius_px"]
    smaller, larger = f"Eroded by {px} px", f"Dilated by {px} px"
    drops = (
        ("As they are", "", drop),
        ("Without those in doubt", "", doubt["drop_without"]),
        (smaller, "first draw of backgrounds only", doubt.get("drop_eroded")),
        (larger, "first draw of backgrounds only", doubt.get("drop_dilated")),
    )
    moved = ((smaller, "", doubt.get("moved_eroded")), (larger, "", doubt.get("moved_dilated")))
    asked = (
        ("Drop, by masks", "Clean minus swapped.", drops),
        ("How far it moves", f"{_from_whole(doubt)}Query by query. Far from 0, the drop depends on the masks.", moved),
    )
    groups = [_group(title, note, _lines(changed), POINTS, kind="bad") for title, note, changed in asked]
    kinds = [_paths(kind, paths) for kind, paths in doubt["flagged"].items() if paths]
    flagged = {path for paths in doubt["flagged"].values() for path in paths}
    counted = f"{wording.many(len(flagged), 'mask is', 'masks are')} in doubt, of {audit['photos']:,}."
    lists = tag("div", *kinds, class_="lists") if kinds else ""
    return joined(tag("p", counted), lists, charts.chart("The drop with other masks", groups, *METRICS.values()))


def _lines(asked: Sequence[tuple]) -> list[Line]:
    return [Line(label, note, *(drop and drop[metric] for metric in METRICS)) for label, note, drop in asked]


def _paths(kind: str, paths: Sequence[str]) -> Html:
    title, note = MASKS.get(kind, (kind, ""))  # one that came later is still listed
    summary = tag("summary", tag("b", f"{title}: {len(paths):,}"), " ", note)
    more = [f"and {len(paths) - LISTED:,} more; audit.json lists them all"] if len(paths) > LISTED else []
    listed = [*paths[:LISTED], *more]
    return tag("details", summary, tag("ul", *(tag("li", path) for path in listed)))
