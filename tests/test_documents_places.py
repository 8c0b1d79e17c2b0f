"""What docs/places.md and README.md say of other places follows from audits and studies."""

import pandas as pd
import pytest
from test_documents_claims import ROOT, interval, page

from bgbias import files
from bgbias.audit.verdict.places import BEYOND, said
from bgbias.audit.verdict.wording import side

NAMES = ("demo_places", "packages_places", "packages_trained_places", "grocery_places")
NAMES += ("grocery_isnet_places", "grocery_masks_places")
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
    told = "For HOG it is not shown: it finds {:.1f} % of objects alone there, so they cannot lose {:.1f} points"
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


ROWS = [("demo_places", "", "bgconsistency"), ("packages_trained_places", "one_place_", "rising")]
ROWS += [("packages_trained_places", "both_places_", "rising"), ("packages_places", "", "rising")]
ROWS += [("grocery_places", "", "rising")]
PRODUCTS = pd.read_csv(ROOT / "metrics/studies/tables/places_by_product.csv")
PRODUCTS["won"] = PRODUCTS["the cure finds elsewhere"] - PRODUCTS["base finds elsewhere"]
OF_TRAININGS = dict(list(PRODUCTS.groupby("trained on", sort=False)))
BY_ISNET = OF_TRAININGS.pop("grocery by ISNet's masks")


def mean(products, column):
    """Over queries, as studies have it."""
    return (products[column] * products.queries).sum() / products.queries.sum()


def test_the_table_by_product_is_of_the_networks_of_the_studies():
    rows = [*ROWS, ("grocery_isnet_places", "", "rising")]
    for (study, photos, cure), products in zip(rows, [*OF_TRAININGS.values(), BY_ISNET], strict=True):
        base = STUDIES[study]["regimes"][f"{photos}base"]
        drop, alone = (base[view]["recall_at_1"] for view in ("place_drop", "place_drop_objects"))
        won = interval(STUDIES[study], f"{photos}{cure} - {photos}base", "recall_at_1_elsewhere")[0]
        known = {"lost elsewhere": drop, "beyond objects": drop - alone, "won": won}
        known |= {"base finds elsewhere": base["elsewhere"]["recall_at_1"]}
        for column, share in known.items():
            assert mean(products, column) == pytest.approx(100 * share, abs=0.02)


def test_what_a_cure_wins_elsewhere_goes_product_by_product_with_what_is_lost_there_and_hardly_with_swaps():
    """What is lost of one seed, and what is won of the others, so that no network's luck is in both."""
    found = {"beyond objects": [], "lost elsewhere": [], "base finds elsewhere": [], "lost by swaps": []}
    for products in (*OF_TRAININGS.values(), BY_ISNET):
        won = products.pivot(index="product", columns="seed", values="won")
        for column, of_trainings in found.items():
            lost = products.pivot(index="product", columns="seed", values=column)
            of_seeds = [lost[seed].corr(won.drop(columns=seed).mean(axis=1)) for seed in won]
            of_trainings.append(sum(of_seeds) / 3)
    by_isnet = [of_trainings.pop() for of_trainings in found.values()]
    assert "they are {:.2f}, {:.2f}, {:.2f} and {:.2f}: weaker".format(*by_isnet) in page("places.md")
    told = (
        "a correlation of {:.2f} to {:.2f} with what base loses there beyond objects, of {:.2f} to {:.2f} with all "
        "that it loses there, of {:.2f} to {:.2f} with what it finds there, and of {:.2f} to {:.2f} with what it loses "
        "by swaps."
    )
    assert told.format(*(end(of) for of in found.values() for end in (min, max))) in page("places.md")


def test_which_training_wins_most_elsewhere_is_told_neither_by_the_drop_beyond_objects_nor_by_swaps():
    said_there, by = page("places.md"), {name: [] for name in ("beyond objects", "by GrabCut", "lost by swaps", "won")}
    for products in OF_TRAININGS.values():
        for column, of_trainings in by.items():
            of_trainings.append(mean(products, column))
    assert all(of == sorted(of, reverse=True) for of in (by["won"], by["beyond objects"]))
    for cure in ("bgaugment", "bgconsistency"):  # "by the other regimes that were trained the rows have the same order"
        pairs = [(study, f"{photos}{cure} - {photos}base") for study, photos, _ in ROWS]
        gains = [interval(STUDIES[study], pair, "recall_at_1_elsewhere")[0] for study, pair in pairs]
        assert gains == sorted(gains, reverse=True)
    swaps = [STUDIES[study]["regimes"][f"{photos}base"] for study, photos, _ in ROWS]
    swaps = [base["clean"]["recall_at_1"] - base["swapped"]["recall_at_1"] for base in swaps]
    assert [*swaps[:3], swaps[4], swaps[3]] == sorted(swaps, reverse=True)
    told = "by GrabCut's, packages have {:.1f}, {:.1f} and {:.1f} points, the last less than grocery's {:.1f}"
    assert told.format(*by["by GrabCut"][1:]) in said_there and by["by GrabCut"][3] < by["by GrabCut"][4]
    grocery = OF_TRAININGS["grocery"]
    packed = grocery["product"].str.contains("Juice|Milk|Yoghurt|Soyghurt|Tropicana")
    assert (grocery[packed]["product"].nunique(), grocery["product"].nunique()) == (8, 20)
    told = "these lose {:.1f} points elsewhere and the cure wins {:.1f}; fruit and vegetables lose {:.1f}, {:.1f} "
    parts = [(packed, ("lost elsewhere", "won")), (~packed, ("lost elsewhere", "beyond objects", "won"))]
    figures = (mean(grocery[part], column) for part, columns in parts for column in columns)
    by_isnet = (mean(BY_ISNET[part], "won") for part in (packed.to_numpy(), ~packed.to_numpy()))
    assert "by ISNet's it wins {:.1f} and {:.1f} (all by the means)".format(*by_isnet) in said_there
    assert f"{told}beyond objects, and it wins {{:.1f}};".format(*figures) in said_there
    assert sides("grocery_places", "elsewhere", ["rising - base"]) == [0]
    most = 100 * interval(STUDIES["grocery_places"], "rising - base", "recall_at_1_elsewhere")[2]
    swapped = 100 * interval(STUDIES["grocery_places"], "rising - base", "recall_at_1_swapped")[0]
    told = f"wins {swapped:.1f} points before Unsplash photos; elsewhere it is not shown to win any, and {most:.1f} are"
    assert told in said_there


def test_in_another_room_of_the_demo_bgaugment_loses_twice_as_much_as_bgconsistency():
    base, augmented, consistent = STUDIES["demo_places"]["regimes"].values()
    drops = [regime["clean"]["recall_at_1"] - regime["swapped"]["recall_at_1"] for regime in (augmented, consistent)]
    said = "lose alike ({:.1f} and {:.1f} points), in another room bgaugment loses twice as much"
    assert said.format(*(100 * drop for drop in drops)) in page("places_trained.md")
    assert 1.9 < augmented["place_drop"]["recall_at_1"] / consistent["place_drop"]["recall_at_1"] < 2.2
    assert 0.3 < base["elsewhere"]["recall_at_1"] < 0.36  # a third
    assert sides("demo_places", "elsewhere", ["bgconsistency - bgaugment"]) == [1]
    assert all(abs(regime["place_drop_objects"]["recall_at_1"]) < 0.01 for regime in (base, augmented, consistent))
