"""Tables of single results: audits, leaderboards, masks, remedies, and of what other stages have written."""

from collections.abc import Callable
from csv import reader
from functools import reduce
from operator import getitem
from pathlib import Path

import pandas as pd

from bgbias import files
from bgbias.documents.studies import MEND
from bgbias.leaderboard import shown
from bgbias.report import remedies as remedied
from bgbias.report import tables

AUDITED = {  # of an audit or `stages.moves`: the heading, and where the JSON holds it; shares, but for the invariance
    "clean": ("Recall@1 clean", "views clean recall_at_1"),
    "swapped": ("swapped", "views swapped recall_at_1"),
    "drop": ("drop", "drop recall_at_1"),
    "drop_pool": ("drop, second pool", "second_backgrounds drop recall_at_1"),
    "kept": ("kept", "kept"),
    "mixed_same": ("mixed_same", "views mixed_same recall_at_1"),
    "mixed_rand": ("mixed_rand", "views mixed_rand recall_at_1"),
    "mixed_other": ("mixed_other", "mixed_other_against_clean recall_at_1"),
    "gap": ("background gap", "gap recall_at_1"),
    "pasted": ("lost, put back", "pasting pasted_back recall_at_1"),
    "mirrored": ("lost, put back mirrored", "pasting pasted_mirrored recall_at_1"),
    "drop_moved": ("drop, moved", "drop_moved recall_at_1"),
    "drop_swapped": ("drop, swapped", "drop_swapped recall_at_1"),
    "beyond": ("swap beyond move", "beyond recall_at_1"),
    "same_place": ("Recall@1 same place", "places photos same"),
    "elsewhere": ("elsewhere", "places photos elsewhere"),
    "place_drop": ("place drop", "places photos drop"),
    "place_drop_objects": ("place drop objects", "places objects drop"),
    "beyond_objects": ("beyond objects", "places beyond_objects"),
    "conflict": ("conflict", "conflict"),
    "conflict_pool": ("conflict, second pool", "second_backgrounds conflict"),
    "alone": ("background alone", "background_only_against_clean background_box_tiled recall_at_1"),
    "invariance": ("invariance", "invariance"),
    "variance": ("variance from the background", "variance background"),
}


def audits(*paths: Path, of: str, columns: str, intervals: str = "") -> pd.DataFrame:
    """Figures of audits, shares in percent, a row an audit.

    Args:
        *paths: `audit.json` of each, or what `stages.moves` has written.
        of: beginnings of rows, one a path, comma-separated; underscores stand for blanks.
        columns: of AUDITED, comma-separated.
        intervals: which columns get their 95 % intervals.
    """
    rows = []
    for path, model in zip(paths, of.split(","), strict=True):
        found, row = files.read_json(path, mend=MEND), {"model": model.replace("_", " ")}
        for column in columns.split(","):
            heading, place = AUDITED[column]
            figure = reduce(getitem, place.split(), found)
            written = "{:.2f}".format if column == "invariance" else tables.percent
            row[heading] = _cell(figure, written, column in intervals.split(","))
        rows.append(row)
    return pd.DataFrame(rows)


def by_masks(*paths: Path, of: str) -> pd.DataFrame:
    """Drop in Recall@1 by the kinds of masks of audits, in percent with 95 % intervals: a row a model, a column a kind.

    Args:
        *paths: `audit.json` of each; those of one model share its row.
        of: names of their models, as of `audits`.
    """
    rows = {}
    for path, model in zip(paths, of.split(","), strict=True):
        found, row = files.read_json(path, mend=MEND), rows.setdefault(model, {"model": model.replace("_", " ")})
        second = found["second_masks"]
        for kind, drop in ((found["masks"], found["drop"]), (second["kind"], second["drop"])):
            row[kind] = _cell(drop["recall_at_1"], tables.percent, interval=True)
    return pd.DataFrame(rows.values()).fillna("")


def _cell(figure: dict, written: Callable[[float], str], interval: bool) -> str:
    ends = [figure["low"], figure["high"]] if interval and figure["low"] is not None else []
    return written(figure["value"]) + (f" ({' to '.join(map(written, ends))})" if ends else "")


def board(path: Path, columns: str) -> pd.DataFrame:
    """Columns of a leaderboard: numbers of `leaderboard.shown.table`'s, comma-separated, after the embedder."""
    whole = shown.table(files.read_json(path, path.stem, "leaderboard", mend=MEND))
    return whole.iloc[:, [0, *map(int, columns.split(","))]]


def quality(*paths: Path) -> pd.DataFrame:
    """Mask quality against hand masks, a row a file of `stages.mask_quality`: mean ± standard deviation over photos."""
    rows = []
    for path in paths:
        found = files.read_json(path, path.stem, "mask_quality", mend=MEND)
        row = {"masks": path.stem.removeprefix("mask_quality_")}
        for measure in ("iou", "overlap", "precision"):
            row[tables.MASK_MEASURES[measure]] = f"{found[measure]['mean']:.4f} ± {found[measure]['sd']:.4f}"
        rows.append(row | {"IoU below 0.5": f"{100 * found['failure_rate']['share']:.0f} %"})
    return pd.DataFrame(rows)


def remedies(path: Path, columns: str, rows: str = "", of: str = "recovered") -> pd.DataFrame:
    """Give columns of a table of `bgbias.report.remedies` by number, after the name; rows by their keys; "": all."""
    found = files.read_json(path, path.stem, "remedies", mend=MEND)
    table = {"recovered": remedied.recovered, "elsewhere": remedied.elsewhere}[of]
    whole = table({row: found[row] for row in rows.split(",")} if rows else found)
    return whole.iloc[:, [0, *map(int, columns.split(","))]]


def markdown(path: Path, columns: str = "", number: str = "0") -> pd.DataFrame:
    """A table of a Markdown file that a stage has written: which of its tables, and which columns (""; all)."""
    parts = [part for part in path.read_text(encoding="utf-8").split("\n\n") if part.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in parts[int(number)].splitlines()]
    whole = pd.DataFrame(rows[2:], columns=rows[0])
    return whole.iloc[:, list(map(int, columns.split(",")))] if columns else whole


def rows(path: Path, of: str) -> pd.DataFrame:
    """A table of text that a JSON file holds under a key: a list of lists, the headings first."""
    heads, *cells = files.read_json(path, of, mend=MEND)
    return pd.DataFrame(cells, columns=heads)


def csv(path: Path) -> pd.DataFrame:
    """A table of text as it stands in a file."""
    with path.open(encoding="utf-8", newline="") as file:
        heads, *cells = reader(file)
    return pd.DataFrame(cells, columns=heads)
