"""The study's tables, from the experiments of this pipeline, beside the published figures."""

import re
from ast import literal_eval
from collections.abc import Iterable
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
from tabulate import tabulate

from bgbias import files
from bgbias.errors import InputError, as_input_error, refuse
from bgbias.report import tables

VERSION = 1  # of the results file; raised when its columns change or a figure changes its meaning
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
TABLES = {  # name -> title, and for each dataset the columns: heading, figure, its standard deviation
    "table1": (
        "MAP@R in percent",
        [("clean", "clean_map_at_r", None), ("swapped", "swapped_map_at_r", "swapped_map_at_r_sd")],
    ),
    "table1_recall": (
        "Recall@1 in percent",
        [("clean", "clean_recall_at_1", None), ("swapped", "swapped_recall_at_1", "swapped_recall_at_1_sd")],
    ),
    "table2": ("Attention score", [("attention score", "attention", "attention_sd")]),
}
MISSING = "missing"
RESTORE = "restore it with `git restore`"
UNFINISHED = ("Queued", "Running", "Failed")  # experiments in these states have the metrics of their commit
OF_DATASET = ("data", "images", "masks", "backgrounds", "train", "evaluate")  # blocks of params.yaml by dataset
LOSSES = ("contrastive", "triplet", "multi_similarity", "arcface", "normalized_softmax")  # in this order; then others


def gather(experiments: Iterable[dict[str, Any]], prefix: str) -> pd.DataFrame:
    """Gather the figures of the experiments whose names start with a prefix.

    Of each experiment only what it ran counts: datasets x regimes. The metrics of others are there, too, as they were
    committed, and may be of another loss; of an experiment that has not ended well, all of them, so it is left out,
    with a word on standard output.

    Args:
        experiments: as `dvc.api.exp_show()` lists them: flat names of metrics and parameters -> values.
        prefix: of the names.

    Returns:
        Columns dataset, loss, regime and those of FIGURES; a row where at least one figure is there.

    Raises:
        ValueError: no such experiment, none that has ended well, two with the same loss, or two of one dataset with
            other settings.
    """
    chosen = [experiment for experiment in experiments if (experiment.get("Experiment") or "").startswith(prefix)]
    if not chosen:
        raise InputError(f"no experiment's name starts with '{prefix}': `dvc exp list` shows the names")
    ended = [experiment for experiment in chosen if experiment.get("State") not in UNFINISHED]
    for experiment in chosen:
        if experiment not in ended:
            print(f"left out, {experiment['State'].lower()}: {experiment['Experiment']}; its metrics are not its own")
    if not ended:
        raise InputError(f"no experiment whose name starts with '{prefix}' has ended well: see `dvc queue status`")
    rows, known = {}, {}
    for experiment in ended:
        for dataset, regime in product(*(literal_eval(experiment[name]) for name in ("datasets", "regimes"))):
            _refuse_others(known, experiment, dataset, regime)
            figures = {name: experiment.get(f"{dataset}.{regime}.{metric}") for name, metric in FIGURES.items()}
            if all(pd.isna(value) for value in figures.values()):
                continue
            key = (dataset, experiment["loss"], regime)
            if key in rows:
                raise InputError(f"two experiments named {prefix}... hold {', '.join(key)}: choose a longer prefix")
            rows[key] = figures
    return pd.DataFrame([(*key, *figures.values()) for key, figures in sorted(rows.items())], columns=[*KEY, *FIGURES])


def _refuse_others(known: dict, experiment: dict[str, Any], dataset: str, regime: str) -> None:
    """Raise InputError if an experiment before had other settings for a dataset: one table would not say so."""
    for name in (name for name in experiment if _counts(name, dataset, regime, experiment["loss"])):
        other, value = known.setdefault((dataset, name), (experiment["Experiment"], experiment[name]))
        if value != experiment[name]:
            found = f"{name} is {value} in {other} and {experiment[name]} in {experiment['Experiment']}"
            raise InputError(f"{found}, and one table would hold both: run them alike, or choose a longer prefix")


def _counts(name: str, dataset: str, regime: str, loss: str) -> bool:
    """Whether a parameter, by its flat name, changes a figure of one cell."""
    block, *keys = name.split(".")
    if block in OF_DATASET:
        return keys[:1] == [dataset] and keys[1:] != ["workers"]
    if block == "attention":
        return keys[:1] != ["max_images"] or keys[1:] == [dataset]
    return keys[:1] == [{"regime_settings": regime, "losses": loss}.get(block)] or name in ("seed", "seeds")


def write_results(path: Path, results: pd.DataFrame) -> None:
    """Write the results file."""
    rows = results.astype(object).where(results.notna(), None).to_dict("records")
    files.write_json(path, {"version": VERSION, "results": rows})


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
        raise InputError(f"{path}: version {version}, expected {VERSION}: make it again by `python -m stages.gather`")
    rows, columns, mend = content.get("results"), [*KEY, *FIGURES], "make it again by `python -m stages.gather`"
    if (
        not isinstance(rows, list)
        or not rows
        or any(not isinstance(row, dict) or set(row) != set(columns) for row in rows)
        or any(not isinstance(row[name], str) for row in rows for name in KEY)
    ):
        raise InputError(f"{path}: expected results, rows of {', '.join(columns)}: {mend}")
    with as_input_error(f"{path}: holds figures that are no numbers: {mend}"):
        found = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(FIGURES, float))
    return _without_twins(found, path, mend)


def read_published(folder: Path) -> pd.DataFrame:
    """Read the study's figures, from table1_map_at_r.csv and table2_attention_score.csv, as shares like our results."""
    percent = {
        "clean_map_at_r_percent": "clean_map_at_r",
        "swapped_map_at_r_percent": "swapped_map_at_r",
        "swapped_sd_percent": "swapped_map_at_r_sd",
    }
    first = _published(folder / "table1_map_at_r.csv", list(percent)).rename(columns=percent)
    shares = list(percent.values())
    first[shares] = first[shares] / 100
    second = _published(folder / "table2_attention_score.csv", ["mean", "sd"])
    second = second.rename(columns={"mean": "attention", "sd": "attention_sd"})
    return first.merge(second, on=KEY, how="outer").reindex(columns=[*KEY, *FIGURES])


def _published(path: Path, figures: list[str]) -> pd.DataFrame:
    found = files.read_csv(path, [*KEY, *figures], RESTORE, dtype=dict.fromkeys(figures, float))
    return _without_twins(found, path, RESTORE)


def _without_twins(found: pd.DataFrame, path: Path, mend: str) -> pd.DataFrame:
    twice = found[found.duplicated(KEY)]
    refuse([" ".join(key) for key in twice[KEY].itertuples(index=False)], f"{path}: rows of the same name; {mend}")
    return found


def table(results: pd.DataFrame, published: pd.DataFrame, name: str) -> pd.DataFrame:
    """Render one of the study's tables as text: a row for each loss and regime, columns by dataset.

    Args:
        results: ours, as returned by `gather`.
        published: as returned by `read_published`; datasets that it lacks have no published figures beside ours.
        name: one of TABLES.

    Returns:
        Index (loss, regime), columns (dataset, heading). A cell is our figure ± standard deviation, then in brackets
        the published figure and the difference; "missing" where we have none. The best of a column stands in **.
    """
    _, columns = TABLES[name]
    ours, theirs = results.set_index(KEY), published.set_index(KEY)
    losses = [*LOSSES, *sorted(set(results.loss) - set(LOSSES))]
    rows = pd.MultiIndex.from_product([losses, sorted(results.regime.unique())], names=KEY[1:])
    rows = rows[rows.isin([key[1:] for key in ours.index])]
    cells = {}
    for dataset in dict.fromkeys(results.dataset):
        for heading, figure, sd in columns:
            shares = [ours[figure].get((dataset, *row)) for row in rows]
            known = [share for share in shares if not pd.isna(share)]
            best = max(known, default=None)
            texts = [_cell(ours, theirs, (dataset, *row), figure, sd, best) for row in rows]
            cells[dataset, heading] = pd.Series(texts, index=rows)
    return pd.DataFrame(cells)


def _cell(ours: pd.DataFrame, theirs: pd.DataFrame, key: tuple, figure: str, sd: str | None, best: float | None) -> str:
    share = ours[figure].get(key)
    if pd.isna(share):
        return MISSING
    scale = 1 if figure == "attention" else 100
    text = f"{scale * share:.2f}" + (f" ± {scale * ours[sd][key]:.2f}" if sd else "")
    text = f"**{text}**" if share == best else text
    expected = theirs[figure].get(key)
    if pd.isna(expected):
        return text
    return f"{text} ({scale * expected:.2f}, {scale * (share - expected):+.2f})"


def markdown(cells: pd.DataFrame) -> str:
    """Return a table of `table` as Markdown."""
    return tables.markdown(_flat(cells), left=2)


def latex(cells: pd.DataFrame) -> str:
    """Return a table of `table` as a LaTeX tabular (package booktabs)."""
    flat = _flat(cells)
    alignment = ["left"] * 2 + ["right"] * cells.shape[1]
    text = tabulate(flat.to_numpy(), list(flat), "latex_booktabs", disable_numparse=True, colalign=alignment)
    bold = re.sub(r"\*\*(.+?)\*\*", r"\\textbf{\1}", text)
    return bold.replace("±", r"$\pm$")


def _flat(cells: pd.DataFrame) -> pd.DataFrame:
    """Loss and regime as columns, and headings of one line."""
    return cells.set_axis([" ".join(column) for column in cells], axis=1).reset_index()
