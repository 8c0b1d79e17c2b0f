"""Audits of networks of several training seeds, kept in one file for documents."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bgbias import files
from bgbias.audit.measures import made_alike, queries
from bgbias.documents import blocks
from bgbias.documents.record_audits import DOUBT, record_audits
from bgbias.metrics.names import METRICS

CLASSES = ["a", "a", "b", "b"]
MADE_WITH = dict.fromkeys(made_alike.MENDS, "same") | {"second_backgrounds": "photos", "seed": 7}
AUDITED = {"clean": (1.0, 1.0), "swapped": (0.25, 0.75), "swapped_pool": (0.5, 1.0)}  # what seeds 1 and 2 find of base


def audit(folder, regime, seed, **changes):
    """Write an audit of four queries, all of which find what AUDITED says; cure finds a quarter more."""
    found = {view: figures[seed - 1] - 0.25 * (regime == "base") for view, figures in AUDITED.items()}
    columns = {f"{metric}_{view}": [value] * 4 for view, value in found.items() for metric in METRICS}
    network = Path(f"models/demo/{regime}/{seed}/network.pt")
    network.parent.mkdir(parents=True, exist_ok=True)
    network.write_text(f"{regime} {seed}")
    record = {
        "embedder": f"model:{network.parent}",
        "embedder_mark": files.checksum(network.parent)[:16],
        "photos": 4,
        "masks": "given",
        "backgrounds": "100 of test",
        "second_backgrounds": {"backgrounds": "100 of the photos"},
        "second_masks": None,
        "made_with": MADE_WITH,
        "mask_doubt": {"flagged": {"empty": []}},
    }
    files.write_json(folder / f"{regime}_{seed}" / "audit.json", record | changes)
    photos = pd.DataFrame({"path": list("wxyz"), "class_name": CLASSES})
    queries.write(folder / f"{regime}_{seed}", photos, columns)


@pytest.fixture
def audits(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for regime in ("base", "cure"):
        for seed in (1, 2):
            audit(tmp_path / "audits", regime, seed)
    return tmp_path / "audits"


def recorded(folder, seeds=(1, 2)):
    return record_audits("demo", ["base", "cure"], seeds, 7, folder)


def test_a_study_of_audits_holds_means_over_seeds_and_paired_differences(audits):
    """By hand: base finds 0.25 and 0.75 of the second pool, cure 0.5 and 1.0."""
    found = recorded(audits)
    swapped = {"masks": "given", "backgrounds": "100 of test", "second_pool": "100 of the photos"}
    assert found["audits"] == swapped | {"doubtful": {"empty": 0}, "made_with": MADE_WITH}
    assert (found["seeds"], found["classes"], list(found["regimes"])) == ([1, 2], 2, ["base", "cure"])
    base, cure = found["regimes"].values()
    assert base["second_pool"]["recall_at_1"] == 0.5 and cure["second_pool"]["map_at_r"] == 0.75
    assert base["second_pool"]["recall_at_1_seeds_sd"] == pytest.approx(0.125**0.5)
    assert (base["seeds"], base["queries"], base["clean"]["recall_at_1_seeds_sd"]) == (2, 4, 0.0)
    of_pool = found["differences"]["cure - base"]["recall_at_1_second_pool"]
    assert of_pool == {"difference": 0.25, "low": 0.25, "high": 0.25}
    files.write_json(audits / "study.json", found)
    row = blocks.table("differences study.json views=clean,second_pool", audits).splitlines()[-1]
    assert "+25.0 (25.0 to 25.0)" in row
    assert "+25.0 (-127.1 to 177.1)" in row  # t(2) = 4.303, variance 1/8 a side, of two seeds
    assert "| `base`" in blocks.table("scores study.json views=second_pool", audits)


def test_recall_by_places_is_kept_where_all_audits_know_the_same(audits):
    """Queries that were not compared by place count in none of its figures."""
    for regime, seed, elsewhere in (("base", 1, 0.25), ("base", 2, 0.5), ("cure", 1, 0.75), ("cure", 2, 1.0)):
        table = queries.read(audits / f"{regime}_{seed}").reset_index().rename(columns={"class": "class_name"})
        found = np.array([elsewhere, elsewhere, elsewhere, np.nan])
        columns = {name: table[name].to_numpy() for name in table.columns[1:-1]}
        columns |= {"recall_at_1_same_place_photos": found * 0 + 1, "recall_at_1_elsewhere_photos": found}
        queries.write(audits / f"{regime}_{seed}", table, columns)
    study = recorded(audits)
    assert study["regimes"]["base"]["elsewhere"] == {
        "recall_at_1": 0.375, "recall_at_1_seeds_sd": pytest.approx(0.25 / 2**0.5)
    }  # fmt: skip
    assert study["differences"]["cure - base"]["recall_at_1_elsewhere"]["difference"] == 0.5
    files.write_json(audits / "study.json", study)
    cells = blocks.table("arrows study.json of=shops to=elsewhere start=same_place", audits).splitlines()
    assert "100.0 → 37.5" in cells[-2] and "100.0 → 87.5" in cells[-1]
    heads = blocks.table("differences study.json views=clean,elsewhere", audits).splitlines()[0]
    assert "Recall@1 elsewhere" in heads and "MAP@R clean" in heads and "MAP@R elsewhere" not in heads
    assert "MAP@R elsewhere" not in blocks.table("scores study.json views=clean,elsewhere", audits)


def test_one_seed_has_no_standard_deviation(audits):
    found = recorded(audits, [1])
    assert found["regimes"]["base"]["swapped"] == {"recall_at_1": 0.0, "map_at_r": 0.0}
    assert DOUBT not in found["regimes"]["base"]  # no mask is in doubt


def test_the_drop_without_doubtful_masks_is_averaged_over_seeds(audits):
    for seed, lost in ((1, 0.25), (2, 0.75)):
        drop = {"recall_at_1": {"value": lost}, "map_at_r": {"value": 0.5}}
        audit(audits, "cure", seed, mask_doubt={"flagged": {"soft": ["w"]}, "drop_without": drop})
    found = recorded(audits)["regimes"]["cure"][DOUBT]
    assert found == {
        "recall_at_1": 0.5,
        "recall_at_1_seeds_sd": pytest.approx(0.125**0.5),
        "map_at_r": 0.5,
        "map_at_r_seeds_sd": 0.0,
    }


def test_other_second_pools_are_left_out(audits):
    audit(audits, "cure", 2, made_with=MADE_WITH | {"second_backgrounds": "others"})
    found = recorded(audits)
    assert "second_pool" not in found["audits"] and set(found["regimes"]["base"]) >= {"clean", "swapped"}
    assert "second_pool" not in found["regimes"]["base"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"embedder": "model:models/demo/base/2"}, r"of other networks than .*cure_2 \(model:models/demo/base/2\)$"),
        ({"mask_doubt": {"flagged": {"empty": list("wxyz")}}}, "most masks are in doubt, .*: .*cure_2$"),
        ({"made_with": MADE_WITH | {"masks": "others"}}, "differ in masks: audit both"),
        ({"embedder_mark": "then"}, "trained again since, or of an earlier version; audit them again: .*cure_2$"),
    ],
)
def test_audits_that_are_not_of_one_study_are_refused(audits, changes, message):
    audit(audits, "cure", 2, **changes)
    with pytest.raises(ValueError, match=message):
        recorded(audits)


def test_audits_with_other_draws_of_the_backgrounds_are_refused(audits):
    for seed in (1, 2):
        audit(audits, "cure", seed, made_with=MADE_WITH | {"drawn": str(seed)})
    with pytest.raises(ValueError, match="^other draws are no other seeds; audit all again: .* number their photos"):
        recorded(audits)


def test_audits_of_samples_are_refused(audits):
    for folder in audits.iterdir():
        path = folder / queries.FILE
        path.write_text(path.read_text().replace("_swapped,", "_swapped_in_clean,"))
    with pytest.raises(ValueError, match="audits of samples of queries, whose galleries are not swapped"):
        recorded(audits)


def test_one_network_under_two_seeds_is_refused(audits):
    audit(audits, "cure", 2, embedder_mark=files.checksum(Path("models/demo/cure/1"))[:16])
    Path("models/demo/cure/2/network.pt").write_text("cure 1")
    with pytest.raises(ValueError, match="cure_1 and .*cure_2 are of one network, not of two trainings"):
        recorded(audits)


def test_audits_by_another_seed_are_refused(audits):
    with pytest.raises(ValueError, match="audits: audits by the seed 7, params.yaml has 8"):
        record_audits("demo", ["base", "cure"], [1, 2], 8, audits)


def test_an_audit_that_is_missing_is_named(audits):
    with pytest.raises(FileNotFoundError, match="base_3/audit.json"):
        recorded(audits, [1, 3])
