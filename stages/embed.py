"""Embed every view of the test photos of one dataset with one trained network.

    python -m stages.embed demo base 42

Reads   models/DATASET/REGIME/SEED, data/prepared/DATASET, data/masks/DATASET/packed, data/backgrounds/DATASET
Writes  data/embeddings/DATASET/REGIME/SEED: images.csv (image_id, class_id), clean.npy, VIEW/DRAW.npy (float32,
        a row a photo) and VIEW/DRAW.csv (the manifest: which part of which background)
Takes   the demo 10 s on two cores

All networks see the same composites, so that results differ by the network alone.
"""

from collections.abc import Callable
from pathlib import Path

from bgbias.command import cli
from bgbias.config import params


def main(settings: params.Params, dataset: str, regime: str, seed: int) -> None:
    """Embed the clean view, then every draw of every swapped view."""
    import numpy as np
    from tqdm import tqdm

    from bgbias import files, ranks, seeding
    from bgbias.models import trained
    from bgbias.models.embedder import embed_photos
    from bgbias.photos.views import Photos

    seeding.deterministic(settings.threads)
    options = settings.evaluate[dataset]
    photos = Photos.prepared(dataset, settings.images[dataset])
    embedder = trained.load(Path("models") / dataset / regime / str(seed))
    image_ids = photos.split("test")
    names = list(photos.table.path[image_ids])

    def save(path: Path, seen: Callable) -> None:
        embeddings = embed_photos(embedder, seen, names)
        if ranks.is_first():
            np.save(path, embeddings.numpy())

    with files.whole_folder(Path("data/embeddings") / dataset / regime / str(seed)) as out:
        files.write_csv(out / "images.csv", photos.table.loc[image_ids, ["image_id", "class_id"]])
        save(out / "clean.npy", lambda part: photos.clean(image_ids[part]))
        views = [(view, number) for view in sorted(options.swaps) for number in range(options.draws)]
        for view, number in tqdm(views, f"{dataset}-{regime}-{seed}", unit="view"):
            pool = photos.pool(options.swaps[view])
            manifest = photos.draw(image_ids, pool, settings.seed, view, number)
            (out / view).mkdir(exist_ok=True)
            save(out / view / f"{number}.npy", lambda part, of=(manifest, pool): photos.swapped(of[0][part], of[1]))
            files.write_csv(out / view / f"{number}.csv", manifest)


if __name__ == "__main__":
    cli.run(main, __doc__, "dataset", "regime", "seed", shared=True)
