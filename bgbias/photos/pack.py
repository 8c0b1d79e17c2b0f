"""Photo files decoded once, and their pixels packed in one file."""

from collections.abc import Iterator
from copy import copy
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from bgbias import cores, files
from bgbias.errors import InputError
from bgbias.photos.decode import MOST_PIXELS, Read, read_photo


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


def crop(picture: Image.Image, side_px: int) -> np.ndarray:
    """Cut the centre square out of a picture and resize it (bilinear, antialiased) to a side of `side_px`.

    >>> crop(Image.new("L", (30, 20), 7), 10).shape
    (10, 10, 1)
    """
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.resize((side_px, side_px), Image.Resampling.BILINEAR, (left, top, left + side, top + side))
    return np.asarray(square).reshape(side_px, side_px, -1)


def shrink_all(paths: list[Path], short_side: int, read: Read = read_photo) -> Iterator[np.ndarray]:
    """Decode and `shrink` pictures over all cores, in order, a bounded number of them at a time."""
    one = partial(_shrink_file, short_side=short_side, read=read)
    with cores.pool(cores.count()) as pool:
        for start in range(0, len(paths), 1024):
            yield from pool.map(one, paths[start : start + 1024], chunksize=16)


def _shrink_file(path: Path, short_side: int, read: Read) -> np.ndarray:
    return shrink(read(path), short_side)


class Pack:
    """Pictures of different sizes in one file of bytes, memory-mapped.

    A folder with `pixels.bin`, all pictures one after the other, and `shapes.npy`, int32 (N, 3): height,
    width and channels of each.

    Attributes:
        shapes: int32 (N, 3).
    """

    def __init__(self, folder: Path):
        """Open the pack in a folder.

        Raises:
            FileNotFoundError, ValueError: there is none, or not all of it.
        """
        self.folder, pixels, mend = folder, folder / "pixels.bin", f"remove {folder}, and {files.REMAKE}"
        self.shapes = files.read_numbers(folder / "shapes.npy", "i", None, 3)
        if not ((self.shapes > 0) & (self.shapes < MOST_PIXELS)).all():
            raise InputError(f"{folder / 'shapes.npy'}: holds sides that no picture has: {mend}")
        ends = self.shapes.astype(np.int64).prod(axis=1).cumsum()
        self._starts = np.concatenate([[0], ends[:-1]])
        size = pixels.stat().st_size if pixels.is_file() else 0
        if size != ends[-1]:
            raise InputError(f"{pixels}: {size:,} bytes, expected {ends[-1]:,}: {mend}")
        self._pixels = np.memmap(pixels, dtype=np.uint8, mode="r")

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
        """Write pictures, uint8 (H, W, C), as they come; the folder appears when all are there.

        Raises:
            ValueError: a picture is no such array; of bool, say, a mask's object would be nearly black.
        """
        with files.whole_folder(folder) as partial:
            shapes = []
            with (partial / "pixels.bin").open("wb") as pixels:
                for picture in pictures:
                    if picture.dtype != np.uint8 or picture.ndim != 3:
                        found = f"{picture.dtype} {picture.shape}"
                        raise InputError(
                            f"{folder}: picture {len(shapes)} is {found}, expected uint8 (H, W, C): bring it to bytes"
                        )
                    shapes.append(picture.shape)
                    pixels.write(picture.tobytes())
            np.save(partial / "shapes.npy", np.array(shapes, dtype=np.int32))
