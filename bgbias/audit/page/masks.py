"""The section of masks: the drop by a second kind and by changed ones, and the photos whose masks are in doubt."""

from collections.abc import Sequence

from bgbias.audit.page import charts, wording
from bgbias.audit.page.charts import Line
from bgbias.audit.page.markup import Html, joined, tag
from bgbias.audit.page.wording import PERCENT, PLAIN, POINTS
from bgbias.audit.verdict import sensitivity
from bgbias.metrics.names import METRICS
from bgbias.report.tables import no_second_opinion

MASKS = {  # why a mask is in doubt
    "empty": ("Empty", "no object was found"),
    "full": ("Nearly full", "almost all of the photo is taken for the object"),
    "border": ("On the border", "most of the photo's border is taken for the object"),
    "tiny": ("Tiny", "hardly any of the photo is taken for the object"),
    "soft": ("Soft", "the object is see-through, or the old background shines through"),
}
SHOWN = 10  # classes at either end
LISTED = 100  # photos of a list


def section(audit: dict) -> Html:
    """Draw what masks of a second kind give beside the first, where there are such; then the first ones' doubts."""
    return joined(_second_kind(audit) if audit["second_masks"] else "", _doubts(audit))


def _second_kind(audit: dict) -> Html:
    second, kinds = audit["second_masks"], sensitivity.kinds(audit)
    intro = (
        f"Masks of two kinds, {kinds[0]} and {kinds[1]}, on the same backgrounds. An IoU of 1: they agree to the "
        "pixel. Below 0.50: more is object in one of them alone than in both."
    )
    return joined(
        tag("h3", "By masks of a second kind"),
        tag("p", intro),
        tag("p", none, class_="note") if (none := no_second_opinion(second, audit["photos"])) else "",
        _drops(audit, kinds),
        _others(audit, kinds),
        _classes(second["classes"], kinds),
        *_unlike(second["unlike"], audit["photos"]),
        tag("h3", "By size, place and edges"),
    )


def _drops(audit: dict, kinds: tuple[str, str]) -> Html:
    second = audit["second_masks"]
    drops = [charts.line(kinds[0], "", audit["drop"]), charts.line(kinds[1], "", second["drop"])]
    if second["drop_agreed"]:
        note = "only the photos on which both agree, as if there were no others"
        drops.append(charts.line(kinds[0], note, second["drop_agreed"]))
        drops.append(charts.line(kinds[1], note, second["second_drop_agreed"]))
    swapped = [charts.line(kinds[0], "", sensitivity.on_swapped(audit)), charts.line(kinds[1], "", second["swapped"])]
    moved = [charts.line(f"{kinds[0]} less {kinds[1]}", "", second["moved"])]
    note = "Query by query. Far from 0, the drop depends on the kind of masks."
    groups = [
        charts.group("Swapped, by kind of masks", "High is good.", swapped, PERCENT),
        charts.group("Drop, by kind of masks", "Clean minus swapped.", drops, POINTS, "bad"),
        charts.group("How far it moves", note, moved, POINTS, "bad"),
    ]
    return charts.chart("The drop by masks of two kinds", groups, *METRICS.values())


def _others(audit: dict, kinds: tuple[str, str]) -> Html:
    second, groups = audit["second_masks"], []
    if "conflict" in second:
        conflicts = [Line(kinds[0], "", audit["conflict"]), Line(kinds[1], "", second["conflict"])]
        note = "How often the same background outweighs."
        groups.append(charts.group("Conflict, by kind of masks", note, conflicts, PERCENT, "bad", 0.5, "random"))
    agreed, note = [Line("IoU", "mean over photos", second["agreement"])], "High: the kind matters little."
    groups.append(charts.group("Agreement of the masks", note, agreed, PLAIN, mark=0.5, mark_name="more in one alone"))
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
    listed = [f"{path} ({wording.number(iou, PLAIN)})" for path, iou in photos]
    return [_list(counted, "the least alike first, with their IoU", listed)]


def _from_whole(doubt: dict) -> str:
    """Say from what changed masks move the drop: that of whole ones on the same backgrounds, the first draw's."""
    drop, moved = (doubt.get(f"{what}_eroded") for what in ("drop", "moved"))
    if not drop or not moved:
        return ""
    whole = 100 * (drop["recall_at_1"]["value"] - moved["recall_at_1"]["value"])
    return f"From masks as they are on the first draw of backgrounds (Recall@1: {whole:.1f} points). "


def _doubts(audit: dict) -> Html:
    """List masks in doubt, and draw the drop without them and with others."""
    doubt, drop = audit["mask_doubt"], audit["drop"]
    px = doubt["radius_px"]
    smaller, larger = f"Eroded by {px} px", f"Dilated by {px} px"
    drops = [
        charts.line("As they are", "", drop),
        *([charts.line("Without those in doubt", "", doubt["drop_without"])] if any(doubt["flagged"].values()) else []),
        charts.line(smaller, "first draw of backgrounds only", doubt.get("drop_eroded")),
        charts.line(larger, "first draw of backgrounds only", doubt.get("drop_dilated")),
    ]
    moved = [charts.line(smaller, "", doubt.get("moved_eroded")), charts.line(larger, "", doubt.get("moved_dilated"))]
    note = f"{_from_whole(doubt)}Query by query. Far from 0, the drop depends on the masks."
    groups = [
        charts.group("Drop, by masks", "Clean minus swapped.", drops, POINTS, "bad"),
        charts.group("How far it moves", note, moved, POINTS, "bad"),
    ]
    kinds = [_paths(kind, paths) for kind, paths in doubt["flagged"].items() if paths]
    flagged = {path for paths in doubt["flagged"].values() for path in paths}
    counted = f"{wording.many(len(flagged), 'mask is', 'masks are')} in doubt, of {audit['photos']:,}."
    lists = tag("div", *kinds, class_="lists") if kinds else ""
    return joined(tag("p", counted), lists, charts.chart("The drop with other masks", groups, *METRICS.values()))


def _paths(kind: str, paths: Sequence[str]) -> Html:
    title, note = MASKS.get(kind, (kind, ""))  # one that came later is still listed
    return _list(f"{title}: {len(paths):,}", note, paths)


def _list(heading: str, note: str, items: Sequence[str]) -> Html:
    """A heading that opens a list of photos."""
    more = [f"and {len(items) - LISTED:,} more; audit.json lists them all"] if len(items) > LISTED else []
    shown = (tag("li", text) for text in (*items[:LISTED], *more))
    return tag("details", tag("summary", tag("b", heading), " ", note), tag("ul", *shown))
