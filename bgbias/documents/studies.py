"""Tables of studies, as `stages.record` keeps them: text cells."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from bgbias import files
from bgbias.errors import refuse
from bgbias.metrics import seeds
from bgbias.metrics.names import METRICS
from bgbias.report import tables

MEND = "make it by the command beside the table"  # a file that is not there
ENDS = ("difference", "low", "high")
LOST = ("clean", "swapped", "place_drop", "place_drop_objects")  # views that tell what is lost


def scores(*paths: Path, regimes: str = "", views: str = "clean,swapped", less: str = "") -> pd.DataFrame:
    """Recall@1, MAP@R and attention scores of studies: a row a regime, of several studies with their loss.

    Args:
        *paths: as `stages.record` writes them.
        regimes: which, comma-separated; "": all.
        views: of retrieval.
        less: a regime; its MAP@R is subtracted in two further columns.

    Raises:
        ValueError: studies of one seed and of several: ± is over draws of backgrounds in those, over seeds in these.
    """
    rows, studies = [], {path: files.read_json(path, mend=MEND) for path in paths}
    of_one = [path.stem for path, study in studies.items() if len(study["seeds"]) == 1]
    if len(of_one) < len(studies):
        refuse(of_one, "studies of one seed, beside others of several, whose ± is another: give each a table")
    for path in paths:
        study = studies[path]
        for regime in regimes.split(",") if regimes else study["regimes"]:
            found = study["regimes"][regime]
            row = ({"loss": study["loss"]} if len(paths) > 1 else {}) | {"regime": f"`{regime}`"}
            for metric, heading in METRICS.items():
                for view in (view for view in views.split(",") if metric in found[view]):
                    row[f"{heading} {view.replace('_', ' ')}"] = tables.score(found[view], metric)
            for view, score in found["attention"].items():
                row[f"attention {view}"] = f"{score['mean']:.2f}"
            if less:
                for view in ("clean", "swapped"):
                    row[f"MAP@R {view} less `{less}`'s"] = _difference(study, regime, less, f"map_at_r_{view}")
            rows.append(row)
    return pd.DataFrame(rows)


def differences(*paths: Path, pairs: str = "", of: str = "", views: str = "clean,swapped") -> pd.DataFrame:
    """Differences between regimes in points, of the same queries, with 95 % intervals.

    Those of several seeds also hold what other seeds would change, see `seeds.widened`.

    Args:
        *paths: as `stages.record` writes them.
        pairs: LATER-EARLIER, comma-separated; "": all.
        of: beginnings of rows, one a path, comma-separated; underscores stand for blanks.
        views: of retrieval.
    """
    rows = []
    for study, begin in _begun(paths, of):
        for later, earlier in _pairs(study, pairs):
            row = {"difference in points": f"{begin}`{later}` - `{earlier}`"}
            for metric, heading in METRICS.items():
                for view in (view for view in views.split(",") if metric in study["regimes"][later][view]):
                    row[f"{heading} {view.replace('_', ' ')}"] = _difference(study, later, earlier, f"{metric}_{view}")
            rows.append(row)
    return pd.DataFrame(rows)


def arrows(*paths: Path, of: str, to: str = "", start: str = "") -> pd.DataFrame:
    """Recall@1 of studies, clean to swapped: a row a regime, a column a study, headed by one of `of`.

    Args:
        *paths: as `stages.record` writes them.
        of: headings, one a path, comma-separated; underscores stand for blanks.
        to: views instead of swapped, likewise.
        start: views instead of clean, likewise.
    """
    ends = [said.split(",") if said else [view] * len(paths) for said, view in ((start, "clean"), (to, "swapped"))]
    rows: dict[str, dict[str, str]] = {}
    for path, heading, *views in zip(paths, of.split(","), *ends, strict=True):
        for regime, found in files.read_json(path, mend=MEND)["regimes"].items():
            row = rows.setdefault(regime, {"regime": f"`{regime}`"})
            both = [tables.percent(found[seen]["recall_at_1"]) for seen in views]
            row[heading.replace("_", " ")] = " → ".join(both)
    return pd.DataFrame(rows.values()).fillna("")


def won(*paths: Path, of: str, pairs: str) -> pd.DataFrame:
    """What ordinary networks lose, by swaps and elsewhere, and what a cure wins of it: a row a training, in points.

    Args:
        *paths: a study of places for each row, as `stages.record --audits` writes it.
        of: beginnings of rows, one a path, comma-separated; underscores stand for blanks.
        pairs: CURE-ORDINARY regimes, one a path.
    """
    rows = []
    for path, name, pair in zip(paths, of.split(","), pairs.split(","), strict=True):
        study, (cure, ordinary) = files.read_json(path, mend=MEND), pair.split("-")
        recall = {view: scores["recall_at_1"] for view, scores in study["regimes"][ordinary].items() if view in LOST}
        lost = recall["clean"] - recall["swapped"], recall["place_drop"], recall["place_drop_objects"]
        row = {"trained on": name.replace("_", " "), "cure": f"`{cure.removeprefix(ordinary.removesuffix('base'))}`"}
        row |= {
            "lost by swaps": tables.percent(lost[0]),
            "won": _difference(study, cure, ordinary, "recall_at_1_swapped"),
        }
        row |= {"lost elsewhere": tables.percent(lost[1]), "beyond objects": tables.percent(lost[1] - lost[2])}
        row["won elsewhere"] = _difference(study, cure, ordinary, "recall_at_1_elsewhere")
        rows.append(row)
    return pd.DataFrame(rows)


def attention(*paths: Path, pairs: str = "", of: str = "") -> pd.DataFrame:
    """Differences between regimes in the attention score, of the same photos; else as `differences`."""
    rows = []
    for study, begin in _begun(paths, of):
        for later, earlier in _pairs(study, pairs):
            row = {"difference in attention score": f"{begin}`{later}` - `{earlier}`"}
            for view in ("clean", "swapped"):
                row[view] = _difference(study, later, earlier, f"attention_score_{view}", scale=1)
            rows.append(row)
    return pd.DataFrame(rows)


def _begun(paths: Sequence[Path], of: str) -> Iterator[tuple[dict, str]]:
    """Read studies, each with the beginning of its rows: "" without any, else one of `of` and a colon."""
    names = [f"{name.replace('_', ' ')}: " for name in of.split(",")] if of else [""] * len(paths)
    for path, begin in zip(paths, names, strict=True):
        yield files.read_json(path, mend=MEND), begin


def _pairs(study: dict, pairs: str) -> list[list[str]]:
    return [pair.split("-") for pair in pairs.split(",")] if pairs else [p.split(" - ") for p in study["differences"]]


def _difference(study: dict, later: str, earlier: str, measure: str, scale: int = 100) -> str:
    """LATER less EARLIER, whichever of them the study names first; "" of a regime less itself."""
    if later == earlier:
        return ""
    forward = study["differences"].get(f"{later} - {earlier}")
    found = forward or study["differences"][f"{earlier} - {later}"]
    sign = 1 if forward else -1
    value, *ends = (found[measure][key] for key in ENDS)
    digits = 1 if scale == 100 else 3
    text = f"{sign * scale * value:+z.{digits}f}"
    if None in ends:
        return text
    of_regimes = (seeds.spreads(study["regimes"][name]) for name in (later, earlier))
    ends = seeds.widened(value, *ends, [moved[measure] for moved in of_regimes if moved])
    if any(map(math.isnan, ends)):
        return text
    return f"{text} ({' to '.join(tables.end(end, digits) for end in sorted(sign * scale * end for end in ends))})"
