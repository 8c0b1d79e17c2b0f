"""The results file of the study's grid, and the published figures."""

from contextlib import suppress
from math import inf
from pathlib import Path
from typing import Any

import pandas as pd

from bgbias import files
from bgbias.errors import InputError, as_input_error, printable, refuse

VERSION = 2  # of the results file; raised when its columns change or a figure changes its meaning
KEY = ["dataset", "loss", "regime"]
FIGURES = {  # column of the results -> metric that the stages record, below DATASET.REGIME
    "clean_map_at_r": "clean.map_at_r",
    "swapped_map_at_r": "swapped.map_at_r",
    "swapped_map_at_r_sd": "swapped.map_at_r_sd",
    "clean_recall_at_1": "clean.recall_at_1",
    "swapped_recall_at_1": "swapped.recall_at_1",
    "swapped_recall_at_1_sd": "swapped.recall_at_1_sd",
    "attention": "attention.clean.mean",
    "attention_sd": "attention.clean.sd",
}
FINDER = "finder"  # column: whether a network first finds the object, so that its attention is of another kind
RESTORE = "restore it with `git restore`"
AGAIN = "make it again by `python -m stages.gather`"


def write_results(path: Path, results: pd.DataFrame, told: dict[str, Any]) -> None:
    """Write the results file: figures, and what is told beside them, as returned by `gather`."""
    rows = results.astype(object).where(results.notna(), None).to_dict("records")
    files.write_json(path, {"version": VERSION, "results": rows, **told}, exact=["settings"])


def refuse_to_lose(path: Path, results: pd.DataFrame, replace: bool) -> None:
    """Raise InputError if a results file holds rows that these results lack, or have with other figures.

    Args:
        path: where these results are to go; any other file than one of results is refused there.
        results: as returned by `gather`.
        replace: whether what other experiments have left may be lost.
    """
    if not path.exists():
        if path.suffix != ".json":  # a folder is meant
            raise InputError(f"--out {path}: expected a file NAME.json: add its name")
        return
    content = None
    with suppress(FileNotFoundError, InputError):
        content = files.read_json(path)
    if not isinstance(content, dict) or not {"version", "results"} <= set(content):
        raise InputError(f"{path} is there and is no results file: choose another --out, or remove it")
    lost = []
    with suppress(InputError):  # a results file that does not read holds nothing that could be lost
        now = results.astype(dict.fromkeys(FIGURES, float)).round(6)  # digits of the file
        found = read_results(path).merge(now, how="left", indicator=True)
        lost = map(" ".join, found.loc[found["_merge"] != "both", KEY].to_numpy())
    if not replace:
        refuse(lost, f"{path}: holds results of other experiments; choose another --out, or add --replace to lose them")


def read_results(path: Path) -> pd.DataFrame:
    """Read a results file.

    Raises:
        ValueError: written by another version of the pipeline, or no results file.
    """
    content = files.read_json(path, mend="make it by `python -m stages.gather`")
    version = content.get("version") if isinstance(content, dict) else None
    if version != VERSION:
        raise InputError(f"{path}: version {version}, expected {VERSION}: {AGAIN}")
    rows, columns = content.get("results"), [*KEY, FINDER, *FIGURES]
    if (
        not isinstance(rows, list)
        or not rows
        or any(not isinstance(row, dict) or set(row) != set(columns) for row in rows)
        or any(not isinstance(row[name], str) for row in rows for name in KEY)
        or any(not isinstance(row[FINDER], bool) for row in rows)
    ):
        raise InputError(f"{path}: expected results, rows of {', '.join(columns)}: {AGAIN}")
    with as_input_error(f"{path}: holds figures that are no numbers: {AGAIN}"):
        found = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(FIGURES, float))
    return _checked(found, path, AGAIN)


def read_told(path: Path) -> tuple[dict[str, dict | None], list[str]]:
    """Read from a results file the settings of each dataset, None where nobody knows them, and the remarks."""
    settings, remarks, rows = (files.read_json(path, name, mend=AGAIN) for name in ("settings", "remarks", "results"))
    datasets = {row["dataset"] for row in rows}
    if not isinstance(settings, dict) or any(not isinstance(settings.get(name, 0), dict | None) for name in datasets):
        raise InputError(f"{path}: expected settings of {', '.join(sorted(datasets))}: {AGAIN}")
    if not isinstance(remarks, list) or any(not isinstance(remark, str) for remark in remarks):
        raise InputError(f"{path}: expected remarks, sentences: {AGAIN}")
    return settings, [printable(remark) for remark in remarks]


def read_published(folder: Path) -> pd.DataFrame:
    """Read the study's figures, from table1_map_at_r.csv and table2_attention_score.csv, as shares like our results."""
    percent = {
        "clean_map_at_r_percent": "clean_map_at_r",
        "swapped_map_at_r_percent": "swapped_map_at_r",
        "swapped_sd_percent": "swapped_map_at_r_sd",
    }
    first = _published(folder / "table1_map_at_r.csv", percent, 100)
    second = _published(folder / "table2_attention_score.csv", {"mean": "attention", "sd": "attention_sd"}, 1)
    both = first.merge(second, on=KEY, how="outer").assign(**{FINDER: False})
    return both.reindex(columns=[*KEY, FINDER, *FIGURES])


def _published(path: Path, names: dict[str, str], unit: float) -> pd.DataFrame:
    """Read columns by their names in the file, under our names, in shares of a unit."""
    found = files.read_csv(path, [*KEY, *names], RESTORE, dtype=dict.fromkeys(names, float)).rename(columns=names)
    found[[*names.values()]] /= unit
    return _checked(found, path, RESTORE)


def _checked(found: pd.DataFrame, path: Path, mend: str) -> pd.DataFrame:
    for name in (name for name in FIGURES if name in found):
        lowest, highest = {"attention": (-inf, 1), "attention_sd": (0, inf)}.get(name, (0, 1))
        odd = found[~found[name].between(lowest, highest) & found[name].notna()]
        cells = (f"{name} {value:g} of {' '.join(key)}" for *key, value in odd[[*KEY, name]].itertuples(index=False))
        refuse(cells, f"{path}: figures in another unit, or of another column; {mend}")
    twice = found[found.duplicated(KEY)]
    refuse([" ".join(key) for key in twice[KEY].itertuples(index=False)], f"{path}: rows of the same name; {mend}")
    return found
