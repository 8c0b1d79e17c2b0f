"""What is audited, as it was opened, and what audit.json says of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bgbias.audit.inputs import marks, pools
from bgbias.audit.inputs.pictures import Pictures


class Opened(NamedTuple):
    """What is audited.

    Attributes:
        pictures: photos, masks and backgrounds at the embedder's size.
        described: what they are, for audit.json.
        remarks: what is to be said of the choice, sentences.
    """

    pictures: Pictures
    described: dict
    remarks: list[str]


def described(pictures: Pictures, masks: str, backgrounds: str) -> dict:
    """Say what is audited: how many photos, classes and, of a sample, photos in the gallery; masks and backgrounds."""
    counts = {"photos": len(pictures.table), "classes": pictures.table.class_name.nunique()}
    if pictures.gallery:
        counts["gallery"] = pictures.gallery.size
    return counts | {"masks": masks, "backgrounds": f"{len(pictures.pool)} of {backgrounds}"}


def made_with(photos: Sequence[Path], masks: Path, backgrounds: str, pictures: Pictures) -> dict:
    """Say what swaps depend on, whatever the embedder: photos (of a sample the queries), masks, pool, draws."""
    of_files, second = {"photos": pools.mark(*photos), "masks": pools.mark(masks)}, pictures.second_pool
    beside = {"second_backgrounds": second.mark} if second else {}
    if gallery := pictures.gallery:
        beside["queries"] = gallery.asked
    by = {"backgrounds": backgrounds, "seed": pictures.seed, "draws": pictures.draws, "drawn": _drawn(pictures)}
    return {"made_with": {**of_files, **by, **beside}}


def audited(pictures: Pictures) -> dict[str, str]:
    """Return marks of a dataset's audited photos and of their masks, as far as they are shown, in the order of paths.

    Other photos of the dataset, such as those for training, do not count.
    """
    photos, rows = pictures.photos, pictures.image_ids[np.argsort(pictures.table.path.to_numpy())]
    packs = {"photos": photos.photos, "masks": photos.masks}
    return {
        what: marks.of_values([marks.of_pack(pack.subset(rows)), photos.geometry.crop_px])
        for what, pack in packs.items()
    }


def _drawn(pictures: Pictures) -> str:
    """Return a mark of what backgrounds are drawn by, beside the seed: photos with their numbers, classes, parts."""
    geometry, classes = pictures.photos.geometry, np.unique(pictures.labels, return_inverse=True)[1]
    numbered = list(pictures.table.path), pictures.image_ids.tolist(), classes.tolist()
    return marks.of_values([*numbered, pictures.purpose, geometry.train_crop_share, geometry.train_crop_ratio])
