"""The photos of a catalogue that are searched, and which of them are queries."""

from collections.abc import Callable
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from bgbias.audit.inputs import sample
from bgbias.cache import fingerprint
from bgbias.errors import InputError
from bgbias.files.processes import cores
from bgbias.photos.decode import read_photo
from bgbias.photos.pack import crop
from bgbias.photos.views import Photos


class Gallery(NamedTuple):
    """All photos of a catalogue, of which some are queries.

    Attributes:
        table: of all photos: path, class_id, class_name.
        rows: int64 (Q,), of the queries, ascending.
        photo: rows -> photos at the size of the embedder's input, uint8 (B, 3, S, S).
        identity: fingerprint of all photos' bytes.
    """

    table: pd.DataFrame
    rows: np.ndarray
    photo: Callable[[np.ndarray], Tensor]
    identity: str

    @property
    def labels(self) -> np.ndarray:
        """The class of each photo, int64 (N,)."""
        return self.table.class_id.to_numpy(copy=True)


def drawn(labels: np.ndarray, queries: int | None, seed: int) -> tuple[np.ndarray | None, list[str]]:
    """The rows of the queries that are drawn, None for all; and what is to be said where there are no more.

    Raises:
        ValueError: they are of a single class.
    """
    if queries is None:
        return None, []
    rows = sample.draw(labels, queries, seed)
    if queries < len(sample.searchable(labels)):
        if len(np.unique(labels[rows])) < 2:
            raise InputError(f"--queries {queries}: all drawn are of one class, and intervals need 2: give more")
        return rows, []
    return None, [f"--queries {queries:,}: there are {len(rows):,}, so all are audited, as without it."]


def of_prepared(
    photos: Photos, image_ids: np.ndarray, queries: int | None, seed: int
) -> tuple[Gallery | None, list[str]]:
    """The gallery of a dataset of the pipeline, None where all its photos are queries; and what is to be said."""
    table = photos.table.loc[image_ids].reset_index(drop=True)
    rows, said = drawn(table.class_id.to_numpy(), queries, seed)
    if rows is None:
        return None, said
    mark = fingerprint([image_ids.tolist(), photos.geometry], [photos.photos.folder])
    return Gallery(table, rows, lambda some: torch.cat(list(photos.clean(image_ids[some]))), mark), said


def of_files(table: pd.DataFrame, folder: Path, rows: np.ndarray, input_px: int) -> Gallery:
    """The gallery of a folder, whose photos are decoded when they are embedded, and kept nowhere."""
    paths = [folder / path for path in table.path]

    def photo(some: np.ndarray) -> Tensor:
        with ThreadPool(cores()) as pool:
            cut = pool.map(lambda row: crop(read_photo(paths[row]), input_px), some)
        return torch.from_numpy(np.stack(cut)).permute(0, 3, 1, 2).contiguous()

    return Gallery(table, rows, photo, fingerprint(["gallery", input_px], paths))
