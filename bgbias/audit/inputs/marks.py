"""Marks of what was audited, by which two audits are held against one another."""

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np

from bgbias.photos.pack import Pack

if TYPE_CHECKING:  # which have a gallery, and this a mark
    from bgbias.audit.inputs.pictures import Pictures


def of_pack(pictures: Pack) -> str:
    """Return the SHA-256 of packed pictures, in their order: sizes and pixels."""
    total = hashlib.sha256(pictures.shapes.astype(np.int32).tobytes())
    for picture in pictures:
        total.update(picture)
    return total.hexdigest()


def audited(pictures: "Pictures") -> dict[str, str]:
    """Return marks of a dataset's audited photos and of their masks, as far as they are shown, in the order of paths.

    Other photos of the dataset, such as those for training, do not count.
    """
    photos, rows = pictures.photos, pictures.image_ids[np.argsort(pictures.table.path.to_numpy())]
    marks = {"photos": of_pack(photos.photos.subset(rows)), "masks": of_pack(photos.masks.subset(rows))}
    return {what: _short([mark, photos.geometry.crop_px]) for what, mark in marks.items()}


def drawn(pictures: "Pictures") -> str:
    """Return a mark of what backgrounds are drawn by, beside the seed: photos with their numbers, classes, parts."""
    geometry, classes = pictures.photos.geometry, np.unique(pictures.labels, return_inverse=True)[1]
    numbered = list(pictures.table.path), pictures.image_ids.tolist(), classes.tolist()
    return _short([*numbered, pictures.purpose, geometry.train_crop_share, geometry.train_crop_ratio])


def _short(what: list) -> str:
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]
