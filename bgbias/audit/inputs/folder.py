"""The photos of an audit and their masks: found, checked, and refused in one line that says what to do."""

from pathlib import Path, PurePosixPath

import pandas as pd

from bgbias import errors
from bgbias.datasets import folder as folders
from bgbias.datasets import listed
from bgbias.datasets.contents import deeper, describe
from bgbias.datasets.listed import GALLERY, LIST, QUERY
from bgbias.errors import InputError
from bgbias.masks import make
from bgbias.photos import decode

LARGEST_PX = 100_000_000  # of a photo: decoded 300 MB, in each of several threads
FEWEST_PHOTOS = 10  # where each shows another product: intervals over fewer are too narrow


def read(
    folder: Path, split: str = "test", roles: bool = True, one_each: bool = False
) -> tuple[pd.DataFrame, list[str]]:
    """List the photos of a folder that are audited: all, or the test photos where its photos.csv names splits.

    Where it names roles, the gallery comes first, and queries that have no photo of their class in it are left out.

    Args:
        folder: a folder of class folders or with a photos.csv, see `bgbias.datasets.folder`.
        split: another one of those that photos.csv names.
        roles: whether those that photos.csv names count.
        one_each: each photo is a class of its own, called by its path, whatever folder or list say.

    Returns:
        The table, with columns path, class_id (from 0, by name), class_name, mask_path and role ("" for none); and
        what is to be said of the choice, of classes of several folders, of long and of transparent photos, sentences.

    Raises:
        ValueError: see `datasets.folder.read`; or fewer than two classes of two photos, or of a query and a photo of
            the gallery, or fewer than ten photos of one each; no test photos; a photo that is no picture, too small,
            too narrow or too large.
    """
    table = folders.read(folder, classes=not one_each)
    print(f"{folder}: {describe(folder, table)}", flush=True)
    said, which = [] if one_each else deeper(folder, table), ""
    if any(table.split):
        every, table = len(table), table[table.split == split].reset_index(drop=True)
        said += [f"Of the {every:,} photos that photos.csv lists, the {len(table):,} of the split {split} are audited."]
        which = f"{split} photos: "
    if not roles:
        table["role"] = ""
    if one_each:
        _refuse_few(folder, table, which)
        said += _without_classes(folder, table)
    elif any(table.role):
        table, lone = _gallery_first(table)
        said += lone
        asked = table.class_name[table.role == QUERY].nunique()
        _refuse_single(asked, f"{folder}: {which}{asked} classes of a query and a photo of the gallery")
    else:
        pairs = int((table.class_name.value_counts() > 1).sum())
        otherwise = ", or, if each photo shows another product, audit with --one-each"
        _refuse_single(pairs, f"{folder}: {which}{pairs} classes of two photos or more", otherwise)
    said += decode.odd_sizes(folder, list(table.path), LARGEST_PX)
    said += decode.odd_files((folder / path for path in table.path), "photos")
    return table.assign(class_id=pd.factorize(table.class_name, sort=True)[0]).drop(columns="split"), said


def _without_classes(folder: Path, table: pd.DataFrame) -> list[str]:
    """Say how many classes of several photos do not count, a sentence; nothing where there are no two."""
    tops = [PurePosixPath(path).parts[0] for path in table.path if "/" in path]
    names, where = pd.Series(tops, dtype=str), "top folders"
    if (folder / LIST).is_file():
        names, where = listed.named_classes(folder).reindex(table.path).dropna(), f"classes of {LIST}"
    several = int((names.value_counts() > 1).sum())
    said = f"{several:,} {where} hold several photos and do not count"
    return [f"{said}: if these are the products, audit without --one-each."] if several > 1 else []


def _refuse_single(classes: int, found: str, otherwise: str = "") -> None:
    """Raise an InputError where there are not two classes that have something to find."""
    if classes < 2:
        raise InputError(f"{found}, and an audit needs 2: add classes or photos{otherwise}")


def _refuse_few(folder: Path, table: pd.DataFrame, which: str) -> None:
    """Raise an InputError where photos that have to find themselves are too few, or have roles."""
    if any(table.role):
        raise InputError(
            f"{folder}: {LIST} names roles, and with --one-each every photo is query and gallery: leave one of them out"
        )
    if len(table) < FEWEST_PHOTOS:
        raise InputError(f"{folder}: {which}{len(table)} photos, and --one-each needs {FEWEST_PHOTOS}: add photos")


def _gallery_first(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The gallery's photos, then the queries that have one of their class in it; and how many have none, a sentence."""
    gallery = table[table.role == GALLERY]
    queries = table[table.role == QUERY]
    found = queries.class_name.isin(gallery.class_name)
    lone = len(queries) - int(found.sum())
    said = f"{lone:,} of {len(queries):,} queries have no photo of their class in the gallery, and are left out."
    return pd.concat([gallery, queries[found]], ignore_index=True), [said] if lone else []


def given_masks(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """The table with a mask_path for each photo: the file of its path in a folder of masks.

    Args:
        table: of `read`.
        folder: holds for the photo apple/a.jpg the mask apple/a.png, or apple/a.jpg.png as the masks stage makes it.

    Raises:
        ValueError: no such folder, a photo without a mask, two photos of one mask.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: give the folder of masks, or a --mask-method")
    found = {}
    for path in table.path:
        likely = [make.file_of(folder, path), folder / PurePosixPath(path).with_suffix(".png")]
        found[path] = next((file.resolve() for file in likely if file.is_file()), None)
    missing = [path for path, file in found.items() if file is None]
    expected = PurePosixPath(missing[0]).with_suffix(".png") if missing else ""
    errors.refuse(missing, f"{folder}: no mask for photos; add such as {expected}, or give a --mask-method")
    files = pd.Series(found)
    shared = files.index[files.duplicated(keep=False)]
    errors.refuse(shared, f"{folder}: photos that share a mask; name masks in full, such as a.jpg.png")
    return table.assign(mask_path=[str(found[path]) for path in table.path])  # absolute, whatever the photos' folder


def refuse_masks_among(table: pd.DataFrame, folder: Path, masks: Path) -> None:
    """Raise a ValueError if the folder of masks lies among the photos, and its masks are read as photos."""
    inside, around = masks.resolve(), folder.resolve()
    if inside != around and inside.is_relative_to(around):
        start = f"{inside.relative_to(around).as_posix()}/"
        read = [path for path in table.path if path.startswith(start)]
        mend = f"move it out, or list the photos in {LIST}"
        errors.refuse(read, f"{masks} lies in {folder}, so masks are read as photos; {mend}")


def refuse_unmasked(table: pd.DataFrame, folder: Path, option: str = "--mask-method") -> None:
    """Raise a ValueError if photos.csv names no mask for a photo, which the method given of an option needs."""
    unmasked = table.path[table.mask_path == ""]
    errors.refuse(unmasked, f"{folder}: photos.csv names no mask for photos; add them, or {option} grabcut")
