"""Train the network of one dataset in one regime, with the loss that params.yaml names.

    python -m stages.train demo bgaugment 42

Reads   data/prepared/DATASET, data/masks/DATASET/packed, data/backgrounds/DATASET
Writes  models/DATASET/REGIME/SEED (weights.safetensors, network.json), plots/curves/DATASET/REGIME/SEED.csv
Takes   the demo 1 to 2 min a regime, grocery 4 to 9 min, on one core

Interrupted and started again with the same parameters, data and code, it goes on after the last epoch.
"""

import dataclasses
import shutil
from pathlib import Path

import torch

from bgbias import checkpoints, commandline, embedders, files, losses, params, retrieval, training
from bgbias.batches import Crops
from bgbias.images import Pack
from bgbias.views import Photos


def validation(photos: Photos, views: list[str], pool: Pack, seed: int):
    """The scores that select the best epoch: their mean over some views of the validation photos.

    Every epoch is measured on the same composites, so that epochs differ by the network alone.
    """
    image_ids = photos.split("val")
    labels = torch.tensor(photos.table.class_id[image_ids].to_numpy())
    manifest = photos.draw(image_ids, pool, seed, "validation", 0)

    def validate(embedder: embedders.Embedder) -> dict[str, float]:
        scores = []
        for view in views:
            seen = photos.clean(image_ids) if view == "clean" else photos.swapped(manifest, pool)
            embeddings = embedders.embed(embedder, seen)
            scores.append(retrieval.evaluate(embeddings, embeddings, labels, [1]))
        return {name: sum(one[name] for one in scores) / len(scores) for name in scores[0]}

    return validate


def main(settings: params.Params, dataset: str, regime: str, seed: int) -> None:
    """Build, train, save."""
    options, geometry = settings.train[dataset], settings.images[dataset]
    loss_options = losses.options_for(settings.loss, settings.losses, dataset)
    recipe = settings.recipes[regime]
    recipe = dataclasses.replace(
        recipe,
        consistency=recipe.consistency * loss_options.consistency_scale,
        vary_backgrounds=recipe.vary_backgrounds and loss_options.vary_backgrounds,
    )
    photos = Photos(dataset, geometry)
    crops = Crops(photos, recipe, options, loss_options.per_class, seed)
    torch.manual_seed(seed)
    loss = losses.make(settings.loss, loss_options, len(crops.by_class), options.embedding_dim)
    distance = losses.distance_of(loss)
    card = embedders.card(options.network, options.embedding_dim, geometry.input_px, distance)
    embedder = embedders.Embedder(card, options.weights).to(embedders.device())
    what = [dataset, recipe, settings.loss, seed, options, geometry, loss_options]
    parts = (f"prepared/{dataset}", f"masks/{dataset}/packed", f"backgrounds/{dataset}")
    data = [Path("data") / part for part in parts]
    unfinished = checkpoints.folder(f"train-{dataset}-{regime}-{seed}", what, data)
    print(f"{dataset}, {regime}, {settings.loss}, seed {seed}: {len(crops.by_class)} classes for training")
    curve = training.fit(
        embedder,
        loss.to(embedders.device()),
        crops,
        getattr(loss_options, "weights_lr", None),
        validation(photos, recipe.select_on, photos.val_pools(options.separate_pools)[1], seed),
        unfinished / "checkpoint.pt",
    )
    embedders.save(embedder, Path("models") / dataset / regime / str(seed))
    files.write_csv(Path("plots/curves") / dataset / regime / f"{seed}.csv", curve)
    shutil.rmtree(unfinished)


if __name__ == "__main__":
    commandline.run(main, __doc__, "dataset", "regime", "seed")
