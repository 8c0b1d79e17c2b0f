"""Retrieval metrics and attention scores of one dataset and regime, over all its training seeds.

    python -m stages.evaluate demo base

Reads   data/embeddings/DATASET/REGIME, data/attention/DATASET/REGIME; dvc.lock, to refuse those of two networks
Writes  metrics/evaluate/DATASET/REGIME.json: for the clean view and each swapped one Recall@K, MAP@R and R-precision
        (swapped: mean and, as NAME_sd, sample standard deviation over the draws), the drop from clean to swapped, and
        attention scores (mean and population standard deviation over the photos), and likewise, as mask_iou, how well
        the masks of a network with a finder agree with the given ones; of several seeds the means, and as NAME_seeds_sd
        the sample standard deviation over the seeds;
        data/queries/DATASET/REGIME.csv: the retrieval metrics of each query, means over draws and seeds; a row an
        image_id, with its class
Takes   seconds
"""

from pathlib import Path

from bgbias.command import cli
from bgbias.config import params

VIEWS = ["clean", "swapped"]
IOU = [f"iou_{view}" for view in VIEWS]  # of networks with a finder
SCORES = {"index_col": "image_id", "dtype": {"image_id": int} | dict.fromkeys([*VIEWS, *IOU], float)}


def main(settings: params.Params, dataset: str, regime: str) -> None:
    """Measure each seed's network, and write the means."""
    import torch

    from bgbias import files, seeding
    from bgbias.command.lockfile import refuse_two_networks
    from bgbias.errors import InputError, refuse
    from bgbias.metrics import evaluation
    from bgbias.metrics.names import METRICS

    seeding.deterministic(settings.threads)
    options, measured, ious, known = settings.evaluate[dataset], [], [], {}
    for seed in settings.seeds:
        refuse_two_networks(dataset, regime, seed)
        folder, maps = (Path("data") / part / dataset / regime / str(seed) for part in ("embeddings", "attention"))
        photos = files.read_csv(folder / "images.csv", ["image_id", "class_id"], dtype=int)
        draws = {view: [folder / view / f"{draw}.npy" for draw in range(options.draws)] for view in options.swaps}
        draws = {"clean": [folder / "clean.npy"]} | draws
        views = {
            view: [torch.from_numpy(files.read_numbers(path, "f", len(photos), None)) for path in paths]
            for view, paths in draws.items()
        }
        scores, queries = evaluation.measure(views, photos, options.recall_at)
        of_photos = files.read_csv(maps / "scores.csv", VIEWS, **SCORES)
        unknown = set(of_photos.index) - set(photos.image_id)
        refuse(unknown, f"{maps / 'scores.csv'}: scores photos that were not embedded; {files.REMAKE}")
        for path, ids in ((folder / "images.csv", photos.image_id), (maps / "scores.csv", of_photos.index)):
            if list(ids) != known.setdefault(path.name, list(ids)):
                raise InputError(f"{path}: has other photos than that of seed {settings.seeds[0]}: {files.REMAKE}")
        measured.append((scores, evaluation.attention(of_photos[VIEWS]), queries))
        if set(IOU) <= set(of_photos):
            ious.append(evaluation.attention(of_photos[IOU].set_axis(VIEWS, axis=1)))

    found, queries = evaluation.over_seeds(measured, len(photos))
    if len(ious) == len(measured):
        found["mask_iou"] = evaluation.attention_over_seeds(ious)
    files.write_csv(Path("data/queries") / dataset / f"{regime}.csv", queries.reset_index())
    files.write_json(Path("metrics/evaluate") / dataset / f"{regime}.json", {dataset: {regime: found}})
    for name in METRICS:
        print(f"{dataset}, {regime}: {name} {found['clean'][name]:.4f} clean, {found['swapped'][name]:.4f} swapped")
    of_maps = {"attention score": found["attention"], "IoU of the found masks": found.get("mask_iou", {})}
    for what, views in of_maps.items():
        for view, score in views.items():
            written = "undefined" if score["mean"] is None else f"{score['mean']:.3f} +- {score['sd']:.3f}"
            print(f"{dataset}, {regime}: {what} {written} {view}")


if __name__ == "__main__":
    cli.run(main, __doc__, "dataset", "regime")
