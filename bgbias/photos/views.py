"""What a network sees of the photos: clean, or with other backgrounds."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from bgbias import ranks
from bgbias.config import params
from bgbias.errors import InputError
from bgbias.files import REMAKE
from bgbias.photos.compose import centre_box, flip, paste, random_box, take
from bgbias.photos.extent import grown
from bgbias.photos.foreground import Box
from bgbias.photos.pack import Pack
from bgbias.photos.table import read_table
from bgbias.seeding import generator

BATCH = 64
MANIFEST = ["image_id", "background_id", *Box._fields, "flipped"]


class Photos:
    """Packed photos with their masks, and what a network sees of them: the one door for pipeline, audit and remedies.

    Attributes:
        table: one row a photo; image_id is the row.
        photos: uint8 (H, W, 3) each.
        masks: uint8 (H, W, 1) each, of the photos' sizes.
        geometry: crops and sizes.
        pools: the folder of background pools; None: there are none by name.
    """

    def __init__(
        self, table: pd.DataFrame, photos: Pack, masks: Pack, geometry: params.Geometry, pools: Path | None = None
    ):
        """Take what was packed.

        Raises:
            ValueError: masks and photos differ in number or size, or photos are smaller than the crops of them.
        """
        self.table, self.photos, self.masks, self.geometry, self.pools = table, photos, masks, geometry, pools
        if not np.array_equal(masks.shapes, photos.shapes * [1, 1, 0] + [0, 0, 1]):
            raise InputError(f"{masks.folder}: masks and photos differ in number or size: make the masks again")
        if (least := photos.shapes[:, :2].min()) < geometry.crop_px:
            mend = "pack them again, as `dvc repro` does, or correct crop_px"
            raise InputError(
                f"{photos.folder}: photos of {least} pixels, too small for crops of {geometry.crop_px}: {mend}"
            )

    @classmethod
    def prepared(cls, dataset: str, geometry: params.Geometry, data: Path = Path("data")) -> Self:
        """Open what the stages prepare, masks and backgrounds have made of a dataset."""
        prepared = data / "prepared" / dataset
        table, photos = read_table(prepared / "images.csv"), Pack(prepared / "photos")
        return cls(table, photos, Pack(data / "masks" / dataset / "packed"), geometry, data / "backgrounds" / dataset)

    @property
    def name(self) -> str:
        """The dataset's, which its folder of pools has; "<dataset>": it has none."""
        return self.pools.name if self.pools else "<dataset>"

    def pool(self, name: str) -> Pack:
        """Open the background pool of a name."""
        if not (self.pools / name).is_dir():
            known = ", ".join(sorted(path.parent.name for path in self.pools.glob("*/shapes.npy"))) or "none"
            raise InputError(f"{self.pools}: no pool '{name}'; there are {known}: correct the name, or {REMAKE}")
        return Pack(self.pools / name)

    def val_pools(self, separate: bool) -> tuple[Pack, Pack]:
        """The pools for training and for selection: both the whole pool `val`, or every second picture each."""
        pool = self.pool("val")
        return (pool.subset(np.s_[::2]), pool.subset(np.s_[1::2])) if separate else (pool, pool)

    def split(self, name: str) -> np.ndarray:
        """The image_ids of a split, ascending; a ValueError if there are none."""
        image_ids = self.table.image_id[self.table.split == name].to_numpy()
        if not len(image_ids):
            raise InputError(f"{self.photos.folder}: no photos of the split {name}: {REMAKE}")
        ranks.enough(len(image_ids), f"photos of the split {name}")
        return image_ids

    def clean(self, image_ids: Sequence[int]) -> Iterator[Tensor]:
        """Centre crops of photos as they are, in batches of uint8 (B, 3, input_px, input_px)."""
        for some in _batches(image_ids):
            yield torch.stack([self._centre(self.photos, image_id) for image_id in some])

    def foregrounds(self, image_ids: Sequence[int]) -> Iterator[Tensor]:
        """The masks of the centre crops, in batches of uint8 (B, 1, input_px, input_px)."""
        for some in _batches(image_ids):
            yield torch.stack([self._centre(self.masks, image_id) for image_id in some])

    def draw(self, image_ids: Sequence[int], pool: Pack, seed: int, view: str, number: int) -> pd.DataFrame:
        """Draw a background for every photo of a swapped view; the same arguments give the same draws.

        Args:
            image_ids: the photos.
            pool: the backgrounds.
            seed: the run's.
            view: its name.
            number: of the repeat.

        Returns:
            The manifest: columns image_id, background_id, left, top, width, height (of the part of the
            background, in its packed pixels) and flipped: all it takes to make the view again to the byte.
        """
        rows = []
        for image_id in image_ids:
            rng = generator(seed, view, number, int(image_id))
            background_id, box, flipped = draw_background(pool.shapes, self.geometry, rng)
            rows.append((int(image_id), background_id, *box, flipped))
        return pd.DataFrame(rows, columns=MANIFEST)

    def swapped(self, manifest: pd.DataFrame, pool: Pack, grow_px: int = 0) -> Iterator[Tensor]:
        """Paste the objects of centre crops on the backgrounds of a manifest, in batches as of `clean`.

        Args:
            manifest: of `draw`.
            pool: that it was drawn from.
            grow_px: by how much masks are dilated; negative: eroded.
        """
        image_ids = manifest.image_id.to_numpy()
        drawn = zip(self.clean(image_ids), self.foregrounds(image_ids), self.backgrounds(manifest, pool), strict=True)
        for photos, masks, backgrounds in drawn:
            yield paste(photos, grown(masks, grow_px) if grow_px else masks, backgrounds)

    def backgrounds(self, manifest: pd.DataFrame, pool: Pack) -> Iterator[Tensor]:
        """The parts of backgrounds that a manifest names, in batches as of `clean`."""
        boxes = manifest[list(Box._fields)].to_numpy()
        background_ids, flipped = manifest.background_id.to_numpy(), torch.tensor(manifest.flipped.to_numpy())
        for some in _batches(np.arange(len(manifest))):
            cuts = [take(pool[background_ids[row]], Box(*boxes[row]), self.geometry.input_px) for row in some]
            yield flip(torch.stack(cuts), flipped[some])

    def _centre(self, pack: Pack, image_id: int) -> Tensor:
        picture = pack[image_id]
        box = centre_box(*picture.shape[:2], self.geometry.crop_px)
        return take(picture, box, self.geometry.input_px)


def draw_background(shapes: np.ndarray, geometry: params.Geometry, rng: np.random.Generator) -> tuple[int, Box, bool]:
    """Draw a background of a pool, the part of it that is used, and whether it is mirrored.

    Args:
        shapes: of the pool's pictures, (N, 3): height, width, channels.
        geometry: its training crop is the study's crop of backgrounds, too.
        rng: where the randomness comes from.

    Returns:
        background_id (row of the pool), box, flipped.
    """
    background_id = int(rng.integers(len(shapes)))
    height, width, _ = (int(side) for side in shapes[background_id])
    box = random_box(height, width, geometry.train_crop_share, geometry.train_crop_ratio, rng)
    return background_id, box, bool(rng.random() < 0.5)


def parts(number: int) -> list[slice]:
    """Where batches begin and end among so many photos.

    >>> parts(100)
    [slice(0, 64, None), slice(64, 128, None)]
    """
    return [slice(start, start + BATCH) for start in range(0, number, BATCH)]


def _batches(items: Sequence[int]) -> Iterator[np.ndarray]:
    for part in parts(len(items)):
        yield np.asarray(items[part])
