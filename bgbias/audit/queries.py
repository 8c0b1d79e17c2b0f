"""Every measure of an audit photo by photo, as a table; and which audits may be compared."""

from pathlib import Path

import numpy as np
import pandas as pd

from bgbias import files

FILE = "queries.csv"
KEYS = ["path", "class"]
MENDS = {  # what two audits must have been made with alike -> what to give both
    "masks": "the same --masks or --mask-method",
    "backgrounds": "the same --backgrounds",
    "seed": "the same seed in params.yaml",
}


def write(folder: Path, photos: pd.DataFrame, columns: dict[str, np.ndarray]) -> None:
    """Write queries.csv: path, class and a column for each measure; empty where a photo has no value.

    Args:
        folder: of the audit.
        photos: columns path and class_name.
        columns: name of a measure -> float (N,), NaN where undefined.
    """
    keys = pd.DataFrame({"path": photos.path.to_numpy(), "class": photos.class_name.to_numpy()})
    files.write_csv(folder / FILE, pd.concat([keys, pd.DataFrame(columns)], axis=1))


def read(folder: Path) -> pd.DataFrame:
    """Read what `write` has written: the index is the path, the column class a text, the others float.

    Raises:
        FileNotFoundError: there is none.
        ValueError: the file is another one.
    """
    file = folder / FILE
    if not file.is_file():
        raise FileNotFoundError(f"{file}: no such file: run `python -m stages.audit` again, with --out {folder}")
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False, encoding_errors="surrogateescape")
        measures = table.drop(columns=KEYS).replace("", "nan").astype(float)
    except (KeyError, ValueError) as error:
        raise ValueError(f"{file}: is not of an audit ({error}): run `python -m stages.audit` again") from error
    return measures.set_index(pd.Index(table.path, name="path")).assign(**{"class": table["class"].to_numpy()})


def refuse_unlike(first: Path, second: Path) -> None:
    """Raise a ValueError if two audits swapped otherwise: what differs would be owed to that as well as to the models.

    Args:
        first: folder of an audit.
        second: of another one.
    """
    made = [_made_with(folder) for folder in (first, second)]
    for what, mend in MENDS.items():
        if made[0].get(what) != made[1].get(what):
            raise ValueError(f"{first} and {second} differ in {what}: audit both with {mend}, then compare")


def _made_with(folder: Path) -> dict:
    file = folder / "audit.json"
    if not file.is_file():
        raise FileNotFoundError(f"{file}: no such file: run `python -m stages.audit` again, with --out {folder}")
    return files.read_json(file).get("made_with", {})
