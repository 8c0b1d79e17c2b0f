"""What a run has measured, kept in one file for documents."""

import hashlib
import re
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bgbias import files
from bgbias.documents import blocks
from bgbias.documents.record import record, refuse_to_lose
from bgbias.metrics.paired import compare
from stages import record as stage

VIEW = {"recall_at_1": 0.9, "map_at_r": 0.5}
ATTENTION = {view: {"mean": 0.25, "sd": 0.1} for view in ("clean", "swapped")}
DROP = dict.fromkeys(VIEW, 0.0)
METRICS = {"clean": VIEW, "swapped": VIEW, "drop": DROP, "queries": 4, "lone_queries": 0, "seeds": 2}
MEASURES = [f"{metric}_{view}" for metric in VIEW for view in ("clean", "swapped")]


@dataclass(frozen=True)
class Settings:
    regimes: tuple = ("base", "cure")
    seeds: tuple = (1, 2)
    loss: str = "triplet"
    seed: int = 7
    train: dict = field(default_factory=lambda: {"demo": {"lr": 1e-7}, "sop": {"lr": 0.2}})


SETTINGS = Settings()


def metrics(place):
    """Those of the regimes of `root`: the means of its queries, and of its attention scores."""
    attention = {view: {"mean": (0.65 + 0.3 * place) / 3, "sd": 0.1} for view in ATTENTION}
    view = dict.fromkeys(VIEW, (1 + 1.5 * place) / 4) | {f"{metric}_seeds_sd": 0.1 for metric in VIEW}
    return METRICS | dict.fromkeys(ATTENTION, view) | {"attention": attention}


@pytest.fixture
def root(tmp_path, monkeypatch):
    """What two regimes of two seeds have left: four queries of two classes; attention of three photos, one no query."""
    monkeypatch.chdir(tmp_path)
    for place, regime in enumerate(("base", "cure")):
        files.write_json(tmp_path / f"metrics/evaluate/demo/{regime}.json", {"demo": {regime: metrics(place)}})
        scores = {measure: [place, 1.0, 0.0, place / 2] for measure in MEASURES}
        queries = pd.DataFrame({"image_id": [4, 5, 6, 7], "class": [0, 0, 1, 1]} | scores)
        files.write_csv(tmp_path / f"data/queries/demo/{regime}.csv", queries)
        for seed in (1, 2):
            embeddings, attention = (
                tmp_path / f"data/{part}/demo/{regime}/{seed}" for part in ("embeddings", "attention")
            )
            (embeddings / "swapped").mkdir(parents=True)
            attention.mkdir(parents=True)
            for path in (embeddings / "clean.npy", embeddings / "swapped/0.npy"):
                np.save(path, np.ones((5, 3), np.float32))
            photos = {"image_id": [4, 5, 6, 7, 8], "class_id": [0, 0, 1, 1, 2]}  # 8 is alone in its class: no query
            files.write_csv(embeddings / "images.csv", pd.DataFrame(photos))
            for view in ("clean", "swapped"):
                np.save(attention / f"{view}.npy", np.zeros((3, 2, 2), np.uint8))
            found = [0.1 * seed + 0.2 * seed * place, 0.2, 0.3]
            files.write_csv(
                attention / "scores.csv", pd.DataFrame({"image_id": [7, 4, 8], "clean": found, "swapped": found})
            )
    return tmp_path


def test_a_record_holds_scores_and_paired_differences_of_retrieval_and_attention(root):
    found = record("demo", ["base", "cure"], [1, 2], 7)
    assert found["regimes"]["cure"]["swapped"] == metrics(1)["swapped"] and list(found["regimes"]) == ["base", "cure"]
    assert (found["classes"], found["seeds"]) == (2, [1, 2])
    queries = [pd.read_csv(f"data/queries/demo/{regime}.csv", index_col="image_id") for regime in ("base", "cure")]
    expected = compare(*queries, 7).loc["recall_at_1_swapped"]
    difference = found["differences"]["cure - base"]
    assert difference["recall_at_1_swapped"] == dict(expected[["difference", "low", "high"]])
    assert difference["recall_at_1_swapped"]["difference"] == pytest.approx((1 + 0 + 0 + 0.5) / 4)
    assert difference["attention_score_clean"]["difference"] == pytest.approx(0.3 / 3)  # photo 7, both seeds


def test_each_regime_is_held_beside_each_one_before(root):
    for part in ("embeddings", "attention"):
        shutil.copytree(f"data/{part}/demo/cure", f"data/{part}/demo/last")
    shutil.copy("data/queries/demo/cure.csv", "data/queries/demo/last.csv")
    files.write_json(Path("metrics/evaluate/demo/last.json"), {"demo": {"last": metrics(1)}})
    found = record("demo", ["base", "cure", "last"], (1, 2), 7)
    assert list(found["differences"]) == ["cure - base", "last - base", "last - cure"]


def test_all_intervals_are_resampled_by_the_seed_and_attention_by_its_photos_classes(root, monkeypatch):
    asked = []
    monkeypatch.setattr("bgbias.documents.record.compare", lambda *given: asked.append(given[1:3]) or compare(*given))
    stage.main(SETTINGS, "demo", "kept", False)
    (queries, _), (attention, _) = asked
    assert [seed for _, seed in asked] == [7, 7]
    assert dict(queries["class"]) == {4: 0, 5: 0, 6: 1, 7: 1} and dict(attention["class"]) == {4: 0, 7: 1, 8: 2}


def test_what_cannot_be_told_of_a_single_class_is_recorded_as_nothing(root):
    for file in root.glob("data/queries/demo/*.csv"):
        files.write_csv(file, pd.read_csv(file).assign(**{"class": 0}))
    stage.main(SETTINGS, "demo", "kept", False)
    kept = files.read_json(Path("metrics/studies/kept.json"))
    assert kept["differences"]["cure - base"]["map_at_r_clean"]["low"] is None


def test_a_study_has_the_name_of_one_file(root):
    with pytest.raises(ValueError, match="study"):
        stage.main(SETTINGS, "demo", "../kept", False)


def test_metrics_of_another_number_of_seeds_are_refused(root):
    with pytest.raises(ValueError, match="metrics of another number of seeds than 1: .*: base, cure"):
        record("demo", ["base", "cure"], [1], 7)


def test_attention_scores_of_another_run_are_refused(root):
    path = Path("data/attention/demo/cure/2/scores.csv")
    path.write_text(path.read_text().replace("0.3", "0.4"))
    with pytest.raises(ValueError, match="demo/cure: its mean attention score of clean is 0.33.*, so they are of diff"):
        record("demo", ["base", "cure"], [1, 2], 7)


def test_the_stage_writes_the_record_of_what_params_name(root):
    stage.main(SETTINGS, "demo", "kept", False)
    kept = files.read_json(Path("metrics/studies/kept.json"))
    assert (kept["loss"], kept["dataset"], list(kept["regimes"])) == ("triplet", "demo", ["base", "cure"])
    table = blocks.table("differences metrics/studies/kept.json")
    assert re.search(r"\| `cure` - `base` +\| \+37.5 \(", table)
    assert kept["settings"] == {"seed": 7, "train.demo.lr": 1e-7}  # of which six digits leave nothing
    stage.main(SETTINGS, "demo", "kept", False)  # the same again
    others = {"dataset": "sop", "loss": "arcface", "seeds": [1], "regimes": {"base": {}}, "audits": {}}
    for key, other in others.items():
        with pytest.raises(ValueError, match=f"kept.json holds another study; .* to lose it: {key} "):
            refuse_to_lose(Path("metrics/studies/kept.json"), kept | {key: other})
    refuse_to_lose(Path("metrics/studies/kept.json"), kept | {"regimes": {"cure": {}, "base": {}}})  # the same, too
    files.write_json(Path("metrics/studies/other.json"), {"results": {}})
    with pytest.raises(ValueError, match="other.json holds another study"):
        refuse_to_lose(Path("metrics/studies/other.json"), kept)
    others = replace(SETTINGS, loss="arcface"), replace(SETTINGS, train={"demo": {"lr": 0.3}})
    differ = "loss triplet instead of arcface", "train.demo.lr 1e-07 instead of 0.3"
    for other, odd in zip(others, differ, strict=True):
        with pytest.raises(ValueError, match=f"kept.json holds another study; .* --replace to lose it: {odd}$"):
            stage.main(other, "demo", "kept", False)
    older = {key: kept[key] for key in kept if key != "settings"}  # by other figures it tells that they were others
    files.write_json(Path("metrics/studies/older.json"), older)
    refuse_to_lose(Path("metrics/studies/older.json"), kept)
    moved = kept | {"regimes": kept["regimes"] | {"cure": {"clean": {"recall_at_1": 0.1}}}}
    with pytest.raises(
        ValueError, match="older.json holds another study; .*: other figures, and settings that it does"
    ):
        refuse_to_lose(Path("metrics/studies/older.json"), moved)
    refuse_to_lose(Path("metrics/studies/kept.json"), moved)  # the same settings
    stage.main(others[0], "demo", "kept", True)
    assert files.read_json(Path("metrics/studies/kept.json"))["loss"] == "arcface"


PARAMS = "loss: triplet\nseeds: [1, 2]\ntrain:\n  demo: {lr: 0.1, max_epochs: 40}\n"
LOCK = """stages:
  train@demo-base-1:
    deps: [{path: bgbias/training, md5: a}, {path: data/masks/demo/packed, md5: c.dir}]
    params: {params.yaml: {loss: triplet, train.demo: {lr: 0.1, max_epochs: 40}}}
  train@demo-cure-2:
    deps: [{path: bgbias/training, md5: a}]
    params: {params.yaml: {loss: triplet, train.demo: {lr: 0.1, max_epochs: 40}}}
    outs: [{path: models/demo/cure/2, md5: e.dir}]
  embed@demo-cure-2:
    deps: [{path: data/masks/demo/packed, md5: c.dir}, {path: models/demo/cure/2, md5: e.dir}]
    params: {params.yaml: {}}
  evaluate@demo-cure:
    params: {params.yaml: {seeds: [1, 2]}}
  train@demo-other-2:
    deps: [{path: bgbias/training, md5: old}]
    params: {params.yaml: {loss: arcface}}
"""


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("loss: triplet", "loss: arcface", "or name theirs: train@demo-base-1 with loss arcface"),
        ("max_epochs: 40", "max_epochs: 2", "other settings .*: train@demo-base-1 with train.demo.max_epochs 2$"),
        ("max_epochs: 40", "max_epochs: 40, patience: 5", "train@demo-base-1 with train.demo.patience 5$"),
        ("lr: 0.1, max", "max", "train@demo-base-1 with train.demo.lr None$"),
        ("seeds: [1, 2]", "seeds: [1]", r"evaluate@demo-cure with seeds \[1\]$"),
        ("seeds: [1, 2]", "losses.triplet: {margin: 1}", r"with losses.triplet {'margin': 1}$"),  # which is gone
        ("md5: a}]", "md5: b}]", "others ran with; .*: train@demo-cure-2 with another bgbias/training$"),
        (
            "md5: c.dir}, {path: models",
            "md5: d.dir}, {path: models",
            "embed@demo-cure-2 with another data/masks/demo/packed$",
        ),
        ("outs: [{path: models/demo/cure/2, md5: e", "outs: [{path: models/demo/cure/2, md5: f", "embed@demo-cure-2 w"),
        (LOCK[20:], "", "dvc.lock: does not read: `git restore dvc.lock`, or delete it and run"),  # DVC was killed
    ],
)
def test_what_ran_with_other_settings_or_code_is_not_recorded(root, before, after, message):
    Path("params.yaml").write_text(PARAMS)
    Path("dvc.lock").write_text(LOCK)
    stage.main(SETTINGS, "demo", "kept", False)
    Path("dvc.lock").write_text(LOCK.replace(before, after, 1))
    with pytest.raises(ValueError, match=message):
        stage.main(SETTINGS, "demo", "kept", False)


def test_metrics_that_were_edited_or_merged_since_are_not_recorded(root):
    file = Path("metrics/evaluate/demo/cure.json")
    kept = f"{{path: {file}, md5: {hashlib.md5(file.read_bytes()).hexdigest()}}}"
    out = f"outs: [{kept}, {{path: data/queries/demo/cure.csv, md5: a}}]"  # of metrics alone it is asked
    Path("params.yaml").write_text(PARAMS)
    Path("dvc.lock").write_text(LOCK.replace("evaluate@demo-cure:\n", f"evaluate@demo-cure:\n    {out}\n"))
    stage.main(SETTINGS, "demo", "kept", False)
    file.write_text(file.read_text().replace('"sd": 0.1', '"sd": 0.01'))  # no mean of what was kept tells
    with pytest.raises(ValueError, match="changed since they were measured; `dvc repro` measures again: .*cure.json$"):
        stage.main(SETTINGS, "demo", "kept", False)
    file.unlink()
    with pytest.raises(FileNotFoundError, match=r"cure.json: no such file: .*`dvc"):
        stage.main(SETTINGS, "demo", "kept", False)


NAMED = ["raw@demo", "prepare@demo", "masks@demo", "backgrounds@demo", "evaluate@demo-base"]


@pytest.mark.parametrize("name", [*NAMED, "train@demo-cure-1", "embed@demo-base-2", "attention@demo-cure-1"])
def test_every_stage_that_a_record_rests_on_is_asked_for_its_settings(root, name):
    Path("params.yaml").write_text(PARAMS)
    Path("dvc.lock").write_text(f"{LOCK}  {name}:\n    params: {{params.yaml: {{loss: arcface}}}}\n")
    with pytest.raises(ValueError, match=f"{name} with loss arcface$"):
        stage.main(SETTINGS, "demo", "kept", False)
