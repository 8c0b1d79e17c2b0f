"""An audit in a sentence and its grade: at the bounds of the rule, and for each way that an interval can lie."""

import pytest
from audit_found import GUESSES, UNDEFINED, changed, e, r

from bgbias.audit.verdict.advice import steps
from bgbias.audit.verdict.grade import GRADES, NO_LOSS, RULE, TOO_FEW, letter, summary


@pytest.mark.parametrize(
    ("grade", "below", "least"), [("A", "B", 0.9), ("B", "C", 0.75), ("C", "D", 0.6), ("D", "E", 0.4)]
)
def test_each_grade_begins_where_the_rule_says(grade, below, least):
    assert (letter(least), letter(least - 0.001)) == (grade, below)
    assert letter(least - 0.0004) == grade  # written with a tenth of a percent, it is the bound
    assert f"{grade} from {100 * least:.0f} %" in RULE and GRADES[grade] == least


def test_more_than_all_is_an_a_and_less_than_nothing_an_e():
    assert letter(1.2) == "A" and letter(-0.2) == "E" and RULE.endswith(", E below")


def test_a_loss_is_told_in_searches_and_graded_with_its_interval():
    assert summary(changed()) == {
        "said": "Of 100 searches, 90 find the right product; on other backgrounds, 60 do: it loses some of what it "
        "finds, and keeps most.",
        "grade": "C",
        "graded": "Of what it finds beyond guessing, it keeps 66.0 % on other backgrounds (95 % interval 60.0 to 70.0: "
        "all of it C). A from 90 %, B from 75 %, C from 60 %, D from 40 %, E below.",
    }
    assert "(95 % interval 38.0 to 76.0: E to B)" in summary(changed({"kept": e(0.5, 0.38, 0.76)}))["graded"]


@pytest.mark.parametrize("classes", [2, 4, 5])
def test_of_few_classes_nothing_is_concluded(classes):
    lost = r(0.3)
    lost["recall_at_1"]["classes"] = classes
    found = summary(changed({"drop": lost}))
    if classes == 5:
        assert found["grade"] == "C"
        return
    assert found == {
        "said": "Of 100 searches, 90 find the right product; on other backgrounds, 60 do: "
        f"{classes} classes are too few to conclude anything.",
        "grade": None,
        "graded": "No grade: one needs 5 classes at least.",
    }
    assert steps(changed({"drop": lost}), {}, 7) == [
        {"said": "Audit photos of at least 5 classes: the figures of fewer say nothing of others.", "commands": []}
    ]


@pytest.mark.parametrize(
    ("kept", "drop", "outcome"),
    [
        ((0.3, 0.2, 0.49), (0.3,), "it loses most of what it finds"),
        (
            (0.5, 0.4, 0.6),
            (0.3,),
            "it loses a part of what it finds, and it is not shown whether that is more than half",
        ),
        ((0.6, 0.51, 0.7), (0.3,), "it loses some of what it finds, and keeps most"),
        ((1.0, 0.9, 1.1), (0.01, -0.01, 0.05), "no loss is shown"),
        ((1.0, 0.9, 1.1), (0.01, -0.01, 0.06), "no loss is shown, but these photos are too few to exclude one"),
        ((1.3, 1.1, 1.5), (-0.1,), "more than on their own"),
    ],
)
def test_no_more_is_said_than_the_intervals_show(kept, drop, outcome):
    found = summary(changed({"kept": e(*kept), "drop": r(*drop)}))
    assert found["said"].endswith(f" do: {outcome}.") and found["grade"] == letter(kept[0])


@pytest.mark.parametrize(("chance", "beyond"), [(0.02, ""), (0.2, ""), (0.21, " beyond guessing")])
def test_where_guessing_finds_much_the_sentence_says_what_is_lost_of(chance, beyond):
    found = summary(changed({"chance.recall_at_1": chance, "kept": e(0.3, 0.2, 0.4)}))
    assert found["said"].endswith(f"it loses most of what it finds{beyond}.")


def test_an_interval_without_width_proves_little_of_few_classes_and_more_of_many():
    few, many = ({"low": 0.0, "high": 0.0, "value": 0.0, "classes": classes} for classes in (58, 60))
    found = {"drop": r(0.0), "kept": e(1.0, 1.0, 1.0) | {"classes": 10}}
    assert summary(changed(found | {"drop.recall_at_1": few}))["said"].endswith(TOO_FEW + ".")
    certain = summary(changed(found | {"drop.recall_at_1": many}))
    assert certain["said"].endswith(NO_LOSS + ".")
    assert steps(changed({"drop.recall_at_1": few}), {}, 42)[0]["said"] == (
        "Audit more photos, for a loss of up to 5.0 points is not excluded."
    )
    interval = "(95 % interval 100.0 to 100.0: 10 classes, all alike: up to 26 % of others may not be)"
    assert certain["grade"] == "A" and interval in certain["graded"]


@pytest.mark.parametrize(("low", "clean", "swapped"), [(0.002, "99.8", "99.5"), (-0.002, "100", "100")])
def test_a_small_loss_is_not_said_of_equal_numbers(low, clean, swapped):
    drop = r(0.003, low, 0.004)
    found = changed({"matrix.clean.clean": r(0.998), "matrix.swapped.swapped": r(0.995), "drop": drop})
    start = f"Of 100 searches, {clean} find the right product; on other backgrounds, {swapped} do: "
    assert summary(found)["said"].startswith(start)


def test_nor_is_a_small_gain():
    drop = r(-0.003, -0.004, -0.002)
    found = changed({"matrix.clean.clean": r(0.995), "matrix.swapped.swapped": r(0.998), "drop": drop})
    assert summary(found)["said"] == (
        "Of 100 searches, 99.5 find the right product; on other backgrounds, 99.8 do: more than on their own."
    )


def test_who_guesses_on_clean_photos_has_no_grade():
    found = summary(changed({"matrix.clean.clean": r(0.03)}))
    assert found["said"] == "Of 100 searches, 3 find the right product: not shown to be better than guessing (2)."
    assert found["grade"] is None and found["graded"].startswith("No grade: on clean photos it is not")
    found = summary(changed({"matrix.clean.clean": r(0.03), "drop": r(-0.57)}))
    assert found["said"].endswith("find the right product; on other backgrounds, 60 do: more than on their own.")
    assert found["grade"] is None
    assert summary(changed(GUESSES))["said"].endswith(
        " 0 find the right product: not shown to be better than guessing (2)."
    )


def test_where_masks_are_in_doubt_there_is_no_grade():
    found = summary(changed({"mask_doubt.flagged.empty": ["a.jpg"] * 201}))
    assert found["grade"] is None and found["said"].startswith(
        "Of 100 searches, 90 find the right product. What other "
    )


def test_a_share_without_an_interval_has_no_grade():
    found = summary(changed({"kept": UNDEFINED}))
    assert found["grade"] is None and "not shown whether that is more than half" in found["said"]
