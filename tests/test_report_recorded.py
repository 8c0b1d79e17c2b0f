"""What the report reads of each regime."""

import numpy as np
import pandas as pd
import pytest

from bgbias import files
from bgbias.report import recorded

REGIMES = ("base", "cure")


@pytest.fixture
def root(tmp_path):
    """Two regimes of two seeds, told apart by their numbers: 10 x regime + seed, and + 0.5 where swapped."""
    for place, regime in enumerate(REGIMES):
        metrics = {"demo": {regime: {"queries": place}}}
        files.write_json(tmp_path / f"metrics/evaluate/demo/{regime}.json", metrics)
        queries = pd.DataFrame({"image_id": [4, 5], "class": [0, 0], "recall_at_1_clean": [place, 1.0]})
        files.write_csv(tmp_path / f"data/queries/demo/{regime}.csv", queries)
        for seed in (1, 2):
            number = 10 * place + seed
            for part in ("embeddings", "attention"):
                (tmp_path / f"data/{part}/demo/{regime}/{seed}/swapped").mkdir(parents=True)
            embeddings, attention = (
                tmp_path / f"data/{part}/demo/{regime}/{seed}" for part in ("embeddings", "attention")
            )
            np.save(embeddings / "clean.npy", np.full((2, 3), number, np.float32))
            np.save(embeddings / "swapped/0.npy", np.full((2, 3), number + 0.5, np.float32))
            for view in ("clean", "swapped"):
                np.save(attention / f"{view}.npy", np.full((4, 2, 2), number, np.uint8))
            files.write_csv(attention / "scores.csv", pd.DataFrame({"image_id": [9, 8, 7, 6]}))
    return tmp_path


def test_scores_of_all_regimes_and_pictures_of_one_network_each(root):
    found = recorded.read("demo", REGIMES, 2, 3, root)
    assert found.metrics == {"base": {"queries": 0}, "cure": {"queries": 1}}
    assert found.queries["cure"].loc[4].tolist() == [0, 1] and list(found.queries) == list(REGIMES)
    numbers = {view: [of.unique().tolist() for of in regimes.values()] for view, regimes in found.embeddings.items()}
    assert numbers == {"clean": [[2], [12]], "swapped": [[2.5], [12.5]]}
    assert {maps.shape for regimes in found.maps.values() for maps in regimes.values()} == {(3, 2, 2)}
    assert found.maps["swapped"]["cure"].max() == 12 and found.image_ids.tolist() == [9, 8, 7]
