"""Public datasets that come as archives: where they are found, and what must be in them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from bgbias.datasets import archives, downloads
from bgbias.errors import InputError
from bgbias.files import root
from bgbias.photos.table import REFETCH, SPLITS


class Archive(NamedTuple):
    """A published archive, and what is taken from it.

    Attributes:
        file: its name, also under data/sources/DATASET.
        url: where it is downloaded.
        page: where people find it.
        md5: as published, or "".
        size_bytes: as published, or None.
        wanted: pattern of whole paths in it; the first group is the path to write.
    """

    file: str
    url: str
    page: str
    md5: str
    size_bytes: int | None
    wanted: str


class Counts(NamedTuple):
    """What is published of a dataset, its class ids from 0: first train's, then val's, then test's."""

    images: int
    classes: int
    val_from: int
    test_from: int
    test_images: int


def local(dataset: str) -> Path:
    """Return the folder where the user may put a dataset."""
    return root() / "data" / "sources" / dataset


def downloaded(archive: Archive) -> Path:
    """Return where `take` leaves a downloaded archive, to be removed when the dataset is complete."""
    return root() / ".checkpoints" / "downloads" / archive.file


def take(dataset: str, archive: Archive, out: Path, beside: str = "") -> tuple[str, str]:
    """Put what is wanted of an archive into a folder.

    Args:
        dataset: its name.
        archive: taken from data/sources/DATASET, packed or extracted; downloaded if nothing is there.
        out: the folder.
        beside: pattern of names in data/sources/DATASET that do not count as something there.

    Returns:
        Where it was, and the fix if it is wrong: `where` and `mend` of `checked`.

    Raises:
        FileNotFoundError: there are files in data/sources/DATASET, but none that is wanted.
        ConnectionError: it cannot be downloaded.
        ValueError: of a wrong size or checksum, broken or unsafe.
    """
    folder, offered = local(dataset), f"what {archive.page} offers"
    source = folder / archive.file
    given = [path for path in folder.glob("[!.]*") if not re.fullmatch(beside, path.name)]
    if given and source not in given:
        source = folder
    elif not given:
        source = downloaded(archive)
        try:
            downloads.download(archive.url, source, archive.md5, archive.size_bytes)
        except (ConnectionError, ValueError) as error:
            raise type(error)(f"{error}, or put {offered} into {folder}") from error
    mend = f"replace {source} by {offered}, or remove it"
    if source == folder:
        files = archives.copy(folder, out, archive.wanted)
    else:
        downloads.verify(source, archive.md5, archive.size_bytes, mend)
        files = archives.extract(source, out, archive.wanted)
    if not files:
        raise FileNotFoundError(f"{source}: holds none of the files of {archive.file}: {mend}")
    return str(source), mend


def checked(
    listed: Callable[[Path], pd.DataFrame], counts: Counts, raw: Path, where: str = "", mend: str = ""
) -> pd.DataFrame:
    """List a dataset's photos, give the classes their splits, and compare with what is published.

    Args:
        listed: called with `raw`; columns path, class_id, class_name and perhaps mask_path.
        counts: as published.
        raw: the dataset's folder.
        where: what the messages name instead of `raw`.
        mend: what they advise.

    Returns:
        The same table with a column split.

    Raises:
        FileNotFoundError: a list, a listed photo or a mask is missing.
        ValueError: a list is not as published, or the number of photos or classes.
    """
    where, mend = where or str(raw), mend or REFETCH.format(raw)
    try:
        table = listed(raw)
        if table.isna().any(axis=None):
            raise InputError("a field is empty")
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{where}: {Path(error.filename or raw).name} is missing: {mend}") from error
    except Exception as error:  # whatever the parsers of CSV and MATLAB files trip over
        reason = " ".join(str(error).split())
        raise InputError(f"{where}: its lists are not as published ({reason}): {mend}") from error
    for what, found, expected in _compared(table.class_id, counts):
        if found != expected:
            raise InputError(f"{where}: {found:,} {what}, expected {expected:,}: {mend}")
    columns = [column for column in ("path", "mask_path") if column in table]
    missing = [path for column in columns for path in table[column] if not (raw / path).is_file()]
    if missing:
        more = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
        raise FileNotFoundError(f"{where}: {missing[0]}{more} listed, but missing: {mend}")
    first_of_later = [counts.val_from, counts.test_from]
    return table.assign(split=np.array(SPLITS)[np.searchsorted(first_of_later, table.class_id, side="right")])


def _compared(ids: pd.Series, counts: Counts) -> list[tuple[str, int, int]]:
    """What is counted, its number in the class ids of all photos, and the published number."""
    return [
        ("images", len(ids), counts.images),
        ("classes", ids.nunique(), counts.classes),
        ("as the smallest class id", ids.min(), 0),
        ("as the largest class id", ids.max(), counts.classes - 1),
        ("test images", sum(ids >= counts.test_from), counts.test_images),
    ]
