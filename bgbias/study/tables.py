"""The study's tables as text: our figures beside the published ones."""

import re
from collections.abc import Mapping

import pandas as pd
from tabulate import tabulate

from bgbias.report import tables
from bgbias.study import protocol
from bgbias.study.results_file import FINDER, KEY

READ = (
    "not over training seeds; best of a column bold; in brackets, where published, the study's figure and ours less it"
)
TABLES = {  # name -> title, and for each dataset the columns: heading, figure, its standard deviation
    "table1": (
        f"MAP@R in percent, ± standard deviation over draws of backgrounds, {READ}",
        [("clean", "clean_map_at_r", None), ("swapped", "swapped_map_at_r", "swapped_map_at_r_sd")],
    ),
    "table1_recall": (
        f"Recall@1 in percent, ± standard deviation over draws of backgrounds, {READ}",
        [("clean", "clean_recall_at_1", None), ("swapped", "swapped_recall_at_1", "swapped_recall_at_1_sd")],
    ),
    "table2": (
        "Attention score of clean photos that have one (the study counts an empty mask as 0), "
        f"± standard deviation over the photos, {READ}",
        [("attention score", "attention", "attention_sd")],
    ),
}
MISSING = "missing"


def table(results: pd.DataFrame, published: pd.DataFrame, name: str) -> pd.DataFrame:
    """Render one of the study's tables as text: a row for each loss and regime, columns by dataset.

    Args:
        results: ours, as returned by `gather`.
        published: as returned by `read_published`; datasets that it lacks have no published figures beside ours.
        name: one of TABLES.

    Returns:
        Index (loss, regime), columns (dataset, heading). A cell is our figure ± standard deviation, then in brackets
        the published figure and the difference; "missing" where we have none. The best of a column stands in **. An
        attention score of a network with a finder stands alone: neither the best, nor beside another.
    """
    _, columns = TABLES[name]
    ours, theirs = results.set_index(KEY), published.set_index(KEY)
    losses = [*protocol.LOSSES, *sorted(set(results.loss) - set(protocol.LOSSES))]
    rows = pd.MultiIndex.from_product([losses, sorted(results.regime.unique())], names=KEY[1:])
    rows = rows[rows.isin([key[1:] for key in ours.index])]
    cells = {}
    for dataset in dict.fromkeys(results.dataset):
        for heading, figure, sd in columns:
            compared = results[(results.dataset == dataset) & ~_alone(results, figure)]
            best = compared[figure].max()
            texts = [_cell(ours, theirs, (dataset, *row), figure, sd, best) for row in rows]
            cells[dataset, heading] = pd.Series(texts, index=rows)
    return pd.DataFrame(cells)


def _cell(ours: pd.DataFrame, theirs: pd.DataFrame, key: tuple, figure: str, sd: str | None, best: float) -> str:
    share = ours[figure].get(key)
    if pd.isna(share):
        return MISSING
    scale = 1 if figure == "attention" else 100
    spread = ours[sd].get(key) if sd else None  # one draw has none
    text = f"{scale * share:.2f}" + ("" if pd.isna(spread) else f" ± {scale * spread:.2f}")
    if _alone(ours, figure)[key]:
        return text
    text = f"**{text}**" if share == best else text
    expected = theirs[figure].get(key)
    if pd.isna(expected):
        return text
    return f"{text} ({scale * expected:.2f}, {scale * (share - expected):+z.2f})"


def _alone(results: pd.DataFrame, figure: str) -> pd.Series:
    """Whether the figure of a row cannot be compared with others."""
    return results[FINDER] & (figure == "attention")


def finders(results: pd.DataFrame, name: str) -> list[str]:
    """Say of which regimes the figures in a table stand alone: a sentence, or none."""
    (_, figure, _), *_ = TABLES[name][1]
    alone = results[_alone(results, figure) & results[figure].notna()]
    return [tables.no_comparison(sorted(set(alone.regime)))] if len(alone) else []


def departures(
    results: pd.DataFrame, settings: Mapping[str, dict | None], published: pd.DataFrame, name: str
) -> dict[str, str]:
    """Say of which datasets our figures in a table were not made as the published ones beside them.

    Args:
        results: ours, as returned by `gather`.
        settings: by dataset, with which ours were made; None where nobody knows.
        published: as returned by `read_published`.
        name: one of TABLES.

    Returns:
        dataset -> a sentence; nothing of those where the settings are the study's, or nothing is beside ours.
    """
    figures = [figure for _, figure, _ in TABLES[name][1]]
    both = results.dropna(subset=figures, how="all").merge(published.dropna(subset=figures, how="all"), on=KEY)
    said, beside = {}, "evaluate." if "attention" in figures else "attention."  # settings of the other tables
    for dataset, cells in both.groupby("dataset", sort=False):
        if (its := settings[dataset]) is None:
            said[dataset] = f"with which settings ours of {dataset} were made is not recorded"
            continue
        beside_ours = list(cells[KEY[1:]].itertuples(index=False, name=None))
        if unknown := protocol.unknown(dataset, beside_ours):
            said[dataset] = f"with which settings the published {', '.join(unknown)} of {dataset} was made is not known"
            continue
        odd = protocol.departures(its, dataset, beside_ours)
        if odd := [one for one in odd if not one.startswith(beside)]:
            said[dataset] = f"ours of {dataset} were not made with the study's settings (in brackets): {', '.join(odd)}"
    return said


def markdown(cells: pd.DataFrame) -> str:
    """Return a table of `table` as Markdown."""
    return tables.markdown(_flat(cells), left=2)


def latex(cells: pd.DataFrame) -> str:
    """Return a table of `table` as a LaTeX tabular (package booktabs)."""
    flat = _flat(cells)
    alignment = ["left"] * 2 + ["right"] * cells.shape[1]
    text = tabulate(flat.to_numpy(), list(flat), "latex_booktabs", disable_numparse=True, colalign=alignment)
    bold = re.sub(r"\*\*(.+?)\*\*", r"\\textbf{\1}", text)
    return bold.replace("±", r"$\pm$").replace("†", r"$\dagger$")


def _flat(cells: pd.DataFrame) -> pd.DataFrame:
    """Loss and regime as columns, and headings of one line."""
    return cells.set_axis([" ".join(column) for column in cells], axis=1).reset_index()
