"""Attention scores of one trained network, on clean test photos and on the first swapped view.

    python -m stages.attention demo base 42

Reads   models/DATASET/REGIME/SEED, data/prepared/DATASET, data/masks/DATASET/packed, data/backgrounds/DATASET
Writes  data/attention/DATASET/REGIME/SEED: scores.csv (a row a photo; empty where undefined) and the attention
        maps of the first photos, clean.npy and swapped.npy, uint8 (N, input_px, input_px)
Takes   the demo's 100 photos 10 s on two cores
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from bgbias import commandline, embedders, files, params
from bgbias.attention import Attention
from bgbias.saliency import attention_score
from bgbias.seeding import generator
from bgbias.views import Photos

AT_ONCE = 8  # photos; smoothgrad's 25 copies of them make a batch of 200
MAPS = 12  # photos whose maps are kept for figures


def choose(image_ids: np.ndarray, limit: int | Literal["all"], seed: int) -> np.ndarray:
    """The test photos that are scored: all, or a random choice that every regime and loss shares."""
    order = generator(seed, "attention photos").permutation(len(image_ids))
    return image_ids[order if limit == "all" else order[:limit]]


def measure(
    attention: Attention, photos: Photos, image_ids: np.ndarray, seen: Callable[[int, int], Iterator[Tensor]]
) -> tuple[np.ndarray, np.ndarray]:
    """Score a view, some photos at a time.

    Args:
        attention: of the embedder.
        photos: for their masks.
        image_ids: of the photos to score.
        seen: start, end -> what the network sees of image_ids[start:end].

    Returns:
        Scores (N,), NaN where undefined, and the first maps as bytes (MAPS, H, W).
    """
    scores, kept = [], []
    progress = tqdm(total=len(image_ids), desc="attention", unit="photo")
    for start in range(0, len(image_ids), AT_ONCE):
        some = image_ids[start : start + AT_ONCE]
        maps = attention.maps(torch.cat(list(seen(start, start + AT_ONCE))), some).cpu()
        masks = torch.cat(list(photos.foregrounds(some)))[:, 0].float() / 255
        scores.append(attention_score(maps, masks))
        kept += [(255 * one).byte() for one in maps[: max(0, MAPS - start)]]
        progress.update(len(some))
    progress.close()
    return torch.cat(scores).numpy(), torch.stack(kept).numpy()


def main(settings: params.Params, dataset: str, regime: str, seed: int) -> None:
    """Score the chosen photos in both views."""
    photos = Photos(dataset, settings.images[dataset])
    embedder = embedders.load(Path("models") / dataset / regime / str(seed))
    attention = Attention(embedder, settings.attention, settings.seed)
    image_ids = choose(photos.split("test"), settings.attention.max_images[dataset], settings.seed)
    pool = photos.pool(settings.evaluate[dataset].swaps["swapped"])
    manifest = photos.draw(image_ids, pool, settings.seed, "swapped", 0)
    views = {
        "clean": lambda start, end: photos.clean(image_ids[start:end]),
        "swapped": lambda start, end: photos.swapped(manifest[start:end], pool),
    }
    table = pd.DataFrame({"image_id": image_ids})
    with files.whole_folder(Path("data/attention") / dataset / regime / str(seed)) as out:
        for view, seen in views.items():
            table[view], maps = measure(attention, photos, image_ids, seen)
            np.save(out / f"{view}.npy", maps)
        files.write_csv(out / "scores.csv", table)
    for view in views:
        print(f"{dataset}, {regime}, seed {seed}: attention score {table[view].mean():.3f} {view}")


if __name__ == "__main__":
    commandline.run(main, __doc__, "dataset", "regime", "seed")
