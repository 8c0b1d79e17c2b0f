"""The verdict says what the figures bear out, and no more: a sentence for each way that an interval can lie."""

import pytest
from audit_found import FOUND, GUESSES, MANY, UNDEFINED, changed, e, r

from bgbias.audit.verdict.sentences import verdict
from bgbias.audit.verdict.swaps import COSTS, NO_COST
from bgbias.audit.verdict.wording import side


def said(changes=None, names=MANY, probed=400, probed_chance=0.023):
    """The verdict of FOUND with changes: path -> value."""
    return verdict(changed(changes), names, probed, probed_chance)


def one(start, *arguments, **options):
    (found,) = [sentence for sentence in said(*arguments, **options) if sentence.startswith(start)]
    return found


def test_a_loss_is_told_with_its_interval():
    assert said()[1] == (
        "On the photos as they are, the nearest photo is of the right class for 90.0 % of the 396 queries "
        "(95 % interval 87.0 to 93.0, 40 classes): better than guessing (2.3 %)."
    )
    assert said()[0] == (
        "Swapping backgrounds costs 34.1 points of Recall@1 (95 % interval 31.0 to 37.2, 40 classes; backgrounds: "
        "100 of walls). Recall@1 is then 60.0 %."
    )


def test_what_remains_may_be_no_better_than_guessing():
    found = one("Swapping", {"matrix.swapped.swapped": r(0.02, 0.01, 0.03)})
    assert found.endswith("Recall@1 is then 2.0 %, which is not shown to be better than guessing.")


@pytest.mark.parametrize(("value", "text"), [(0.01, "1.0"), (-0.01, "-1.0"), (-0.0001, "0.0")])
def test_a_loss_whose_interval_holds_zero_is_not_shown(value, text):
    found = said({"drop": r(value)})
    assert found[0].startswith(f"Swapping backgrounds costs {text} points of Recall@1 (95 % interval ")
    assert found[0].endswith(": no effect is shown.")


def test_a_gain_is_not_called_a_loss():
    found = said({"drop": r(-0.1)})
    assert found[0] == (
        "With swapped backgrounds Recall@1 is 10.0 points higher (95 % interval 7.0 to 13.0, 40 classes; backgrounds: "
        "100 of walls): the photos' own backgrounds serve this model worse than these."
    )


def test_of_a_model_that_guesses_on_swapped_photos_too_a_gain_says_nothing_of_backgrounds():
    """As where the queries that a guess would find are found on swapped photos, by chance, and not on clean ones."""
    assert said(GUESSES)[0] == (
        "With swapped backgrounds Recall@1 is 2.0 points higher (95 % interval 1.0 to 4.0, 40 classes; backgrounds: "
        "100 of walls). A model at chance, with both, has nothing to gain, so this says nothing about backgrounds."
    )


@pytest.mark.parametrize("clean", [0.03, 0.0])
def test_of_a_model_that_guesses_nothing_is_said_of_backgrounds(clean):
    found = said({"matrix.clean.clean": r(clean, 0, 0.01 if not clean else 0.06), "drop": r(0.0)})
    assert found[1].endswith("not shown to be better than guessing (2.3 %).")
    assert found[0].endswith("A model at chance has nothing to lose, so this says nothing about backgrounds.")


def test_a_gap_tells_the_correlation_from_the_pasting():
    assert one("Pasted") == (
        "Pasted on backgrounds of their own class, photos have a Recall@1 that is 20.0 points higher than on those of "
        "random photos (95 % interval 17.0 to 23.0, 40 classes): the model uses what a background tells of the class."
    )
    assert one("Pasted", {"gap": r(0.0)}).endswith(
        ": no effect is shown. It stays open whether the loss comes from what own backgrounds tell, or from new ones "
        "and pasting."
    )
    assert one("Pasted", {"gap": r(0.0), "drop": r(-0.1)}).endswith(": no effect is shown.")
    unshown = one("Pasted", {"gap": r(-0.01), "drop": r(0.0)})
    assert unshown.endswith(
        "1.0 points lower than on those of random photos (95 % interval -2.0 to 4.0, 40 classes): no effect is shown."
    )
    assert one("Pasted", {"gap": r(-0.1)}).endswith(
        "10.0 points lower than on those of random photos (95 % interval 7.0 to 13.0, 40 classes): the model uses what "
        "a background tells of the class, to its harm."
    )


@pytest.mark.parametrize(
    ("back", "mirrored", "ends"),
    [
        (r(0.01), r(-0.02), f"{NO_COST}, 4.0 points at most."),
        (r(-0.02), r(0.01), f"{NO_COST}, 4.0 points at most."),
        (r(-0.1), r(-0.2), f"{NO_COST}."),
        (r(0.05), r(0.0), f"{COSTS}, 8.0 points at most."),
        (r(0.0), r(0.05), f"{COSTS}, 8.0 points at most."),
        (r(0.0, 0.0, 0.0), r(0.0, 0.0, 0.0), f"{NO_COST}."),
        (r(0.0, 0.0, 0.0), r(-0.02), f"{NO_COST}."),  # of classes that are all alike others may lose more
        (r(0.05), r(0.0, 0.0, 0.0), f"{COSTS}."),
    ],
)
def test_what_pasting_costs_by_itself_is_told_with_how_much_it_is_at_most(back, mirrored, ends):
    found = one("Cut out", {"pasting": {"pasted_back": back, "pasted_mirrored": mirrored}})
    assert found.replace("; no effect is shown)", ")").endswith((f"40 classes): {ends}", f"may not be): {ends}"))
    shown = [side(of["recall_at_1"], 0) for of in (back, mirrored)]
    told = ["; no effect is shown)" in half for half in found.split("on these mirrored")]
    assert told == [1 in shown and not one for one in shown]  # else the end says it of both


def test_what_pasting_changes_is_told_with_its_intervals():
    assert one("Cut out").startswith(
        "Cut out and put back on their own backgrounds, photos have a Recall@1 that is 1.0 points lower (95 % interval "
        "-2.0 to 4.0, 40 classes); on these mirrored, 2.0 points higher (95 % interval -1.0 to 5.0, 40 classes): "
    )


@pytest.mark.parametrize(
    ("value", "outcome"),
    [(0.41, "the object outweighs the background"), (0.51, "neither is shown to"), (0.9, "the background outweighs")],
)
def test_conflict_says_what_outweighs_and_on_which_backgrounds(value, outcome):
    found = one(f"In {100 * value:.1f} % of trials", {"conflict": e(value)})
    assert found.count(outcome) == 1 and ", 40 classes; backgrounds: 100 of walls)" in found


def test_backgrounds_alone_are_held_against_guessing():
    assert one("With the object taken away") == (
        "With the object taken away, a photo still finds its class among the clean ones in 40.0 % with its silhouette "
        "filled (95 % interval 37.0 to 43.0, 40 classes), 20.0 % with its box blacked (95 % interval 17.0 to 23.0, 40 "
        "classes), 30.0 % with its box tiled over (95 % interval 27.0 to 33.0, 40 classes), of 396 queries; guessing "
        "would in 2.3 %: the surroundings tell it the class."
    )
    changes = {"background_only_against_clean.background_box_tiled": r(0.02, 0.01, 0.03)}
    assert one("With the object taken away", changes).endswith(
        "more than guessing only where a silhouette or a box is left to see, which may be what tells the class."
    )
    changes |= {
        f"background_only_against_clean.background_{view}": r(0.03, 0.02, 0.04)
        for view in ("silhouette", "box_blacked")
    }
    assert one("With the object taken away", changes).endswith("not shown to be more than guessing.")


def test_too_few_objects_that_can_be_taken_away():
    undefined = {"recall_at_1": UNDEFINED, "map_at_r": UNDEFINED}
    found = said(
        {
            "gap": undefined,
            "pasting": {"pasted_back": undefined, "pasted_mirrored": undefined},
            "background_only_against_clean.background_box_tiled": undefined,
        },
        probed=1,
        probed_chance=None,
    )
    assert not [sentence for sentence in found if sentence.startswith(("Pasted", "With the object taken"))]
    assert "Too few photos can be shown without their object (1 of 400; " in " ".join(found)
    of_one_class = said({"background_only_against_clean.background_box_tiled": undefined})
    assert not [sentence for sentence in of_one_class if sentence.startswith("With the object taken")]
    assert one("3 of 400 photos are left out", probed=397).endswith("leaves hardly any background.")


def test_attention_may_be_unknown_or_undefined():
    assert one("Its attention score is 0.16 on clean and 0.10 on swapped photos, of 400 photos")
    assert one("Its attention score is undefined on clean", {"attention.clean.score": UNDEFINED})
    assert one("Where it looks is not known", {"attention": None})
    found = changed()
    del found["attention"]  # was not asked for
    assert len(verdict(found, MANY, 400, 0.023)) == len(said()) - 1


def test_the_worst_of_several_backgrounds_is_told_beside_their_mean():
    assert one("Put on") == (
        "Put on 4 backgrounds in turn, 20.0 % of the photos find their class on every one; on one of them, 50.0 % on "
        "average."
    )


def test_a_quick_audit_says_what_it_has_measured_and_that_it_is_quick():
    kept = "photos backgrounds chance matrix drop near_duplicates masks second_masks second_backgrounds".split()
    quick = {key: FOUND[key] for key in kept}
    flagged = FOUND["mask_doubt"]["flagged"]
    found = verdict(quick | {"mask_doubt": {"flagged": flagged, "drop_without": None}}, MANY, 400, 0.023)
    assert found[:3] == [*said()[:2], one("No mask is in doubt")]
    assert found[3] == (
        "This audit is quick: clean photos and two draws of swapped ones, by masks of one kind; without --quick it "
        "measures all the rest."
    )


def test_doubtful_masks_are_counted_and_weighed():
    assert one("No mask is in doubt")
    assert one("With masks 2 px") == (
        "With masks 2 px smaller the loss moves by +1.0 points (95 % interval -2.0 to 4.0, 40 classes), 2 px larger "
        "by -0.5 points (95 % interval -3.5 to 2.5, 40 classes): it is not shown to depend on the masks' edges."
    )
    for moved in ("moved_eroded", "moved_dilated"):
        found = one("With masks 2 px", {f"mask_doubt.{moved}": r(-0.2)})
        assert " -20.0 points (95 % interval -23.0 to -17.0, 40 classes)" in found
        assert found.endswith("the loss depends on the masks by that much.")
        assert found.count("; no effect is shown)") == 1  # by the other masks
    flags = {"mask_doubt.flagged.tiny": ["a", "b"]}
    for drop, costs in ((0.3, "30.0 points"), (0.01, "1.0 points; no effect is shown")):
        found = one("2 of 400 masks", flags | {"mask_doubt.drop_without": r(drop)})
        assert found == f"2 of 400 masks are in doubt (2 tiny); without their photos the swap costs {costs}."
    assert one("2 of 400 masks", flags | {"mask_doubt.drop_without": None}) == "2 of 400 masks are in doubt (2 tiny)."


def test_few_photos_are_said_to_be_few():
    assert not [sentence for sentence in said() if "cannot" in sentence]
    found = " ".join(said(names=MANY[:400].iloc[[0, 40, 1, 41]]))
    assert "4 queries: one of them is 25.0 points of Recall@1" in found and "2 classes: scores hold for these" in found


def test_where_most_masks_are_in_doubt_there_is_no_verdict():
    flagged = {"empty": ["a.jpg"] * 201, "full": [], "border": [], "tiny": []}
    found = said({"mask_doubt.flagged": flagged})
    assert found[0].startswith("No conclusion: 201 of 400 masks are in doubt (201 empty), so swapped photos show what")
    assert not any("costs" in sentence for sentence in found)
    flagged["empty"].pop()
    assert said({"mask_doubt.flagged": flagged})[0].startswith("Swapping backgrounds costs")


def test_near_duplicates_are_named_with_the_figures_without_them():
    near = {"pairs": [["a", "b"]], "said": "2 photos.", "clean_without": r(0.5), "drop_without": r(0.1)}
    whole = (
        "2 photos. Without the later one of each two, Recall@1 of the photos as they are is 50.0 %, and swapping "
        "backgrounds costs 10.0 points."
    )
    assert said({"near_duplicates": near})[2] == whole
    in_doubt = {"near_duplicates": near, "mask_doubt.flagged.empty": ["a.jpg"] * 201}
    assert said(in_doubt)[2] == whole.replace(", and swapping backgrounds costs 10.0 points", "")
    near |= {"clean_without": None, "drop_without": None}
    alone = "2 photos. Without the later one of each two, too few photos are left to search."
    assert said({"near_duplicates": near})[2] == alone


@pytest.mark.parametrize("quick", [False, True])
def test_of_a_sample_its_queries_with_a_near_duplicate_are_left_out(quick):
    near = {"pairs": [["a", "b"]], "said": "2 queries.", "clean_without": r(0.5), "drop_without": r(0.1)}
    found = changed({"near_duplicates": near, "sample": {"said": "Audited are 4.", "gallery": 400}})
    for name in ("gap", "worst_of_backgrounds") if quick else ("gap",):
        del found[name]
    without = "2 queries. Without these queries, Recall@1 of the photos as they are is 50.0 %"
    assert verdict(found, MANY, 0, None)[3] == f"{without}, and swapping backgrounds costs 10.0 points."
    in_doubt = found | {"mask_doubt": {"flagged": {"empty": ["a.jpg"] * 201}}}
    assert verdict(in_doubt, MANY, 0, None)[3] == f"{without}."
    near |= {"clean_without": None, "drop_without": None}
    assert verdict(found, MANY, 0, None)[3] == "2 queries. Without these queries, too few are left."


@pytest.mark.parametrize("classes", [4, 5])
def test_of_few_classes_nothing_can_be_concluded_whatever_intervals_show(classes):
    told = said({"drop.recall_at_1.classes": classes})
    few = f"{classes} classes are too few to conclude anything: intervals over so few are too short."
    assert told[0].startswith("Swapping backgrounds costs") and (told[1] == few) == (classes < 5)
