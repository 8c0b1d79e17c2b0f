"""From finished audits of the same photos to the figures of a leaderboard."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from bgbias import files
from bgbias.audit.measures import comparable, made_alike, queries
from bgbias.audit.measures.places import ENDS
from bgbias.errors import InputError, refuse
from bgbias.leaderboard import doubts
from bgbias.metrics.bootstrap import estimates, sums
from bgbias.metrics.paired import compare, ends
from bgbias.seeding import generator

METRIC = "recall_at_1"
MEASURES = {  # name -> where it stands in audit.json
    "clean": ("views", "clean", METRIC),
    "swapped": ("views", "swapped", METRIC),
    "drop": ("drop", METRIC),
    "gap": ("gap", METRIC),
    "conflict": ("conflict",),
}
SECOND = {"swapped": (METRIC,), "drop": (METRIC,), "conflict": ()}  # likewise, by masks of a second kind
COMPARED = {f"{METRIC}_{name}": name for name in ("clean", "swapped", "drop")}  # column of queries.csv -> name
COMPARED |= {f"{METRIC}_elsewhere_photos": "elsewhere"}
ALONE = "foreground_"  # how the audit's views of the object alone begin
SHARED = ("photos", "classes", "masks", "backgrounds")
ALSO = ("second_masks", "places")  # what columns of their own are of, where all rows have it


def board(folders: Mapping[str, Path], seed: int) -> dict:
    """Gather finished audits of the same photos, masks and backgrounds.

    Args:
        folders: name of a row -> folder of its audit (audit.json, queries.csv); the first is what others are less.
        seed: of the resamples.

    Returns:
        photos, classes, masks, backgrounds, second_masks (their kind; None: none, or not the same), places (how many;
        None: not known, or not the same), chance (Recall@1 of guessing), doubt (sentences for a kind of masks most of
        which are in doubt, for few classes, near-duplicates, assumed normalisations, photos that a model has learnt,
        finders, input sizes, places, else ""), first (name of a row);
        and rows: name -> embedder (its SPEC), clean, swapped, drop, gap, conflict, attention (on clean photos; None
        where no gradients reach them), second (swapped, drop and conflict by the second masks, or None), remedy (see
        `_remedy`), less_first (clean, swapped, drop and elsewhere less those of the first row, paired by query; None of
        the first row); with places also same_place, elsewhere and place_drop. All shares, with 95 % intervals.

    Raises:
        FileNotFoundError: an audit is missing.
        ValueError: one is of other photos, masks or backgrounds, of a sample, or not a full one.
    """
    samples = [str(folder) for folder in folders.values() if "sample" in _of(folder)]
    which = "audits by --queries, with --one-each or with roles in photos.csv swap no gallery"
    refuse(samples, f"{which}; audit without, or leave them out")
    (first, *others), every = folders, [*folders.values()]
    for name in others:
        _refuse_unlike(folders[first], folders[name])
    tables = comparable.tables([queries.read(folder) for folder in every], every)
    places = _of(folders[first]).get("places") if made_alike.same(every, "places") else None
    tables, rows = dict(zip(folders, tables, strict=True)), {}
    for name, folder in folders.items():
        rows[name] = _row(folder, bool(places)) | {"remedy": _remedy(tables[name], seed), "less_first": None}
        if name != first:
            pair = (tables[of][["class", *filter(tables[of].__contains__, COMPARED)]] for of in (first, name))
            differences = compare(*pair, seed, [first, name]).rename(index=COMPARED)
            rows[name]["less_first"] = ends(differences)
    shared = {key: _of(folders[first], key) for key in SHARED}
    alike = comparable.second_masks_alike(every)
    return shared | {
        "second_masks": (_of(folders[first], "second_masks") or {}).get("kind") if alike else None,
        "places": places["places"] if places else None,
        "chance": _of(folders[first], "chance", METRIC),
        "doubt": doubts.said(folders),
        "first": first,
        "rows": rows,
    }


def contents(embedder_files: Iterable[Path]) -> dict[str, str]:
    """Return the SHA-256 of each file or folder; a path within the working folder is relative to it.

    So what DVC brings to another clone is held to the files of that one.

    >>> list(contents([Path("params.yaml").absolute(), Path("README.md")]))
    ['params.yaml', 'README.md']
    """
    here = Path.cwd()
    return {
        str(path.relative_to(here) if path.is_relative_to(here) else path): files.checksum(path)
        for path in embedder_files
    }


def refuse_changed(folders: dict[str, Path], embedders: Mapping[str, str], dataset: str) -> None:
    """Refuse rows whose embedders, or files of these, are others than those that were measured.

    Args:
        folders: name of a row -> folder of its audit.
        embedders: name of a row -> its SPEC in params.yaml. DVC does not see the files.
        dataset: of the table.
    """
    for row, folder in folders.items():
        files_then = _of(folder, "embedder_files").items()
        changed = [path for path, then in files_then if not Path(path).exists() or files.checksum(Path(path)) != then]
        mend = f"measure it again: `dvc repro -f leaderboard_rows@{dataset}-{row}`"
        if (measured := _of(folder, "embedder")) != embedders[row]:
            raise InputError(f"row {row}: {measured} was measured, params.yaml has {embedders[row]}: {mend}")
        refuse(changed, f"row {row}: changed since it was measured; {mend}")


def refuse_to_lose(path: Path, name: str, found: dict) -> None:
    """Refuse to replace a table of other photos, masks or backgrounds, or one that has rows or columns more.

    Args:
        path: where both are written.
        name: of both.
        found: what `board` gives for the other one.
    """
    if not path.exists():
        return
    mend = "choose another name, or add --replace to lose it"
    before = files.read_json(path, name, "leaderboard", mend=mend)
    lost = [key for key in SHARED if before.get(key) != found[key]]
    lost += [key for key in ALSO if before.get(key) not in (None, found[key])]
    odd = [f"{key} {before.get(key)} instead of {found[key]}" for key in lost]
    for row in files.read_json(path, name, "leaderboard", "rows", mend=mend):
        spec = files.read_json(path, name, "leaderboard", "rows", row, "embedder", mend=mend)
        odd += [f"row {row} of {spec}"] if found["rows"].get(row, {}).get("embedder") != spec else []
    refuse(odd, f"{path} holds what this table does not; {mend}")


def _row(folder: Path, by_place: bool) -> dict:
    attention = _of(folder).get("attention")  # an audit by --no-attention has none
    second = _of(folder, "second_masks")
    return {
        "embedder": _of(folder, "embedder"),
        **{name: _of(folder, *keys) for name, keys in MEASURES.items()},
        **{name: _of(folder, "places", "photos", key) for key, name in ENDS.items() if by_place},
        "attention": _of(folder, "attention", "clean", "score") if attention else None,
        "second": {name: _of(folder, "second_masks", name, *keys) for name, keys in SECOND.items()} if second else None,
    }


def _remedy(table: pd.DataFrame, seed: int) -> dict:
    """What is still lost where queries and gallery are shown as objects alone, on the best of the audit's colours.

    Cut out, a photo looks the same on any background, so this is Recall@1 on photos as they are less that on objects
    alone. As the colour is chosen by the same queries, the figure is a little too good.
    """
    labels, clean, start = table["class"].to_numpy(), table[f"{METRIC}_clean"], f"{METRIC}_{ALONE}"
    alone = {name.removeprefix(start): table[name] for name in table if name.startswith(start)}
    lost = {colour: sums(clean - found, labels) for colour, found in alone.items()}
    found = estimates(lost, lambda: generator(seed, "audit intervals"))
    best = min(found, key=lambda colour: found[colour].value)
    return {"name": best} | found[best].as_json()


def _refuse_unlike(first: Path, second: Path) -> None:
    """Refuse what was swapped otherwise: a difference would be owed to that as well as to the embedders."""
    if unlike := made_alike.differing(*(made_alike.read(folder, _mend(folder)) for folder in (first, second))):
        raise InputError(f"{first} and {second} differ in {unlike[0]}: measure both anew, alike, or leave one out")


def _of(folder: Path, *keys: str) -> Any:
    return files.read_json(folder / "audit.json", *keys, mend=_mend(folder))


def _mend(folder: Path) -> str:
    return f"run `dvc repro leaderboard`, or make a full audit with --out {folder}"
