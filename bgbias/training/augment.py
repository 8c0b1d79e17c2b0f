"""BGAugment and its kin: the backgrounds of a batch of training photos, replaced, taken from others, varied."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from bgbias.ablations import inpainted
from bgbias.photos.compose import flip, paste
from bgbias.photos.extent import can_be_probed, grown

RIM_PX = 2  # painted over around an object whose background another photo gets


class Batch(NamedTuple):
    """One training batch as it leaves the crops, still in bytes; masks and backgrounds only where some are replaced.

    Where several processes share a batch, labels are of all of it, the rest is of one process's B photos.
    """

    labels: Tensor  # int64 (B,), or (2 B,) where paired
    photos: Tensor  # uint8 (B, 3, S, S)
    flipped: Tensor  # bool (B,)
    masks: Tensor | None = None  # uint8 (B or, paired, 2 B, 1, S, S), all 255 where a photo is left as it is
    backgrounds: Tensor | None = None  # uint8, as many as masks, (.., 3, S, S)
    backgrounds_flipped: Tensor | None = None  # bool, as many as masks

    def pictures(self, where: torch.device) -> Tensor:
        """Flip and compose on a device: uint8 (B, 3, S, S); where paired the first of all pairs, then the second."""
        photos = flip(self.photos.to(where, non_blocking=True), self.flipped)
        if self.masks is None:
            return photos
        times = len(self.masks) // len(photos)
        masks = flip(self.masks.to(where, non_blocking=True), self.flipped.repeat(times))
        backgrounds = flip(self.backgrounds.to(where, non_blocking=True), self.backgrounds_flipped)
        return paste(photos if times == 1 else photos.repeat(times, 1, 1, 1), masks, backgrounds)


def with_backgrounds_of_others(batch: Batch, masks: Tensor, wanted: np.ndarray, rng: np.random.Generator) -> Tensor:
    """Backgrounds of which some are other photos of the batch, their objects painted over.

    Args:
        batch: of B photos.
        masks: of its photos, uint8 (B, 1, S, S).
        wanted: which photos shall get another's background, bool (B,).
        rng: where the randomness comes from.

    Returns:
        uint8 (B, 3, S, S). A photo whose object cannot be painted over gives none; where none but the photo itself
        could give, the batch's own background stays.
    """
    backgrounds = batch.backgrounds.clone()
    donors = np.flatnonzero(can_be_probed(grown(masks, RIM_PX)).numpy())
    if not len(donors):
        return backgrounds
    filled = inpainted(batch.photos[donors], masks[donors], RIM_PX)
    for row in np.flatnonzero(wanted):
        others = np.flatnonzero(donors != row)
        if len(others):
            backgrounds[row] = filled[rng.choice(others)]
    return backgrounds


def varied(backgrounds: Tensor, rng: np.random.Generator, rows: Tensor | None = None) -> Tensor:
    """Backgrounds of more kinds than a pool has: each blended with the next of the batch, its colours changed.

    The weight of each is uniform in 0.5..1; its channels are put in a random order and multiplied by factors that are
    uniform in 0.5..1.5.

    Args:
        backgrounds: uint8 (B, 3, S, S).
        rng: where the randomness comes from; whatever rows are asked for, as many numbers are drawn.
        rows: int64 (R,), which ones are made; None: all. Only these and the ones before them are looked at.

    Returns:
        uint8 (R, 3, S, S).
    """
    count = len(backgrounds)
    rows = torch.arange(count) if rows is None else rows
    weights = torch.from_numpy(rng.uniform(0.5, 1, (count, 1, 1, 1)).astype(np.float32))
    blended = backgrounds[rows - 1].float().lerp_(backgrounds[rows].float(), weights[rows])
    return _coloured(blended, *(drawn[rows] for drawn in _colours(count, rng)))


def recoloured(pictures: Tensor, rng: np.random.Generator) -> Tensor:
    """Pictures whose channels are in a random order, and multiplied by factors that are uniform in 0.5..1.5.

    Args:
        pictures: uint8 or float (B, 3, S, S), in 0..255.
        rng: where the randomness comes from.

    Returns:
        uint8 (B, 3, S, S).
    """
    return _coloured(pictures, *_colours(len(pictures), rng))


def _colours(count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """What is drawn for so many pictures: factors (count, 3, 1, 1), and the order of channels (count, 3)."""
    factors = torch.from_numpy(rng.uniform(0.5, 1.5, (count, 3, 1, 1)).astype(np.float32))
    return factors, torch.from_numpy(rng.permuted(np.tile(np.arange(3), (count, 1)), axis=1))


def _coloured(pictures: Tensor, factors: Tensor, order: Tensor) -> Tensor:
    return pictures[torch.arange(len(pictures))[:, None], order].float().mul_(factors).clamp_(0, 255).byte()


def noise(count: int, side: int, rng: np.random.Generator) -> Tensor:
    """Backgrounds of coloured noise: one to five octaves, of smooth or of square cells, in random colours.

    Returns:
        uint8 (count, 3, side, side).
    """
    return torch.stack([_noise(side, rng) for _ in range(count)])


def _noise(side: int, rng: np.random.Generator) -> Tensor:
    falls, octaves, field = rng.uniform(0.3, 1), int(rng.integers(1, 6)), torch.zeros(3, side, side)
    for octave in range(octaves):
        cells = torch.from_numpy(rng.normal(size=(1, 3, 2 ** (octave + 1), 2 ** (octave + 1))).astype(np.float32))
        mode = "bicubic" if rng.random() < 0.7 else "nearest"
        field += falls**octave * interpolate(cells, size=(side, side), mode=mode)[0]
    mixed = torch.einsum("ij,jhw->ihw", torch.from_numpy(rng.normal(size=(3, 3)).astype(np.float32)), field)
    mixed = (mixed - mixed.mean((1, 2), keepdim=True)) / (mixed.std() + 1e-3)
    colours = torch.from_numpy(rng.uniform(30, 225, (3, 1, 1)).astype(np.float32))
    return mixed.mul_(rng.uniform(20, 80)).add_(colours).clamp_(0, 255).byte()


def add_noise(
    images: Tensor, share: float, source: torch.Generator, rows: Tensor | None = None, whole: int = 0
) -> Tensor:
    """Add Gaussian noise to normalised images (B, C, H, W).

    Each image's noise has its own standard deviation, uniform between 0 and `share` of the image's value
    range. The attention score looks at images with such noise; a network that has never seen any answers
    there with artefacts.

    Args:
        images: all of a batch, or some.
        share: as above; 0: no noise.
        source: of the noise, which is drawn for the whole batch.
        rows: int64 (B,), which of the batch the images are; None: all.
        whole: how many images the batch has, where rows are given.
    """
    if share == 0:
        return images
    span = images.amax((1, 2, 3)) - images.amin((1, 2, 3))
    number, own = (len(images), slice(None)) if rows is None else (whole, rows)
    sd = share * span * torch.rand(number, generator=source, device=images.device)[own]
    noise = torch.randn((number, *images.shape[1:]), generator=source, device=images.device)[own]
    return images + sd[:, None, None, None] * noise
