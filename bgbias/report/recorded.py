"""What the stages before the report have left of each regime of one dataset."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from bgbias import files

EMBEDDINGS = {"clean": "clean.npy", "swapped": "swapped/0.npy"}  # view -> file of the draw that is shown


class Recorded(NamedTuple):
    """Scores of all networks, and embeddings and attention maps of one network a regime.

    Attributes:
        metrics: regime -> its metrics, as the stage evaluate records them.
        queries: regime -> a table of queries, see `comparison`.
        embeddings: view ("clean", "swapped") -> regime -> float (N, D), of the test photos.
        maps: view -> regime -> uint8 (P, S, S), attention on the first photos that were scored.
        image_ids: (P,), which photos these are: the same ones in every regime.
    """

    metrics: dict[str, dict]
    queries: dict[str, pd.DataFrame]
    embeddings: dict[str, dict[str, Tensor]]
    maps: dict[str, dict[str, np.ndarray]]
    image_ids: np.ndarray


def read(dataset: str, regimes: Sequence[str], seed: int, photos: int, root: Path = Path()) -> Recorded:
    """Read what the stages embed, attention and evaluate have written.

    Args:
        dataset: its name.
        regimes: one or more.
        seed: of the training whose network is shown.
        photos: P, how many attention maps.
        root: the folder of data and metrics.
    """
    folders = {part: root / "data" / part / dataset for part in ("embeddings", "attention", "queries")}
    written = {regime: root / "metrics/evaluate" / dataset / f"{regime}.json" for regime in regimes}
    scores = files.read_csv(folders["attention"] / regimes[0] / str(seed) / "scores.csv", ["image_id"])
    return Recorded(
        {regime: files.read_json(path, dataset, regime) for regime, path in written.items()},
        {
            regime: files.read_csv(folders["queries"] / f"{regime}.csv", ["class"], index_col="image_id")
            for regime in regimes
        },
        {
            view: {
                regime: torch.from_numpy(files.read_array(folders["embeddings"] / regime / str(seed) / file))
                for regime in regimes
            }
            for view, file in EMBEDDINGS.items()
        },
        {
            view: {
                regime: files.read_array(folders["attention"] / regime / str(seed) / f"{view}.npy")[:photos]
                for regime in regimes
            }
            for view in EMBEDDINGS
        },
        scores.image_id[:photos].to_numpy(),
    )
