"""Attention scores of one trained network, on clean test photos and on the first swapped view.

    python -m stages.attention demo base 42

Reads   models/DATASET/REGIME/SEED, data/prepared/DATASET, data/masks/DATASET/packed, data/backgrounds/DATASET
Writes  data/attention/DATASET/REGIME/SEED: scores.csv (a row a photo; empty where undefined) and the attention
        maps of the first photos, clean.npy and swapped.npy, uint8 (N, input_px, input_px); of a network with a finder
        the masks that it finds, mask_clean.npy and mask_swapped.npy, and in scores.csv their IoU with the given ones
Takes   the demo's 100 photos 10 s on two cores
"""

from pathlib import Path

from bgbias.command import cli
from bgbias.config import params


def main(settings: params.Params, dataset: str, regime: str, seed: int) -> None:
    """Score the chosen photos in both views."""
    import numpy as np
    import pandas as pd
    import torch

    from bgbias import files, seeding
    from bgbias.attention.maps import MAPS, Attention, choose, measure
    from bgbias.models import trained
    from bgbias.photos.extent import iou
    from bgbias.photos.views import Photos

    seeding.deterministic(settings.threads)
    photos = Photos.prepared(dataset, settings.images[dataset])
    embedder = trained.load(Path("models") / dataset / regime / str(seed))
    attention = Attention(embedder, settings.attention, settings.seed)
    image_ids = choose(photos.split("test"), settings.attention.max_images[dataset], settings.seed)
    pool = photos.pool(settings.evaluate[dataset].swaps["swapped"])
    manifest = photos.draw(image_ids, pool, settings.seed, "swapped", 0)
    views = {
        "clean": lambda part: photos.clean(image_ids[part]),
        "swapped": lambda part: photos.swapped(manifest[part], pool),
    }
    table = pd.DataFrame({"image_id": image_ids})
    with files.whole_folder(Path("data/attention") / dataset / regime / str(seed)) as out:
        for view, seen in views.items():
            table[view], maps = measure(attention, photos, image_ids, seen)
            np.save(out / f"{view}.npy", maps)
            if embedder.card.finder:
                masks = trained.found_masks(embedder, torch.cat(list(seen(slice(None)))))
                table[f"iou_{view}"] = iou(masks, torch.cat(list(photos.foregrounds(image_ids)))).float()
                np.save(out / f"mask_{view}.npy", masks[:MAPS, 0])
        files.write_csv(out / "scores.csv", table)
    for view in views:
        print(f"{dataset}, {regime}, seed {seed}: attention score {table[view].mean():.3f} {view}")


if __name__ == "__main__":
    cli.run(main, __doc__, "dataset", "regime", "seed", shared=True)
