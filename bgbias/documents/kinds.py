"""The kinds of tables that documents show, each from files of the repository: text cells."""

from csv import reader
from pathlib import Path

import pandas as pd

from bgbias import files
from bgbias.leaderboard import shown
from bgbias.metrics.names import METRICS
from bgbias.report import tables

MEND = "make it by the command beside the table"
ENDS = ("difference", "low", "high")


def scores(*paths: Path, regimes: str = "", views: str = "clean,swapped", less: str = "") -> pd.DataFrame:
    """Recall@1, MAP@R and attention scores of studies: a row a regime, of several studies with their loss.

    Args:
        *paths: as `stages.record` writes them.
        regimes: which, comma-separated; "": all.
        views: of retrieval.
        less: a regime; its MAP@R is subtracted in two further columns.
    """
    rows = []
    for path in paths:
        study = files.read_json(path, mend=MEND)
        for regime in regimes.split(",") if regimes else study["regimes"]:
            found = study["regimes"][regime]
            row = ({"loss": study["loss"]} if len(paths) > 1 else {}) | {"regime": f"`{regime}`"}
            for metric, heading in METRICS.items():
                for view in views.split(","):
                    row[f"{heading} {view.replace('_', ' ')}"] = _percent(found[view], metric)
            for view, score in found["attention"].items():
                row[f"attention {view}"] = f"{score['mean']:.2f}"
            if less:
                for view in ("clean", "swapped"):
                    row[f"MAP@R {view} less `{less}`'s"] = _difference(study, regime, less, f"map_at_r_{view}")
            rows.append(row)
    return pd.DataFrame(rows)


def differences(*paths: Path, pairs: str = "", of: str = "") -> pd.DataFrame:
    """Differences between regimes in points, of the same queries, with 95 % intervals.

    Args:
        *paths: as `stages.record` writes them.
        pairs: LATER-EARLIER, comma-separated; "": all.
        of: beginnings of rows, one a path, comma-separated; underscores stand for blanks.
    """
    rows = []
    for number, path in enumerate(paths):
        study = files.read_json(path, mend=MEND)
        begin = f"{of.split(',')[number].replace('_', ' ')}: " if of else ""
        for later, earlier in _pairs(study, pairs):
            row = {"difference in points": f"{begin}`{later}` - `{earlier}`"}
            for metric, heading in METRICS.items():
                for view in ("clean", "swapped"):
                    row[f"{heading} {view}"] = _difference(study, later, earlier, f"{metric}_{view}")
            rows.append(row)
    return pd.DataFrame(rows)


def arrows(*paths: Path, of: str) -> pd.DataFrame:
    """Recall@1 of studies, clean to swapped: a row a regime, a column a study, headed by one of `of`."""
    rows: dict[str, dict[str, str]] = {}
    for path, heading in zip(paths, of.split(","), strict=True):
        for regime, found in files.read_json(path, mend=MEND)["regimes"].items():
            row = rows.setdefault(regime, {"regime": f"`{regime}`"})
            row[heading.replace("_", " ")] = _clean_to_swapped(found)
    return pd.DataFrame(rows.values()).fillna("")


def attention(path: Path, pairs: str = "") -> pd.DataFrame:
    """Differences between regimes in the attention score, of the same photos, with 95 % intervals."""
    study, rows = files.read_json(path, mend=MEND), []
    for later, earlier in _pairs(study, pairs):
        row = {"difference in attention score": f"`{later}` - `{earlier}`"}
        for view in ("clean", "swapped"):
            row[view] = _difference(study, later, earlier, f"attention_score_{view}", scale=1)
        rows.append(row)
    return pd.DataFrame(rows)


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


def remedies(path: Path, columns: str, rows: str = "") -> pd.DataFrame:
    """What remedies recover: columns of `tables.remedies` by number, after the name; rows by their keys; "": all."""
    found = files.read_json(path, path.stem, "remedies", mend=MEND)
    whole = tables.remedies({row: found[row] for row in rows.split(",")} if rows else found)
    return whole.iloc[:, [0, *map(int, columns.split(","))]]


def markdown(path: Path, columns: str = "", number: str = "0") -> pd.DataFrame:
    """A table of a Markdown file that a stage has written: which of its tables, and which columns (""; all)."""
    parts = [part for part in path.read_text(encoding="utf-8").split("\n\n") if part.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in parts[int(number)].splitlines()]
    whole = pd.DataFrame(rows[2:], columns=rows[0])
    return whole.iloc[:, list(map(int, columns.split(",")))] if columns else whole


def csv(path: Path) -> pd.DataFrame:
    """A table of text as it stands in a file."""
    with path.open(encoding="utf-8", newline="") as file:
        heads, *rows = reader(file)
    return pd.DataFrame(rows, columns=heads)


def benchmark(path: Path) -> pd.DataFrame:
    """What `benchmarks` has written with --json: a row an alternative, the fastest first, the pipeline's in bold."""
    rows = []
    for name, case in files.read_json(path, mend=MEND)["cases"].items():
        ways, ours = case["alternatives"], case["ours"]
        for way, found in sorted(ways.items(), key=lambda item: item[1]["median_s"]):
            row = {"measured": name, "way": f"**{way}**" if way == ours else way}
            row["images/s"] = f"{found['images_per_s']:,.0f}" if "images_per_s" in found else ""
            row["seconds"] = f"{found['median_s']:.3g}"
            row["time / ours"] = f"{found['median_s'] / ways[ours]['median_s']:.2f}"
            rows.append(row | {"peak MB": f"{found['peak_mb']:,.0f}"})
    return pd.DataFrame(rows)


def _clean_to_swapped(found: dict) -> str:
    return " → ".join(tables.percent(found[view]["recall_at_1"]) for view in ("clean", "swapped"))


def _percent(view: dict, metric: str) -> str:
    return tables.percent(view[metric], view.get(f"{metric}_seeds_sd", view.get(f"{metric}_sd")))


def _pairs(study: dict, pairs: str) -> list[list[str]]:
    return [pair.split("-") for pair in pairs.split(",")] if pairs else [p.split(" - ") for p in study["differences"]]


def _difference(study: dict, later: str, earlier: str, measure: str, scale: int = 100) -> str:
    """LATER less EARLIER, whichever of them the study names first; "" of a regime less itself."""
    if later == earlier:
        return ""
    forward = study["differences"].get(f"{later} - {earlier}")
    found = forward or study["differences"][f"{earlier} - {later}"]
    sign = 1 if forward else -1
    value, low, high = (None if (end := found[measure][key]) is None else sign * scale * end for key in ENDS)
    digits = ".1f" if scale == 100 else ".3f"
    if low is None:
        return f"{value:+z{digits}}"
    low, high = sorted((low, high))
    return f"{value:+z{digits}} ({low:z{digits}} to {high:z{digits}})"
