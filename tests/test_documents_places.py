"""What docs/places.md and README.md say of other places follows from audits and studies."""

import pytest
from test_documents_claims import ROOT, interval, page

from bgbias import files
from bgbias.audit.verdict.places import BEYOND, said
from bgbias.audit.verdict.wording import side

NAMES = ("demo_places", "packages_places", "packages_trained_places", "grocery_places")
STUDIES = {name: files.read_json(ROOT / f"metrics/studies/{name}.json") for name in NAMES}
MODELS = ("lite0", "lite0_96px", "colour_histogram", "hog")
AUDITS = {name: files.read_json(ROOT / f"metrics/audits/packages_{name}_places.json") for name in MODELS}


def sides(study, measure, pairs):
    """1: the later of a pair is shown to be above the earlier, -1: below, 0: neither."""
    found = [interval(STUDIES[study], pair, f"recall_at_1_{measure}") for pair in pairs]
    return [(low > 0) - (high < 0) for _, low, high in found]


@pytest.mark.parametrize("name", ["demo", "packages"])
def test_the_networks_are_those_of_the_studies_that_the_page_names(name):
    known, found = files.read_json(ROOT / f"metrics/studies/{name}.json")["regimes"], STUDIES[f"{name}_places"]
    assert found["seeds"] == [42, 43, 44]
    for regime, scores in found["regimes"].items():
        for view in ("clean", "swapped"):
            assert scores[view].items() <= known[regime][view].items()


def test_rising_is_shown_to_find_more_elsewhere_and_the_others_are_not():
    better = ["rising - base", "rising - bgaugment", "rising - bgconsistency"]
    assert sides("packages_places", "elsewhere", better) == [1, 1, 1]
    assert -1 not in sides("packages_places", "same_place", better)
    others = ["bgaugment - base", "bgconsistency - base"]
    assert sides("packages_places", "elsewhere", others) == [0, 0]
    assert sides("packages_places", "swapped", others) == [1, 1]
    gains = [[interval(STUDIES["packages_places"], pair, f"recall_at_1_{view}")[0] for pair in others]
             for view in ("swapped", "elsewhere")]  # fmt: skip
    swapped, elsewhere = (" and ".join(f"{100 * gain:.1f}" for gain in of_view) for of_view in gains)
    said = f"Before Unsplash photos they win {swapped} points over base; elsewhere {elsewhere}, and the intervals"
    assert said in page("places_trained.md")
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"Before Unsplash photos bgaugment and bgconsistency win {swapped} points over base on packages" in readme


def test_of_fewer_photos_rising_helps_elsewhere_and_the_others_just_so_whether_of_one_place_or_of_both():
    study, better, others = "packages_trained_places", [], []
    for photos in ("one_place", "both_places"):
        better.append(interval(STUDIES[study], f"{photos}_rising - {photos}_base", "recall_at_1_elsewhere"))
        cures = [f"{photos}_{cure} - {photos}_base" for cure in ("bgaugment", "bgconsistency")]
        others += [interval(STUDIES[study], cure, "recall_at_1_elsewhere") for cure in cures]
    told = "({:.1f} and {:.1f} points; {:.1f} and {:.1f} at least)"
    assert told.format(*(100 * of[place] for place in (0, 1) for of in better)) in page("places_trained.md")
    gains, lows = ([100 * of[place] for of in others] for place in (0, 1))
    told = "they win {:.1f} to {:.1f} points, and their intervals begin at {:.1f} to {:.1f}"
    assert told.format(min(gains), max(gains), min(lows), max(lows)) in page("places_trained.md")
    assert min(lows) > 0
    names = ("base", "bgaugment", "bgconsistency", "rising")
    pairs = [f"both_places_{name} - one_place_{name}" for name in names]
    assert sides(study, "elsewhere", pairs) == [0] * 4
    gain, _, most = (100 * of for of in interval(STUDIES[study], pairs[0], "recall_at_1_elsewhere"))
    assert f"base gains most ({gain:.1f} points), and {most:.1f} are not excluded" in page("places_trained.md")
    cures = [f"both_places_{name} - both_places_base" for name in names[1:3]]
    lost = [-100 * interval(STUDIES[study], cure, "recall_at_1_same_place")[0] for cure in cures]
    assert sides(study, "same_place", cures) == [-1, -1]
    assert "less in the own place than base, by {:.1f} and {:.1f} points".format(*lost) in page("places_trained.md")


def test_embedders_off_the_shelf_lose_about_half_elsewhere_and_objects_alone_less():
    places = {name: audit["places"] for name, audit in AUDITS.items()}
    lost = {name: 1 - of["photos"]["elsewhere"]["value"] / of["photos"]["same"]["value"] for name, of in places.items()}
    shares = (f"{100 * lost[name]:.0f} %" for name in ("lite0", "colour_histogram", "hog"))
    losses = "Elsewhere Lite0 loses {} of what it finds in the own place, the histogram {}, HOG {}."
    assert losses.format(*shares) in page("places.md")
    points = [
        f"{100 * places[name][part]['drop']['value']:.1f}"
        for name in ("colour_histogram", "lite0")
        for part in ("photos", "objects")
    ]
    assert "of the histogram's {} points {}, of Lite0's {} points {};".format(*points) in page("places.md")
    assert all(side(of["beyond_objects"], 0) == side(of["objects"]["drop"], 0) == 1 for of in places.values())
    parts = {name: said(audit)[0] for name, audit in AUDITS.items()}
    assert [name for name, text in parts.items() if f": {BEYOND[1]}." not in text] == ["colour_histogram", "hog"]
    alone, whole = (places["hog"][part] for part in ("objects", "photos"))
    percents = 100 * alone["same"]["value"], 100 * whole["drop"]["value"]
    told = "Of HOG it is not shown: it finds {:.1f} % of objects alone there, so they cannot lose {:.1f} points"
    assert told.format(*percents) in page("places.md")
    alone, whole = (places["colour_histogram"][part] for part in ("objects", "photos"))
    percents = 100 * alone["same"]["value"], 100 * whole["drop"]["high"]
    told = (
        "it finds {:.1f} % of objects alone in their own place, and by the interval whole photos may lose {:.1f} points"
    )
    assert told.format(*percents) in page("places.md")
    second = [100 * places[name]["objects_second"]["drop"]["value"] for name in ("colour_histogram", "lite0")]
    assert "by GrabCut's masks {:.1f} and {:.1f}.".format(*second) in page("places.md")
    assert (
        f"by rembg, objects alone may have less to lose than whole photos, and {BEYOND[0]};"
        in parts["colour_histogram"]
    )
    assert f"by grabcut, {BEYOND[1]}." in parts["colour_histogram"]
    grounds = [[100 * of["backgrounds"][where]["value"] for of in places.values()] for where in ("same", "elsewhere")]
    told = (
        "Backgrounds alone find {:.0f} to {:.0f} % of the products in the own place, and {:.0f} to {:.0f} % elsewhere"
    )
    assert told.format(*(end(of) for of in grounds for end in (min, max))) in page("places.md")
    tuned, before = STUDIES["packages_places"]["regimes"]["base"], places["lite0_96px"]["photos"]
    found = [100 * tuned["elsewhere"]["recall_at_1"], 100 * before["elsewhere"]["value"]]
    assert "{:.1f} % elsewhere, the network that it was tuned from {:.1f} %".format(*found) in page("places_trained.md")


def test_on_grocery_no_cure_is_shown_to_help_elsewhere():
    cures = [f"{cure} - base" for cure in ("bgaugment", "bgconsistency", "rising")]
    elsewhere, swapped, same = (
        [interval(STUDIES["grocery_places"], cure, f"recall_at_1_{view}") for cure in cures]
        for view in ("elsewhere", "swapped", "same_place")
    )
    assert (
        sides("grocery_places", "elsewhere", cures) == [0] * 3 and sides("grocery_places", "swapped", cures) == [1] * 3
    )
    assert sides("grocery_places", "same_place", cures) == [0, -1, -1]
    won, most = ([100 * of[place] for of in figures] for figures, place in ((swapped, 0), (elsewhere, 2)))
    told = "for {:.1f} to {:.1f} points on swapped photos; {:.1f} to {:.1f} points more are not excluded."
    assert told.format(min(won), max(won), min(most), max(most)) in page("places_trained.md")
    lost = [-100 * value for value, *_ in same[1:]]
    assert "find less in their own place, by {:.1f} and {:.1f} points".format(*lost) in page("places_trained.md")
    further = [
        100 * of for of in interval(STUDIES["grocery_places"], "rising - bgconsistency", "recall_at_1_elsewhere")
    ]
    told = "rising finds more elsewhere than bgconsistency, by {:.1f} points ({:.1f} to {:.1f})."
    assert told.format(*further) in page("places_trained.md")
    base = STUDIES["grocery_places"]["regimes"]["base"]
    lost = (100 * base[view]["recall_at_1"] for view in ("place_drop_objects", "place_drop"))
    assert "Objects alone lose {:.1f} of the {:.1f} points that base loses".format(*lost) in page("places_trained.md")


def test_what_cures_win_elsewhere_goes_with_the_drop_beyond_objects_and_not_with_the_drop_by_swaps():
    rows = [("demo_places", "", "bgconsistency"), ("packages_trained_places", "one_place_", "rising")]
    rows += [("packages_trained_places", "both_places_", "rising"), ("packages_places", "", "rising")]
    rows += [("grocery_places", "", "rising")]
    beyond, won, swaps = [], [], []
    for study, photos, cure in rows:
        base = STUDIES[study]["regimes"][f"{photos}base"]
        recall = {view: scores["recall_at_1"] for view, scores in base.items() if isinstance(scores, dict) and scores}
        beyond.append(recall["place_drop"] - recall["place_drop_objects"])
        swaps.append(recall["clean"] - recall["swapped"])
        won.append(interval(STUDIES[study], f"{photos}{cure} - {photos}base", "recall_at_1_elsewhere")[0])
    assert beyond == sorted(beyond, reverse=True) and won == sorted(won, reverse=True)
    assert swaps[4] > swaps[3] and swaps != sorted(swaps, reverse=True)  # of grocery and of packages


def test_in_another_room_of_the_demo_bgaugment_loses_twice_as_much_as_bgconsistency():
    base, augmented, consistent = STUDIES["demo_places"]["regimes"].values()
    drops = [regime["clean"]["recall_at_1"] - regime["swapped"]["recall_at_1"] for regime in (augmented, consistent)]
    said = "lose alike ({:.1f} and {:.1f} points), in another room bgaugment loses twice as much"
    assert said.format(*(100 * drop for drop in drops)) in page("places_trained.md")
    assert 1.9 < augmented["place_drop"]["recall_at_1"] / consistent["place_drop"]["recall_at_1"] < 2.2
    assert 0.3 < base["elsewhere"]["recall_at_1"] < 0.36  # a third
    assert sides("demo_places", "elsewhere", ["bgconsistency - bgaugment"]) == [1]
    assert all(abs(regime["place_drop_objects"]["recall_at_1"]) < 0.01 for regime in (base, augmented, consistent))
