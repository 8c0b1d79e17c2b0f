"""The photos of a catalogue that are searched, and the queries: some of them, others, or each for itself."""

from collections.abc import Callable, Sequence
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from bgbias import cores, files
from bgbias.audit.inputs import marks, sample
from bgbias.errors import InputError
from bgbias.photos.decode import read_photo
from bgbias.photos.pack import Pack, crop
from bgbias.photos.views import Photos


class Gallery(NamedTuple):
    """The photos of a catalogue, and the queries.

    Attributes:
        table: of all photos: path, class_id, class_name; those that are searched first.
        size: how many are searched.
        rows: int64 (Q,), of the queries, ascending.
        photo: rows -> photos at the size of the embedder's input, uint8 (B, 3, S, S).
        compared: rows -> photos as near-duplicates are looked for among them, as in an audit of all: of a folder these
            squares, of a dataset what is packed; uint8 (H, W, 3) each.
        content: digest of all these photos' bytes.
        one_each: whether each photo shows another product: a query then is not among the photos that are searched, and
            has to find its own among them.
    """

    table: pd.DataFrame
    size: int
    rows: np.ndarray
    photo: Callable[[np.ndarray], Tensor]
    compared: Callable[[np.ndarray], Sequence[np.ndarray]]
    content: str
    one_each: bool = False

    @property
    def apart(self) -> bool:
        """Whether the queries are other photos than those that are searched."""
        return self.size < len(self.table)

    @property
    def asked(self) -> str:
        """Sixteen hexadecimal digits of which photos are searched, of what classes, and by which."""
        classes = np.unique(self.labels, return_inverse=True)[1]  # whatever other classes a dataset has
        return marks.of_values([self.content, classes.tolist(), self.size, self.rows.tolist()])

    @property
    def labels(self) -> np.ndarray:
        """The class of each photo, int64 (N,); where each searches for itself, of all as queries once more (2 N,)."""
        return twice(self.table.class_id.to_numpy(copy=True), self.one_each)

    @property
    def class_names(self) -> pd.Series:
        """Likewise the names of the classes."""
        return pd.Series(twice(self.table.class_name.to_numpy(), self.one_each))

    @property
    def queries(self) -> np.ndarray:
        """The places of the queries among `labels`, int64 (Q,)."""
        return self.rows + self.size * self.one_each


def twice(of_photos: np.ndarray, one_each: bool) -> np.ndarray:
    """What photos are as those that are searched, then as queries, where each searches for itself."""
    return np.tile(of_photos, 1 + one_each)


def drawn(labels: np.ndarray, size: int, queries: int | None, seed: int) -> tuple[np.ndarray | None, list[str]]:
    """The rows of the queries, None where these are all photos; and what is to be said where there are no more.

    Args:
        labels: the class of each photo, those that are searched first.
        size: how many are searched.
        queries: how many are drawn; None: all.
        seed: of the draw.

    Raises:
        ValueError: they are of a single class.
    """
    every, said = sample.searchable(labels, size), []
    if queries is not None and queries >= len(every):
        said, queries = [f"--queries {queries:,}: there are {len(every):,}, so all are audited, as without it."], None
    if queries is None:
        return None if size == len(labels) else every, said
    rows = sample.draw(labels, queries, seed, size)
    if len(np.unique(labels[rows])) < 2:
        raise InputError(f"--queries {queries}: all drawn are of one class, and intervals need 2: give more")
    return rows, []


def of_prepared(
    photos: Photos, image_ids: np.ndarray, queries: int | None, seed: int
) -> tuple[Gallery | None, list[str]]:
    """The gallery of a dataset of the pipeline, None where all its photos are queries; and what is to be said."""
    table = photos.table.loc[image_ids].reset_index(drop=True)
    rows, said = drawn(table.class_id.to_numpy(), len(table), queries, seed)
    if rows is None:
        return None, said
    content = f"{marks.of_pack(photos.photos.subset(image_ids))} {photos.geometry.crop_px}"

    def photo(some: np.ndarray) -> Tensor:
        return torch.cat(list(photos.clean(image_ids[some])))

    def compared(some: np.ndarray) -> Pack:
        return photos.photos.subset(image_ids[some])

    return Gallery(table, len(table), rows, photo, compared, content), said


def of_files(
    table: pd.DataFrame, size: int, folder: Path, rows: np.ndarray, input_px: int, one_each: bool = False
) -> Gallery:
    """The gallery of a folder, whose photos are decoded when they are asked for, and kept nowhere."""
    paths = [folder / path for path in table.path]

    def compared(some: np.ndarray) -> list[np.ndarray]:
        with ThreadPool(cores.count()) as pool:
            return pool.map(lambda row: crop(read_photo(paths[row]), input_px), some)

    def photo(some: np.ndarray) -> Tensor:
        return torch.from_numpy(np.stack(compared(some))).permute(0, 3, 1, 2).contiguous()

    return Gallery(table, size, rows, photo, compared, files.checksum(*paths), one_each)
