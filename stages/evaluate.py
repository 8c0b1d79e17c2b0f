"""Retrieval metrics and attention scores of one dataset and regime, over all its training seeds.

    python -m stages.evaluate demo base

Reads   data/embeddings/DATASET/REGIME, data/attention/DATASET/REGIME
Writes  metrics/evaluate/DATASET/REGIME.json: for the clean view and each swapped one Recall@K, MAP@R and R-precision
        (swapped: mean and, as NAME_sd, sample standard deviation over the draws), the drop from clean to swapped, and
        attention scores (mean and population standard deviation over the photos); of several seeds the means, and
        as NAME_seeds_sd the sample standard deviation over the seeds;
        data/queries/DATASET/REGIME.csv: the retrieval metrics of each query, means over draws and seeds; a row an
        image_id, with its class
Takes   seconds
"""

from pathlib import Path

from bgbias.config import cli, params


def main(settings: params.Params, dataset: str, regime: str) -> None:
    """Measure each seed's network, and write the means."""
    import numpy as np
    import pandas as pd
    import torch

    from bgbias import files, seeding
    from bgbias.metrics import aggregate, evaluation

    seeding.deterministic(settings.threads)
    options, of_seeds, tables = settings.evaluate[dataset], [], []
    for seed in settings.seeds:
        folder = Path("data/embeddings") / dataset / regime / str(seed)
        images = pd.read_csv(folder / "images.csv")
        paths = {view: [folder / view / f"{draw}.npy" for draw in range(options.draws)] for view in options.swaps}
        paths = {"clean": [folder / "clean.npy"]} | paths
        views = {view: [torch.from_numpy(np.load(path)) for path in of_view] for view, of_view in paths.items()}
        labels = torch.tensor(images.class_id.to_numpy())
        scores, queries = evaluation.measure(views, labels, options.recall_at)
        maps = Path("data/attention") / dataset / regime / str(seed) / "scores.csv"
        attention = evaluation.attention(pd.read_csv(maps, index_col="image_id"))
        of_seeds.append((scores, attention))
        tables.append(images.loc[queries.index].join(queries).set_index(["image_id", "class_id"]))

    found = aggregate.over_views([scores for scores, _ in of_seeds], "_seeds_sd")
    found["attention"] = aggregate.over_views([attention for _, attention in of_seeds], "_seeds_sd")
    counts = {"queries": len(tables[0]), "lone_queries": len(images) - len(tables[0]), "seeds": len(tables)}
    queries = (sum(tables) / len(tables)).reset_index().rename(columns={"class_id": "class"})
    files.write_csv(Path("data/queries") / dataset / f"{regime}.csv", queries)
    files.write_json(Path("metrics/evaluate") / dataset / f"{regime}.json", {dataset: {regime: counts | found}})
    for name in ("recall_at_1", "map_at_r"):
        print(f"{dataset}, {regime}: {name} {found['clean'][name]:.4f} clean, {found['swapped'][name]:.4f} swapped")
    for view, score in found["attention"].items():
        print(f"{dataset}, {regime}: attention score {score['mean']:.3f} +- {score['sd']:.3f} {view}")


if __name__ == "__main__":
    cli.run(main, __doc__, "dataset", "regime")
