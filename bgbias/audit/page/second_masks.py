"""The section of masks of a second kind: the drop by both, and the classes and photos that depend on the kind."""

from collections.abc import Sequence

from bgbias.audit.page import charts, wording
from bgbias.audit.page.charts import Group, Line
from bgbias.audit.page.markup import Html, joined, tag
from bgbias.audit.page.wording import PERCENT, PLAIN, POINTS
from bgbias.audit.verdict import sensitivity
from bgbias.metrics.names import METRICS

SHOWN = 10  # classes at either end
LISTED = 100  # photos


def section(audit: dict) -> Html:
    """Draw what masks of a second kind give beside the first; nothing where there are none."""
    second = audit["second_masks"]
    if second is None:
        return joined()
    kinds = sensitivity.kinds(audit)
    intro = (
        f"Masks of two kinds, {kinds[0]} and {kinds[1]}, on the same backgrounds. An IoU of 1: they agree to the "
        "pixel. Below 0.50: more is object in one of them alone than in both."
    )
    return joined(
        tag("h3", "By masks of a second kind"),
        tag("p", intro),
        _drops(audit, kinds),
        _others(audit, kinds),
        _classes(second["classes"], kinds),
        *_unlike(second["unlike"], audit["photos"]),
        tag("h3", "By size, place and edges"),
    )


def _drops(audit: dict, kinds: tuple[str, str]) -> Html:
    second = audit["second_masks"]
    drops = [(kinds[0], "", audit["drop"]), (kinds[1], "", second["drop"])]
    if second["drop_agreed"]:
        note = "only the photos on which both agree, as if there were no others"
        drops += [(kinds[0], note, second["drop_agreed"]), (kinds[1], note, second["second_drop_agreed"])]
    swapped = [(kinds[0], "", sensitivity.on_swapped(audit)), (kinds[1], "", second["swapped"])]
    moved = [(f"{kinds[0]} less {kinds[1]}", "", second["moved"])]
    groups = [
        Group("Swapped, by kind of masks", "High is good.", charts.scale([], PERCENT), _both(swapped)),
        _group("Drop, by kind of masks", "Clean minus swapped.", _both(drops)),
        _group("How far it moves", "Query by query. Far from 0, the drop depends on the kind of masks.", _both(moved)),
    ]
    return charts.chart("The drop by masks of two kinds", groups, *METRICS.values())


def _both(asked: Sequence[tuple]) -> list[Line]:
    return [Line(label, note, *(drop[metric] for metric in METRICS)) for label, note, drop in asked]


def _group(title: str, note: str, lines: Sequence[Line]) -> Group:
    return Group(title, note, charts.scale([line.estimate for line in lines], POINTS), lines, "bad")


def _others(audit: dict, kinds: tuple[str, str]) -> Html:
    second = audit["second_masks"]
    agreed = [Line("IoU", "mean over photos", second["agreement"])]
    scales = charts.scale([], PERCENT, 0.5, "random"), charts.scale([], PLAIN, 0.5, "more in one alone")
    groups = [Group("Agreement of the masks", "High: the kind matters little.", scales[1], agreed)]
    if "conflict" in second:
        conflicts = [Line(kinds[0], "", audit["conflict"]), Line(kinds[1], "", second["conflict"])]
        note = "How often the same background outweighs."
        groups.insert(0, Group("Conflict, by kind of masks", note, scales[0], conflicts, "bad"))
    return charts.chart("Conflict by masks of two kinds, and their agreement", groups, "Value")


def _classes(classes: Sequence[dict], kinds: tuple[str, str]) -> Html:
    ends = classes if len(classes) <= 2 * SHOWN else [*classes[:SHOWN], None, *classes[-SHOWN:]]
    names = ("Class", "Queries", f"Drop, {kinds[0]}", f"Drop, {kinds[1]}", "IoU of the masks")
    head = tag("tr", *(tag("th", name, scope="col") for name in names))
    left_out = tag(
        "td", f"the {len(classes) - 2 * SHOWN:,} between them are not shown", colspan=len(names), class_="none"
    )
    rows = [_class(of) if of else tag("tr", left_out) for of in ends]
    caption = tag("caption", "Drop of Recall@1 by class, first those that add most to it")
    return tag("div", tag("table", caption, tag("thead", head), tag("tbody", *rows), class_="classes"), class_="box")


def _class(of: dict) -> Html:
    drops = [wording.value({"value": of[key]}, POINTS) for key in ("drop", "drop_second")]
    cells = [f"{of['queries']:,}", *drops, wording.value({"value": of["agreement"]}, PLAIN)]
    return tag("tr", tag("th", of["class"], scope="row"), *(tag("td", text) for text in cells))


def _unlike(photos: Sequence[tuple[str, float]], of: int) -> list[Html]:
    if not photos:
        return []
    counted = f"Masks that do not agree: {len(photos):,} of {of:,}"
    more = [f"and {len(photos) - LISTED:,} more; audit.json lists them all"] if len(photos) > LISTED else []
    listed = [*(f"{path} ({wording.number(iou, PLAIN)})" for path, iou in photos[:LISTED]), *more]
    summary = tag("summary", tag("b", counted), " the least alike first, with their IoU")
    return [tag("details", summary, tag("ul", *(tag("li", text) for text in listed)))]
