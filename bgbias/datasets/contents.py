"""What lies in a folder of own photos: which files are looked at, and what is passed over."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from bgbias import files
from bgbias.datasets.listed import LIST
from bgbias.errors import refuse

READ = (".jpg", ".jpeg", ".png", ".webp")
# pictures all the same: leaving them out unsaid would change results
NOT_READ = tuple(".avif .bmp .cr2 .dng .gif .heic .heif .j2k .jfif .jp2 .jpe .jxl .nef .psd .tif .tiff".split())
SPOKEN = "case, punctuation or leading zeros alone"  # see `spoken_alike`
SERVICE = {"__macosx", "@eadir", "#recycle", "@recycle", "$recycle.bin", "lost+found", "system volume information"}


def is_passed_over(name: str) -> bool:
    """Say whether a file or folder is hidden, or one that systems and storage keep for themselves.

    >>> is_passed_over(".git"), is_passed_over("@eaDir"), is_passed_over("mug")
    (True, True, False)
    """
    return name.startswith(".") or name.lower() in SERVICE


def walk(folder: Path) -> tuple[list[Path], list[Path]]:
    """List the files below a folder, and links that lead nowhere; linked folders are followed, each once.

    Returns:
        These; and the files and folders that are passed over. Both relative to the folder.

    Raises:
        ValueError: one of the files is a pipe or a device.
        OSError: a folder cannot be opened.
    """

    def fail(error: OSError) -> None:
        raise error

    paths, over, known = [], [], set()
    for parent, folders, names in os.walk(folder, onerror=fail, followlinks=True):
        real = os.path.realpath(parent)
        if real in known:
            folders.clear()
            continue
        known.add(real)
        within = Path(parent).relative_to(folder)
        over += [within / name for name in (*folders, *names) if is_passed_over(name)]
        paths += [within / name for name in names if not is_passed_over(name)]
        folders[:] = sorted(name for name in folders if not is_passed_over(name))
    endless = (path for path in paths if (folder / path).exists() and not (folder / path).is_file())
    refuse(endless, f"{folder}: pipes or devices, which might be read for ever; remove them")
    return paths, over


def equal(folder: Path, paths: Iterable[str]) -> list[list[str]]:
    """Group files that are equal, byte for byte; each group has two or more.

    Args:
        folder: of the files.
        paths: relative to it.
    """
    by_size, by_content = defaultdict(list), defaultdict(list)
    for path in sorted(paths):
        by_size[(folder / path).stat().st_size].append(path)
    for some in by_size.values():
        for path in some if len(some) > 1 else []:
            by_content[files.checksum(folder / path)].append(path)
    return [some for some in by_content.values() if len(some) > 1]


def describe(folder: Path, table: pd.DataFrame) -> str:
    """Say what of a folder is read, which photos share a mask or have another's, and what is passed over.

    Args:
        folder: any folder.
        table: what `folder.read` has returned of it.

    >>> import tempfile
    >>> table = pd.DataFrame({"path": ["cup/1.jpg", "mug/1.jpg"], "class_name": ["cup", "mug"], "mask_path": ""})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in (*table.path, "cup/a.txt", "cup/b.txt", "cup/@eaDir/1.jpg", ".DS_Store"):
    ...         (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
    ...         (Path(folder) / name).touch()
    ...     describe(Path(folder), table)
    '2 photos of 2 classes; passed over: files of other kinds: 2, such as cup/a.txt; folders of systems \
and storage: cup/@eaDir; hidden: .DS_Store'
    """
    paths, over = walk(folder)
    used = {step for path in (*table.path, *table.mask_path, LIST) for step in (Path(path), *Path(path).parents)}
    kinds = {}
    for path in sorted({*paths, *over} - used):
        kinds.setdefault(_kind(path), []).append(path)
    counts = [
        f"{kind}: {paths[0]}" if len(paths) == 1 else f"{kind}: {len(paths):,}, such as {paths[0]}"
        for kind, paths in sorted(kinds.items())
    ]
    one_each = (table.class_name == table.path).all()
    read = f"{len(table):,} photos" + ("" if one_each else f" of {table.class_name.nunique():,} classes")
    if alike := spoken_alike(table.class_name):
        read += f"; classes that differ by {SPOKEN}: {', '.join(alike[:4])}{' ...' * (len(alike) > 4)}"
    masked = table[table.mask_path != ""]
    first = {path: some[0] for some in equal(folder, {*masked.mask_path}) for path in some}
    shared = masked.mask_path.map(lambda path: first.get(path, path)).duplicated(keep=False)
    if any(shared):
        such = " and ".join(masked.path[shared][:2])
        read += f"; {sum(shared):,} photos whose mask is that of another, too, such as {such}"
    names = {(kind, _stem(path)) for path, kind in zip(masked.path, masked.class_name, strict=True)}
    odd = [
        f"{path}: {mask}"
        for path, kind, mask in masked[["path", "class_name", "mask_path"]].itertuples(index=False)
        if _stem(mask) != _stem(path) and (kind, _stem(mask)) in names
    ]
    if odd:
        read += f"; {len(odd):,} photos whose mask is named as another photo of their class, such as {odd[0]}"
    return f"{read}; passed over: {'; '.join(counts)}" if counts else read


def deeper(folder: Path, table: pd.DataFrame) -> list[str]:
    """Say that classes hold several folders of photos each, which may be the classes that were meant; a sentence.

    Args:
        folder: any folder.
        table: what `folder.read` has returned of it.

    >>> paths = ["Arla/milk/1.jpg", "Arla/yoghurt/1.jpg", "Valio/1.jpg"]
    >>> deeper(Path(), pd.DataFrame({"path": paths, "class_name": ["Arla", "Arla", "Valio"]}))
    ['Each of the 2 classes is a folder at the top, and 2 folders of photos lie below, such as Arla/milk: if these \
are the products, list all photos in photos.csv with their classes, or give a folder that holds these folders.']
    """
    below = sorted({path.parent for path in map(Path, table.path) if len(path.parts) > 2})
    if (folder / LIST).is_file() or len({path.parts[0] for path in below}) == len(below):
        return []
    said = f"Each of the {table.class_name.nunique():,} classes is a folder at the top, and {len(below):,} folders of"
    mend = f"list all photos in {LIST} with their classes, or give a folder that holds these folders"
    return [f"{said} photos lie below, such as {below[0].as_posix()}: if these are the products, {mend}."]


def _stem(path: str) -> str:
    """What the names of a photo and its mask have in common: of a/1.jpg and b/1_mask.png it is 1."""
    return Path(path).name.partition(".")[0].removesuffix("_mask")


def spoken_alike(names: pd.Series) -> list[str]:
    """Return the names of classes or places that differ by case, punctuation or leading zeros alone, like by like.

    >>> spoken_alike(pd.Series(["Shop-1", "Lund", "shop 01", "Lund"]))
    ['Shop-1', 'shop 01']
    """
    once = pd.Series(names.unique())
    return sorted(once[once.map(_spoken).duplicated(keep=False)], key=lambda name: (_spoken(name), name))


def _spoken(name: str) -> str:
    """A name without what a person, or a spreadsheet that takes it for a number, may have spelt otherwise.

    >>> [_spoken(name) for name in ("Blue-Mug_007", "blue mug 7", "1.05 l", "1.5 l", "42.0", "42", "C++", "-")]
    ['blue mug 7', 'blue mug 7', '1 05 l', '1 5 l', '42', '42', 'c++', '-']
    """
    numbers = re.sub(r"(?<![\d.,])0+(?=\d)", "", re.sub(r"^(\d+)\.0+$", r"\1", name.casefold()))
    return re.sub(r"[\s_.,;:/()'-]+", " ", numbers).strip() or name


def _kind(path: Path) -> str:
    if path.name.startswith("."):
        return "hidden"
    if is_passed_over(path.name):
        return "folders of systems and storage"
    return f"pictures not in {LIST}" if path.suffix.lower() in (*READ, *NOT_READ) else "files of other kinds"
