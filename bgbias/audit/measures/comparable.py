"""Audits side by side: which may be compared, by which measures, and what is to be said of them."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from bgbias import files
from bgbias.audit.measures import places, queries, second_masks
from bgbias.errors import InputError
from bgbias.report.tables import masks_in_doubt, no_comparison, no_second_opinion

ROUNDED = 1e-5  # by how much a mean of what the table holds may differ from audit.json's
MENDS = {  # what two audits must have been made with alike -> what to give both
    "photos": "the same photos, for some files of these names hold others",
    "masks": "the same --masks or --mask-method",
    "backgrounds": "the same --backgrounds",
    "seed": "the same seed in params.yaml",
    "draws": "the same evaluate.DATASET.draws in params.yaml",
}
AUDITED = ("photos", "masks")  # of which a dataset has more than are audited
EARLIER = "the mark of photos and masks by an earlier version, as in {}, is of all that a dataset has"
DRAWN = (
    "{} number their photos otherwise, and so have other draws of the backgrounds: a part of what differs on swapped "
    "photos is owed to that."
)


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


def refuse_unlike(first: Path, second: Path, allowed: str | None = None) -> list[str]:
    """Raise a ValueError if two audits swapped otherwise: what differs would be owed to that as well as to the models.

    Args:
        first: folder of an audit.
        second: of another one.
        allowed: "masks" may differ.

    Returns:
        What is to be said of masks that differ, a sentence or nothing.
    """
    unlike = differing(made_with(first), made_with(second))
    older = " and ".join(str(folder) for folder in (first, second) if "drawn" not in made_with(folder))
    for what in unlike:
        if what != allowed:
            also = ", or allow it: --allow masks" if what == "masks" else ""
            also += f"; {EARLIER.format(older)}" if older and what in AUDITED else ""
            raise InputError(
                f"{first} and {second} differ in {what}: audit both with {MENDS[what]}, then compare{also}"
            )
    if not unlike:
        return []
    kinds = " and ".join(f"{_of(folder, 'masks')} ({folder})" for folder in (first, second))
    return [f"The masks differ, {kinds}: so do the figures, by the masks as well as by the models."]


def made_with(folder: Path, mend: str = "") -> dict[str, Any]:
    """Read what an audit was made with; a ValueError, with what to do, if it does not say all of MENDS."""
    for what in MENDS:
        files.read_json(folder / "audit.json", "made_with", what, mend=mend or queries.mend(folder))
    return _of(folder, "made_with")


def differing(first: Mapping[str, Any], second: Mapping[str, Any], names: Iterable[str] = tuple(MENDS)) -> list[str]:
    """Return what two audits were not made with alike.

    Of datasets of the pipeline photos and masks are the audited ones, if both audits mark these; audits of an earlier
    version mark all that a dataset has.

    >>> old, new = {"photos": "a"}, {"photos": "a", "audited": {"photos": "c"}}
    >>> differing(old, new, ["photos"]), differing(new, new | {"photos": "b"}, ["photos"])
    ([], [])
    >>> differing(old, new | {"photos": "b"}, ["photos"])
    ['photos']
    """
    if all(isinstance(made.get("audited"), dict) for made in (first, second)):
        first, second = ({**made, **made["audited"]} for made in (first, second))
    return [what for what in names if first.get(what) != second.get(what)]


def drawn_otherwise(folders: Sequence[Path]) -> list[str]:
    """Say that audits have other draws of the backgrounds, a sentence or nothing; earlier versions do not tell."""
    marks = {made_with(folder).get("drawn") for folder in folders} - {None}
    return [DRAWN.format(" and ".join(map(str, folders)))] if len(marks) > 1 else []


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

    Nor by second masks most of which are in doubt in one of them.

    Raises:
        ValueError: they are of different samples of queries, or some are quick, or a table is not the one that its
            audit.json was made of.
    """
    if not made_alike(folders, "queries"):
        both = " and ".join(map(str, folders))
        mend = "audit all with the same --queries, --one-each, seed and photos, then compare"
        raise InputError(f"{both} are of different samples of queries: {mend}")
    quick = [folder for folder in folders if _is_quick(_of(folder))]
    if whole := quick and [folder for folder in folders if folder not in quick]:
        mend = "audit both without --quick (what is embedded is not embedded again), or both with it, then compare"
        raise InputError(f"{quick[0]} is a quick audit, {whole[0]} a full one: {mend}")
    for table, folder in zip(tables, folders, strict=True):
        _refuse_edited(table, folder)
    by_second = [*second_masks.COLUMNS, *(name for name in places.COLUMNS if name.endswith("_second"))]
    unlike = by_second if not second_masks_alike(folders) or any(map(no_opinion, folders)) else []
    if not made_alike(folders, "second_backgrounds"):
        unlike += [name for table in tables for name in table if name.endswith("_pool")]
    if not made_alike(folders, "places"):
        unlike += [name for table in tables for name in table if name in places.COLUMNS]
    return [table.drop(columns=unlike, errors="ignore") for table in tables]


def made_alike(folders: Sequence[Path], what: str) -> bool:
    """Tell whether audits have been made with the same of something, or all without."""
    made = [_of(folder, "made_with") for folder in folders]
    first, *others = (with_.get(what) if isinstance(with_, dict) else None for with_ in made)
    return all(other == first for other in others)


def left_out(folders: Sequence[Path]) -> list[str]:
    """Say what `tables` leaves out, sentences."""
    alike = {"second masks": second_masks_alike(folders)}
    alike |= {what.replace("_", " "): made_alike(folders, what) for what in ("second_backgrounds", "places")}
    said = [f"The {what} are not the same: what they show is left out." for what in alike if not alike[what]]
    doubts = [(folder, none) for folder in folders if alike["second masks"] and (none := no_opinion(folder))]
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


def replaced(folder: Path, embedder: str, made_with: Mapping[str, Any], quick: bool) -> str:
    """Say which audit another one will replace; "" where there is none, or it is the same again.

    Args:
        folder: of both.
        embedder: the SPEC of the other one.
        made_with: what it is made with, as in audit.json.
        quick: whether it is a quick one.
    """
    try:
        then = _of(folder)
        unlike = [] if then["embedder"] == embedder else [f"of {then['embedder']}"]
        differ = differing(then["made_with"], made_with, (*MENDS, "queries", "places"))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):  # another file, or of an earlier version
        return ""
    unlike += [f"with other {' and '.join(differ)}"] if differ else []
    unlike += ["that is not quick"] if quick and not _is_quick(then) else []
    kept = f"{folder} holds an audit {', '.join(unlike)}: this one will replace it. To keep it, give another --out."
    return kept if unlike else ""


def _is_quick(found: dict) -> bool:
    return "worst_of_backgrounds" not in found


def _of(folder: Path, *keys: str) -> Any:
    return files.read_json(folder / "audit.json", *keys, mend=queries.mend(folder))
