"""Own photos: a folder with a folder of photos for each class, or with a list of them, see `listed`."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from bgbias import files
from bgbias.config.data import Folder
from bgbias.datasets import listed, near_duplicates
from bgbias.datasets.contents import NOT_READ, READ, deeper, describe, equal, is_passed_over, walk
from bgbias.datasets.listed import COLUMNS, LIST, NO_ROLES, ROLES, class_name, steers
from bgbias.errors import InputError, refuse
from bgbias.metrics import sample_size
from bgbias.photos.table import check_table
from bgbias.seeding import generator

SPLIT_FOLDERS = set("train training val valid validation test testing query queries gallery".split())  # of others


def fetch(out: Path, options: Folder) -> None:
    """Copy the photos, and masks, of data/sources/NAME (a folder or a link to one), with a list of all.

    Args:
        out: the folder to make, called NAME; it appears when everything is there. Its photos.csv names a split for
            every photo.
        options: how to split the classes where no list does.

    Raises:
        ValueError: as raised by `read`, `sample_size.limits` and `table.check_table`; a name that is no UTF-8; a link
            that leads out of the folder, unless the options allow it.
    """
    folder = files.root() / "data" / "sources" / out.name
    table = read(folder)
    print(f"{out.name}: {describe(folder, table)}", *deeper(folder, table), sep="\n", flush=True)
    if any(table.role):
        print(f"{out.name}: {NO_ROLES.format(raw=Path('data/raw') / out.name)}", flush=True)
    else:
        table = table.drop(columns="role")
    named = [*table.path, *table.mask_path, *table.class_name]
    odd = {name for name in named if name != name.encode(errors="replace").decode()}
    refuse(odd, f"{folder}: names that are no UTF-8, as {LIST} is; rename files and folders")
    if not options.follow_links:
        _refuse_links_out(folder, [*table.path, *table.mask_path[table.mask_path != ""]])
    if not any(table.split):
        table["split"] = split_classes(table.class_name, options.seed, options.val_share, options.test_share)
    if "role" in table:
        _say_few_searches(table[table.split == "test"], out.name)
    sample_size.limits(table, folder)
    check_table(_numbered(table), folder)
    with files.whole_folder(out) as partial:
        for path in sorted({*table.path, *table.mask_path} - {""}):
            (partial / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / path, partial / path)
        names = {column: name for name, column in COLUMNS.items()}
        files.write_csv(partial / LIST, table.rename(columns=names))


def _say_few_searches(tested: pd.DataFrame, name: str) -> None:
    """Say, before anything is trained, that no audit will take these test photos."""
    classes = [set(tested.class_name[tested.role == role]) for role in ROLES]
    if (both := len(set.intersection(*classes))) < 2:
        needs = f"{both} test classes have a query and a photo of the gallery, and an audit of data/raw/{name} needs 2"
        print(f"{name}: {needs}: name a split for every photo in {LIST}, test for more such classes", flush=True)


def _refuse_links_out(folder: Path, paths: list[str]) -> None:
    """What a link leads to may be meant for no copy: DVC keeps one of every photo, perhaps on a remote, too."""
    real = Path(os.path.realpath(folder))
    steps = {step for path in paths for step in (*Path(path).parents[:-1], Path(path))}
    out = {step for step in steps if not Path(os.path.realpath(folder / step)).is_relative_to(real)}
    mend = f"copy their photos into it, or set data.{folder.name}.follow_links: true, and DVC will keep copies"
    refuse((step for step in out if step.parent not in out), f"{folder}: links that lead out of the folder; {mend}")


def image_table(raw: Path) -> pd.DataFrame:
    """List the photos: columns path, class_id (from 0, by name), class_name, split, mask_path ("" for none)."""
    return _numbered(read(raw).drop(columns="role"))


def _numbered(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(class_id=pd.factorize(table.class_name, sort=True)[0])


def remarks(table: pd.DataFrame, photos: Sequence[np.ndarray]) -> list[str]:
    """Say how many photos are near-duplicates of others or of their mirror images, a sentence each; or nothing.

    Args:
        table: of `image_table`.
        photos: uint8 (H, W, 3) each, in the table's order.
    """
    return near_duplicates.remarks(photos, list(table.path), list(table.class_name))


def read(folder: Path, classes: bool = True) -> pd.DataFrame:
    """List the photos of a folder, sorted by path.

    They are those of its photos.csv where there is one. Else each is of the class that the first folder on its path
    is named after; hidden files are passed over, and what systems and storage keep in folders of theirs, such as the
    thumbnails in @eaDir. Folders and photos may be links. Names of classes that differ by blanks or by the form of
    their Unicode alone are one.

    Args:
        folder: any folder.
        classes: whether folders or list name them; else each photo is a class of its own, called by its path.

    Returns:
        Columns path and mask_path (relative to the folder, with /), class_name, split and role; mask_path, split and
        role are "" where they are not given.

    Raises:
        ValueError: no folder, no photos, photos of a single class, folders of splits; a photo outside of the class
            folders or in a format that is not read, a class folder without photos, a link that leads nowhere, two equal
            files, a name with control characters; as raised by `listed.read`. One line that names the file and the fix.
        OSError: a folder that cannot be opened.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: put, or link, a folder there that holds a folder of photos per class")
    table = listed.read(folder, classes) if (folder / LIST).is_file() else _from_folders(folder, classes)
    if table.empty:
        kinds = ", ".join(kind.removeprefix(".") for kind in READ)
        raise InputError(f"{folder}: no photos: add a folder of photos ({kinds}) per class, or list them in {LIST}")
    names = {name for column in ("path", "mask_path", "class_name") for name in table[column]}
    refuse(filter(steers, names), f"{folder}: control characters in names; rename files and classes without them")
    if classes and table.class_name.nunique() == 1:
        name = table.class_name.iloc[0]
        inner = "" if (folder / LIST).is_file() else f", or give {folder / name} if its folders are the classes"
        raise InputError(f"{folder}: all photos are of the class {name}: add other classes{inner}")
    refuse_copies(folder, dict(zip(table.path, table.class_name if classes else [""] * len(table), strict=True)))
    return table.sort_values("path", ignore_index=True)


def refuse_copies(folder: Path, class_of: dict[str, str]) -> None:
    """Raise an InputError if two files are equal, byte for byte.

    A copy of a query is found whatever the model is, and a search with swapped backgrounds loses it. And a background
    that is there twice counts as two that differ.

    Args:
        folder: of the files.
        class_of: path of each, relative to the folder -> its class.
    """
    copies = equal(folder, class_of)
    torn = [" = ".join(paths) for paths in copies if len({class_of[path] for path in paths}) > 1]
    refuse(torn, f"{folder}: the same photo in two classes; remove it from the wrong one")
    refuse(map(" = ".join, copies), f"{folder}: the same photo twice; keep one of each")


def _from_folders(folder: Path, classes: bool) -> pd.DataFrame:
    paths, _ = walk(folder)
    dangling = [path for path in paths if not (folder / path).exists()]
    refuse(dangling, f"{folder}: links that lead nowhere; mend or remove them")
    photos = [path for path in paths if path.suffix.lower() in READ]
    strangers = [path for path in paths if path.suffix.lower() in NOT_READ]
    refuse(strangers, f"{folder}: pictures of formats that are not read; convert them to JPEG, or remove them")
    if not classes:
        rows = [(path.as_posix(), path.as_posix(), "", "", "") for path in photos]
        return pd.DataFrame(rows, columns=list(COLUMNS.values()), dtype=str)
    loose = [path for path in photos if len(path.parts) == 1]
    mend = f"move them into class folders, list all photos in {LIST}, or, if each shows another product, audit them"
    refuse(loose, f"{folder}: photos of no class; {mend} with --one-each")
    if photos:
        tops = {top.name for top in folder.iterdir() if top.is_dir() and not is_passed_over(top.name)}
        empty = tops - {path.parts[0] for path in photos}
        refuse(empty, f"{folder}: class folders without photos; fill or remove them")
        if tops and {name.lower() for name in tops} <= SPLIT_FOLDERS:
            mend = f"give one of them, or list all photos in {LIST}, with their classes and splits, or roles"
            raise InputError(f"{folder}: {', '.join(sorted(tops))} are splits, not classes: {mend}")
    rows = [(path.as_posix(), class_name(path.parts[0]), "", "", "") for path in photos]
    return pd.DataFrame(rows, columns=list(COLUMNS.values()), dtype=str)


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
