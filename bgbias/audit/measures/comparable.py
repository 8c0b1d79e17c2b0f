"""Audits side by side: which may be compared, by which measures, and what is to be said of them."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from bgbias import files
from bgbias.audit.measures import made_alike, places, queries, second_masks
from bgbias.errors import InputError
from bgbias.report.tables import masks_in_doubt, no_comparison, no_second_opinion

ROUNDED = 1e-5  # by how much a mean of what the table holds may differ from audit.json's
LEFT_OUT = "The {} are not the same: what they show is left out."
OF_EARLIER = "An earlier version has made some of the audits, which lack {}: that is left out."
NONE = "{} has no {}: what these show is left out."


def folders(pattern: Path) -> list[Path]:
    """Return the folders of the audits that a path names: all that a pattern such as audits/base_* matches, or itself.

    >>> folders(Path("audits/base"))
    [PosixPath('audits/base')]
    """
    pattern = pattern.expanduser()  # in quotes, which keep a pattern from the shell, ~ is kept from it, too
    found = Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor)))
    return [pattern] if pattern.is_dir() else sorted(path for path in found if path.is_dir()) or [pattern]


def averaged(pattern: Path, folders: Sequence[Path]) -> str:
    """Say of which audits, and of which models, the figures of one side are means."""
    if len(folders) == 1:
        return f"{pattern} is one audit: its model is taken as it is."
    of_each = [f"{folder} ({_of(folder, 'embedder')})" for folder in folders]
    return f"{pattern} is the mean of {len(folders)} audits: {', '.join(of_each)}."


def refuse_no_seeds(folders: Sequence[Path]) -> None:
    """Raise a ValueError if audits are not of several seeds: two are of one network, or of two regimes trained here.

    Networks are one if their files are, but for functions of one file of Python; audits that do not tell their files,
    or have none, go by the SPEC. Regimes are told by model:models/DATASET/REGIME/SEED.
    """
    paths = {folder: Path(_of(folder, "embedder").partition(":")[2]) for folder in folders}
    regimes = {path.parts[-3:-1]: folder for folder, path in paths.items() if path.name.isdigit()}
    if len(regimes) > 1:
        both = " and ".join(map(str, sorted(regimes.values())[:2]))
        raise InputError(f"{both} are of two regimes, not of two seeds of one: give a pattern of one, such as base_4?")
    known = [(folder, _of(folder, "embedder"), _of(folder).get("embedder_mark")) for folder in folders]
    for (first, spec, mark), (second, other, its) in combinations(known, 2):
        told, python = mark and its, spec.startswith("python:")
        if (mark == its and (spec == other or not python)) if told else spec == other:
            raise InputError(f"{first} and {second} are of one network, not of two trainings: leave one out")


def in_doubt(folder: Path) -> str:
    """What an audit says where most of its masks are in doubt, so nothing is concluded of backgrounds; "" elsewhere."""
    counts = {kind: len(paths) for kind, paths in _of(folder, "mask_doubt", "flagged").items()}
    return masks_in_doubt(counts, _of(folder, "photos"))


def of_models(folders: Mapping[str, Path]) -> list[str]:
    """Say what makes models unlike in audits side by side, sentences: photos that one has learnt, finders, input sizes.

    Args:
        folders: what an audit is called -> its folder; an audit of an earlier version tells nothing.
    """
    found = {name: _of(folder) for name, folder in folders.items()}
    learnt = [f"{name}: {known}" for name, audit in found.items() if (known := audit.get("known_photos"))]
    shown = {name: bool(audit.get("finder")) for name, audit in found.items() if audit.get("attention")}
    finders = [name for name, finder in shown.items() if finder]
    sizes = {name: audit["input_px"] for name, audit in found.items() if "input_px" in audit}
    listed = ", ".join(f"{name} {px} px" for name, px in sizes.items())
    said = f"Pictures are of different sizes ({listed}): a difference may be owed to these."
    of_finders = [no_comparison(finders)] if 0 < len(finders) < len(shown) else []
    return [*learnt, *of_finders, *([said] if len(set(sizes.values())) > 1 else [])]


def tables(tables: Sequence[pd.DataFrame], folders: Sequence[Path]) -> list[pd.DataFrame]:
    """Return the measures that mean the same in audits: none by other second masks, other second pools or places.

    Nor by second masks most of which are in doubt in one of them, nor what an earlier version did not compare.

    Raises:
        ValueError: they are of different samples of queries, or some are quick, or a table is not the one that its
            audit.json was made of.
    """
    if not made_alike.same(folders, "queries"):
        both = " and ".join(map(str, folders))
        mend = "audit all with the same --queries, --one-each, seed and photos, then compare"
        raise InputError(f"{both} are of different samples of queries: {mend}")
    quick = [folder for folder in folders if made_alike.is_quick(_of(folder))]
    if whole := quick and [folder for folder in folders if folder not in quick]:
        mend = "audit both without --quick (what is embedded is not embedded again), or both with it, then compare"
        raise InputError(f"{quick[0]} is a quick audit, {whole[0]} a full one: {mend}")
    for table, folder in zip(tables, folders, strict=True):
        _refuse_edited(table, folder)
    by_second = [*second_masks.COLUMNS, *(name for name in places.COLUMNS if name.endswith("_second"))]
    unlike = by_second if not second_masks_alike(folders) or any(map(no_opinion, folders)) else []
    if not made_alike.same(folders, "second_backgrounds"):
        unlike += [name for table in tables for name in table if name.endswith("_pool")]
    if not made_alike.same(folders, "places"):
        unlike += [name for table in tables for name in table if name in places.COLUMNS]
    unlike += [name for name in places.COMPARED.values() if not all(name in table for table in tables)]
    return [table.drop(columns=unlike, errors="ignore") for table in tables]


def left_out(folders: Sequence[Path]) -> list[str]:
    """Say what `tables` leaves out, sentences."""
    alike = {"second_masks": second_masks_alike(folders)}
    alike |= {what: made_alike.same(folders, what) for what in ("second_backgrounds", "places")}
    said = []
    for what in (what for what in alike if not alike[what]):
        plain, without = what.replace("_", " "), [folder for folder in folders if not _of(folder).get(what)]
        said += [NONE.format(folder, plain) for folder in without] or [LEFT_OUT.format(plain)]
    held = [places.COMPARED.keys() & _of(folder).get("places", {}).keys() for folder in folders]
    lacking = sorted(set.union(*held) - set.intersection(*held)) if alike["places"] else []
    of_earlier = [key for key in lacking if alike["second_masks"] or not key.endswith("_second")]
    said += [OF_EARLIER.format(", ".join(of_earlier))] if of_earlier else []
    doubts = [(folder, none) for folder in folders if alike["second_masks"] and (none := no_opinion(folder))]
    return [*said, *(f"{folder}: {none} What they show is left out." for folder, none in doubts)]


def no_opinion(folder: Path) -> str:
    """What an audit says of second masks most of which are in doubt; "" where they are not, or there are none."""
    return no_second_opinion(_of(folder, "second_masks"), _of(folder, "photos"))


def second_masks_alike(folders: Sequence[Path]) -> bool:
    """Whether audits have the same second masks, or none; of those that are older than their mark, by their kind."""
    found = [_of(folder, "second_masks") or {} for folder in folders]
    kinds, marks = {second.get("kind") for second in found}, {second.get("mark") for second in found} - {None}
    return len(kinds) == 1 and len(marks) <= 1


def _refuse_edited(table: pd.DataFrame, folder: Path) -> None:
    """Raise InputError where a table's means are not the figures of its audit: a spreadsheet may have saved it anew."""
    found = _of(folder)
    views = found.get("views", {}) | {"drop" if "views" in found else "drop_in_clean": found.get("drop", {})}
    known = {f"{name}_{view}": figure for view, figures in views.items() for name, figure in figures.items()}
    known |= places.by_column(found.get("places", {}))
    for name in (name for name in known if name in table):
        figure, mean = known[name]["value"], table[name].mean()
        if figure is not None and not abs(figure - mean) < ROUNDED:
            where = f"{folder / queries.FILE}: its mean {name} is {mean:.6f}, that of audit.json {figure:.6f}"
            raise InputError(f"{where}: one of them was changed: {queries.mend(folder)}")


def _of(folder: Path, *keys: str) -> Any:
    return files.read_json(folder / "audit.json", *keys, mend=queries.mend(folder))
