"""An audit as one HTML page that needs nothing else: pictures, styles and drawings are in it, and no scripts."""

from collections.abc import Sequence
from pathlib import Path

from bgbias import files
from bgbias.audit.about import About
from bgbias.audit.measures.examples import Masked, Row
from bgbias.audit.page import definitions, first, gallery, masks, measures, places, second_pool, view_chart, wording
from bgbias.audit.page.markup import Html, joined, tag
from bgbias.audit.page.style import CSS
from bgbias.audit.page.wording import PERCENT, POINTS
from bgbias.audit.verdict import sensitivity
from bgbias.audit.verdict.kinds import kind
from bgbias.metrics.names import METRICS
from bgbias.metrics.sample_size import FEWEST

NOTHING_ELSE = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"  # a browser fetches and runs nothing
FEW_CLASSES = 10  # below, the intervals are too narrow, see `bootstrap.estimate`
FIRST = {"short": "In short", "do": "What to do", "sheet": "Do the masks fit?"}
ENGINEER = {
    "places": "In another place",
    "figures": "Recall@1 and drop",
    "alone": "The parts alone",
    "matrix": "Queries and gallery",
    "views": "Every view",
    "photos": "Worst photos",
    "sentences": "In sentences",
}
REVIEWER = {
    "measures": "Single measures",
    "variance": "Variance",
    "attention": "Attention",
    "masks": "Masks",
    "reading": "How to read this",
}
NEEDS = {
    "places": "places",
    "alone": "object_alone_against_clean",
    "measures": "gap",
    "variance": "variance",
    "attention": "attention",
}  # section -> key of what it shows
NEEDS |= dict.fromkeys(("matrix", "views"), "views")


def write(path: Path, audit: dict, rows: Sequence[Row], masked: Sequence[Masked], about: About) -> None:
    """Write the page: first for everyone, then for the engineer, then for the reviewer.

    Args:
        path: of the HTML file.
        audit: its figures, shares in [0, 1]; of a quick audit, those that were measured. E is a `bootstrap.Estimate` as
            a dict, with None instead of NaN; R is {recall_at_1: E, map_at_r: E}:

            - embedder, masks, backgrounds: text; photos, classes: how many
            - sample: of an audit of some queries: {queries, of, gallery: numbers; said: text}; it has no views, and
              swapped queries search the clean gallery
            - chance: {recall_at_1, map_at_r}, numbers
            - matrix: {query view: {gallery view: R}}, both of clean and swapped; drop: R
            - views: {view: R}, queries and gallery both in that view; see `view_chart.GROUPS`
            - background_only_against_clean: {view: R}, queries in that view, the gallery clean;
              mixed_other_against_clean: R, likewise; so object_alone_against_clean, where photos search for themselves
            - gap: R; pasting: {view: R}, what is lost on each of `views.PASTED`; conflict: E; invariance: E;
              worst_of_backgrounds: {worst: E, mean: E, backgrounds: how many}
            - variance: {photo: E, background: E, rest: E, random: {photo, background, rest}}, the random ones numbers
            - attention: {clean or swapped: {score: E, rank_accuracy: E, pointing_game: E, pair_score: E,
              pair_score_retrieved: E}}, or None
            - mask_doubt: {flagged: {empty, full, border, tiny, soft: paths}, drop_without: R or None, drop_eroded,
              drop_dilated, moved_eroded, moved_dilated: R (moved: against whole masks on the same backgrounds),
              radius_px}
            - second_masks: see `second_masks.summary` of the audit, with kind: text; None: there are none
            - second_backgrounds: {backgrounds: text, drop, swapped, moved: R; kept, conflict, conflict_moved: E}, moved
              being the second less the first, query by query; None: there are none
            - places: see `places.summary` of the audit; not there where nothing is known of them
            - near_duplicates: {photos (of a sample: queries), pair_count: numbers; pairs: [path, path], 100 at most;
              said: text; of some, mirrored: text; clean_without, drop_without: R or None}; not shown but in the verdict
            - kept: E; grey_gain: R; normalisation: see `normalisation.tried` of the audit, not shown but in the verdict
            - summary: see `grade.summary`; advice: see `advice.steps`
            - verdict: sentences, the first one the most important
        rows: the photos to show, the worst first.
        masked: photos with their masks.
        about: how the audit was made.

    Raises:
        ValueError: a view is unknown, or an attention map is not of its photo's size.
    """
    files.write_text(path, _document(audit, rows, masked, about) + "\n")


def _document(audit: dict, rows: Sequence[Row], masked: Sequence[Masked], about: About) -> str:
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=NOTHING_ELSE),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", about.title or f"Background audit of {audit['embedder']}"),
        tag("style", Html(CSS)),
    )
    everyone = first.short(audit, rows), first.advice(audit, about), _contents(audit), first.masks(audit, masked)
    body = tag("body", first.header(audit, about), tag("main", *everyone, *_sections(audit, rows)), _footer())
    return "<!DOCTYPE html>\n" + tag("html", head, body, lang="en")


def _figures(audit: dict) -> Html:
    cells = {"clean": audit["matrix"]["clean"]["clean"], "swapped": sensitivity.on_swapped(audit)}
    shown = [
        tag("div", tag("span", f"Recall@1, {view}"), *measures.estimate(cell["recall_at_1"], PERCENT), class_=view)
        for view, cell in cells.items()
    ]
    shown += [
        tag("div", tag("span", f"Drop of {name}"), *measures.estimate(audit["drop"][metric], POINTS), class_="drop")
        for metric, name in METRICS.items()
        if not (kind(audit).one_each and metric == "map_at_r")  # of one photo to find it is Recall@1
    ]
    few = tag("p", _few(audit), class_="note") if audit["classes"] < FEW_CLASSES else ""
    return joined(tag("div", *shown, class_="strip-of-numbers"), few)


def _few(audit: dict) -> str:
    one, many = kind(audit).unit
    few = wording.many(audit["classes"], f"{one} was", f"{many} were")
    if audit["classes"] < FEWEST:
        return f"Only {few} audited, too few to conclude anything: the 95 % intervals of so few are too narrow."
    return (
        f"Only {few} audited. The 95 % intervals of so few are a little too narrow: simulated, they hold the truth in "
        "92 of 100 cases for 5 classes, in 94 for 10 or more."
    )


def _shown(titles: dict[str, str], audit: dict) -> dict[str, str]:
    """The sections for whose figures were measured."""
    return {name: title for name, title in titles.items() if NEEDS.get(name, "drop") in audit}


def _contents(audit: dict) -> Html:
    titles = FIRST | _shown(ENGINEER | REVIEWER, audit)
    return tag("nav", *(tag("a", title, href=f"#{name}") for name, title in titles.items()), aria_label="Contents")


def _sections(audit: dict, rows: Sequence[Row]) -> list[Html]:
    readers = {"For the engineer": _shown(ENGINEER, audit), "For the reviewer": _shown(REVIEWER, audit)}
    written = []
    for reader, titles in readers.items():
        written.append(tag("p", reader, class_="reader"))
        written += [_section(name, title, *_inside(name, audit, rows)) for name, title in titles.items()]
    return written


def _inside(name: str, audit: dict, rows: Sequence[Row]) -> tuple[str, Html]:
    """The lead of a section, and what it shows."""
    match name:
        case "places":
            lead = "Do photos find their class where they were not taken themselves? On the photos as they are."
            return lead, places.section(audit)
        case "figures":
            lead = f"With 95 % intervals over {kind(audit).unit[1]}, and what they were counted on."
            lead += f" By the first masks, {sensitivity.kinds(audit)[0]}." if audit["second_masks"] else ""
            lead += f" On the first pool, {audit['backgrounds']}." if audit["second_backgrounds"] else ""
            return lead, _figures(audit)
        case "alone":
            lead = "What object and background find by themselves: their photo, among the photos as they are."
            return lead, measures.alone(audit)
        case "matrix":
            matrices = [measures.matrix(audit["matrix"], metric, title) for metric, title in METRICS.items()]
            lead = "What is searched with, and in what. Stronger shades are higher scores."
            return lead, tag("div", *matrices, class_="pair")
        case "views":
            level = wording.value({"value": audit["chance"]["map_at_r"]}, PERCENT)
            lead = (
                "Recall@1 with its 95 % interval. High is good at dots, bad at diamonds; at squares it is neither by "
                f"itself. The dashed line is chance among all photos; of MAP@R it is {level}."
            )
            return lead, view_chart.chart(audit)
        case "photos":
            lead = "Photos that the model loses, and what it ranks as most similar."
            if any(row.attention_clean is not None for row in rows):
                pairs = ", and what makes query and first neighbour alike" if rows[0].pair_clean else ""
                lead += f" Maps show where it looks{pairs}."
            none = tag("p", "There are no photos to show.", class_="none")
            return lead, joined(*map(gallery.row, rows)) if rows else none
        case "sentences":
            sentences = [tag("p", wording.kept_together(sentence)) for sentence in audit["verdict"]]
            return "What the figures say, and no more.", tag("div", *sentences, class_="verdict")
        case "measures":
            drawn = joined(measures.single(audit), second_pool.section(audit))
            return "The background's weight, asked in five ways, and what pasting costs by itself.", drawn
        case "variance":
            return "What the embeddings of swapped photos differ by.", measures.variance(audit)
        case "attention":
            return "Does the model look at the object?", measures.attention(audit["attention"])
        case "masks":
            return "Which masks look wrong, and the drop with others.", masks.section(audit)
        case "reading":
            return "All shares are of queries, unless said otherwise.", definitions.section(audit)


def _section(name: str, title: str, lead: str, inside: Html) -> Html:
    return tag("section", tag("h2", title, id=name), tag("p", wording.kept_together(lead), class_="lead"), inside)


def _footer() -> Html:
    return tag("footer", "Made by bgbias. This page holds all that it shows and fetches nothing.")
