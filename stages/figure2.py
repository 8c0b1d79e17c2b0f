"""The study's figure 2 for any test photos and any models: photo, where each model looks, and the mask that it finds.

    python -m stages.figure2 demo --images 1500 1511 1520 --models models/demo/base/42 models/demo/bgaugment/42

Reads   data/prepared/DATASET, data/masks/DATASET/packed, data/backgrounds/DATASET, the models' folders
Writes  plots/figure2/DATASET.png, or what --out names
Takes   the demo a second for each photo and model on two cores
"""

from pathlib import Path

from bgbias.command import cli
from bgbias.config import params
from bgbias.errors import InputError, printable


def main(settings: params.Params, dataset: str, images: list[int], models: list[Path], out: Path | None) -> None:
    """Explain every photo by every model, on the clean and on the first swapped view."""
    import numpy as np
    import torch

    from bgbias import seeding
    from bgbias.attention.maps import Attention
    from bgbias.config.values import refuse_twice
    from bgbias.models import trained
    from bgbias.photos.views import Photos
    from bgbias.report import figures, sheets

    names = [printable("/".join(folder.parts[-2:])) for folder in models]
    refuse_twice("--models", names)  # the rows of the picture
    seeding.deterministic(settings.threads)
    geometry, pool_name = settings.images[dataset], settings.evaluate[dataset].swaps["swapped"]
    photos, image_ids = Photos.prepared(dataset, geometry), np.array(images)
    unknown = sorted(set(images) - set(photos.table.image_id))
    if unknown:
        raise InputError(
            f"{dataset} has no image_id {unknown[0]}: choose of those in data/prepared/{dataset}/images.csv"
        )
    pool = photos.pool(pool_name)
    manifest = photos.draw(image_ids, pool, settings.seed, "swapped", 0)
    maps = {"clean": {}, "swapped": {}}
    for name, folder in zip(names, models, strict=True):
        embedder = trained.load(folder)
        attention = Attention(embedder, settings.attention, settings.seed)
        for view, batches in (("clean", photos.clean(image_ids)), ("swapped", photos.swapped(manifest, pool))):
            seen = torch.cat(list(batches))
            maps[view][name] = (255 * attention.maps(seen, image_ids)).byte().cpu().numpy()
            if embedder.card.finder:
                maps[view][f"{name} mask"] = trained.found_masks(embedder, seen)[:, 0].numpy()
    pictures = sheets.Pictures(dataset, geometry, pool_name, settings.seed)
    out = out or Path("plots/figure2") / f"{dataset}.png"
    figures.save(out, sheets.attention(pictures, image_ids, maps))
    print(printable(str(out)))


if __name__ == "__main__":
    cli.run(
        main,
        __doc__,
        "dataset",
        images={"type": int, "nargs": "+", "required": True, "help": "image_ids", "metavar": "ID"},
        models={"type": Path, "nargs": "+", "required": True, "help": "folders of models", "metavar": "FOLDER"},
        out={"type": Path, "help": "the picture (default: plots/figure2/DATASET.png)", "metavar": "FILE.png"},
    )
