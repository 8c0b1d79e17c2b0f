"""The image table: the one description of a dataset."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from bgbias import files
from bgbias.errors import InputError, refuse

COLUMNS = ["image_id", "path", "class_id", "class_name", "split"]
SPLITS = ("train", "val", "test")
REFETCH = "remove {} and run `dvc repro`, which fetches it again"  # a raw folder


def check_table(table: pd.DataFrame, raw: Path) -> pd.DataFrame:
    """Check a dataset's image table and number its photos.

    Args:
        table: columns path (relative to `raw`), class_id, class_name, split ("train", "val" or "test"), and
            mask_path (relative to `raw`, too) where the dataset brings masks.
        raw: the raw dataset's folder.

    Returns:
        The same rows with a leading image_id, 0 to N - 1, and a mask_path ("" where there is none).

    Raises:
        ValueError: no photos, a path that is listed twice or missing, an empty class folder, a class in two
            splits, a split without classes, or a class with a single photo in training.
    """
    where = f"{raw}: "
    if table.empty:
        raise InputError(f"{where}no photos found: {REFETCH.format(raw)}")
    refuse(table.path[table.path.duplicated()], where + "listed twice; list each photo once")
    refuse(
        table.path[[not (raw / path).is_file() for path in table.path]],
        where + "listed, but missing; restore them, or remove the folder and run `dvc repro`",
    )
    refuse(_empty_folders(raw, table.path), where + "class folders without photos; fill or remove them")
    for column in ("class_id", "split"):
        kinds = table.groupby("class_name")[column].nunique()
        refuse(kinds.index[kinds > 1], f"{where}classes with more than one {column}; give each class one")
    refuse(set(SPLITS) - set(table.split), where + "no classes in split; give it some")
    refuse(set(table.split) - set(SPLITS), where + "unknown split; there are train, val and test")
    sizes = table[table.split == "train"].class_name.value_counts(sort=False)
    refuse(
        sizes.index[sizes < 2],
        where + "training classes with a single photo; add some, or remove the class",
    )
    masks = table.get("mask_path", pd.Series("", index=table.index))
    table = table.assign(image_id=range(len(table)), mask_path=masks)
    return table[[*COLUMNS, "mask_path"]].reset_index(drop=True)


def _empty_folders(raw: Path, paths: Iterable[str]) -> list[str]:
    """Folders without files beside the folders that photos lie in."""
    parents = {(raw / path).parent.parent for path in paths if "/" in path}
    folders = {folder for parent in parents for folder in parent.iterdir() if folder.is_dir()}
    return [str(folder.relative_to(raw)) for folder in folders if not any(map(Path.is_file, folder.rglob("*")))]


def read_table(path: Path) -> pd.DataFrame:
    """Read an image table that `check_table` has passed; empty fields are empty strings.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it does not read, its photos are not numbered from 0 on, not as many are packed beside it, or a
            split is unknown.
    """
    columns, mend = [*COLUMNS, "mask_path"], f"make it again, `dvc repro -f prepare@{path.parent.name}`"
    how = {"keep_default_na": False, "dtype": dict.fromkeys(columns, str) | {"image_id": int, "class_id": int}}
    table = files.read_csv(path, columns, mend, **how)
    if list(table.image_id) != list(range(len(table))):
        raise InputError(f"{path}: its photos are not numbered from 0 on: {mend}")
    packed = len(files.read_numbers(path.parent / "photos/shapes.npy", "i", None, 3))
    if packed != len(table):
        raise InputError(f"{path}: {len(table):,} photos, but {packed:,} are packed beside it: {mend}")
    if (table.class_id < 0).any():
        raise InputError(f"{path}: class_id {table.class_id.min()} is below 0: {mend}")
    refuse(set(table.split) - set(SPLITS), f"{path}: unknown split; {mend}")
    return table
