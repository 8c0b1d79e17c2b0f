"""What the report reads of each regime."""

import json

import numpy as np
import pandas as pd
import pytest

from bgbias import files
from bgbias.report import recorded

REGIMES = ("base", "cure")
VIEW = {"recall_at_1": 0.5, "map_at_r": 0.25}
MEANS = {f"{metric}_{view}": value for metric, value in VIEW.items() for view in ("clean", "swapped")}
DROP = dict.fromkeys(VIEW, 0.0)
METRICS = {"clean": VIEW, "swapped": VIEW, "drop": DROP, "attention": {}, "queries": 2, "lone_queries": 0, "seeds": 2}


@pytest.fixture
def root(tmp_path):
    """Two regimes of two seeds, told apart by their numbers: 10 x regime + seed, and + 0.5 where swapped."""
    for place, regime in enumerate(REGIMES):
        metrics = {"demo": {regime: METRICS | {"lone_queries": place}}}
        files.write_json(tmp_path / f"metrics/evaluate/demo/{regime}.json", metrics)
        queries = pd.DataFrame(
            {"image_id": [4, 5], "class": [0, 0]} | MEANS | {"recall_at_1_clean": [place, 1 - place]}
        )
        files.write_csv(tmp_path / f"data/queries/demo/{regime}.csv", queries)
        for seed in (1, 2):
            number = 10 * place + seed
            for part in ("embeddings", "attention"):
                (tmp_path / f"data/{part}/demo/{regime}/{seed}/swapped").mkdir(parents=True)
            embeddings, attention = (
                tmp_path / f"data/{part}/demo/{regime}/{seed}" for part in ("embeddings", "attention")
            )
            np.save(embeddings / "clean.npy", np.full((4, 3), number, np.float32))
            np.save(embeddings / "swapped/0.npy", np.full((4, 3), number + 0.5, np.float32))
            for view in ("clean", "swapped"):
                np.save(attention / f"{view}.npy", np.full((4, 2, 2), number, np.uint8))
            files.write_csv(attention / "scores.csv", pd.DataFrame({"image_id": [9, 8, 7, 6]}))
            files.write_csv(embeddings / "images.csv", pd.DataFrame({"image_id": range(6, 10)}))
    return tmp_path


def test_scores_of_all_regimes_and_pictures_of_one_network_each(root):
    found = recorded.read("demo", REGIMES, [2, 1], 3, ["swapped"], root)
    assert {regime: found.metrics[regime]["lone_queries"] for regime in REGIMES} == {"base": 0, "cure": 1}
    assert found.queries["cure"].loc[4].tolist() == [0, 1, 0.5, 0.25, 0.25] and list(found.queries) == list(REGIMES)
    numbers = {view: [np.unique(of).tolist() for of in regimes.values()] for view, regimes in found.embeddings.items()}
    assert numbers == {"clean": [[2], [12]], "swapped": [[2.5], [12.5]]}
    assert {maps.shape for regimes in found.maps.values() for maps in regimes.values()} == {(3, 2, 2)}
    assert found.maps["swapped"]["cure"].max() == 12 and found.image_ids.tolist() == [9, 8, 7]


@pytest.mark.parametrize(
    "spoilt",
    [
        {"clean": VIEW | {"map_at_r": 25.0}},
        {"drop": VIEW | {"recall_at_1_sd": 1.3}},
        {"room": VIEW | {"map_at_r": 7.5}},
    ],
)
def test_figures_in_percent_are_refused(root, spoilt):
    files.write_json(root / "metrics/evaluate/demo/cure.json", {"demo": {"cure": METRICS | {"room": VIEW} | spoilt}})
    with pytest.raises(ValueError, match="demo/cure.json .*: .* should be less than or equal to 1, found"):
        recorded.read_metrics("demo", "cure", root)


def test_found_masks_are_read_beside_the_attention_of_a_network_that_has_a_finder(root):
    path = root / "metrics/evaluate/demo/cure.json"
    iou = {view: {"mean": 0.7, "sd": 0.1} for view in ("clean", "swapped")}
    files.write_json(path, {"demo": {"cure": METRICS | {"mask_iou": iou}}})
    with pytest.raises(FileNotFoundError, match="cure/2/mask_clean.npy"):
        recorded.read("demo", REGIMES, [2, 1], 3, ["swapped"], root)
    for number, view in enumerate(iou):
        np.save(root / f"data/attention/demo/cure/2/mask_{view}.npy", np.full((4, 2, 2), 77 + number, np.uint8))
    maps = recorded.read("demo", REGIMES, [2, 1], 3, ["swapped"], root).maps
    assert list(maps["clean"]) == ["base", "cure", "cure mask"]
    assert [maps[view]["cure mask"].max() for view in iou] == [77, 78]


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (["clean"], 1, "base.json .run the stage again .*: clean: "),
        (["swapped", "map_at_r"], "0.5", "base.json .*: swapped.map_at_r: Input should be a valid number, found '0.5'"),
        (["swapped", "map_at_r"], float("nan"), "base.json: does not read .NaN is no number"),
        (["queries"], None, "base.json .*: queries: Input should be a valid integer, found None"),
        (["other"], VIEW, "base.json: has no such view: run the stage again .*: new_scene"),
    ],
)
def test_metrics_that_evaluate_does_not_write_are_refused(root, keys, value, message):
    path = root / "metrics/evaluate/demo/base.json"
    found = json.loads(path.read_text())
    block = found["demo"]["base"]
    for key in keys[:-1]:
        block = block[key]
    block[keys[-1]] = value
    path.write_text(json.dumps(found))
    with pytest.raises(ValueError, match=message):
        recorded.read("demo", REGIMES, [2, 1], 3, ["new_scene"], root)


def test_maps_and_embeddings_of_other_photos_are_refused(root):
    folder = root / "data/attention/demo/cure/2"
    np.save(folder / "clean.npy", np.zeros((2, 2, 2), np.uint8))
    with pytest.raises(ValueError, match="cure/2/clean.npy: 2 maps, expected 3: run the stage again"):
        recorded.read("demo", REGIMES, [2, 1], 3, [], root)
    files.write_csv(root / "data/attention/demo/base/2/scores.csv", pd.DataFrame({"image_id": [9, 99]}))
    with pytest.raises(ValueError, match="base/2/scores.csv: has photos that were not embedded: .*: 99"):
        recorded.read("demo", REGIMES, [2, 1], 3, [], root)


@pytest.mark.parametrize("ids", [[9, 8, 7], [8, 9, 7, 6], [9, 8, 7, 5]])
def test_attention_scored_on_other_photos_in_one_regime_than_in_another_is_refused(root, ids):
    path = root / "data/attention/demo/cure/2/scores.csv"
    files.write_csv(path, pd.DataFrame({"image_id": ids}))
    with pytest.raises(ValueError, match=f"^other photos are scored than in .*base/2/scores.csv; run the .*: {path}$"):
        recorded.read("demo", REGIMES, [2, 1], 3, [], root)


def test_metrics_of_another_run_than_the_queries_are_refused(root):
    """As after `git restore .` without `dvc checkout`: Git keeps metrics, DVC the queries."""
    path = root / "data/queries/demo/cure.csv"
    path.write_text(path.read_text().replace("0.25", "0.250049"))
    with pytest.raises(ValueError) as error:
        recorded.read("demo", REGIMES, [2, 1], 3, ["swapped"], root)
    assert str(error.value) == (
        f"{path}: its mean map_at_r_clean is 0.250049, that of the metrics of cure 0.250000, so they are of different "
        "runs: `dvc checkout` brings what belongs to the commit, `dvc repro` makes both anew"
    )


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"queries": 3}, "another number of queries than the metrics of cure say; `dvc checkout` .*: 3$"),
        (
            {"drop": DROP | {"map_at_r": 0.1}},
            "its mean map_at_r_drop is 0.000000, that of the metrics of cure 0.100000",
        ),
    ],
)
def test_metrics_that_are_merged_of_two_runs_are_refused(root, other, message):
    files.write_json(root / "metrics/evaluate/demo/cure.json", {"demo": {"cure": METRICS | other}})
    with pytest.raises(ValueError, match=f"demo/cure.csv: {message}"):
        recorded.read("demo", REGIMES, [2, 1], 3, ["swapped"], root)


def test_regimes_of_another_number_of_seeds_are_refused(root):
    files.write_json(root / "metrics/evaluate/demo/cure.json", {"demo": {"cure": METRICS | {"seeds": 1}}})
    with pytest.raises(ValueError, match="metrics of another number of seeds than 2: `dvc repro` .*: cure$"):
        recorded.read("demo", REGIMES, [2, 1], 3, ["swapped"], root)
