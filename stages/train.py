"""Train the network of one dataset in one regime, with the loss that params.yaml names.

    python -m stages.train demo bgaugment 42

Reads   data/prepared/DATASET, data/masks/DATASET/packed, data/backgrounds/DATASET
Writes  models/DATASET/REGIME/SEED (weights.safetensors, network.json), plots/curves/DATASET/REGIME/SEED.csv
Takes   the demo 1 to 2 min a regime, grocery 4 to 9 min, on one core

Interrupted and started again with the same parameters, data and code, it goes on after the last epoch.
"""

from pathlib import Path

from bgbias.command import cli
from bgbias.config import params


def main(settings: params.Params, dataset: str, regime: str, seed: int) -> None:
    """Build, train, save."""
    import torch

    from bgbias import cache, files, seeding
    from bgbias.models import trained
    from bgbias.models.embedder import device
    from bgbias.photos.views import Photos
    from bgbias.training import finder, loop, losses
    from bgbias.training.batch_norm import frozen_unlearnt
    from bgbias.training.batch_size import without_half_pairs
    from bgbias.training.batches import Crops
    from bgbias.training.selection import validation

    seeding.deterministic(settings.threads)
    options, geometry = settings.train[dataset], settings.images[dataset]
    if (weights := Path(options.weights)).is_file():
        files.pinned(weights)
    loss_options = losses.options_for(settings.loss, settings.losses, dataset)
    asked = settings.regime_settings[regime]
    treatment = losses.limited(asked, loss_options)
    photos = Photos.prepared(dataset, geometry)
    crops = Crops(photos, treatment, options, loss_options.per_class, seed)
    parts = (f"prepared/{dataset}", f"masks/{dataset}/packed", f"backgrounds/{dataset}")
    data = [Path("data") / part for part in parts]
    found_by = finder.kept(photos, treatment, options, seed, data) if treatment.finder else None
    torch.manual_seed(seed)
    loss = losses.make(settings.loss, loss_options, len(crops.by_class), options.embedding_dim)
    distance = losses.distance_of(loss)
    embedder = trained.new(
        options.network, options.embedding_dim, geometry.input_px, distance, options.weights, found_by
    )
    made_from = [dataset, treatment, settings.loss, seed, options, geometry, loss_options, settings.threads]
    print(f"{dataset}, {regime}, {settings.loss}, seed {seed}: {len(crops.by_class)} classes for training")
    if limits := losses.limits(asked, treatment):
        print(f"{dataset}, {regime}: of this regime {settings.loss} takes {limits} (losses.{settings.loss})")
    if remark := losses.unexplained(loss):
        print(f"{dataset}, {regime}: {remark} (losses.{settings.loss})")
    if remark := without_half_pairs(loss_options.per_class, treatment.paired):
        print(f"{dataset}, {regime}: {remark} (losses.{settings.loss})")
    if remark := frozen_unlearnt(embedder.network.trunk, options.freeze_batch_norm, options.weights):
        print(f"{dataset}, {regime}: {remark} (train.{dataset})")
    if geometry.input_px > geometry.crop_px:
        enlarged = f"crops of {geometry.crop_px} px are enlarged to the network's {geometry.input_px}"
        print(f"{dataset}, {regime}: {enlarged}: raise short_side_px and crop_px (images.{dataset}) for sharp ones")
    with cache.unfinished(f"train-{dataset}-{regime}-{seed}", made_from, data) as unfinished:
        curve = loop.fit(
            embedder.to(device()),
            loss.to(device()),
            crops,
            getattr(loss_options, "weights_lr", None),
            validation(photos, treatment.select_on, photos.val_pools(options.separate_pools)[1], seed),
            unfinished / "checkpoint.pt",
        )
        trained.save(embedder, Path("models") / dataset / regime / str(seed))
        files.write_csv(Path("plots/curves") / dataset / regime / f"{seed}.csv", curve)


if __name__ == "__main__":
    cli.run(main, __doc__, "dataset", "regime", "seed", shared=True)
