"""Photos and masks of a folder, packed once at the size of the embedder's input."""

from collections.abc import Iterator
from multiprocessing.pool import ThreadPool
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from bgbias import cores
from bgbias.audit.inputs.pictures import packed
from bgbias.cache import Cache, fingerprint
from bgbias.config import params
from bgbias.errors import InputError
from bgbias.files.locks import locked
from bgbias.masks.make import file_of, made_from, make_masks
from bgbias.photos import foreground
from bgbias.photos.decode import Read, read_mask, read_photo
from bgbias.photos.pack import Pack, crop

CROP_SHARE, CROP_RATIO = [0.4, 1.0], [0.75, 4 / 3]  # of the part of a background that is shown, as in training


def square(px: int) -> params.Geometry:
    """The geometry of photos that are packed as squares of the embedder's input."""
    return params.Geometry(
        short_side_px=px, crop_px=px, input_px=px, train_crop_share=CROP_SHARE, train_crop_ratio=CROP_RATIO
    )


def _crops(paths: list[Path], side_px: int, read: Read, what: str) -> Iterator[np.ndarray]:
    with ThreadPool(cores.count()) as pool:  # decoding leaves Python's lock to others
        found = pool.imap(lambda path: crop(read(path), side_px), paths)
        yield from tqdm(found, what, len(paths), unit="picture")


def photo_pack(table: pd.DataFrame, folder: Path, input_px: int, cache: Cache) -> Pack:
    """Decode and crop all photos, once."""
    paths = [folder / path for path in table.path]
    made_from = fingerprint(["photos", input_px], paths)
    return packed(cache, "photos", made_from, lambda: _crops(paths, input_px, read_photo, "photos"))


def mask_pack(table: pd.DataFrame, folder: Path, options: params.Masks, input_px: int, cache: Cache) -> Pack:
    """Make the masks of all photos (an interrupted run goes on), and crop them.

    Raises:
        ValueError: see `make.make_masks`.
    """
    settings, data = made_from(options)
    given = [folder / path for path in table.mask_path if options.method == "given"]
    of_photos = [folder / path for path in table.path]
    mark = fingerprint([list(table.path), *settings], [*of_photos, *given, *data])
    full_size = cache.root / mark / "masks"
    with locked(str(full_size), wait=True):  # another audit may be making them
        make_masks(table, folder, full_size, options)
    paths = [file_of(full_size, path) for path in table.path]
    return packed(cache, f"masks_{input_px}", mark, lambda: _crops(paths, input_px, read_mask, "cropping masks"))


def refuse_empty(masks: Pack, folder: Path) -> None:
    """Raise an InputError if no mask of a folder's photos shows an object."""
    if all(foreground.suspicion(masks[row]) == "empty" for row in range(len(masks))):
        raise InputError(f"{folder}: all masks are empty (white is the object): make others, or --mask-method grabcut")
