"""Training batches: which photos, which crops, which backgrounds, by the regime."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from bgbias import ranks
from bgbias.config import params
from bgbias.photos.compose import random_box, take, take_both
from bgbias.photos.extent import grown
from bgbias.photos.foreground import suspicion
from bgbias.photos.views import Photos, draw_background
from bgbias.seeding import generator
from bgbias.training.augment import Batch, varied, with_backgrounds_of_others
from bgbias.training.batch_size import refuse_unfilled


class Crops(Dataset):
    """The training batches of a split, by (epoch, step); each depends on these and the seed alone.

    Several processes share a batch: each has the labels of all pictures, and makes those of its own photos.

    Attributes:
        rows: int64, which pictures of the whole batch are made here.
    """

    def __init__(self, photos: Photos, regime: params.Regime, options: params.Training, per_class: int, seed: int):
        """Prepare the sampling of a dataset's training split.

        Raises:
            ValueError: fewer classes than a batch needs, or pairs for an odd batch.
        """
        self.photos, self.regime, self.options = photos, regime, options
        self.per_class = max(1, per_class // (1 + regime.paired))  # photos: as many pictures of a class, and classes
        self.seed = seed
        rows = photos.split("train")
        classes = photos.table.class_id[rows].to_numpy()
        self.by_class = [rows[classes == class_id] for class_id in np.unique(classes)]
        self.pool = photos.val_pools(options.separate_pools)[0] if regime.replace else None
        self.kept = {int(row) for row in rows if regime.skip_suspect and suspicion(photos.masks[row])}
        refuse_unfilled(photos.name, options.batch_size, per_class, regime.paired, len(self.by_class))
        self.in_batch = options.batch_size // (1 + regime.paired)  # photos; as many pictures in any regime
        ranks.enough(self.in_batch, f"photos of a batch, see train.{photos.name}.batch_size")
        self.own = torch.tensor(ranks.share(self.in_batch))
        self.rows = torch.cat([self.own + self.in_batch * times for times in range(1 + regime.paired)])
        self.behind = self._behind()
        self.cut = self._needed()

    def __getitem__(self, at: tuple[int, int]) -> Batch:
        """Sample, crop and draw backgrounds for one step of an epoch."""
        epoch, step = at
        rng = generator(self.seed, "sampling", epoch, step)
        chosen = sample(self.by_class, self.in_batch, self.per_class, rng)
        cuts = [
            self._cut(chosen[place][0], generator(self.seed, "crop", epoch, step, place)) for place in self.cut.tolist()
        ]
        labels = torch.tensor([label for _, label in chosen]).repeat(1 + self.regime.paired)
        batch = Batch(labels, *(self._placed(column) for column in zip(*cuts, strict=True)))
        if self.pool:
            batch = self._by_regime(batch, chosen, rng)
        return batch._replace(photos=self._of_own(batch.photos), flipped=self._of_own(batch.flipped))

    def _behind(self) -> Tensor:
        """The photos whose backgrounds the pictures of `rows` get: of a pair's first, that of another class."""
        first = (self.own - self.per_class) % self.in_batch
        return torch.cat([first, self.own]) if self.regime.paired else self.own

    def _needed(self) -> Tensor:
        """The photos of a batch that are cut: what the own ones take from others is theirs, too."""
        if self.pool and self.regime.backgrounds != "pool":
            return torch.arange(self.in_batch)
        blended = (self.behind - 1) % self.in_batch if self.regime.vary_backgrounds else self.behind
        return torch.cat([self.own, self.behind, blended]).unique() if self.pool else self.own

    def _placed(self, column: tuple) -> Tensor:
        """Some of a batch at their places in it; the others are not to be looked at."""
        cut = torch.stack([torch.as_tensor(part) for part in column])
        if len(cut) == self.in_batch:
            return cut
        return cut.new_empty(self.in_batch, *cut.shape[1:]).index_copy_(0, self.cut, cut)

    def _cut(self, image_id: int, rng: np.random.Generator) -> tuple:
        geometry = self.photos.geometry
        picture = self.photos.photos[image_id]
        box = random_box(*picture.shape[:2], geometry.train_crop_share, geometry.train_crop_ratio, rng)
        flipped = bool(rng.random() < 0.5)
        if self.pool is None:
            return take(picture, box, geometry.input_px), flipped
        photo, mask = take_both(picture, self.photos.masks[image_id], box, geometry.input_px)
        if self.regime.grow_masks_px:
            mask = grown(mask[None], self.regime.grow_masks_px)[0]
        background_id, part, mirrored = draw_background(self.pool.shapes, geometry, rng)
        return photo, flipped, mask, take(self.pool[background_id], part, geometry.input_px), mirrored

    def _by_regime(self, batch: Batch, chosen: list[tuple[int, int]], rng: np.random.Generator) -> Batch:
        """What differs from every photo's object, by its mask, on a background of the pool."""
        masks, backgrounds = batch.masks, batch.backgrounds
        if self.regime.backgrounds != "pool":
            of_photos = rng.random(len(chosen)) < (1.0 if self.regime.backgrounds == "photos" else 0.5)
            backgrounds = with_backgrounds_of_others(batch, masks, of_photos, rng)
        if self.regime.vary_backgrounds:
            made, places = self.behind.unique(return_inverse=True)
            backgrounds = varied(backgrounds, rng, made)[places]
        elif self.regime.paired or len(self.own) < self.in_batch:
            backgrounds = backgrounds[self.behind]
        composed = self._replaced(masks, self.regime.replace, chosen, rng)
        if self.regime.paired:
            composed = torch.cat([self._replaced(masks, self.regime.replace_first, chosen, rng), composed])
        mirrored = batch.backgrounds_flipped[self.behind]
        return batch._replace(masks=composed, backgrounds=backgrounds, backgrounds_flipped=mirrored)

    def _replaced(
        self, masks: Tensor, probability: float, chosen: list[tuple[int, int]], rng: np.random.Generator
    ) -> Tensor:
        """The masks by which photos are composed: 255 all over where one keeps its background."""
        kept = rng.random(len(chosen)) >= probability
        kept |= [image_id in self.kept for image_id, _ in chosen]
        if not kept.any():
            return self._of_own(masks)
        return self._of_own(masks).masked_fill(self._of_own(torch.from_numpy(kept))[:, None, None, None], 255)

    def _of_own(self, whole: Tensor) -> Tensor:
        return whole if len(self.own) == self.in_batch else whole[self.own]


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
