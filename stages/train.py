"""Train the network of one dataset in one regime, with the loss that params.yaml names.

    python -m stages.train demo bgaugment

Reads   data/prepared/DATASET, data/masks/DATASET/packed, data/backgrounds/DATASET
Writes  models/DATASET/REGIME (weights.safetensors, network.json), plots/curves/DATASET/REGIME.csv
Takes   the demo 40 s a regime, grocery 60 s, on two cores

Interrupted and started again with the same parameters, data and code, it goes on after the last epoch.
"""

import shutil
from pathlib import Path

import torch

from bgbias import checkpoints, commandline, embedders, files, losses, params, retrieval, training
from bgbias.batches import Crops
from bgbias.images import Pack
from bgbias.views import Photos


def validation(photos: Photos, regime: str, pool: Pack, seed: int):
    """The scores that select the best epoch: on clean photos for base, on swapped ones for bgaugment.

    Every epoch is measured on the same composites, so that epochs differ by the network alone.
    """
    image_ids = photos.split("val")
    labels = torch.tensor(photos.table.class_id[image_ids].to_numpy())
    manifest = photos.draw(image_ids, pool, seed, "validation", 0)

    def validate(embedder: embedders.Embedder) -> dict[str, float]:
        seen = photos.clean(image_ids) if regime == "base" else photos.swapped(manifest, pool)
        embeddings = embedders.embed(embedder, seen)
        return retrieval.evaluate(embeddings, embeddings, labels, [1])

    return validate


def main(settings: params.Params, dataset: str, regime: str) -> None:
    """Build, train, save."""
    options, geometry = settings.train[dataset], settings.images[dataset]
    loss_options = losses.options_for(settings.loss, settings.losses, dataset)
    photos = Photos(dataset, geometry)
    crops = Crops(photos, regime, options, loss_options.per_class, settings.seed)
    torch.manual_seed(settings.seed)
    loss = losses.make(settings.loss, loss_options, len(crops.by_class), options.embedding_dim)
    distance = losses.distance_of(loss)
    card = embedders.card(options.network, options.embedding_dim, geometry.input_px, distance)
    embedder = embedders.Embedder(card, options.weights).to(embedders.device())
    what = [dataset, regime, settings.loss, settings.seed, options, geometry, loss_options]
    parts = (f"prepared/{dataset}", f"masks/{dataset}/packed", f"backgrounds/{dataset}")
    data = [Path("data") / part for part in parts]
    unfinished = checkpoints.folder(f"train-{dataset}-{regime}", what, data)
    print(f"{dataset}, {regime}, {settings.loss}: {len(crops.by_class)} classes for training")
    curve = training.fit(
        embedder,
        loss.to(embedders.device()),
        crops,
        getattr(loss_options, "weights_lr", None),
        validation(photos, regime, photos.val_pools(options.separate_pools)[1], settings.seed),
        unfinished / "checkpoint.pt",
    )
    embedders.save(embedder, Path("models") / dataset / regime)
    files.write_csv(Path("plots/curves") / dataset / f"{regime}.csv", curve)
    shutil.rmtree(unfinished)


if __name__ == "__main__":
    commandline.run(main, __doc__, "dataset", "regime")
