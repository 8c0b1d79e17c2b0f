"""An audit as one HTML page that needs nothing else: pictures, styles and drawings are in it, and no scripts."""

from collections.abc import Sequence
from pathlib import Path

from bgbias import files
from bgbias.audit.examples import Row
from bgbias.audit.page import definitions, gallery, measures, second_masks, view_chart, wording
from bgbias.audit.page.markup import Html, joined, tag
from bgbias.audit.page.style import CSS
from bgbias.audit.page.wording import PERCENT, POINTS
from bgbias.metrics.names import METRICS

__all__ = ["Row", "write"]
NOTHING_ELSE = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"  # a browser fetches and runs nothing
FEW_CLASSES = 20  # below, the intervals are too narrow by more than a little, see `bootstrap.estimate`
CONTENTS = {
    "matrix": "Queries and gallery",
    "views": "Every view",
    "measures": "Single measures",
    "variance": "Variance",
    "attention": "Attention",
    "photos": "Worst photos",
    "masks": "Masks",
    "reading": "How to read this",
}


def write(path: Path, audit: dict, rows: Sequence[Row]) -> None:
    """Write the page.

    Args:
        path: of the HTML file.
        audit: its figures, shares in [0, 1]. E is a `bootstrap.Estimate` as a dict, with None instead of NaN; R is
            {recall_at_1: E, map_at_r: E}:

            - embedder, masks, backgrounds: text; photos, classes: how many
            - chance: {recall_at_1, map_at_r}, numbers
            - matrix: {query view: {gallery view: R}}, both of clean and swapped; drop: R
            - views: {view: R}, queries and gallery both in that view; see `view_chart.GROUPS`
            - background_only_against_clean: {view: R}, queries in that view, the gallery clean;
              mixed_other_against_clean: R, likewise
            - gap: R; conflict: E; invariance: E; worst_of_backgrounds: {worst: E, mean: E, backgrounds: how many}
            - variance: {photo: E, background: E, rest: E, random: {photo, background, rest}}, the random ones numbers
            - attention: {clean or swapped: {score: E, rank_accuracy: E, pointing_game: E, pair_score: E,
              pair_score_retrieved: E}}, or None
            - mask_doubt: {flagged: {empty, full, border, tiny, soft: paths}, drop_without: R or None, drop_eroded,
              drop_dilated, moved_eroded, moved_dilated: R (moved: against whole masks on the same backgrounds),
              radius_px}
            - second_masks: see `second_masks.summary` of the audit, with kind: text; None or left out: there are none
            - near_duplicates: {photos, pair_count: numbers; pairs: [path, path], 100 at most; said: text;
              clean_without, drop_without: R or None}; not shown but in the verdict
            - verdict: sentences, the first one the most important
        rows: the photos to show, the worst first.

    Raises:
        ValueError: a view is unknown, or an attention map is not of its photo's size.
    """
    files.write_text(path, _document(audit, rows) + "\n")


def _document(audit: dict, rows: Sequence[Row]) -> str:
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=NOTHING_ELSE),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"Background audit of {audit['embedder']}"),
        tag("style", Html(CSS)),
    )
    body = tag("body", _header(audit), tag("main", _verdict(audit), *_sections(audit, rows)), _footer())
    return "<!DOCTYPE html>\n" + tag("html", head, body, lang="en")


def _header(audit: dict) -> Html:
    audited = {
        "photos": f"{audit['photos']:,}",
        "classes": f"{audit['classes']:,}",
        "masks": audit["masks"],
        "backgrounds": audit["backgrounds"],
    }
    facts = [tag("div", tag("dt", name), tag("dd", text)) for name, text in audited.items()]
    title = tag("h1", tag("span", "Background audit of "), tag("code", audit["embedder"]))
    return tag("header", title, tag("dl", *facts, class_="facts"))


def _verdict(audit: dict) -> Html:
    sentences = [tag("p", wording.kept_together(sentence)) for sentence in audit["verdict"]]
    cells = {view: audit["matrix"][view][view]["recall_at_1"] for view in ("clean", "swapped")}
    shown = [
        tag("div", tag("span", f"Recall@1, {view}"), *measures.estimate(cell, PERCENT), class_=view)
        for view, cell in cells.items()
    ]
    shown += [
        tag("div", tag("span", f"Drop of {name}"), *measures.estimate(audit["drop"][metric], POINTS), class_="drop")
        for metric, name in METRICS.items()
    ]
    heading = tag("h2", "Verdict", id="verdict")
    text = tag("div", *sentences, class_="verdict")
    few = tag("p", _few(audit["classes"]), class_="note") if audit["classes"] < FEW_CLASSES else ""
    return tag("section", heading, text, tag("div", *shown, class_="strip-of-numbers"), few, _contents())


def _few(classes: int) -> str:
    return (
        f"Only {wording.many(classes, 'class was', 'classes were')} audited. The 95 % intervals of so few are too "
        "narrow: simulated, they hold the truth in 84 of 100 cases for 5 classes, in 92 for 20."
    )


def _contents() -> Html:
    return tag("nav", *(tag("a", title, href=f"#{name}") for name, title in CONTENTS.items()), aria_label="Contents")


def _sections(audit: dict, rows: Sequence[Row]) -> list[Html]:
    level = wording.value({"value": audit["chance"]["map_at_r"]}, PERCENT)
    matrices = [measures.matrix(audit["matrix"], metric, name) for metric, name in METRICS.items()]
    shown = [gallery.row(row) for row in rows] or [tag("p", "No photos were given to show.", class_="none")]
    inside = {
        "matrix": (
            "What is searched with, and in what. Stronger shades are higher scores.",
            tag("div", *matrices, class_="pair"),
        ),
        "views": (
            "Recall@1 with its 95 % interval. High is good at dots, bad at diamonds; at squares it is neither by "
            f"itself. The dashed line is chance among all photos; of MAP@R it is {level}.",
            view_chart.chart(audit),
        ),
        "measures": ("The background's weight, asked in four ways.", measures.single(audit)),
        "variance": ("What the embeddings of swapped photos differ by.", measures.variance(audit)),
        "attention": ("Does the model look at the object?", measures.attention(audit["attention"])),
        "photos": (
            "Photos that the model loses, and what it ranks as most similar. Where there are maps, they show where it "
            "looks, and what makes query and first neighbour alike.",
            joined(*shown),
        ),
        "masks": (
            "Every figure depends on the masks: which look wrong, and the drop with others.",
            joined(second_masks.section(audit), measures.masks(audit)),
        ),
        "reading": ("All shares are of queries, unless said otherwise.", definitions.section()),
    }
    return [_section(name, *inside[name]) for name in CONTENTS]


def _section(name: str, lead: str, inside: Html) -> Html:
    return tag(
        "section", tag("h2", CONTENTS[name], id=name), tag("p", wording.kept_together(lead), class_="lead"), inside
    )


def _footer() -> Html:
    return tag("footer", "Made by bgbias. This page holds all that it shows and fetches nothing.")
