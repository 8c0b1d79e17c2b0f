"""A list of own photos, photos.csv: every mistake in it is one line that names the fix.

The list has the columns path (of the photo, relative to the folder) and class, and may have split (train, val or
test), mask (path of a foreground mask: grey, of the photo's size, white where the object is) and role (query or
gallery: queries search the gallery alone).
"""

import csv
import unicodedata
from pathlib import Path, PurePosixPath

import pandas as pd

from bgbias.errors import InputError, refuse
from bgbias.photos.table import SPLITS

LIST = "photos.csv"
# of the list -> of the table
COLUMNS = {"path": "path", "class": "class_name", "split": "split", "mask": "mask_path", "role": "role"}
QUERY, GALLERY = ROLES = ("query", "gallery")
NO_ROLES = (
    "the roles of photos.csv, query and gallery, are of audits and remedies: here photos of both are trained on, and "
    "every test photo searches all others. Queries search the gallery alone by `stages.audit --photos {raw}`."
)
UNSEEN = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))  # soft hyphens, blanks of no width; as web pages have them
TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")  # kinds of Unicode's marks of direction


def class_name(name: str) -> str:
    """Return the name of a class in one form: composed Unicode (NFC), single blanks, none at the ends, none unseen.

    >>> class_name("\u00a0A\u0308pfel  rot ") == "\u00c4pfel rot", class_name("5 m\u00b2") == "5 m\u00b2"
    (True, True)
    >>> class_name("blue\u200b mug\ufeff")
    'blue mug'
    """
    return " ".join(unicodedata.normalize("NFC", name.translate(UNSEEN)).split())


def steers(name: str) -> bool:
    r"""Say whether a name would steer a terminal, break a line, or turn the direction of what stands after it.

    >>> steers("a\x1b[31m"), steers("\u202egpj.exe"), steers("\u05e9\u05dc\u05d5\u05dd")
    (True, True, False)
    >>> all(map(steers, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\n\x7f"))
    True
    """
    return any(unicodedata.category(one) == "Cc" or unicodedata.bidirectional(one) in TURNING for one in name)


def _on_disk(folder: Path, path: str) -> str:
    """The form of a path, composed or decomposed, that is there; else the path as it is."""
    forms = (path, *(unicodedata.normalize(form, path) for form in ("NFC", "NFD")))
    return next((form for form in forms if (folder / form).is_file()), path)


def read(folder: Path, classes: bool = True) -> pd.DataFrame:
    """Read the photos.csv of a folder.

    Args:
        folder: any folder with such a list.
        classes: whether the list names them; else it need not, and each photo is a class of its own, called by its
            path.

    Returns:
        Columns path, class_name, split, mask_path and role, a row a photo in the list's order; "" where nothing is
        given.

    Raises:
        ValueError: no needed columns, or a line that is incomplete, double, has an unknown split or role, or names a
            file that is missing or outside of the folder. One line that names the file and the fix.
    """
    file = folder / LIST
    table = _table(file, ("path", "class") if classes else ("path",))
    for column in ("path", "mask_path"):
        posix = [PurePosixPath(path).as_posix() if path else "" for path in table[column]]
        table[column] = [_on_disk(folder, path) if path else "" for path in posix]
    table["class_name"] = table.class_name.map(class_name) if classes else table.path
    paths = pd.concat([table.path, table.mask_path[table.mask_path != ""]])
    away = [path for path in paths if path.startswith("/") or ".." in PurePosixPath(path).parts]
    refuse(away, f"{file}: paths that leave the folder; copy the files into it")
    missing = {path for path in paths if not (folder / path).is_file()}
    refuse(missing, f"{file}: listed, but missing; correct the paths (relative to {folder}, with /)")
    refuse(table.path[table.path.duplicated()], f"{file}: listed twice; list each photo once")
    for column, known in {"split": SPLITS, "role": ROLES}.items():
        refuse(set(table[column]) - {"", *known}, f"{file}: unknown {column}; there are {', '.join(known)}")
        if any(table[column]):
            refuse(table.path[table[column] == ""], f"{file}: photos without a {column}; give one to all, or to none")
    return table


def named_classes(folder: Path) -> pd.Series:
    """Return the classes that the photos.csv of a folder names, by the paths as listed; none where it has no column."""
    table = _table(folder / LIST, ("path",)).set_index("path")
    return table.class_name[table.class_name != ""].map(class_name)


def _table(file: Path, needed: tuple[str, ...]) -> pd.DataFrame:
    return cells(file, needed, tuple(COLUMNS)).reindex(columns=list(COLUMNS), fill_value="").rename(columns=COLUMNS)


def cells(file: Path, needed: tuple[str, ...], known: tuple[str, ...]) -> pd.DataFrame:
    """Read a list's fields as text, a row for each line that is not empty; the index is the line's number.

    Args:
        file: comma-separated values in UTF-8, the columns' names first.
        needed: columns that it must have, filled in every row.
        known: those that it may have.

    Raises:
        ValueError: it is no such list.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            header, *rows = list(csv.reader(lines, strict=True)) or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file}: does not read ({error}): save it as comma-separated values in UTF-8") from error
    header = [name.strip() for name in header]
    if len(set(header)) < len(header) or not set(needed) <= set(header) <= set(known):
        raise InputError(
            f"{file}: its first line is '{','.join(header)}': name the columns "
            f"{' or '.join(dict.fromkeys(map(','.join, (needed, known))))}, separated by commas, and no others"
        )
    rows = {number: row for number, row in enumerate(rows, 2) if any(row)}
    uneven = [number for number, row in rows.items() if len(row) != len(header)]
    refuse(uneven, f"{file}: rows that have not one field per column; quote a field that holds a comma")
    table = pd.DataFrame(list(rows.values()), index=list(rows), columns=header, dtype=str)
    for column in needed:
        refuse(table.index[table[column].str.strip() == ""], f"{file}: rows without a {column}; fill or remove them")
    return table
