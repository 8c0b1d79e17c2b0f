"""What the verdict says of searches by place, by how the intervals lie."""

import pytest
from audit_found import changed, e
from test_audit_verdict import said

from bgbias.audit.verdict import advice, places


@pytest.mark.parametrize(
    ("drop", "alone", "beyond", "ends"),
    [
        (0.3, 0.1, 0.2, "60.0 %: 30.0 points less (95 % interval 27.0 to 33.0, 40 classes). Objects alone on grey, "
         "found in 90.0 % of searches in their own place, lose 10.0 points "
         "elsewhere (95 % interval 7.0 to 13.0, 40 classes); whole photos lose 20.0 points more than they "
         "(95 % interval 17.0 to 23.0, 40 classes): what surrounds objects has a part in the loss."),
        (-0.05, -0.06, 0.01, "60.0 %: 5.0 points more (95 % interval 2.0 to 8.0, 40 classes). Objects alone on grey, "
         "found in 90.0 % of searches in their own place, gain 6.0 points "
         "elsewhere (95 % interval 3.0 to 9.0, 40 classes); whole photos lose 1.0 points more than they "
         "(95 % interval -2.0 to 4.0, 40 classes; not shown to differ): that what surrounds objects has a part in the "
         "loss is not shown."),
        (0.01, 0.1, -0.09, "60.0 %: 1.0 points less (95 % interval -2.0 to 4.0, 40 classes; no effect is shown). "
         "Objects alone on grey, found in 90.0 % of searches in their own place, "
         "lose 10.0 points elsewhere (95 % interval 7.0 to 13.0, 40 classes); whole photos lose 9.0 "
         "points less than they (95 % interval 6.0 to 12.0, 40 classes): what surrounds objects makes up for some of "
         "the loss."),
    ],
)  # fmt: skip
def test_the_verdict_tells_the_drop_and_whose_part_it_is(drop, alone, beyond, ends):
    of_photos = {"same": e(0.9), "elsewhere": e(0.6), "drop": e(drop)}
    found = {"places": 3, "left_out": 7, "doubles": 2, "photos": of_photos, "objects": of_photos | {"drop": e(alone)}}
    told = said({"places": found | {"beyond_objects": e(beyond)}})
    place = next(number for number, sentence in enumerate(told) if sentence.startswith("The photos were taken"))
    begin = "The photos were taken in 3 places. Among photos of its own place a photo finds its class in 90.0 % of 396 "
    assert told[place] == f"{begin}searches, among as many of other places in {ends}"
    left_out = (
        "7 of 400 photos have no other photo of their class in their place, or none elsewhere, and are not compared."
    )
    assert told[place + 1 : place + 3] == [
        left_out,
        "Of near-duplicates 2 pairs would lie in two places: correct the list of places, or keep one photo of each.",
    ]
    doubt = {"mask_doubt.flagged.empty": ["a.jpg"] * 300}
    unsure = said({"places": found | {"beyond_objects": e(beyond)}} | doubt)
    assert any(
        sentence == f"{begin}searches, among as many of other places in {ends.partition(' Obj')[0]}"
        for sentence in unsure
    )


def places_found(**estimates):
    """Figures by places, of which some are others."""
    of = {"same": e(0.9), "elsewhere": e(0.6), "drop": e(0.3)} | {"alone": e(0.1), "beyond": e(0.2)} | estimates
    parts = {key: of[key] for key in ("same", "elsewhere", "drop")}
    objects = {"same": of.get("objects", of["same"]), "elsewhere": e(0.5), "drop": of["alone"]}
    found = {"places": 3, "left_out": 0, "doubles": 0, "photos": parts, "objects": objects}
    return {"places": found | {"beyond_objects": of["beyond"]} | of.get("counts", {})}


def test_of_too_few_classes_in_several_places_nothing_is_concluded():
    few = {"classes": 4}
    told = said(places_found(drop=e(0.3) | few, alone=e(0.1) | few, beyond=e(0.2) | few))
    first = next(number for number, sentence in enumerate(told) if sentence.startswith("The photos were taken"))
    assert told[first].endswith("whole photos lose 20.0 points more than they (95 % interval 17.0 to 23.0, 4 classes).")
    assert told[first + 1].startswith("By places, 4 classes are too few to conclude anything")
    unsure = said(places_found(drop=e(0.3, -0.1, 0.5) | few))
    assert not any("no effect is shown" in sentence for sentence in unsure if sentence.startswith("The photos were"))
    whole = places_found(drop=e(0.3) | few) | {"drop.recall_at_1.classes": 4}
    assert sum("4 classes are too few" in sentence for sentence in said(whole)) == 1


@pytest.mark.parametrize(
    ("estimates", "end"),
    [
        ({"objects": e(0.35), "alone": e(0.02)}, "17.0 to 23.0, 40 classes): objects alone may "
         "have less to lose than whole photos, "
         "and that what surrounds objects has a part in the loss is not shown."),  # 0.33 of 0.32
        ({"objects": e(0.47), "alone": e(0.1)}, "may have less to lose than whole photos, "
         "and that what surrounds objects has a part in "
         "the loss is not shown."),  # 0.13 of 0.44; photos 0.27 of 0.93
        ({"objects": e(0.48), "alone": e(0.1)}, "17.0 to 23.0, 40 classes): what surrounds objects has a part in the "
         "loss."),
        ({"drop": e(0.02), "alone": e(-0.1), "beyond": e(0.12)}, "classes): that what surrounds objects has a part in "
         "the loss is not shown."),  # no loss is shown
        ({"drop": e(-0.1), "alone": e(0.02), "beyond": e(-0.12)}, "classes): that what surrounds objects has a part in "
         "the loss is not shown."),
    ],
)  # fmt: skip
def test_a_part_in_the_loss_is_claimed_where_there_is_one_and_objects_could_lose_it_too(estimates, end):
    told = next(one for one in said(places_found(**estimates)) if one.startswith("The photos were taken"))
    assert told.endswith(end)


@pytest.mark.parametrize(
    ("alone", "beyond", "told"),
    [
        (0.2, 0.01, "Objects alone on grey, found in 90.0 % of searches in their own place, "
         "lose 10.0 to 20.0 points elsewhere (depending on which masks are believed: 95 % intervals "
         "7.0 to 13.0 by isnet, 17.0 to 23.0 by grabcut, 40 classes); whole photos lose 1.0 to 20.0 points more than "
         "they (depending on "
         "which masks are believed: 95 % intervals 17.0 to 23.0 by isnet, -2.0 to 4.0 by grabcut, 40 "
         "classes; by grabcut, not shown to differ): by isnet, what surrounds objects has a part in the loss; by "
         "grabcut, that what surrounds objects "
         "has a part in the loss is not shown."),
        (0.1, 0.2, "Objects alone on grey, found in 90.0 % of searches in their own place, "
         "lose 10.0 points elsewhere (95 % intervals 7.0 to 13.0 by isnet, 7.0 to 13.0 by "
         "grabcut, 40 classes); whole photos lose 20.0 points more than they (95 % intervals 17.0 to 23.0 by isnet, "
         "17.0 to 23.0 by grabcut, 40 classes): what surrounds objects has a part in the loss."),
        (-0.1, 0.4, "Objects alone on grey, found in 90.0 % of searches in their own place, "
         "lose -10.0 to 10.0 points elsewhere (depending on which masks are believed: 95 % "
         "intervals 7.0 to 13.0 by isnet, -13.0 to -7.0 by grabcut, 40 classes); whole photos lose 20.0 to 40.0 points "
         "more than they (depending on "
         "which masks are believed: 95 % intervals 17.0 to 23.0 by isnet, 37.0 to 43.0 by grabcut, "
         "40 classes): what surrounds objects has a part in the loss."),
        (-0.01, 0.4, "Objects alone on grey, found in 90.0 % of searches in their own place, "
         "lose -1.0 to 10.0 points elsewhere (depending on which masks are believed: 95 % "
         "intervals 7.0 to 13.0 by isnet, -4.0 to 2.0 by grabcut, 40 classes; by grabcut, no effect is shown); whole "
         "photos lose 20.0 to 40.0 points more than they (depending on "
         "which masks are believed: 95 % intervals 17.0 to 23.0 by "
         "isnet, 37.0 to 43.0 by grabcut, 40 classes): what surrounds objects has a part in the loss."),
    ],
)  # fmt: skip
def test_masks_of_both_kinds_are_believed_or_both_are_named(alone, beyond, told):
    found, second = places_found(), {"kind": "grabcut", "flagged": {"empty": 0}}
    by_second = {"objects_second": found["places"]["objects"] | {"drop": e(alone)}, "beyond_objects_second": e(beyond)}
    found = {"places": found["places"] | by_second, "masks": "shop/isnet"}
    assert "by isnet" not in next(one for one in sentences(found) if one.startswith("The photos were taken"))
    one = next(one for one in sentences(found | {"second_masks": second}) if one.startswith("The photos were taken"))
    assert one.partition("). ")[2] == told
    doubtful = second | {"flagged": {"empty": 300}}
    assert not any("by grabcut" in one for one in sentences(found | {"second_masks": doubtful}))


def test_where_no_effect_is_shown_of_objects_or_backgrounds_alone_it_is_said():
    found = places_found(alone=e(-0.01), beyond=e(0.3))
    found["places"]["backgrounds"] = {"same": e(0.05), "elsewhere": e(0.04), "drop": e(0.01)}
    (told,) = sentences(found)
    assert "gain 1.0 points elsewhere (95 % interval -2.0 to 4.0, 40 classes; no effect is shown); whole" in told
    assert told.endswith("in 5.0 % of searches in their own place, in 4.0 % elsewhere; no effect is shown.")
    few = {"classes": 4}
    of_few = places_found(drop=e(0.3) | few, alone=e(-0.01) | few, beyond=e(0.01) | few)
    of_few["places"]["backgrounds"] = found["places"]["backgrounds"]
    assert "shown" not in sentences(of_few)[0]  # which are too few to say so


def test_that_objects_may_have_less_to_lose_by_both_kinds_of_masks_is_said_once():
    found = places_found(objects=e(0.35), alone=e(0.02))["places"]
    by_second = {"objects_second": found["objects"] | {"same": e(0.3)}, "beyond_objects_second": e(0.2)}
    second = {"second_masks": {"kind": "grabcut", "flagged": {"empty": 0}}, "masks": "shop/isnet"}
    (told,) = sentences({"places": found | by_second} | second)
    assert "Objects alone on grey, found in 30.0 to 35.0 % of searches in their own place, lose 2.0 points" in told
    assert told.count("objects alone may have less to lose than whole photos") == 1


def test_what_is_shown_by_neither_kind_of_masks_is_said_once():
    found = places_found(objects=e(0.35), alone=e(0.02))["places"]
    by_second = {"objects_second": found["objects"], "beyond_objects_second": e(0.01)}
    second = {"second_masks": {"kind": "grabcut", "flagged": {"empty": 0}}, "masks": "shop/isnet"}
    (told,) = sentences({"places": found | by_second} | second)
    assert told.endswith(
        "that what surrounds objects has a part in the loss is not shown; by isnet, objects alone may have less to "
        "lose than whole photos."
    )


def test_backgrounds_alone_are_told_where_masks_hold():
    found = places_found()
    found["places"]["backgrounds"] = {"same": e(0.75), "elsewhere": e(0.125), "drop": e(0.625)}
    told = "Backgrounds alone find their class in 75.0 % of searches in their own place, in 12.5 % elsewhere."
    assert next(one for one in sentences(found) if one.startswith("The photos were taken")).endswith(f"loss. {told}")
    assert told not in " ".join(places.said(changed(found), masks_hold=False))


@pytest.mark.parametrize(
    ("estimates", "said_so"),
    [
        ({}, False),  # a part is shown
        ({"beyond": e(0.01)}, True),
        ({"objects": e(0.2)}, True),  # had less to lose
        ({"beyond": e(0.01), "drop": e(0.3) | {"classes": 4}}, False),  # too few to say anything
    ],
)
def test_training_is_advised_with_a_word_where_surroundings_are_not_shown_to_take_anything(estimates, said_so):
    asked = {"photos": "p", "embedder": "onnx:net.onnx", "out": "a"}
    found = places_found(**estimates)
    told = [step["said"] for step in advice.steps(changed(found), asked, 7)]
    where = [number for number, one in enumerate(told) if one.startswith("Before you train see what is lost in other")]
    assert len(where) == said_so and all(told[number + 1].startswith("Train with") for number in where)
    assert all("it wins there is open" in told[number] for number in where)  # where none is shown a cure may win
    trained = advice.steps(changed(found), asked | {"embedder": "model:models/own/bgconsistency/7"}, 7)
    assert not any(step["said"].startswith("Before you train") for step in trained)
    second = {"second_masks": {"kind": "grabcut", "flagged": {"empty": 0}, "unlike_share": 0.0}}
    by_second = {"objects_second": found["places"]["objects"], "beyond_objects_second": e(0.2)}
    assert places.surroundings(changed({"places": found["places"] | by_second, "masks": "isnet"} | second)) in (
        [None] if "drop" in estimates else [False] if "objects" in estimates else [True]
    )
    assert places.surroundings(changed({})) is None


def sentences(found):
    return places.said(changed(found))
