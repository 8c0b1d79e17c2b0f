"""Retrieval metrics of one dataset and regime from its embeddings.

    python -m stages.evaluate demo base

Reads   data/embeddings/DATASET/REGIME
Writes  metrics/evaluate/DATASET/REGIME.json: for the clean view and each swapped one Recall@K, MAP@R and
        R-precision (mean and sample standard deviation over the draws), and the drop from clean to swapped
Takes   seconds
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from bgbias import commandline, files, params, retrieval


def main(settings: params.Params, dataset: str, regime: str) -> None:
    """Measure each view, every photo a query against all others of the same view."""
    options = settings.evaluate[dataset]
    folder = Path("data/embeddings") / dataset / regime
    labels = torch.tensor(pd.read_csv(folder / "images.csv").class_id.to_numpy())

    def scores(path: Path) -> dict[str, float]:
        embeddings = torch.from_numpy(np.load(path))
        return retrieval.evaluate(embeddings, embeddings, labels, options.recall_at)

    clean = scores(folder / "clean.npy")
    lone = int((labels.unique(return_counts=True)[1] == 1).sum())
    found = {"queries": len(labels) - lone, "lone_queries": lone, "clean": clean}
    for view in options.swaps:
        draws = [scores(folder / view / f"{number}.npy") for number in range(options.draws)]
        found[view] = retrieval.over_draws(draws)
    found["drop"] = {name: value - found["swapped"][name] for name, value in clean.items()}
    files.write_json(Path("metrics/evaluate") / dataset / f"{regime}.json", {dataset: {regime: found}})
    for name in ("recall_at_1", "map_at_r"):
        print(f"{dataset}, {regime}: {name} {clean[name]:.4f} clean, {found['swapped'][name]:.4f} swapped")


if __name__ == "__main__":
    commandline.run(main, __doc__, "dataset", "regime")
