"""Every measure of an audit photo by photo, as a table."""

from pathlib import Path

import numpy as np
import pandas as pd

from bgbias import files
from bgbias.errors import InputError, as_input_error

FILE = "queries.csv"
KEYS = ["path", "class"]
COMPUTED = r"^[=+\-@']"  # how cells start that spreadsheets compute, and the apostrophe that stops them


def write(folder: Path, photos: pd.DataFrame, columns: dict[str, np.ndarray]) -> None:
    """Write queries.csv: path, class and a column for each measure; empty where a photo has no value.

    A path or class that a spreadsheet would compute, such as "=1+1", gets an apostrophe before it, which `read` takes
    off again.

    Args:
        folder: of the audit.
        photos: columns path and class_name.
        columns: name of a measure -> float (N,), NaN where undefined.
    """
    keys = pd.DataFrame({"path": photos.path.to_numpy(), "class": photos.class_name.to_numpy()})
    keys = keys.apply(lambda names: names.str.replace(COMPUTED, r"'\g<0>", regex=True))
    files.write_csv(folder / FILE, pd.concat([keys, pd.DataFrame(columns)], axis=1))


def read(folder: Path) -> pd.DataFrame:
    """Read what `write` has written: the index is the path, the column class a text, the others float.

    Raises:
        FileNotFoundError: there is none.
        ValueError: the file is another one.
    """
    file, again = folder / FILE, mend(folder)
    how = {"dtype": str, "keep_default_na": False, "encoding_errors": "surrogateescape"}
    table = files.read_csv(file, KEYS, again, **how)
    table[KEYS] = table[KEYS].apply(lambda names: names.str.removeprefix("'"))
    with as_input_error(f"{file}: holds something else than numbers: {again}"):
        measures = table.drop(columns=KEYS).replace("", "nan").astype(float)
        if np.isinf(measures).any(axis=None):
            raise InputError("infinity")
    return measures.set_index(pd.Index(table.path, name="path")).assign(**{"class": table["class"].to_numpy()})


def mend(folder: Path) -> str:
    """Say how a file of an audit is made again."""
    return f"run `python -m stages.audit` again, with --out {folder}"
