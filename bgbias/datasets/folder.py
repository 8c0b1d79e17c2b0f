"""Own photos: a folder with a folder of photos for each class, or with a list of them, photos.csv.

The list has the columns path (of the photo, relative to the folder) and class, and may have split (train, val or
test) and mask (path of a foreground mask: grey, of the photo's size, white where the object is).
"""

import csv
import os
import shutil
import unicodedata
from collections import defaultdict
from pathlib import Path, PurePosixPath

import pandas as pd

from bgbias import files
from bgbias.config import params
from bgbias.errors import InputError, refuse
from bgbias.metrics import sample_size
from bgbias.photos.table import SPLITS, check_table
from bgbias.seeding import generator

LIST = "photos.csv"
COLUMNS = {"path": "path", "class": "class_name", "split": "split", "mask": "mask_path"}  # of the list -> of the table
READ = (".jpg", ".jpeg", ".png", ".webp")
# pictures all the same: leaving them out unsaid would change results
NOT_READ = tuple(".avif .bmp .cr2 .dng .gif .heic .heif .j2k .jfif .jp2 .jpe .jxl .nef .psd .tif .tiff".split())
SERVICE = {"__macosx", "@eadir", "#recycle", "@recycle", "$recycle.bin", "lost+found", "system volume information"}


def fetch(out: Path, options: params.Folder) -> None:
    """Copy the photos, and masks, of data/sources/NAME (a folder or a link to one), with a list of all.

    Args:
        out: the folder to make, called NAME; it appears when everything is there. Its photos.csv names a split for
            every photo.
        options: how to split the classes where no list does.

    Raises:
        ValueError: as raised by `read`, `sample_size.limits` and `table.check_table`.
    """
    folder = files.root() / "data" / "sources" / out.name
    table = read(folder)
    if not any(table.split):
        table["split"] = split_classes(table.class_name, options.seed, options.val_share, options.test_share)
    sample_size.limits(table, folder)
    check_table(_numbered(table), folder)
    with files.whole_folder(out) as partial:
        for path in sorted({*table.path, *table.mask_path} - {""}):
            (partial / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / path, partial / path)
        listed = {column: name for name, column in COLUMNS.items()}
        files.write_csv(partial / LIST, table.rename(columns=listed))


def image_table(raw: Path) -> pd.DataFrame:
    """List the photos: columns path, class_id (from 0, by name), class_name, split, mask_path ("" for none)."""
    return _numbered(read(raw))


def _numbered(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(class_id=pd.factorize(table.class_name, sort=True)[0])


def read(folder: Path) -> pd.DataFrame:
    """List the photos of a folder, sorted by path.

    They are those of its photos.csv where there is one. Else each is of the class that the first folder on its path
    is named after; hidden files are passed over, and what systems and storage keep in folders of theirs, such as the
    thumbnails in @eaDir. Folders and photos may be links. Names of classes that differ by blanks or by the form of
    their Unicode alone are one.

    Args:
        folder: any folder.

    Returns:
        Columns path and mask_path (relative to the folder, with /), class_name and split; mask_path and split are
        "" where they are not given.

    Raises:
        ValueError: no folder, no photos, photos of a single class; a photo outside of the class folders or in a
            format that is not read, a class folder without photos, a link that leads nowhere, two equal files; a
            list without the needed columns, or
            with a line that is incomplete, double, has an unknown split, or names a file that is
            missing or outside of the folder. One line that names the file and the fix.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: put, or link, a folder there that holds a folder of photos per class")
    table = _from_list(folder) if (folder / LIST).is_file() else _from_folders(folder)
    if table.empty:
        kinds = ", ".join(kind.removeprefix(".") for kind in READ)
        raise InputError(f"{folder}: no photos: add a folder of photos ({kinds}) per class, or list them in {LIST}")
    if table.class_name.nunique() == 1:
        raise InputError(f"{folder}: all photos are of the class {table.class_name.iloc[0]}: add other classes")
    _refuse_copies(folder, dict(zip(table.path, table.class_name, strict=True)))
    return table.sort_values("path", ignore_index=True)


def _refuse_copies(folder: Path, class_of: dict[str, str]) -> None:
    """A copy of a query is found whatever the model is, and a search with swapped backgrounds loses it."""
    by_size, by_content = defaultdict(list), defaultdict(list)
    for path in sorted(class_of):
        by_size[(folder / path).stat().st_size].append(path)
    for paths in by_size.values():
        for path in paths if len(paths) > 1 else []:
            by_content[files.checksum(folder / path)].append(path)
    copies = [paths for paths in by_content.values() if len(paths) > 1]
    torn = [" = ".join(paths) for paths in copies if len({class_of[path] for path in paths}) > 1]
    refuse(torn, f"{folder}: the same photo in two classes; remove it from the wrong one")
    refuse(map(" = ".join, copies), f"{folder}: the same photo twice; keep one of each")


def _from_folders(folder: Path) -> pd.DataFrame:
    paths = [path for path in _files(folder) if _is_visible(path)]
    dangling = [path for path in paths if not (folder / path).exists()]
    refuse(dangling, f"{folder}: links that lead nowhere; mend or remove them")
    photos = [path for path in paths if path.suffix.lower() in READ]
    strangers = [path for path in paths if path.suffix.lower() in NOT_READ]
    refuse(strangers, f"{folder}: pictures of formats that are not read; convert them to JPEG, or remove them")
    loose = [path for path in photos if len(path.parts) == 1]
    refuse(loose, f"{folder}: photos of no class; move them into class folders, or list all photos in {LIST}")
    if photos:
        classes = {top.name for top in folder.iterdir() if top.is_dir() and _is_visible(Path(top.name))}
        empty = classes - {path.parts[0] for path in photos}
        refuse(empty, f"{folder}: class folders without photos; fill or remove them")
    rows = [(path.as_posix(), class_name(path.parts[0]), "", "") for path in photos]
    return pd.DataFrame(rows, columns=list(COLUMNS.values()), dtype=str)


def _files(folder: Path) -> list[Path]:
    """All files below a folder, and links that lead nowhere; linked folders are followed, each once."""
    paths, known = [], set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in known:
            folders.clear()
            continue
        known.add(real)
        folders.sort()
        paths += [Path(parent, name).relative_to(folder) for name in names]
    return paths


def _is_visible(path: Path) -> bool:
    return not any(part.startswith(".") or part.lower() in SERVICE for part in path.parts)


def class_name(name: str) -> str:
    """Return the name of a class in one form: composed Unicode (NFC), single blanks, none at the ends.

    >>> class_name("\u00a0A\u0308pfel  rot ") == "\u00c4pfel rot"
    True
    """
    return " ".join(unicodedata.normalize("NFC", name).split())


def _on_disk(folder: Path, path: str) -> str:
    """The form of a path, composed or decomposed, that is there; else the path as it is."""
    forms = (path, *(unicodedata.normalize(form, path) for form in ("NFC", "NFD")))
    return next((form for form in forms if (folder / form).is_file()), path)


def _from_list(folder: Path) -> pd.DataFrame:
    file = folder / LIST
    table = _cells(file)
    for column in ("path", "mask_path"):
        posix = [PurePosixPath(path).as_posix() if path else "" for path in table[column]]
        table[column] = [_on_disk(folder, path) if path else "" for path in posix]
    table["class_name"] = table.class_name.map(class_name)
    paths = pd.concat([table.path, table.mask_path[table.mask_path != ""]])
    away = [path for path in paths if path.startswith("/") or ".." in PurePosixPath(path).parts]
    refuse(away, f"{file}: paths that leave the folder; copy or link the files into it")
    missing = {path for path in paths if not (folder / path).is_file()}
    refuse(missing, f"{file}: listed, but missing; correct the paths (relative to {folder}, with /)")
    refuse(table.path[table.path.duplicated()], f"{file}: listed twice; list each photo once")
    unknown = set(table.split) - {"", *SPLITS}
    refuse(unknown, f"{file}: unknown split; there are {', '.join(SPLITS)}")
    if any(table.split):
        refuse(table.path[table.split == ""], f"{file}: photos without a split; give one to all, or to none")
    return table


def _cells(file: Path) -> pd.DataFrame:
    """The list's fields as text, unknown and missing columns refused."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            header, *rows = list(csv.reader(lines, strict=True)) or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file}: does not read ({error}): save it as comma-separated values in UTF-8") from error
    header = [name.strip() for name in header]
    if len(set(header)) < len(header) or not {"path", "class"} <= set(header) <= set(COLUMNS):
        raise InputError(
            f"{file}: its first line is '{','.join(header)}': name the columns path,class or path,class,split,mask, "
            "separated by commas, and no others"
        )
    rows = {number: row for number, row in enumerate(rows, 2) if any(row)}
    uneven = [number for number, row in rows.items() if len(row) != len(header)]
    refuse(uneven, f"{file}: rows that have not one field per column; quote a field that holds a comma")
    table = pd.DataFrame(list(rows.values()), index=list(rows), columns=header, dtype=str)
    for column in ("path", "class"):
        refuse(table.index[table[column] == ""], f"{file}: rows without a {column}; fill or remove them")
    return table.reindex(columns=list(COLUMNS), fill_value="").rename(columns=COLUMNS)


def split_classes(class_names: pd.Series, seed: int, val_share: float, test_share: float) -> pd.Series:
    """Give whole classes to train, val and test, at random.

    Val and test get their shares of the classes with two photos or more, but at least two classes each. A class with
    a single photo has nothing to be found by or trained on: it goes to test, where it is one more wrong answer.

    Args:
        class_names: of each photo.
        seed: the same one splits the same classes alike, in whatever order they come.
        val_share: of the classes, in [0, 1].
        test_share: the same; what is left is for training.

    Returns:
        The split of each photo.

    >>> names = pd.Series(["pear", "fig", "kiwi", "plum", "lime", "date"] * 2 + ["nut"])
    >>> split_classes(names, 1, 0.25, 0.25).value_counts().to_dict()
    {'test': 5, 'train': 4, 'val': 4}
    """
    sizes = class_names.value_counts()
    classes = sorted(sizes.index[sizes > 1])
    val, test = (max(2, round(share * len(classes))) for share in (val_share, test_share))
    order = [classes[place] for place in generator(seed, "split of classes").permutation(len(classes))]
    split_of = dict.fromkeys(order, "train") | dict.fromkeys(order[:val], "val")
    split_of |= dict.fromkeys(order[val : val + test], "test")
    return class_names.map(split_of).fillna("test")
