"""Result tables as text: what stands in which cell."""

import pandas as pd
import pytest

from bgbias.report import remedies, tables


def cells(row):
    return row.to_dict()


def test_mask_quality_has_a_row_a_measure_and_nothing_where_it_is_undefined():
    statistics = {"mean": 0.83654, "sd": 0.2, "median": 0.9, "min": 0.0, "q25": 0.7, "q75": 1.0}
    found = {
        "iou": statistics | {"ci_low": 0.7, "ci_high": 0.85},
        "overlap": statistics | {"ci_low": None, "ci_high": None},
        "precision": dict.fromkeys([*statistics, "ci_low", "ci_high"]),
        "failure_rate": {"share": 0.05, "ci_low": 0.01, "ci_high": 0.25},
    }
    iou, overlap, precision, failures = (cells(row) for _, row in tables.mask_quality(found).iterrows())
    assert (iou[""], iou["mean"], iou["min"], iou["95 % interval"]) == ("IoU", "0.8365", "0.0000", "0.7000 to 0.8500")
    assert (overlap["sd"], overlap["95 % interval"]) == ("0.2000", "")
    assert set(precision.values()) == {"precision", ""}
    assert failures == dict.fromkeys(iou, "") | {
        "": "failure rate", "mean": "0.0500", "95 % interval": "0.0100 to 0.2500"}  # fmt: skip


def test_remedies_have_a_row_each_with_what_a_query_costs_and_what_is_recovered():
    share, none = {"value": 0.731, "low": 0.65, "high": 0.8}, {"value": None, "low": None, "high": None}
    remedy = {
        "name": "own_swaps_4",
        "sides": "query",
        "passes": 4,
        "needs_mask": True,
        "clean": {"recall_at_1": 0.9, "map_at_r": 0.5},
        "swapped": {"recall_at_1": 0.8, "recall_at_1_sd": 0.012, "map_at_r": 0.4, "map_at_r_sd": 0.0},
        "recovered": {"recall_at_1": share, "map_at_r": none},
    }
    found = remedies.recovered({"own_swaps_4_query": remedy, "as_is": remedy | {"name": "as_is", "needs_mask": False}})
    assert found["remedy"].tolist() == ["own swaps 4", "as is"] and found["mask"].tolist() == ["yes", "no"]
    assert cells(found.iloc[0]) == {
        "remedy": "own swaps 4", "sides": "query", "passes": "4", "mask": "yes",
        "Recall@1 clean": "90.0", "Recall@1 swapped": "80.0 ± 1.2", "Recall@1 recovered": "73 (65 to 80)",
        "MAP@R clean": "50.0", "MAP@R swapped": "40.0 ± 0.0", "MAP@R recovered": ""}  # fmt: skip
    chosen = remedies.recovered({"own_swaps_4_query": remedy | {"validation": 0.2534}})
    assert cells(chosen.iloc[0]) == cells(found.iloc[0]) | {"validation": "25.3"}  # by which one is chosen


def test_the_summary_has_the_found_masks_iou_where_a_regime_has_a_finder_alone():
    view, score = {"recall_at_1": 0.5, "map_at_r": 0.25}, {"mean": 0.31, "sd": 0.1}
    base = {"clean": view, "swapped": view, "drop": view, "attention": {"clean": score}}
    cure = base | {
        "mask_iou": {"clean": {"mean": 0.777, "sd": 0.1, "mean_seeds_sd": 0.02}, "swapped": dict.fromkeys(score)}
    }
    assert "mask IoU clean" not in tables.summary({"base": base}, ["swapped"])
    found = tables.summary({"base": base, "cure": cure}, ["swapped"])
    assert (
        found["mask IoU clean"].tolist() == ["", "0.78 ± 0.02"] and found["mask IoU swapped"].tolist()[1] == "undefined"
    )
    assert found["attention clean"].tolist() == ["0.31 ± 0.10"] * 2


def test_a_markdown_table_aligns_its_first_columns_left():
    table = tables.mask_quality({name: {"share": 0.5, "ci_low": 0.4, "ci_high": 0.6} for name in tables.MASK_MEASURES})
    alignment = tables.markdown(table[["", "mean", "95 % interval"]], left=2).splitlines()[1].split("|")[1:-1]
    assert [(cell[0], cell[-1]) for cell in alignment] == [(":", "-"), (":", "-"), ("-", ":")]


def test_a_stroke_that_a_name_has_escaped_is_not_escaped_again():
    assert tables.markdown(pd.DataFrame({"a|b": [tables.plain("c|d")]})).splitlines()[::2] == [
        r"| a\|b   |",
        r"| c\|d   |",
    ]


def test_what_follows_the_sign_is_said_of_one_training_seed_and_of_two():
    assert tables.counted_on({"base": {"queries": 1480, "seeds": 2}}, classes=40) == (
        "1,480 queries of 40 classes; mean ± standard deviation over 2 training seeds."
    )
    assert tables.counted_on({"base": {"queries": 480, "seeds": 1}}, classes=40) == (
        "480 queries of 40 classes, one training seed; ± over the draws of backgrounds, of attention over the photos."
    )


def regime(clean, swapped=0, photos=100, seeds=1):
    views = {"clean": clean, "swapped": swapped}
    attention = {view: {"undefined": none, "images": photos - none} for view, none in views.items()}
    return {"queries": 9, "seeds": seeds, "attention": attention}


@pytest.mark.parametrize(
    ("regimes", "said"),
    [
        ({"base": regime(0), "cure": regime(0)}, ""),
        ({"base": regime(1, 2), "cure": regime(1, 2)}, " 1 of 100 clean, 2 of 100 swapped."),
        ({"base": regime(3), "cure": regime(0)}, " base 3 of 100 clean."),
        ({"base": regime(3), "cure": regime(1, 1)}, " base 3 of 100 clean; cure 1 of 100 clean, 1 of 100 swapped."),
        ({"base": regime(1 / 3, seeds=3)}, " 0.3 of 100 clean."),
    ],
)
def test_photos_without_an_attention_score_are_counted_in_every_regime(regimes, said):
    """A map without attention leaves a photo out of one regime's mean alone."""
    _, _, found = tables.counted_on(regimes, 3).partition("left out of its mean:")
    assert found == said


def test_attention_of_networks_that_find_the_object_first_is_not_to_be_compared():
    base, finds = regime(0), regime(0) | {"mask_iou": {}}
    said = "Attention scores of early, which first finds the object, cannot be compared with the others'."
    assert said in tables.counted_on({"base": base, "early": finds}, 3)
    assert "compared" not in tables.counted_on({"a": base}, 3) + tables.counted_on({"a": finds, "b": finds}, 3)


def test_a_cell_keeps_its_last_zero():
    assert "|   60.0 |" in tables.markdown(pd.DataFrame({"regime": ["base"], "drop": ["60.0"]}))
