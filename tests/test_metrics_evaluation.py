"""What is recorded of a trained network: by hand, over draws, over seeds."""

import dataclasses
from math import nan
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from bgbias.config import read
from bgbias.metrics import aggregate, evaluation
from stages import evaluate

RIGHT, WRONG = torch.eye(2)[[0, 0, 1, 1, 0]], torch.eye(2)[[0, 1, 0, 1, 0]]  # the last photo is alone in its class
PHOTOS = pd.DataFrame({"image_id": [10, 11, 12, 13, 14], "class_id": [4, 4, 6, 6, 9]})


def measured(*draws):
    return evaluation.measure({"clean": [RIGHT], "swapped": list(draws)}, PHOTOS, [1, 2])


def test_scores_are_means_over_queries_then_over_draws():
    scores, _ = measured(RIGHT, WRONG)
    assert scores["clean"]["recall_at_1"] == 1 and "recall_at_1_sd" not in scores["clean"]
    assert scores["swapped"]["recall_at_1"] == 0.5
    assert scores["swapped"]["recall_at_1_sd"] == pytest.approx(0.5**0.5)  # of 1 and 0, the sample's


def test_the_drop_is_clean_less_swapped_for_every_metric():
    scores, _ = measured(RIGHT, WRONG)
    assert scores["drop"] == {name: scores["clean"][name] - scores["swapped"][name] for name in scores["clean"]}


def test_each_query_has_its_means_over_the_draws_and_the_lone_one_none():
    _, queries = measured(RIGHT, WRONG)
    assert queries.index.to_list() == [(10, 4), (11, 4), (12, 6), (13, 6)]
    assert queries.index.names == ["image_id", "class"]
    assert queries.recall_at_1_clean.tolist() == [1] * 4 and queries.recall_at_1_swapped.tolist() == [0.5] * 4
    assert {"recall_at_2_clean", "map_at_r_swapped", "r_precision_swapped"} < set(queries.columns)


def test_attention_scores_that_are_undefined_are_counted_and_left_out():
    found = evaluation.attention(pd.DataFrame({"clean": [0.2, 0.4, None], "swapped": [0.1, 0.1, 0.1]}))
    assert found["clean"] == pytest.approx({"mean": 0.3, "sd": 0.1, "images": 2, "undefined": 1})
    assert found["swapped"]["images"] == 3 and found["swapped"]["sd"] == pytest.approx(0)


def test_several_seeds_have_their_means_and_a_standard_deviation_over_seeds():
    of_seeds = []
    for swapped, attention in ((RIGHT, 0.25), (WRONG, 0.75)):
        scores, queries = measured(swapped, swapped)
        of_seeds.append((scores, {"clean": {"mean": attention, "images": 3}}, queries))
    found, queries = evaluation.over_seeds(of_seeds, len(PHOTOS))
    assert (found["queries"], found["lone_queries"], found["seeds"]) == (4, 1, 2)
    assert found["swapped"]["recall_at_1"] == 0.5 and found["drop"]["recall_at_1"] == 0.5
    assert found["swapped"]["recall_at_1_seeds_sd"] == pytest.approx(0.5**0.5)
    assert found["attention"]["clean"]["mean"] == 0.5 and found["attention"]["clean"]["images"] == 3
    assert queries.recall_at_1_swapped.tolist() == [0.5] * 4


def test_where_no_photo_has_an_attention_score_there_is_none():
    scores, queries = measured(RIGHT, WRONG)
    undefined = evaluation.attention(pd.DataFrame({"clean": [None, None]}, dtype=float))
    found, _ = evaluation.over_seeds([(scores, undefined, queries)] * 2, len(PHOTOS))
    nothing = dict.fromkeys(("mean", "sd", "mean_seeds_sd", "sd_seeds_sd"))
    assert found["attention"]["clean"] == nothing | {"images": 0, "undefined": 2}


def test_counts_and_deviations_get_no_deviation_and_a_seed_without_a_score_leaves_none():
    one = {"mean": 0.5, "images": 3, "recall_at_1_sd": 0.25}
    found = aggregate.over([one, {"mean": nan, "images": 0, "recall_at_1_sd": 0.75}], "_seeds_sd")
    assert found == pytest.approx(
        {"mean": nan, "images": 1.5, "recall_at_1_sd": 0.5, "mean_seeds_sd": nan}, nan_ok=True
    )


def test_a_single_seed_has_no_standard_deviation_over_seeds():
    scores, queries = measured(RIGHT, WRONG)
    found, alone = evaluation.over_seeds([(scores, {"clean": {"mean": 0.5}}, queries)], len(PHOTOS))
    assert {view: found[view] for view in scores} == scores and alone.equals(queries)


@pytest.mark.parametrize("file", ["embeddings/demo/base/2/images.csv", "attention/demo/base/2/scores.csv"])
def test_seeds_of_other_photos_are_refused(tmp_path, monkeypatch, file):
    monkeypatch.chdir(tmp_path)
    settings = dataclasses.replace(read.load(Path(__file__).parents[1] / "params.yaml"), seeds=[1, 2])
    photos = pd.DataFrame({"image_id": [10, 11, 12, 13], "class_id": [4, 4, 6, 6]})
    for seed in settings.seeds:
        folder, maps = (tmp_path / "data" / part / "demo/base" / str(seed) for part in ("embeddings", "attention"))
        views = ["clean.npy", *(f"{view}/{draw}.npy" for view in ("swapped", "new_scene") for draw in range(5))]
        for path in views:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            np.save(folder / path, RIGHT[:4].numpy())
        maps.mkdir(parents=True)
        photos.to_csv(folder / "images.csv", index=False)
        photos[:2].assign(clean=0.5, swapped=0.2).to_csv(maps / "scores.csv", index=False)
    evaluate.main(settings, "demo", "base")
    other = tmp_path / "data" / file
    table = pd.read_csv(other)
    table.assign(image_id=[*table.image_id[:-1], 13 if "scores" in file else 14]).to_csv(other, index=False)
    with pytest.raises(ValueError, match=f"{file}: has other photos than that of seed 1: run the stage again"):
        evaluate.main(settings, "demo", "base")
