"""What the pages say of all five losses on packages follows from the studies' records."""

import numpy as np
import pandas as pd
import pytest
from test_documents_claims import AGAIN, MEASURES, ROOT, interval, page

from bgbias import files
from bgbias.metrics import bootstrap, seeds

LOSSES = ("contrastive", "triplet", "multi_similarity", "arcface", "normalized_softmax")


def of_losses(view=""):
    """The studies of the networks of each loss."""
    names = {loss: f"packages{'' if loss == LOSSES[-1] else f'_{loss}'}{view}" for loss in LOSSES}
    return {loss: files.read_json(ROOT / f"metrics/studies/{name}.json") for loss, name in names.items()}


OF_LOSSES, PLACES = of_losses(), of_losses("_places")
ALL, ONE_PLACE = "617 photos", "274 photos of one place"
OVER_PAIRS, SOFTMAX = LOSSES[:3], LOSSES[3:]
BY_PRODUCT = pd.read_csv(ROOT / "metrics/studies/tables/places_by_loss.csv")


def with_losses(pair, measure, sign=1, studies=OF_LOSSES):
    """In points, of a pair by loss: the difference, its end towards `sign`, and by which losses it is shown."""
    found = {loss: [100 * end for end in interval(study, pair, measure)] for loss, study in studies.items()}
    values, ends = ([of[place] for of in found.values()] for place in (0, 2 if sign > 0 else 1))
    return values, ends, [loss for loss, (_, low, high) in found.items() if (low > 0 if sign > 0 else high < 0)]


def test_what_the_cures_win_on_packages_with_every_loss():
    """As docs/cure_pretrained.md says under "All five losses"."""
    said = page("cure_pretrained.md").partition("## All five losses")[2].partition("## Grocery")[0]
    similar = "multi_similarity"
    assert all(study["loss"] == loss and study["seeds"] == [42, 43, 44] for loss, study in OF_LOSSES.items())
    swapped = [with_losses(f"{cure} - base", "recall_at_1_swapped") for cure in ("bgaugment", "rising")]
    assert [shown for *_, shown in swapped] == [[*LOSSES]] * 2
    told = "({:.1f} to {:.1f} points over base), and so does `rising` ({:.1f} to {:.1f})."
    assert told.format(*(end(values) for values, *_ in swapped for end in (min, max))) in said
    attended = {
        (cure, view): with_losses(f"{cure} - base", f"attention_score_{view}")[2]
        for cure in ("bgaugment", "rising")
        for view in ("clean", "swapped")
    }
    assert attended.pop(("bgaugment", "clean")) == [*LOSSES[1:]]
    assert [*attended.values()] == [[*LOSSES]] * 3
    for measure in ("recall_at_1_clean", "map_at_r_clean"):
        assert not with_losses("bgaugment - base", measure, -1)[2]
    values, ends, _ = with_losses("bgaugment - base", "map_at_r_clean", -1)
    lower = sorted(-value for value in values if value < 0)
    told = f"with four of five its MAP@R is lower (by {lower[0]:.1f} to {lower[-1]:.1f} points) and {-min(ends):.1f}"
    assert len(lower) == 4 and f"{told} points less are not excluded" in said
    attention = ["attention_score_clean", "attention_score_swapped"]
    for measure in (*MEASURES, *attention):
        assert not with_losses("rising - bgaugment", measure, -1)[2]
    above = {measure: with_losses("rising - bgaugment", measure)[2] for measure in (*MEASURES, *attention)}
    assert {measure: shown for measure, shown in above.items() if shown} == {
        "map_at_r_clean": ["contrastive", "normalized_softmax"],
        "attention_score_clean": ["contrastive", similar],
    }
    values = with_losses("rising - bgaugment", "map_at_r_clean")[0]
    told = "with [other losses](cure_pretrained.md#all-five-losses) {:.1f} to {:.1f} (shown with contrastive alone)"
    assert told.format(min(values[:-1]), max(values[:-1])) in page("cure.md")
    assert f"contrastive and normalized_softmax ({values[0]:.1f} and {values[-1]:.1f} points of MAP@R)" in said
    below = {measure: with_losses(AGAIN, measure, -1) for measure in MEASURES}
    assert {measure: shown for measure, (*_, shown) in below.items() if shown} == {"map_at_r_swapped": ["arcface"]}
    assert f"with arcface ({-below['map_at_r_swapped'][0][3]:.1f} points of MAP@R)" in said
    above = {measure: with_losses(AGAIN, measure)[2] for measure in (*MEASURES, *attention)}
    assert {measure: shown for measure, shown in above.items() if shown} == {"attention_score_clean": [similar]}
    assert not any(with_losses(AGAIN, measure, -1)[2] for measure in attention)
    values, _, shown = with_losses("bgconsistency - base", "recall_at_1_clean", -1)
    least = -with_losses("bgconsistency - base", "recall_at_1_clean")[1][3]
    assert shown == ["arcface"] and f"barely ({-values[3]:.1f} points, from {least:.2f} on: a hint)" in said
    values, _, shown = with_losses("rising - base", "map_at_r_clean")
    assert shown == ["normalized_softmax"] and f"alone** ({values[-1]:.1f} points of MAP@R)" in said
    triplet = OF_LOSSES["triplet"]["regimes"]
    assert triplet["rising"] == triplet["bgconsistency"]


def test_what_the_cures_win_elsewhere_with_every_loss():
    """As docs/places_trained.md says under "Packages, with every loss", README.md, docs/cure.md and docs/places.md."""
    said = page("places_trained.md").partition("## Packages, with every loss")[2].partition("## Fewer photos")[0]
    for loss, study in PLACES.items():
        assert study["loss"] == loss and study["seeds"] == [42, 43, 44]
        for regime, scores in study["regimes"].items():
            assert all(scores[view].items() <= OF_LOSSES[loss]["regimes"][regime][view].items() for view in scores
                       if view in ("clean", "swapped"))  # fmt: skip
    cures = [f"{cure} - base" for cure in ("bgaugment", "bgconsistency", "rising")]
    elsewhere = [with_losses(cure, "recall_at_1_elsewhere", 1, PLACES) for cure in cures]
    assert [shown for *_, shown in elsewhere] == [[], [], ["contrastive", "normalized_softmax"]]
    assert not any(with_losses(cure, "recall_at_1_elsewhere", -1, PLACES)[2] for cure in cures)
    contrastive, triplet, similar, arcface, softmax = elsewhere[2][0]
    low = 100 * interval(PLACES["contrastive"], cures[2], "recall_at_1_elsewhere")[1]
    told = f"normalized_softmax ({softmax:.1f} points) and, barely, contrastive ({contrastive:.1f}, from {low:.1f} on)."
    assert (
        f"{told} With multi_similarity, arcface and triplet it is not ({similar:.1f}, {arcface:.1f} and {triplet:.1f}"
        in said
    )
    swapped = [with_losses(cure, "recall_at_1_swapped", 1, PLACES) for cure in cures]
    assert [shown for *_, shown in swapped] == [[*LOSSES]] * 3
    most = [value for values, *_ in swapped for value in values]
    assert f"On swapped photos all three win with every loss, {min(most):.1f} to {max(most):.1f} points." in said
    less = [with_losses(cure, "recall_at_1_same_place", -1, PLACES)[2] for cure in cures]
    assert less == [["triplet"], ["triplet", "arcface"], ["triplet", "arcface"]]


def test_what_base_finds_elsewhere_with_every_loss():
    """As docs/places_trained.md says under "Packages, with every loss"."""
    said = page("places_trained.md").partition("## Packages, with every loss")[2].partition("## Fewer photos")[0]
    beside = files.read_json(ROOT / "metrics/studies/packages_losses_places.json")
    for loss, study in PLACES.items():
        for regime in ("base", "rising"):
            known, again = study["regimes"][regime], beside["regimes"][f"{regime}_{loss}"]
            assert again["elsewhere"] == known["elsewhere"] and again["clean"] == known["clean"]
    found = [100 * study["regimes"]["base"]["elsewhere"]["recall_at_1"] for study in PLACES.values()]
    told = f"it finds {found[-1]:.1f} % elsewhere, with other losses {min(found[:-1]):.1f} to {max(found[:-1]):.1f} %."
    assert told in said
    pairs = {loss: f"base_normalized_softmax - base_{loss}" for loss in LOSSES[:-1]}
    ends = {loss: [-100 * end for end in interval(beside, of, "recall_at_1_elsewhere")] for loss, of in pairs.items()}
    assert [loss for loss, (_, most, least) in ends.items() if least > 0 or most < 0] == ["arcface"]
    assert f"barely ({ends['arcface'][0]:.1f} points, from {ends['arcface'][2]:.2f} on)" in said
    cures = [interval(beside, f"rising_normalized_softmax - {name}", "recall_at_1_elsewhere")
             for name in (f"base_{loss}" for loss in LOSSES[:-1])]  # fmt: skip
    assert all(low < 0 < high for _, low, high in cures)
    gains = [100 * gain for gain, *_ in cures]
    assert f"({min(gains):.1f} to {max(gains):.1f} points) is not shown of any" in said


def found_elsewhere(weights, seed=None, paired=False):
    """A weighted sum over losses and regimes of Recall@1 elsewhere, in points, and its ends with other seeds."""
    found = BY_PRODUCT[BY_PRODUCT.seed.eq(seed) | (seed is None)]
    found = found.set_index(["trained on", "loss", "seed", "product"]).sort_index()
    queries = found.queries.groupby("product").first()
    of = {key: found[f"{key[2]} finds elsewhere"].loc[key[:2]].unstack("seed") for key in weights}
    parts = sum(weight * of[key].mean(axis=1) for key, weight in weights.items()) * queries
    of_products = bootstrap.Sums(parts.to_numpy(), queries.to_numpy(float), queries.sum(), 0)
    value, *ends = bootstrap.estimates({0: of_products}, lambda: np.random.default_rng(0))[0][:3]
    of_seeds = {}  # all losses of one seed had the same photos: their figures move together
    for (trained, loss, regime), weight in weights.items():
        found = of[trained, loss, regime].mul(weight * queries, axis=0).sum() / queries.sum()
        moved = trained if paired else (trained, regime)  # paired: base and the cure of one seed move together, too
        of_seeds[moved] = of_seeds.get(moved, 0) + found
    return value, *seeds.widened(value, *ends, [seeds.spread(of.std(), len(of)) for of in of_seeds.values()])


def won_elsewhere(weights, trained=ALL):
    """What `rising` finds elsewhere over base, a weighted sum over losses."""
    pairs = (("rising", 1), ("base", -1))
    return {(trained, loss, regime): sign * weight for loss, weight in weights.items() for regime, sign in pairs}


def test_what_rising_wins_elsewhere_is_not_shown_to_differ_between_losses():
    """As docs/places_trained.md says under "Packages, with every loss", docs/places.md and docs/cure.md."""
    for loss, study in PLACES.items():
        assert found_elsewhere(won_elsewhere({loss: 1}))[0] == pytest.approx(
            100 * interval(study, "rising - base", "recall_at_1_elsewhere")[0], abs=0.02
        )
    others = ["contrastive", "multi_similarity", "arcface"]  # with triplet rising is bgconsistency
    of_others, of_four, further = (
        found_elsewhere(won_elsewhere(weights))
        for weights in (
            dict.fromkeys(others, 1 / 3),
            dict.fromkeys([*others, LOSSES[-1]], 1 / 4),
            dict.fromkeys(others, -1 / 3) | {LOSSES[-1]: 1},
        )
    )
    said = page("places_trained.md").partition("## Packages, with every loss")[2].partition("## Fewer photos")[0]
    assert "it wins {:.1f} points more ({:.1f} to {:.1f}) than with contrastive".format(*further) in said
    told = "Over these three it wins {:.1f} points ({:.1f} to {:.1f}), over all four {:.1f} ({:.1f} to {:.1f})."
    assert told.format(*of_others, *of_four) in said
    assert "it wins {:.1f} points ({:.1f} to {:.1f}).".format(*of_others) in page("places.md")
    for loss in others:
        _, low, high = found_elsewhere(won_elsewhere({LOSSES[-1]: 1, loss: -1}))
        assert low < 0 < high


def test_where_each_product_was_photographed_in_one_place_cures_are_shown_to_help_with_softmax_losses():
    """As docs/places_trained.md says under "With every loss, of one place", docs/places.md and docs/cure.md."""
    said = page("places_trained.md").partition("### With every loss, of one place")[2].partition("## Grocery")[0]
    names = {loss: f"packages_{loss}_trained_places" for loss in LOSSES[:-1]} | {LOSSES[-1]: "packages_trained_places"}
    studies = {loss: files.read_json(ROOT / f"metrics/studies/{name}.json") for loss, name in names.items()}
    assert all(study["loss"] == loss and study["seeds"] == [42, 43, 44] for loss, study in studies.items())
    pairs = [f"one_place_{cure} - one_place_base" for cure in ("bgaugment", "rising")]
    shown = [with_losses(pair, "recall_at_1_elsewhere", 1, studies) for pair in pairs]
    assert [of for *_, of in shown] == [[*SOFTMAX]] * 2
    assert not any(with_losses(pair, "recall_at_1_elsewhere", -1, studies)[2] for pair in pairs)
    ends = [[100 * end for loss in SOFTMAX for end in interval(studies[loss], pair, "recall_at_1_elsewhere")[:2]]
            for pair in pairs]  # fmt: skip
    told = "bgaugment wins {:.1f} points, from {:.1f} on, and `rising` {:.1f}, from {:.1f} on; with normalized_softmax "
    assert f"{told}bgaugment barely (from {{:.1f}} on)".format(*ends[0][:2], *ends[1][:2], ends[0][3]) in said
    over_pairs = [value for values, *_ in shown for value in values[:3]]
    assert f"Over pairs they win {min(over_pairs):.1f} to {max(over_pairs):.1f}, and all intervals hold 0" in said
    swapped = [with_losses(pair, "recall_at_1_swapped", 1, studies) for pair in pairs]
    assert [of for *_, of in swapped] == [[*LOSSES]] * 2
    won = [[value for values, *_ in swapped for value in values[kind]] for kind in (slice(3), slice(3, None))]
    told = "over pairs {:.1f} to {:.1f} points and with softmax losses {:.1f} to {:.1f}. So swaps put"
    assert told.format(*(end(of) for of in won for end in (min, max))) in said and max(won[0]) < min(won[1])
    assert "contrastive's gains ({:.1f} and {:.1f} points)".format(*(values[0] for values, *_ in shown)) in said
    for loss in LOSSES:
        gain = found_elsewhere(won_elsewhere({loss: 1}, ONE_PLACE))[0]
        assert gain == pytest.approx(100 * interval(studies[loss], pairs[1], "recall_at_1_elsewhere")[0], abs=0.02)
    softmax, of_pairs, every = (dict.fromkeys(losses, 1 / len(losses)) for losses in (SOFTMAX, OVER_PAIRS, LOSSES))
    further = softmax | {loss: -weight for loss, weight in of_pairs.items()}
    gains = [found_elsewhere(won_elsewhere(of, ONE_PLACE)) for of in (softmax, of_pairs, further, every)]
    told = "wins {:.1f} points ({:.1f} to {:.1f}) with softmax losses, {:.1f} ({:.1f} to {:.1f}) over pairs, {:.1f} "
    told += "({:.1f} to {:.1f}) over all five."
    assert told.format(*gains[0], *gains[1], *gains[3]) in said
    told = "over pairs is not shown** ({:.1f} points; {:.1f} to {:.1f}): by the three draws of photos it is "
    of_seeds = [found_elsewhere(won_elsewhere(further, ONE_PLACE), seed)[0] for seed in (42, 43, 44)]
    assert f"{told}{{:.1f}}, {{:.1f}} and {{:.1f}} points.".format(*gains[2], *of_seeds) in said
    further_there = found_elsewhere(won_elsewhere(further))
    assert "617 photos](#packages-with-every-loss) ({:.1f} points; {:.1f} to {:.1f})".format(*further_there) in said
    told = "it wins {:.1f} points ({:.1f} to {:.1f}) with the two softmax losses; with the three losses over pairs "
    assert f"{told}({{:.1f}}; {{:.1f}} to {{:.1f}})".format(*gains[0], *gains[1]) in page("places.md")
    bases = [study["regimes"]["one_place_base"]["elsewhere"]["recall_at_1"] for study in studies.values()]
    bases = [f"{100 * share:.1f}" for share in bases]
    told = "it finds {} and {} % elsewhere, over pairs {} to {} %. On average that is {:.1f} points more, which is not "
    told += "shown ({:.1f} to {:.1f}), nor is a difference with `rising` (softmax losses find {:.1f} points more; "
    less = found_elsewhere({(ONE_PLACE, loss, "base"): -weight for loss, weight in further.items()})
    of_draws = [[found_elsewhere({(ONE_PLACE, loss, "base"): 1}, seed)[0] for seed in (42, 43, 44)] for loss in SOFTMAX]
    assert np.argsort(of_draws).tolist() == [[0, 2, 1]] * 2
    cured = found_elsewhere({(ONE_PLACE, loss, "rising"): weight for loss, weight in further.items()})
    told = f"{told}{{:.1f}} to {{:.1f}})."
    assert told.format(*sorted(bases[3:]), *(end(bases[:3]) for end in (min, max)), *less, *cured) in said
    assert all(low < 0 < high for _, low, high in (gains[2], further_there, less, cured))
    least = [found_elsewhere(won_elsewhere({loss: 1}, ONE_PLACE), paired=True)[1] for loss in SOFTMAX]
    assert "begins at {:.1f} points with arcface and at {:.1f} with normalized_softmax".format(*least) in said
    less = found_elsewhere(won_elsewhere(every, ONE_PLACE) | won_elsewhere(dict.fromkeys(LOSSES, -1 / 5)))
    told = "wins {:.1f} points ({:.1f} to {:.1f}) over the five losses, {:.1f} less than here, barely (from {:.1f}"
    assert told.format(*found_elsewhere(won_elsewhere(every)), *less[:2]) in said


def test_on_clean_photos_of_packages_another_loss_alone_wins_as_much_as_rising():
    """As docs/cure_pretrained.md says under "All five losses", and docs/cure.md."""
    said = page("cure_pretrained.md").partition("## All five losses")[2].partition("## Grocery")[0]
    beside, softmax = files.read_json(ROOT / "metrics/studies/packages_losses_places.json"), LOSSES[-1]
    gains = {
        regime: [
            [-100 * end for end in interval(beside, f"{regime}_{softmax} - base_{loss}", "map_at_r_clean")]
            for loss in ("arcface", "triplet", "multi_similarity", "contrastive")
        ]
        for regime in ("base", "rising")
    }
    assert [least > 0 for _, _, least in gains["base"]] == [True] * 3 + [False]
    told = "base with arcface, triplet and multi_similarity orders them {:.1f}, {:.1f} and {:.1f} points better"
    assert told.format(*(gain for gain, *_ in gains["base"][:3])) in said
    assert all(least < 0 < most for _, most, least in gains["rising"])
    further = [-gain for gain, *_ in gains["rising"]]
    assert f"is not shown of any ({min(further):.1f} to {max(further):.1f} points)" in said
