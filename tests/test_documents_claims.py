"""What the pages say in words of the studies follows from the studies' records."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy import special

from bgbias import files
from bgbias.documents import results
from bgbias.metrics import seeds
from bgbias.metrics.names import METRICS

ROOT = Path(__file__).parent.parent
CURES, AGAIN = ("bgaugment", "bgconsistency"), "bgconsistency - bgaugment"
MEASURES = [f"{metric}_{view}" for metric in ("recall_at_1", "map_at_r") for view in ("clean", "swapped")]


def page(name):
    """A page of docs/, its lines joined."""
    return " ".join((ROOT / "docs" / name).read_text(encoding="utf-8").split())


def test_what_seeds_add_to_the_differences_of_the_studies():
    """As docs/cure.md says: the seeds' variance added to what half an interval's width tells of the classes'."""
    found = {}
    for path in sorted((ROOT / "metrics/studies").glob("*.json")):
        if path.stem.endswith("_places"):  # of the networks of another study
            continue
        study = files.read_json(path)
        for pair, measures in study.get("differences", {}).items() if len(study.get("seeds", [])) == 3 else ():
            of_pair = [seeds.spreads(study["regimes"][regime]) for regime in pair.split(" - ")]
            for measure in MEASURES:
                ends = tuple(measures[measure][name] for name in ("difference", "low", "high"))
                spreads = [of_regime[measure] for of_regime in of_pair]
                moved = sum(spread.variance for spread in spreads)
                found[study["dataset"], study["loss"], pair, measure, ends] = *seeds.widened(*ends, spreads), moved
    (_, low, high), (lower, higher, moved) = np.array([key[-1] for key in found]).T, np.array([*found.values()]).T
    alone, shown = (low > 0) | (high < 0), (lower > 0) | (higher < 0)
    assert not (shown & ~alone).any()
    said = f"Of {alone.sum()} differences in Recall@1 and MAP@R on clean and swapped photos that classes alone "
    said += f"would show, {shown.sum()} are shown."
    half, of_classes = (high - low) / 2, ((high - low) / 2 / 2.02) ** 2
    hold = np.median(2 * special.ndtr(half / np.sqrt(of_classes + 3 * moved)) - 1)
    assert said in page("cure.md")
    assert f"Of one seed the median interval holds the truth in {100 * hold:.0f} of 100 cases," in page("cure.md")


def interval(study, pair, measure):
    """A difference and its ends, which hold other classes and other seeds."""
    found = [study["differences"][pair][measure][name] for name in ("difference", "low", "high")]
    moved = [seeds.spreads(study["regimes"][regime])[measure] for regime in pair.split(" - ")]
    return found[0], *seeds.widened(*found, moved)


def moved_by_seeds(study, regimes=None, measures=MEASURES):
    """By how much two networks of one seed each differ in 95 of 100 cases, by the mean variance over three seeds."""
    moved = {}
    for measure in measures:
        metric = next(metric for metric in METRICS if measure.startswith(metric))
        view = measure.removeprefix(f"{metric}_")
        seeds = [study["regimes"][name][view][f"{metric}_seeds_sd"] for name in regimes or study["regimes"]]
        moved[measure] = 1.96 * np.sqrt(2 * np.square(seeds).mean())
    return moved


SWAPPED, BOTH = {"recall_at_1_swapped", "map_at_r_swapped"}, {"map_at_r_clean", "map_at_r_swapped"}


@pytest.mark.parametrize(
    ("study", "pair", "shown"),
    [
        ("demo", "bgconsistency - bgaugment", {"map_at_r_clean", "recall_at_1_swapped"}),
        ("demo", "early_masking - bgconsistency", BOTH | SWAPPED),
        ("demo_uncorrelated", "bgaugment - base", {"map_at_r_clean"} | SWAPPED),
        ("demo_uncorrelated", "bgconsistency - base", SWAPPED),
        ("demo_arcface", "bgconsistency - bgaugment", {"map_at_r_clean"}),
        ("demo_arcface", "bgconsistency - base", {"map_at_r_clean"} | SWAPPED),
        ("demo_contrastive", "bgconsistency - bgaugment", set()),
        ("demo_triplet", "bgconsistency - bgaugment", set()),
        ("demo_triplet", "bgconsistency - base", {*MEASURES}),
        ("demo_triplet", "bgaugment - base", {*MEASURES}),
        ("demo_multi_similarity", "bgconsistency - bgaugment", set()),
        ("grocery", "bgconsistency - bgaugment", set()),
        ("grocery", "bgconsistency - base", BOTH | SWAPPED),
        ("grocery", "bgaugment - base", SWAPPED),
        ("grocery", "early_masking - base", {"recall_at_1_clean"} | SWAPPED),
        ("grocery", "early_masking - bgconsistency", {"recall_at_1_clean"}),
        ("grocery_faded", "early_masking_faded - bgaugment", {"map_at_r_swapped"}),
        ("grocery_faded", "early_masking_faded - bgconsistency", set()),
        ("grocery_grabcut", "rising - bgaugment", {"map_at_r_clean"}),
        ("grocery_grabcut", "bgaugment - base", {"map_at_r_clean"} | SWAPPED),
        ("grocery_isnet", "rising - bgaugment", {"map_at_r_clean"}),
        ("packages", "rising - bgaugment", {"map_at_r_clean"}),
        ("packages", "rising - bgconsistency", {"recall_at_1_clean", "map_at_r_clean"}),
        ("packages", "rising - base", BOTH | SWAPPED),
        ("packages_early_masking", "rising_early_masking - rising", BOTH),
        ("packages_early_masking", "rising_early_masking - base", BOTH | SWAPPED),
        ("packages_early_masking", "rising_early_masking - bgaugment", BOTH | SWAPPED),
        ("packages_early_masking_control", "rising_early_masking - rising_128_px", set()),
        ("packages_early_masking_128_px", "rising_early_masking_128_px - rising_128_px", set()),
        ("packages_176_px", "rising_early_masking_128_px - rising_176_px", {"recall_at_1_swapped"}),
    ],
)
def test_what_the_pages_of_the_cure_call_shown(study, pair, shown):
    found = files.read_json(ROOT / f"metrics/studies/{study}.json")
    pair = pair if pair in found["differences"] else " - ".join(reversed(pair.split(" - ")))
    ends = {measure: interval(found, pair, measure)[1:] for measure in MEASURES}
    assert {measure for measure, (low, high) in ends.items() if low > 0 or high < 0} == shown


def test_what_regimes_win_before_the_photos_own_backgrounds_of_packages():
    """As docs/cure.md and the README say."""
    found, cure = files.read_json(ROOT / "metrics/studies/packages_own_backgrounds.json"), page("cure.md")
    regimes, pools = found["regimes"], ("swapped", "second_pool")
    recall = {(name, view): 100 * of[view]["recall_at_1"] for name, of in regimes.items() for view in ("clean", *pools)}
    lost = {(name, pool): f"{recall[name, 'clean'] - recall[name, pool]:.1f}" for name in regimes for pool in pools}
    won = {
        key: f"{100 * found['differences'][f'{key[0]} - base'][f'recall_at_1_{key[1]}']['difference']:.1f}"
        for key in lost
        if key[0] != "base"
    }
    first, second = won["bgaugment", "swapped"], won["bgaugment", "second_pool"]
    assert f"base loses {lost['base', 'swapped']} points of Recall@1, and bgaugment wins back {first} of them;" in cure
    of_rising = won["rising", "second_pool"]
    assert f"own backgrounds {second} of {lost['base', 'second_pool']}, `rising` {of_rising}." in cure
    assert f"[{first} points before Unsplash photos, {second} before these]" in (ROOT / "README.md").read_text("utf-8")
    for pair in ("rising - bgaugment", "rising - bgconsistency"):
        assert all(interval(found, pair, f"{metric}_second_pool")[1] > 0 for metric in METRICS)
    more, low, _ = interval(found, "rising - bgaugment", "map_at_r_clean")
    assert f"`rising`'s {100 * more:.1f} points more clean MAP@R than bgaugment's are not shown" in cure and low < 0
    assert f"(trained again {100 * more:.1f}, not shown)" in cure
    without = {name: 100 * of["drop_without_doubtful_masks"]["recall_at_1"] for name, of in regimes.items()}
    ends = [f"{without[name]:.1f} " + "{}instead of " + lost[name, "swapped"] for name in ("rising", "base")]
    assert f"`rising` loses {ends[0].format('points ')}, base {ends[1].format('')}." in cure
    cures = ("bgaugment", "bgconsistency", "rising")
    assert all(0.4 < without[name] / float(lost[name, "swapped"]) < 0.6 for name in cures)  # "half"
    doubtful = found["audits"]["doubtful"]
    assert f"{sum(doubtful.values())} of 571 at 96 px, nearly all see-through" in cure and doubtful["soft"] > 55
    before, again = (interval(found, pair, "recall_at_1_swapped") for pair in ("rising - bgconsistency", AGAIN))
    assert before[1] > 0 > again[2]


def test_what_other_seeds_leave_of_the_ablations_of_one():
    """As docs/cure.md says: the variance over the demo's three seeds, of two networks, added to the intervals'."""
    said, cure = [], page("cure.md")
    three, one = (files.read_json(ROOT / f"metrics/studies/{name}.json") for name in ("demo", "demo_ablations"))
    moved = moved_by_seeds(three)
    keys = ("recall_at_1_swapped", *MEASURES[2:])
    recall, clean, swapped = (f"{100 * moved[key]:.0f}" for key in keys)
    assert f"by {recall} points of Recall@1, {clean} of clean MAP@R and {swapped} of swapped (" in cure
    pairs = [moved_by_seeds(three, pair) for pair in combinations(three["regimes"], 2)]
    most = [f"{100 * max(pair[key] for pair in pairs):.0f}" for key in keys]
    assert "of the pair that moves most by {}, {} and {}).".format(*most) in cure
    every = [*MEASURES, "recall_at_1_new_scene", "map_at_r_new_scene"]
    pairs = [moved_by_seeds(three, pair, every) for pair in combinations(three["regimes"], 2)]
    ends = [max(100 * pair[key] for pair in pairs for key in every if key.startswith(metric)) for metric in METRICS]
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert (
        "Other seeds move such a difference by less than {:.0f} and {:.0f} in 95 of 100 cases".format(*np.ceil(ends))
        in readme
    )
    for measure in MEASURES[2:]:
        remain = []
        for regime in one["regimes"]:
            pairs = (f"{regime} - bgconsistency", f"bgconsistency - {regime}")
            for found in (one["differences"][pair][measure] for pair in pairs if pair in one["differences"]):
                size, nearer = abs(found["difference"]), max(found["low"], -found["high"])
                if nearer > 0 and size > np.hypot(size - nearer, moved[measure]):
                    remain.append(regime)
        order = [name for name in ("base", "bgaugment", "paired", "half", "varied", "photos") if name in remain]
        assert len(order) == len(remain)
        said.append(f"in {measure.rsplit('_', 1)[1]} MAP@R {', '.join(order[:-1])} and {order[-1]}")
    assert f"remain: {'; '.join(said)}." in cure


def test_what_is_lost_before_landscapes_and_in_unseen_rooms():
    """As docs/audit.md says, and the README in short: by the pool of an audit, and swapped into rooms; seed 42."""
    models = {"base": "base_42", "hog": "hog", "lite0": "efficientnet_lite0", "bgaugment": "bgaugment_42"}
    lost = {}
    for name, moved in models.items():
        audit = files.read_json(ROOT / f"metrics/audits/demo_{name}.json", "drop", "recall_at_1", "value")
        move = files.read_json(ROOT / f"metrics/studies/moves/{moved}.json", "drop_swapped", "recall_at_1", "value")
        lost[name] = (f"{100 * audit:.1f}", f"{100 * move:.1f}")
    said = "Before these base (seed 42) loses {} points, swapped into unseen rooms {}; HOG {} and {}; "
    said += "EfficientNet-Lite0 {} and {};"
    audit = page("audit.md")
    assert said.format(*lost["base"], *lost["hog"], *lost["lite0"]) in audit
    assert "with landscapes and patterns, {} and {}.".format(*lost["bgaugment"]) in audit
    found = []
    for name in ("lite0", "colour_histogram"):
        views = files.read_json(ROOT / f"metrics/audits/packages_{name}.json", "views")
        found += [f"{100 * views[view]['recall_at_1']['value']:.1f}" for view in ("swapped", "mixed_rand")]
    said = (
        "finds {} before Unsplash photos and {} before other photos' backgrounds (`mixed_rand`), a colour histogram {} "
    )
    assert f"{said}and {{}}.".format(*found) in audit
    order = [sorted(lost, key=lambda name: float(lost[name][place])) for place in (0, 1)]
    assert order == [["bgaugment", "lite0", "hog", "base"], ["lite0", "hog", "bgaugment", "base"]]
    kept = files.read_json(ROOT / "metrics/evaluate/demo/base.json", "demo", "base")
    clean, pictures, rooms = (kept[view]["recall_at_1"] for view in ("clean", "swapped", "new_scene"))
    assert 1.8 < (clean - pictures) / (clean - rooms) < 2  # "nearly twice what it loses in unseen rooms"


def test_photos_own_backgrounds_cost_less_than_landscapes_and_order_models_as_real_moves_do():
    """As docs/audit.md says of the demo; its grade of base is in the words of the audit."""
    names = {"base": "base_42", "bgaugment": "bgaugment_42", "bgconsistency": "bgconsistency_42", "hog": "hog"}
    names |= {"colour_histogram": "colour_histogram", "lite0": "efficientnet_lite0"}
    own, moved = {}, {}
    for name, move in names.items():
        audit = files.read_json(ROOT / f"metrics/audits/demo_{name}_own_backgrounds.json")
        assert audit["second_backgrounds"]["moved"]["recall_at_1"]["high"] < 0
        own[name] = audit["second_backgrounds"]["drop"]["recall_at_1"]["value"]
        path = ROOT / f"metrics/studies/moves/{move}.json"
        moved[name] = files.read_json(path, "drop_moved", "recall_at_1", "value")
    assert sorted(own, key=own.get) == sorted(moved, key=moved.get)
    grade = files.read_json(ROOT / "metrics/audits/demo_base_own_backgrounds.json", "summary", "grade")
    assert f'The grade of base is then "{grade}".' in page("audit.md")


def test_what_doubtful_masks_of_packages_cost():
    counted = files.read_json(ROOT / "metrics/studies/packages_masks.json", "packages", "masks")
    found = files.read_json(ROOT / "metrics/audits/packages_lite0.json")
    doubt, real = found["mask_doubt"], page("real_photos.md")
    of = [one["recall_at_1"]["value"] for one in (found["drop"], doubt["drop_without"], doubt["moved_eroded"])]
    lost, without, more = (f"{100 * value:.1f}" for value in of)
    assert f"{counted['suspect']} of the {counted['masks']:,} are in doubt, {counted['soft']} of them see-thr" in real
    flagged = sum(map(len, doubt["flagged"].values()))
    assert f"Of the {found['photos']} test photos {flagged} are concerned: with them" in real
    assert f"loses {lost} points of Recall@1, without them {without}; " in real
    assert f"with masks {doubt['radius_px']} px smaller {more} more" in real


def test_what_other_seeds_move_on_packages():
    moved = moved_by_seeds(files.read_json(ROOT / "metrics/studies/packages.json"))
    ends = [100 * moved[measure] for measure in MEASURES]
    said_there = page("cure_pretrained.md")
    said = "differ by {:.0f} to {:.0f} points of Recall@1 and {:.0f} to {:.0f} of MAP@R by chance"
    assert (
        said.format(np.floor(min(ends[:2])), np.ceil(max(ends[:2])), np.floor(min(ends[2:])), np.ceil(max(ends[2:])))
        in said_there
    )


def test_where_the_demo_s_networks_look_on_clean_photos():
    """As docs/cure.md says of each loss, against base."""
    less, more, swapped = {}, [], {}
    for loss in ("contrastive", "triplet", "multi_similarity", "arcface", "normalized_softmax"):
        name = "demo" if loss == "normalized_softmax" else f"demo_{loss}"
        study = files.read_json(ROOT / f"metrics/studies/{name}.json")
        clean = {regime: interval(study, f"{regime} - base", "attention_score_clean") for regime in CURES}
        swapped[loss] = interval(study, "bgaugment - base", "attention_score_swapped")
        assert clean["bgaugment"][1] < 0 < swapped[loss][1]
        less |= {loss: -clean["bgaugment"][0]} if clean["bgaugment"][2] < 0 else {}
        more += [loss] if clean["bgconsistency"][1] > 0 else []
    said_there, gains = page("cure.md"), [value for value, _, _ in swapped.values()]
    assert f"with every loss (by {min(gains):.2f} to {max(gains):.2f}, intervals above 0;" in said_there
    said = "with {} and {} bgaugment looks at the object less than base (by {:.2f} and {:.2f},"
    assert said.format(*less, *less.values()) in said_there
    assert "bgconsistency looks at it more than base with {}, {} and {}.".format(*more) in said_there


def test_what_enlarging_and_a_part_of_the_background_win_on_packages():
    """As docs/early_masking_tried.md says: MAP@R, clean and swapped."""
    found = results.csv(ROOT / "metrics/studies/tables/early_masking_packages_embedders.csv").set_index("embedder")
    map_at_r = found.map(lambda cell: float(cell.split(" / ")[1]))
    enlarged = ["ISNet's own masks, in training and test", "67 % on their own background"]
    enlarged += ["67 %, **and 30 % of the background left**"]
    plain = ["the same, not enlarged", "67 %, not enlarged", "67 %, not enlarged, 30 % left"]
    wins = map_at_r.loc[enlarged].to_numpy() - map_at_r.loc[plain].to_numpy()
    left = [map_at_r.loc[rows[2]] - map_at_r.loc[rows[1]] for rows in (enlarged, plain)]
    said_there = page("early_masking_tried.md")
    assert f"Enlarging wins {wins.min():.1f} to {wins.max():.1f} points of MAP@R in the three pairs above" in said_there
    said = "({:.1f} points of clean MAP@R, {:.1f} of swapped; {:.1f} and {:.1f} where not enlarged)"
    assert said.format(*left[0], *left[1]) in said_there
    seeds = results.csv(ROOT / "metrics/studies/tables/early_masking_packages_seeds.csv")
    three = seeds.iloc[:, 3:].map(lambda cell: float(cell.split()[0])).to_numpy()
    assert (three[2] > three[3]).all() and not (three[4] > three[5]).all()  # "only in one pair of two"


def test_how_far_audits_of_one_photo_each_agree_with_those_in_classes():
    """As docs/catalogues.md says of packages."""
    found = results.csv(ROOT / "metrics/studies/tables/one_each_packages.csv").set_index("share kept, %")
    kept = found.map(lambda cell: float(cell.split()[0]))
    hog, lite0 = kept.loc["HOG"], kept.loc["EfficientNet-Lite0"].iloc[1:]
    said = "**HOG keeps {:.0f} % in classes, and {:.0f} to {:.0f} of one photo each**"
    assert said.format(hog.iloc[0], hog.iloc[1:].min(), hog.iloc[1:].max()) in page("catalogues.md")
    assert f"moves EfficientNet-Lite0 by {lite0.max() - lite0.min():.0f} points" in page("catalogues.md")
    little = ["base", "untrained"]  # either way
    assert kept.loc[little].to_numpy().max() < 20 < kept.drop(little).iloc[:, 1:].to_numpy().min()
    in_classes, *each = (kept[column].loc[["bgaugment", "bgconsistency"]] for column in kept)
    assert in_classes.idxmax() == "bgconsistency" and all(one.idxmax() == "bgaugment" for one in each[:2])
