"""Training batches: which photos, which crops, which backgrounds."""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from bgbias import params
from bgbias.compose import flip, paste, random_box, take, take_both
from bgbias.seeding import generator
from bgbias.views import Photos, draw_background


class Batch(NamedTuple):
    """One training batch as it leaves the crops, still in bytes; masks and backgrounds only for bgaugment."""

    labels: Tensor  # int64 (B,)
    photos: Tensor  # uint8 (B, 3, S, S)
    flipped: Tensor  # bool (B,)
    masks: Tensor | None = None  # uint8 (B, 1, S, S)
    backgrounds: Tensor | None = None  # uint8 (B, 3, S, S)
    backgrounds_flipped: Tensor | None = None  # bool (B,)

    def pictures(self, where: torch.device) -> Tensor:
        """Flip and compose on a device: uint8 (B, 3, S, S)."""
        photos = flip(self.photos.to(where), self.flipped)
        if self.masks is None:
            return photos
        masks = flip(self.masks.to(where), self.flipped)
        backgrounds = flip(self.backgrounds.to(where), self.backgrounds_flipped)
        return paste(photos, masks, backgrounds)


class Crops(Dataset):
    """The training batches of a split, by (epoch, step); each depends on these and the seed alone."""

    def __init__(self, photos: Photos, regime: params.Regime, options: params.Training, per_class: int, seed: int):
        """Prepare the sampling of a dataset's training split.

        Raises:
            ValueError: fewer classes than a batch needs.
        """
        self.photos, self.regime, self.options = photos, regime, options
        self.per_class, self.seed = per_class, seed
        rows = photos.split("train")
        classes = photos.table.class_id[rows].to_numpy()
        self.by_class = [rows[classes == class_id] for class_id in np.unique(classes)]
        self.pool = photos.val_pools(options.separate_pools)[0] if regime == "bgaugment" else None
        if options.batch_size > per_class * len(self.by_class):
            raise ValueError(
                f"batch_size {options.batch_size} needs {math.ceil(options.batch_size / per_class)} classes "
                f"(per_class {per_class}), and {len(self.by_class)} are for training: lower "
                f"train.<dataset>.batch_size to {per_class * len(self.by_class)}, or raise the loss's per_class"
            )

    def __getitem__(self, at: tuple[int, int]) -> Batch:
        """Sample, crop and draw backgrounds for one step of an epoch."""
        epoch, step = at
        rng = generator(self.seed, "sampling", epoch, step)
        chosen = sample(self.by_class, self.options.batch_size, self.per_class, rng)
        cuts = [
            self._cut(image_id, generator(self.seed, "crop", epoch, step, place))
            for place, (image_id, _) in enumerate(chosen)
        ]
        columns = zip(*cuts, strict=True)
        stacked = [torch.stack([torch.as_tensor(part) for part in column]) for column in columns]
        return Batch(torch.tensor([label for _, label in chosen]), *stacked)

    def _cut(self, image_id: int, rng: np.random.Generator) -> tuple:
        geometry = self.photos.geometry
        picture = self.photos.photos[image_id]
        box = random_box(*picture.shape[:2], geometry.train_crop_share, geometry.train_crop_ratio, rng)
        flipped = bool(rng.random() < 0.5)
        if self.pool is None:
            return take(picture, box, geometry.input_px), flipped
        photo, mask = take_both(picture, self.photos.masks[image_id], box, geometry.input_px)
        background_id, part, mirrored = draw_background(self.pool.shapes, geometry, rng)
        return photo, flipped, mask, take(self.pool[background_id], part, geometry.input_px), mirrored


def sample(
    by_class: list[np.ndarray], batch_size: int, per_class: int, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Choose a batch: classes without repetition, `per_class` photos of each.

    A class with fewer photos gives some of them twice. The last class gives fewer where batch_size is not a
    multiple of per_class.

    Returns:
        (image_id, class number in `by_class`) of each photo.

    >>> by_class = [np.array([0, 1, 2]), np.array([3, 4]), np.array([5, 6, 7])]
    >>> chosen = sample(by_class, 4, 2, np.random.default_rng(0))
    >>> len({image_id for image_id, _ in chosen}), len({label for _, label in chosen})
    (4, 2)
    """
    batch = []
    for label in rng.choice(len(by_class), math.ceil(batch_size / per_class), replace=False):
        photos = by_class[label]
        for image_id in rng.choice(photos, per_class, replace=len(photos) < per_class):
            batch.append((int(image_id), int(label)))
    return batch[:batch_size]
