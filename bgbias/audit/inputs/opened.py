"""What is audited, as it was opened, and what audit.json says of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

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
    by = {"backgrounds": backgrounds, "seed": pictures.seed, "draws": pictures.draws, "drawn": marks.drawn(pictures)}
    return {"made_with": {**of_files, **by, **beside}}
