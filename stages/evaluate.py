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

import numpy as np
import pandas as pd
import torch

from bgbias import commandline, files, params, repeats, retrieval


def measure(folder: Path, options: params.Evaluation) -> tuple[dict[str, dict[str, float]], pd.DataFrame]:
    """The scores of one trained network, every photo a query against all others of the same view.

    Returns:
        View -> its scores, and the same of each query.
    """
    images = pd.read_csv(folder / "images.csv")
    labels = torch.tensor(images.class_id.to_numpy())

    def scores(path: Path) -> pd.DataFrame:
        embeddings = torch.from_numpy(np.load(path))
        found = retrieval.per_query(embeddings, embeddings, labels, options.recall_at)
        return pd.DataFrame(found).set_index("rows").astype("float64")

    draws = {"clean": [scores(folder / "clean.npy")]}
    for view in options.swaps:
        draws[view] = [scores(folder / view / f"{number}.npy") for number in range(options.draws)]
    found = {view: repeats.over([one.mean().to_dict() for one in drawn], "_sd") for view, drawn in draws.items()}
    found["drop"] = {name: value - found["swapped"][name] for name, value in found["clean"].items()}
    queries = pd.concat({view: sum(drawn) / len(drawn) for view, drawn in draws.items()}, axis=1)
    queries.columns = [f"{name}_{view}" for view, name in queries.columns]
    return found, images.loc[queries.index].join(queries).set_index(["image_id", "class_id"])


def attention(folder: Path) -> dict[str, dict[str, float]]:
    """View -> mean and spread of the attention score over the photos for which it is defined."""
    found = {}
    for view, scores in pd.read_csv(folder / "scores.csv", index_col="image_id").items():
        defined = scores.dropna()
        found[view] = {"mean": float(defined.mean()), "sd": float(defined.std(ddof=0)), "images": len(defined)}
        found[view]["undefined"] = len(scores) - len(defined)  # empty or full masks
    return found


def main(settings: params.Params, dataset: str, regime: str) -> None:
    """Measure each seed's network, and write the means."""
    folder = Path("data/embeddings") / dataset / regime
    of_seeds = [measure(folder / str(seed), settings.evaluate[dataset]) for seed in settings.seeds]
    found = repeats.over_views([scores for scores, _ in of_seeds], "_seeds_sd")
    photos = len(pd.read_csv(folder / str(settings.seeds[0]) / "images.csv"))
    maps = [attention(Path("data/attention") / dataset / regime / str(seed)) for seed in settings.seeds]
    found["attention"] = repeats.over_views(maps, "_seeds_sd")
    tables = [queries for _, queries in of_seeds]
    counts = {"queries": len(tables[0]), "lone_queries": photos - len(tables[0]), "seeds": len(tables)}
    queries = (sum(tables) / len(tables)).reset_index().rename(columns={"class_id": "class"})
    files.write_csv(Path("data/queries") / dataset / f"{regime}.csv", queries)
    files.write_json(Path("metrics/evaluate") / dataset / f"{regime}.json", {dataset: {regime: counts | found}})
    for name in ("recall_at_1", "map_at_r"):
        print(f"{dataset}, {regime}: {name} {found['clean'][name]:.4f} clean, {found['swapped'][name]:.4f} swapped")
    for view, score in found["attention"].items():
        print(f"{dataset}, {regime}: attention score {score['mean']:.3f} +- {score['sd']:.3f} {view}")


if __name__ == "__main__":
    commandline.run(main, __doc__, "dataset", "regime")
