"""The image table, photo files, and packed pixels."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from copy import copy
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageOps

from bgbias import files

COLUMNS = ["image_id", "path", "class_id", "class_name", "split"]
SPLITS = ("train", "val", "test")
Image.MAX_IMAGE_PIXELS = 200_000_000  # a photo of more is refused instead of filling the memory


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
        raise ValueError(f"{where}no photos found: remove {raw} and run `dvc repro`, which fetches it again")
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


def refuse(found: Iterable, complaint: str) -> None:
    """Raise ValueError with the complaint and the first of what was found, if anything was.

    >>> refuse({"b.jpg", "a.jpg"}, "missing; restore them")
    Traceback (most recent call last):
    ValueError: missing; restore them: a.jpg, b.jpg
    """
    found = sorted(found)
    if found:
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise ValueError(f"{complaint}: {', '.join(map(str, found[:3]))}{more}")


def read_table(path: Path) -> pd.DataFrame:
    """Read an image table that `check_table` has passed; empty fields are empty strings."""
    return pd.read_csv(path, keep_default_na=False, dtype={"class_name": str, "path": str, "mask_path": str})


def read_photo(path: Path, mode: str = "RGB") -> Image.Image:
    """Decode a photo or mask, upright as its EXIF orientation says.

    Args:
        path: of the picture.
        mode: Pillow's mode of the result, "RGB" or "L".

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not a picture, or is broken or too large.
    """
    try:
        with Image.open(path) as picture:
            return ImageOps.exif_transpose(picture).convert(mode)
    except FileNotFoundError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path}: does not decode ({error}): replace or remove it") from error


def shrink(picture: Image.Image, short_side: int) -> np.ndarray:
    """Bring the short side to `short_side` pixels (bilinear, antialiased), keeping the proportions.

    Returns:
        uint8 (H, W, C).
    """
    scale = short_side / min(picture.size)
    size = tuple(max(short_side, round(side * scale)) for side in picture.size)
    # a JPEG-like shortcut first (reducing_gap) would cost up to two grey levels; photos are packed only once
    shrunk = np.asarray(picture if size == picture.size else picture.resize(size, Image.Resampling.BILINEAR))
    return shrunk.reshape(*shrunk.shape[:2], -1)


def shrink_all(paths: list[Path], short_side: int, mode: str = "RGB") -> Iterator[np.ndarray]:
    """Decode and `shrink` pictures over all cores, in order, a bounded number of them at a time."""
    one = partial(_shrink_file, short_side=short_side, mode=mode)
    # spawned: the fork of a process with threads (of onnxruntime, OpenMP) may hang
    with ProcessPoolExecutor(cores(), mp_context=get_context("spawn")) as pool:
        for start in range(0, len(paths), 1024):
            yield from pool.map(one, paths[start : start + 1024], chunksize=16)


def _shrink_file(path: Path, short_side: int, mode: str) -> np.ndarray:
    return shrink(read_photo(path, mode), short_side)


class Pack:
    """Pictures of different sizes in one file of bytes, memory-mapped.

    A folder with `pixels.bin`, all pictures one after the other, and `shapes.npy`, int32 (N, 3): height,
    width and channels of each.

    Attributes:
        shapes: int32 (N, 3).
    """

    def __init__(self, folder: Path):
        """Open the pack in a folder."""
        self.folder = folder
        self.shapes = np.load(folder / "shapes.npy")
        ends = self.shapes.astype(np.int64).prod(axis=1).cumsum()
        self._starts = np.concatenate([[0], ends[:-1]])
        self._pixels = np.memmap(folder / "pixels.bin", dtype=np.uint8, mode="r")
        if self._pixels.size != ends[-1]:
            raise ValueError(f"{folder}: {self._pixels.size:,} bytes, expected {ends[-1]:,}: make it again")

    def __len__(self) -> int:
        """The number of pictures."""
        return len(self.shapes)

    def __getitem__(self, index: int) -> np.ndarray:
        """One picture, uint8 (H, W, C), not copied."""
        start, shape = self._starts[index], self.shapes[index]
        return self._pixels[start : start + shape.prod(dtype=np.int64)].reshape(shape)

    def subset(self, rows: np.ndarray | slice) -> "Pack":
        """Some of the pictures as a pack of its own; nothing is copied."""
        part = copy(self)
        part.shapes, part._starts = self.shapes[rows], self._starts[rows]
        return part

    @staticmethod
    def write(folder: Path, pictures: Iterator[np.ndarray]) -> None:
        """Write pictures, uint8 (H, W, C), as they come; the folder appears when all are there."""
        with files.whole_folder(folder) as partial:
            shapes = []
            with (partial / "pixels.bin").open("wb") as pixels:
                for picture in pictures:
                    shapes.append(picture.shape)
                    pixels.write(picture.tobytes())
            np.save(partial / "shapes.npy", np.array(shapes, dtype=np.int32))


def cores() -> int:
    """The number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
