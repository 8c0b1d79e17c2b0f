"""Training the object finder on masks alone, on backgrounds and in colours that would not help an embedder."""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from bgbias import files
from bgbias.cache import Cache, fingerprint
from bgbias.config import params
from bgbias.config import training as blocks
from bgbias.errors import InputError
from bgbias.finder.masks import cross_entropy, found
from bgbias.finder.network import Finder, Shape
from bgbias.models import finders
from bgbias.models.embedder import device
from bgbias.photos.compose import flip, paste
from bgbias.photos.extent import iou
from bgbias.photos.views import Photos
from bgbias.seeding import generator, torch_generator
from bgbias.training.augment import add_noise, noise, recoloured
from bgbias.training.batches import Crops

OWN = NOISE = 1 / 3  # of the photos keep their own background; of the other backgrounds are coloured noise
RECOLOURED = 0.5  # of the photos


class ObjectCrops(Dataset):
    """The finder's training batches, by (epoch, step): pictures and the masks of their objects."""

    def __init__(self, photos: Photos, regime: params.Regime, options: params.Training, seed: int):
        """Sample all classes alike: of each as many photos as it takes to fill a batch."""
        replaced = {"replace": 1.0, "backgrounds": "pool", "vary_backgrounds": True, "skip_suspect": False}
        alone = {"grow_masks_px": 0, "paired": False, "replace_first": 0.0, "consistency": 0.0}
        classes = photos.table.class_id[photos.split("train")].nunique()
        per_class = -(-options.batch_size // classes)
        self.crops = Crops(photos, dataclasses.replace(regime, **replaced, **alone), options, per_class, seed)

    def __getitem__(self, at: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Compose one step of an epoch: uint8 (B, 3, S, S) and (B, 1, S, S)."""
        batch, rng = self.crops[at], generator(self.crops.seed, "finder", *at)
        count, side = len(batch.photos), batch.photos.shape[-1]
        backgrounds = _some(batch.backgrounds, noise(count, side, rng), NOISE, rng)
        photos = _some(batch.photos, recoloured(batch.photos, rng), RECOLOURED, rng)
        photos, masks = flip(photos, batch.flipped), flip(batch.masks, batch.flipped)
        pasted = _some(masks, torch.full_like(masks, 255), OWN, rng)
        return paste(photos, pasted, backgrounds), masks


def _some(pictures: Tensor, others: Tensor, share: float, rng: np.random.Generator) -> Tensor:
    chosen = torch.from_numpy(rng.random(len(pictures)) < share)
    return torch.where(chosen[:, None, None, None], others, pictures)


def train(photos: Photos, regime: params.Regime, options: params.Training, seed: int) -> Finder:
    """Train the finder of a regime on masks alone, and say how well it finds the objects of validation photos.

    Args:
        photos: their training split is learnt from.
        regime: has the finder's settings.
        options: of the training of the embedder: batches, decay, noise, pools and workers are the same.
        seed: of weights, batches and backgrounds.

    Returns:
        The finder: frozen, in evaluation mode.

    Raises:
        FileNotFoundError: no such weights of an encoder.
        InputError: no such encoder, or the loss is not finite.
    """
    settings, where = regime.finder, device()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        its = settings.encoder
        shape = Shape(settings.channels, settings.most_px, settings.zoom, its and its.network, settings.background)
        finder = finders.make(shape, its.weights if its else "scratch")
    finder = finder.to(where, memory_format=torch.channels_last).train()
    total, start = settings.epochs * options.batches_per_epoch, time.perf_counter()
    groups = _groups(finder, settings)
    optimizer = torch.optim.AdamW(groups, weight_decay=options.weight_decay)
    rates = [group["lr"] for group in groups]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, total, pct_start=0.2, cycle_momentum=False)
    steps = [(epoch, step) for epoch in range(1, settings.epochs + 1) for step in range(options.batches_per_epoch)]
    crops = ObjectCrops(photos, regime, options, seed)
    source = torch_generator(where, seed, "finder noise")
    for pictures, masks in tqdm(
        DataLoader(crops, batch_size=None, sampler=steps, num_workers=options.workers), "finder", unit="batch", delay=5
    ):
        images = pictures.to(where, memory_format=torch.channels_last).float()
        value = cross_entropy(finder(add_noise(images, options.noise_share, source)), masks.to(where))
        if not value.isfinite():
            raise InputError(f"the finder's loss is {value.item()}: lower its lr in regime_settings")
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
    finder.eval().requires_grad_(False)
    scores = ", ".join(f"{value:.3f} {view}" for view, value in validated(finder, photos, options, seed).items())
    print(f"finder: IoU on validation photos {scores}; {time.perf_counter() - start:.0f} s", flush=True)
    return finder


def _groups(finder: Finder, settings: blocks.Finder) -> list[dict]:
    """The weights that learn, with their rates; an encoder whose rate is 0 does not."""
    if not settings.encoder:
        return [{"params": list(finder.parameters()), "lr": settings.lr}]
    encoder = [weight.requires_grad_(settings.encoder.lr > 0) for weight in finder.encoder.parameters()]
    own = [weight for name, weight in finder.named_parameters() if not name.startswith("encoder.")]
    return [{"params": own, "lr": settings.lr}, {"params": encoder, "lr": settings.encoder.lr}]


def validated(finder: Finder, photos: Photos, options: params.Training, seed: int) -> dict[str, float]:
    """Return the mean IoU of found masks on validation photos: clean, and swapped."""
    image_ids, pool = photos.split("val"), photos.val_pools(options.separate_pools)[1]
    views = {
        "clean": photos.clean(image_ids),
        "swapped": photos.swapped(photos.draw(image_ids, pool, seed, "validation", 0), pool),
    }
    masks, scores = torch.cat(list(photos.foregrounds(image_ids))), {}
    for view, batches in views.items():
        scores[view] = iou(torch.cat([found(finder, pictures) for pictures in batches]), masks).nanmean().item()
    return scores


def kept(photos: Photos, regime: params.Regime, options: params.Training, seed: int, data: Sequence[Path]) -> Finder:
    """Return what `train` gives, from the cache where the same was trained before: for another regime, loss or trunk.

    What is shown of what is found, `zoom` and `background`, may be another, too.

    Args:
        photos, regime, options, seed: as for `train`.
        data: folders that the photos were read from.

    Raises:
        InputError: as of `train`, or the name of the encoder's file of weights does not tell its content.
    """
    encoder = regime.finder.encoder
    if encoder and Path(encoder.weights).is_file():
        files.pinned(Path(encoder.weights))
    its = [options.batch_size, options.batches_per_epoch, options.weight_decay, options.noise_share]
    learnt = dataclasses.replace(regime.finder, zoom=False, background=0.0)
    made_from = [learnt, *its, options.separate_pools, photos.geometry, seed, torch.get_num_threads()]

    def write(folder: Path) -> None:
        finders.save(train(photos, regime, options, seed), folder)

    finder = Cache(Path(".cache")).folder("finder", fingerprint(made_from, data), write, finders.load)
    shows = {name: getattr(regime.finder, name) for name in ("zoom", "background")}
    finder.shape = dataclasses.replace(finder.shape, **shows)
    return finder
