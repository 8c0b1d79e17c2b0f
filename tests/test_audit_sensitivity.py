"""The verdict by masks of two kinds: the range over both, and nothing said that one of them does not allow."""

import re

import pytest
from audit_found import FOUND, MANY, UNDEFINED, changed, e, r
from test_audit_advice import ASKED
from test_audit_verdict import one, said

from bgbias.audit.verdict import advice
from bgbias.audit.verdict.grade import summary
from bgbias.audit.verdict.sentences import verdict


def by_second(drop=0.21, swapped=0.7, conflict=0.2, moved=0.131, flagged=0, kept=FOUND["kept"]):
    return {
        "second_masks": {
            "kind": "isnet", "flagged": {"empty": flagged}, "agreement": e(0.39), "unlike_share": 0.43,
            "unlike": [["a", 0.1]],
            "drop": r(drop), "swapped": r(swapped), "conflict": e(conflict), "moved": r(moved),
            "kept": kept,
            "drop_agreed": {"recall_at_1": e(0.3) | {"queries": 148}}, "second_drop_agreed": r(0.25),
        }
    }  # fmt: skip


def test_the_first_sentences_give_the_range_over_two_kinds_of_masks():
    assert said(by_second())[:2] == [
        "Swapping backgrounds costs 21.0 to 34.1 points of Recall@1 (depending on "
        "which masks are believed: 95 % intervals 31.0 "
        "to 37.2 by given, 18.0 to 24.0 by isnet, 40 classes; backgrounds: 100 of walls). Recall@1 is then 60.0 to "
        "70.0 %.",
        "Masks of two kinds, given and isnet, agree with an IoU of 0.39 on average, of less than 0.50 for 43 % of "
        "400 photos. By the first the swap costs 13.1 points more than by the second (95 % interval 10.1 to 16.1, 40 "
        "classes): the loss depends on the kind by that much. On the photos alone on which they agree it costs 25.0 to "
        "30.0 points (148 queries).",
    ]
    second = by_second()
    second["second_masks"]["second_drop_agreed"] = r(0.01)
    assert said(second)[1].endswith("it costs 1.0 to 30.0 points (148 queries; by isnet, no effect is shown).")
    assert said(by_second(drop=0.341))[0].startswith(
        "Swapping backgrounds costs 34.1 points of Recall@1 (95 % intervals "
    )
    less = "13.1 points less than by the second (95 % interval 10.1 to 16.1, 40 classes): the loss depends on the kind"
    assert less in said(by_second(moved=-0.131))[1]
    assert said(by_second(moved=0.01))[1].count(": it is not shown to depend on the kind.") == 1
    guessed = said(by_second() | {"second_masks.swapped": r(0.02, 0.01, 0.03)})[0]
    assert guessed.endswith("Recall@1 is then 2.0 to 60.0 %, which is not shown to be better than guessing by isnet.")


@pytest.mark.parametrize(
    ("first", "second", "start", "end", "do"),
    [
        (0.3, 0.01, "Swapping", ": by given, a loss is shown; by isnet, no effect is shown.", "See which masks fit"),
        (0.3, -0.3, "Swapping", ": by given, a loss is shown; by isnet, a gain is shown.", "See which masks fit"),
        (0.01, -0.3, "Swapping", ": by given, no effect is shown; by isnet, a gain is shown.", "Do nothing against"),
        (0.0, 0.01, "Swapping", ": no effect is shown.", "Do nothing against backgrounds"),
        (0.0, 0.025, "Swapping", ": no effect is shown.", "Audit more photos, for a loss of up to 5.5 points"),
        (-0.2, -0.3, "With swapped backgrounds Recall@1 is 20.0 to 30.0 points", "serve this model", "Do nothing"),
        (0.0, 0.04, "Swapping", ": by given, no effect is shown; by isnet, a loss is shown.", "See which masks fit"),
    ],
)
def test_the_verdict_is_as_strong_as_both_kinds_of_masks_allow(first, second, start, end, do):
    changes = {"drop": r(first)} | by_second(second)
    found = said(changes)
    assert found[0].startswith(start) and end in found[0]
    (step,) = advice.steps(changed(changes), ASKED, 7)
    assert step["said"].startswith(do)


def test_what_to_do_depends_on_the_larger_loss_and_holds_by_both_kinds():
    (few,) = advice.steps(changed({"drop": r(0.0)} | by_second() | {"second_masks.drop": r(0.05, -0.1, 0.2)}), ASKED, 7)
    assert few["said"] == "Audit more photos, for a loss of up to 20.0 points is not excluded."
    on_grey = advice.steps(changed(by_second(swapped=0.65)), ASKED, 7)[0]["said"]
    assert (
        ": then at best 75 of 100 searches find the right product on any background, instead of 60 to 65 on" in on_grey
    )
    measure = advice.steps(changed(by_second(swapped=0.73)), ASKED, 7)[0]["said"]
    assert measure.startswith("Measure what other remedies recover")  # on grey is not shown to be better by isnet
    twice = changed({"masks": "grabcut"} | by_second())
    (command,) = advice.steps(twice, ASKED | {"second_masks": "rembg"}, 7)[0]["commands"]
    assert "--second-masks" not in command and "--mask-method rembg" in command
    (command,) = advice.steps(twice, ASKED | {"second_masks": "none"}, 7)[0]["commands"]
    assert "--second-masks none" in command


def test_sentence_and_grade_give_the_range_over_two_kinds_of_masks():
    assert summary(changed(by_second(kept=e(0.7, 0.65, 0.76)))) == {
        "said": "Of 100 searches, 90 find the right product; on other backgrounds, 60 to 70 do: it loses some of what "
        "it finds, and keeps most.",
        "grade": "C",
        "graded": "Of what it finds beyond guessing, it keeps 66.0 to 70.0 % on other backgrounds (95 % intervals 60.0 "
        "to 70.0 by given: all of it C; 65.0 to 76.0 by isnet: C to B). A from 90 %, B from 75 %, C from 60 %, D from "
        "40 %, E below.",
    }
    assert summary(changed(by_second(flagged=201))) == summary(changed())


def test_where_two_kinds_of_masks_do_not_agree_sentence_and_grade_say_both():
    found = summary(changed(by_second(kept=e(0.3, 0.25, 0.39))))
    assert found["said"].endswith(" do: how much it loses depends on which masks are believed.")
    assert found["grade"] == "C or E"
    assert "25.0 to 39.0 by isnet: all of it E): by given, C; by isnet, E. A from" in found["graded"]
    assert summary(changed(by_second(kept=UNDEFINED)))["grade"] is None


@pytest.mark.parametrize("first", [e(0.76, 0.498, 0.9), e(0.347, 0.23, 0.443)])
def test_an_interval_that_leaves_open_whether_half_is_kept_contradicts_no_other_one(first):
    left_open = "it loses a part of what it finds, and it is not shown whether that is more than half."
    for its, other in ((first, e(0.52, 0.45, 0.6)), (e(0.765, 0.51, 0.94), first)):
        told = summary(changed({"kept": its} | by_second(kept=other)))["said"]
        apart = its["low"] > 0.5 > other["high"]
        assert told.endswith(" do: how much it loses depends on which masks are believed." if apart else left_open)


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (r(0.05, -0.1, 0.2), "no loss is shown, but these photos are too few to exclude one."),
        (r(-0.1, -0.2, -0.05), "no loss is shown."),
    ],
)
def test_where_no_kind_of_masks_shows_a_loss_none_is_said_to_depend_on_them(second, said):
    found = changed({"drop": r(0.0)} | by_second() | {"second_masks.drop": second})
    assert summary(found)["said"].endswith(f" do: {said}")


def test_who_guesses_finds_more_on_other_backgrounds_only_if_both_kinds_of_masks_say_so():
    guesses = {"matrix.clean.clean": r(0.03), "drop": r(-0.57)}
    assert summary(changed(guesses | by_second(drop=0.0)))["said"].endswith("not shown to be better than guessing (2).")
    assert summary(changed(guesses | by_second(drop=-0.6)))["said"].endswith(
        "on other backgrounds, 60 to 70 do: more than on their own."
    )


def test_of_who_guesses_nothing_is_said_to_be_lost_only_where_no_kind_of_masks_shows_an_effect():
    guesses = {"matrix.clean.clean": r(0.03), "drop": r(0.0)}
    assert said(guesses | by_second(drop=0.01))[0].endswith(
        "has nothing to lose, so this says nothing about backgrounds."
    )
    assert said(guesses | by_second(drop=0.3))[0].endswith(": by given, no effect is shown; by isnet, a loss is shown.")


def test_photos_on_which_two_kinds_differ_most_are_named_where_there_are_some():
    first = "No mask is in doubt by its size or place; check by eye whether they fit the objects"
    assert one(first, by_second()) == f"{first}, those first on which the two kinds differ most."
    for changes in (by_second() | {"second_masks.unlike": []}, by_second(flagged=201)):
        assert one(first, changes) == f"{first}."


def test_what_outweighs_may_hang_on_the_masks():
    conflict = one("In 20.0 to 90.0 % of trials", by_second() | {"conflict": e(0.9)})
    assert "by given, the background outweighs the object; by isnet, the object outweighs the background" in conflict
    assert one("In 20.0 to 41.0 %", by_second()).endswith(
        ": the object outweighs the background (0 %: the object always comes first; 50 %: as by chance)."
    )
    assert one("In 41.0 % of trials (95 % interval ", by_second(flagged=201))
    assert said(by_second(flagged=201))[1].startswith(
        "Masks of a second kind, isnet, are no second opinion: 201 of its"
    )


def test_where_most_masks_of_two_kinds_are_unlike_the_first_thing_is_to_look_at_them():
    def first(changes):
        return advice.steps(changed(by_second() | {"second_masks.unlike_share": 0.63} | changes), ASKED, 7)[0]["said"]

    expected = "Look at the masks before anything else: on 63 % of the photos given and isnet differ by more than they "
    assert first({}).startswith(expected)
    assert first({"drop": r(0.01, -0.01, 0.03)}).startswith(expected)
    assert first({"second_masks.unlike_share": 0.5}).startswith("Show queries and gallery")
    assert first({"second_masks.flagged": {"empty": 201}}).startswith("Show queries and gallery")
    assert first({"masks": "grabcut"}).startswith("The masks are GrabCut's, which are often wrong: look at them")


@pytest.mark.parametrize("drop", [0.3, 0.01, -0.2])
def test_of_too_few_classes_figures_alone_are_told(drop):
    concluding = "depends|to depend|outweigh|uses what|tell it|better|pasting by itself|is shown|worse"
    changes = {"drop": r(drop)} | by_second(0.01)

    def few(found, classes):
        if isinstance(found, dict):
            return {key: classes if key == "classes" else few(one, classes) for key, one in found.items()}
        return found

    for classes, concludes in ((5, True), (4, False)):
        told = verdict(few(changed(changes), classes), MANY, 400, 0.023)
        assert bool(re.search(concluding, " ".join(told))) == concludes
        assert any("(95 % interval 87.0 to 93.0, 4 classes); guessing finds 2.3 %." in one for one in told) != concludes
