"""Training batches of 32 at 227 px with background augmentation: from pixels to the network's normalised input.

    python -m benchmarks.data_path [--photos DIR]

published: as the study's code does it: photo and mask are decoded and resized for every batch, then a full-size
           background is decoded, resized and composed in float for each of the 32
decode:    only decoding the 32 photos, which the pipeline does once, in `prepare`
bgaugment: the pipeline's path: crops of packed bytes, composed as bytes
base:      the same without masks and backgrounds
bound:     every byte that bgaugment must touch touched once: the boxes copied, the floats written
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks import drawn, harness
from bgbias.config import read
from bgbias.models import trained
from bgbias.models.embedder import Embedder
from bgbias.photos.compose import random_box
from bgbias.photos.foreground import Box
from bgbias.photos.views import draw_background
from bgbias.seeding import generator
from bgbias.training import batches

SIDE = 227
MEAN = torch.tensor([104.0, 117.0, 128.0]).view(3, 1, 1)


def transform(path: Path, mode: str, side: int, box: Box, mirrored: bool) -> Tensor:
    """The published transform of one file: Pillow to the short side, the box to a square, to float in [0, 1]."""
    with Image.open(path) as opened:
        whole = opened.convert(mode)
    scale = side / min(whole.size)
    whole = whole.resize((round(whole.width * scale), round(whole.height * scale)), Image.BILINEAR)
    left, top, width, height = box
    cut = whole.crop((left, top, left + width, top + height)).resize((SIDE, SIDE), Image.BILINEAR)
    if mirrored:
        cut = cut.transpose(Image.FLIP_LEFT_RIGHT)
    return torch.from_numpy(np.array(cut).reshape(SIDE, SIDE, -1)).permute(2, 0, 1).float() / 255


def published(crops: batches.Crops, paths: tuple[list, list, list], step: int) -> Tensor:
    """The same batch as `ours` makes, in the published way."""
    geometry, options = crops.photos.geometry, crops.options
    chosen = batches.sample(
        crops.by_class, options.batch_size, crops.per_class, generator(crops.seed, "sampling", 1, step)
    )
    composed = []
    for place, (image_id, _) in enumerate(chosen):
        rng = generator(crops.seed, "crop", 1, step, place)
        shape = crops.photos.photos.shapes[image_id]
        box = random_box(shape[0], shape[1], geometry.train_crop_share, geometry.train_crop_ratio, rng)
        mirrored = bool(rng.random() < 0.5)
        photo = transform(paths[0][image_id], "RGB", geometry.short_side_px, box, mirrored)
        mask = transform(paths[1][image_id], "L", geometry.short_side_px, box, mirrored)
        number, part, turned = draw_background(crops.pool.shapes, geometry, rng)
        background = transform(paths[2][number], "RGB", geometry.short_side_px, part, turned)
        composed.append(photo * mask + background * (1 - mask))
    return torch.stack([(picture.flip(0) * 255) - MEAN for picture in composed])


def ours(crops: batches.Crops, embedder: Embedder, step: int) -> Tensor:
    """The pipeline's path."""
    return embedder.normalise(crops[1, step].pictures(torch.device("cpu")))


def decode(paths: tuple[list, list, list], size: int, step: int) -> None:
    """Decode as many photos as a batch has."""
    for number in range(size):
        with Image.open(paths[0][(step * size + number) % len(paths[0])]) as opened:
            opened.convert("RGB")


def bound(crops: batches.Crops, size: int, step: int) -> Tensor:
    """Copy what a batch reads, and write what it makes, without resizing or composing."""
    photos, masks = crops.photos.photos, crops.photos.masks
    for number in range(size):
        image_id = (step * size + number) % len(photos)
        for pack, row in ((photos, image_id), (masks, image_id), (crops.pool, image_id % len(crops.pool))):
            picture = pack[row]
            np.array(picture[: int(picture.shape[0] * 0.76), : int(picture.shape[1] * 0.76)])  # the mean area, 58 %
    return torch.zeros(size, 3, SIDE, SIDE)


def cases(options: argparse.Namespace) -> Iterator[harness.Case]:
    """One case; its notes weigh the path against a training step of BN-Inception."""
    settings = read.load()
    training = replace(settings.train["cub200"], workers=0)
    embedder = trained.new("bn_inception", 128, SIDE, "cosine")
    with tempfile.TemporaryDirectory() as folder:
        paths = drawn.files_of(Path(folder) / "files", options.photos, 64 if options.quick else 256, 20)
        photos = drawn.prepared(Path(folder) / "data", paths, settings.images["cub200"])
        crops = {
            name: batches.Crops(photos, settings.regime_settings[name], training, 1, 0)
            for name in ("base", "bgaugment")
        }
        path = {name: partial(ours, its, embedder) for name, its in crops.items()}
        runs = {
            "published": partial(published, crops["bgaugment"], paths),
            "decode": partial(decode, paths, training.batch_size),
            "bgaugment": path["bgaugment"],
            "base": path["base"],
            "bound": partial(bound, crops["bgaugment"], training.batch_size),
        }
        steps = {name: count(1) for name in runs}

        def difference(results: dict[str, Tensor]) -> float:
            return (results["published"].round() - results["bgaugment"]).abs().max().item()  # in whole grey levels

        def notes(seconds: dict[str, float], results: dict[str, Tensor]) -> dict[str, float]:
            start = time.perf_counter()
            embedder.train()(results["base"]).sum().backward()
            step_s = time.perf_counter() - start
            return {
                "mean_diff": (results["published"] - results["bgaugment"]).mean().item(),
                "training_step_s": step_s,
                "bgaugment_adds_percent_of_a_step": 100 * (seconds["bgaugment"] - seconds["base"]) / step_s,
            }

        yield harness.Case(
            name="data_path",
            alternatives={name: (lambda name=name: runs[name](next(steps[name]))) for name in runs},
            ours="bgaugment",
            published="published",
            bound="bound",
            pictures=training.batch_size,
            difference=difference,
            repeats=5 if options.quick else 15,
            notes=notes,
        )


if __name__ == "__main__":
    harness.run(__doc__, cases, photos="real photos instead of drawn ones")
