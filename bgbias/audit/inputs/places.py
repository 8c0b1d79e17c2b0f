"""Where audited photos were taken, as a list says it: shops, studios, sellers, days."""

import hashlib
import unicodedata
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import torch

from bgbias.audit.inputs.opened import Opened
from bgbias.audit.inputs.pictures import Pictures
from bgbias.datasets import contents
from bgbias.datasets.listed import cells, class_name
from bgbias.errors import InputError, check_file, refuse
from bgbias.metrics.places import compared

COLUMNS = ("path", "place")


def read(file: Path) -> pd.Series:
    """Read which photo was taken where: path, relative to the photos' folder -> name of the place.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no list of the columns path and place, or lists a photo twice.
    """
    check_file(file)
    table = cells(file, COLUMNS, COLUMNS)
    paths = table.path.map(_key)
    refuse(table.path[paths.duplicated()], f"{file}: listed twice; list each photo once")
    return table.place.map(class_name).set_axis(paths)


def placed(opened: Opened, listed: pd.Series, file: Path) -> Opened:
    """Add where audited photos were taken to what is opened, as `of_photos` finds it; same arguments and errors."""
    pictures, described, said = opened
    pictures.places = of_photos(listed, pictures, file)
    described["made_with"]["places"] = mark(pictures.places)
    return Opened(pictures, described, [*said, *remarks(listed)])


def of_photos(listed: pd.Series, pictures: Pictures, file: Path) -> np.ndarray:
    """Number the places of audited photos, int64 (N,), as `numbered` does, which has what is raised, too.

    Args:
        listed: of `read`.
        pictures: of the audit.
        file: that was read, for messages.

    Raises:
        ValueError: the photos have roles.
    """
    if pictures.gallery:
        raise InputError(
            f"--places {file}: every photo searches all others, and by roles some do: leave one of the two out"
        )
    return numbered(listed, pictures.table.path, pictures.labels, file)


def numbered(listed: pd.Series, paths: pd.Series, labels: np.ndarray, file: Path, kind: str = "") -> np.ndarray:
    """Number the places of photos, int64 (N,); photos that are not asked for may be listed, too.

    Args:
        listed: of `read`.
        paths: of the photos, (N,).
        labels: int64 (N,), the class of each.
        file: that was read, for messages.
        kind: what the photos are called there, "val " of those of this split.

    Raises:
        ValueError: a photo has no place, or less than two classes have a photo with another one in its place and one
            elsewhere.
    """
    keys = paths.map(_key)
    without, others = paths[~keys.isin(listed.index)], listed.index.difference(keys)
    like = get_close_matches(_key(without.iloc[0]), others, 1, 0.0) if len(without) else []
    named = f" (nearest of the list's other paths: {like[0]})" if like else ""
    mend = f"add them, as path,place, relative to the photos' folder{_or_none(kind)}"
    refuse(without, f"{file}: {kind}photos without a place{named}; {mend}")
    places = pd.factorize(listed[keys])[0]  # by which come first, so that names and order of the list do not matter
    classes = len(np.unique(labels[compared(*map(torch.from_numpy, (labels, places)))]))
    if classes < 2:
        raise InputError(
            f"{file}: {classes} {kind}classes have a photo with another one in its place and one in another place, and "
            f"a comparison needs 2: give {kind}photos of more places, or wider places{_or_none(kind)}"
        )
    return places


def of_some(listed: pd.Series, paths: pd.Series) -> bool:
    """Tell whether the list has any of these photos."""
    return bool(paths.map(_key).isin(listed.index).any())


def mark(places: np.ndarray) -> str:
    """Return sixteen hexadecimal digits of which photos share a place, of `of_photos`."""
    return hashlib.sha256(places.astype(np.int64).tobytes()).hexdigest()[:16]


def remarks(listed: pd.Series) -> list[str]:
    """Say which places are spelt almost alike, and which are of one photo; nothing where none are.

    >>> remarks(pd.Series(["Shop-1", "Shop-1", "shop 01", "shop 01"]))[0].partition(":")[0]
    'Places that differ by case, punctuation or leading zeros alone count as others, such as Shop-1 and shop 01'
    >>> remarks(pd.Series(["Lund", "Lund", "Malmö", "Malmö", "Mamlö"]))
    ['1 of 3 places has one photo alone, such as Mamlö: correct the list where that is another place, misspelt.']
    >>> remarks(pd.Series(["Lund", "Lund", "Malmö", "Malmö"]))
    []
    """
    alike, photos = contents.spoken_alike(listed), listed.value_counts()
    said = f"Places that differ by {contents.SPOKEN} count as others, such as"
    told = [f"{said} {' and '.join(alike[:2])}: write each in one way."] if alike else []
    if single := sorted(photos.index[photos == 1]):
        have = "have" if single[1:] else "has"
        counted = f"{len(single)} of {len(photos)} places {have} one photo alone, such as {single[0]}"
        told.append(f"{counted}: correct the list where that is another place, misspelt.")
    return told


def _or_none(kind: str) -> str:
    return f", or list none of the {kind}photos" if kind else ""


def _key(path: str) -> str:
    return unicodedata.normalize("NFC", PurePosixPath(path).as_posix())
