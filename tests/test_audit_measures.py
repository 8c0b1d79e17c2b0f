"""Every figure of an audit against a plain loop, of random embeddings: what is taken from what, of which photos."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn.functional import normalize

from bgbias.audit.inputs import sample, views
from bgbias.audit.inputs.gallery import Gallery
from bgbias.audit.measures import doubts
from bgbias.audit.measures.figures import Measures
from bgbias.audit.measures.sampled import Sampled
from bgbias.metrics import background_bias, invariance
from bgbias.metrics.bootstrap import estimates, sums
from bgbias.seeding import generator

DRAWS, SEED = 3, 5
LABELS = np.random.default_rng(0).permutation(
    [0] + [1] * 5 + [2] * 4 + [3] * 6 + [4] * 5 + [5] * 4
)  # 0 is a lone query
PROBED = np.flatnonzero(np.arange(25) % 4 != 1)
DOUBTS = np.array(["", "tiny", "", "", "soft"] * 4 + ["empty", "", "nearly_full", "border", ""])
AGREEMENT = np.random.default_rng(1).uniform(0.2, 1, 25)
PAIRS = [(2, 9), (3, 17), (9, 20)]  # 20 is near none that is left
SAMPLE = np.flatnonzero(LABELS)[::2].copy()


def pictures(rows, **changed):
    """Those of some of the photos."""
    paths = [f"{row}.jpg" for row in rows]
    return SimpleNamespace(**{
        "labels": LABELS[rows], "probed": PROBED, "draws": DRAWS, "seed": SEED, "input_px": 100, "gallery": None,
        "doubts": list(DOUBTS[rows]), "second_kind": SimpleNamespace(name="isnet", mark="9f"),
        "second_doubts": ["", *DOUBTS[rows][1:-1], "soft"],
        "agreement": torch.from_numpy(AGREEMENT[rows]), "second_pool": SimpleNamespace(name="9 of walls"),
        "places": None, "near_duplicates": PAIRS, "mirrored": [],
        "table": pd.DataFrame({"path": paths, "class_name": LABELS[rows].astype(str)}),
    } | changed)  # fmt: skip


def embeddings():
    """Random ones of a little sense, of every view."""
    source = torch.Generator().manual_seed(3)
    centres, found = torch.randn(6, 6, generator=source), {}
    for view in views.names(DRAWS, second_kind=True, second_pool=True):
        of_view = PROBED if view in views.PROBES else np.arange(len(LABELS))
        labels = torch.from_numpy(LABELS[of_view])
        noise = 0.5 if view == "clean" else 0.9
        found[view] = normalize(centres[labels] + noise * torch.randn(len(labels), 6, generator=source), dim=1)
    return found


EVERY, OF_ALL = np.arange(len(LABELS)), embeddings()


def right(queries, gallery=None, of=EVERY, kept=None):
    """Whether what is nearest is of the class, NaN of lone queries and of photos that are not among the `kept`."""
    queries, gallery = (OF_ALL[view].double().numpy() for view in (queries, gallery or queries))
    place = {row: number for number, row in enumerate(of)}
    found, kept = np.full(len(LABELS), np.nan), of if kept is None else kept
    for row in kept:
        others = [other for other in kept if other != row]
        if LABELS[row] in LABELS[others]:
            own = queries[place[row]] if len(queries) == len(of) else queries[row]
            seen = [gallery[place[other]] if len(gallery) == len(of) else gallery[other] for other in others]
            found[row] = LABELS[others[int(np.argmax(seen @ own))]] == LABELS[row]
    return found


def drawn(of="", **how):
    return np.mean([right(f"{of}swapped/{draw}", **how) for draw in range(DRAWS)], axis=0)


def near(estimate):
    """But for how many are undefined: queries without an answer are not among the scores."""
    return pytest.approx({name: of for name, of in estimate.items() if name != "undefined"}, abs=1e-5)


def estimated(values, wholes=None):
    """Their estimate, with the interval."""
    asked = {"": sums(values, LABELS, wholes)}
    found = estimates(asked, lambda: generator(SEED, "audit intervals"))[""].as_json()
    return {name: of for name, of in found.items() if name != "undefined"}


LEVEL = np.array([((label == LABELS).sum() - 1) / 24 for label in LABELS])
CLEAN, SWAPPED = right("clean"), drawn()


def share(swapped):
    """Of what is found beyond guessing, what is kept."""
    return estimated(swapped - LEVEL, CLEAN - LEVEL)


@pytest.fixture(scope="module")
def found():
    return Measures(pictures(EVERY), OF_ALL).all()


def recall(estimates):
    return near(estimates["recall_at_1"])


def test_scores_are_of_the_view_in_the_gallery_that_they_name(found):
    expected = {("clean", "clean"): CLEAN, ("swapped", "swapped"): SWAPPED}
    expected["swapped", "clean"] = np.mean([right(f"swapped/{draw}", "clean") for draw in range(DRAWS)], axis=0)
    expected["clean", "swapped"] = np.mean([right("clean", f"swapped/{draw}") for draw in range(DRAWS)], axis=0)
    for (view, gallery), values in expected.items():
        assert estimated(values) == recall(found["matrix"][view][gallery]), (view, gallery)
    assert found["chance"]["recall_at_1"] == pytest.approx(LEVEL[~np.isnan(CLEAN)].mean())
    for view in views.OBJECT_ONLY:
        assert estimated(right(view)) == recall(found["views"][view]), view
    for view in views.BACKGROUND_ONLY | views.MIXED | views.PASTED:
        assert estimated(right(view, of=PROBED)) == recall(found["views"][view]), view
    for view in views.BACKGROUND_ONLY:
        in_clean = estimated(right(view, "clean", of=PROBED))
        assert in_clean == recall(found["background_only_against_clean"][view]), view
    assert estimated(right("mixed_other", "clean", of=PROBED)) == recall(found["mixed_other_against_clean"])


def test_photos_without_their_object_are_held_against_a_guess_among_these():
    others = [(LABELS[row] == np.delete(LABELS[PROBED], place)).mean() for place, row in enumerate(PROBED)]
    guessed = np.mean([share for share in others if share])
    assert Measures(pictures(EVERY), OF_ALL).chance_of_probed() == pytest.approx(guessed)
    assert Measures(pictures(EVERY, probed=PROBED[:0]), OF_ALL).chance_of_probed() is None


def test_differences_are_of_the_same_queries_in_the_order_that_they_name(found):
    assert estimated(CLEAN - SWAPPED) == recall(found["drop"])
    assert share(SWAPPED) == near(found["kept"])
    assert estimated(right("foreground_grey") - SWAPPED) == recall(found["grey_gain"])
    same, random = (right(view, of=PROBED) for view in ("mixed_same", "mixed_rand"))
    assert estimated(same - random) == recall(found["gap"])
    for view in views.PASTED:
        lost = right("clean", kept=PROBED) - right(view, of=PROBED)
        assert estimated(lost) == recall(found["pasting"][view]), view
    for change in views.CHANGES:
        changed, first = right(f"swapped/{change}"), right("swapped/0")
        assert estimated(CLEAN - changed) == recall(found["mask_doubt"][f"drop_{change}"]), change
        assert estimated(first - changed) == recall(found["mask_doubt"][f"moved_{change}"]), change


def test_what_hangs_on_few_photos_is_searched_again_without_them(found):
    kept = np.flatnonzero(DOUBTS == "")
    assert estimated(right("clean", kept=kept) - drawn(kept=kept)) == recall(found["mask_doubt"]["drop_without"])
    kept = np.setdiff1d(EVERY, [9, 17])
    assert estimated(right("clean", kept=kept)) == recall(found["near_duplicates"]["clean_without"])
    assert estimated(right("clean", kept=kept) - drawn(kept=kept)) == recall(found["near_duplicates"]["drop_without"])
    assert (found["near_duplicates"]["photos"], found["near_duplicates"]["pair_count"]) == (5, 3)


def test_masks_in_doubt_are_named_by_what_is_wrong_with_them_and_near_duplicates_by_pairs(found, monkeypatch):
    named = {kind: sorted(f"{row}.jpg" for row in np.flatnonzero(kind == DOUBTS)) for kind in set(DOUBTS) - {""}}
    named["full"] = named.pop("nearly_full")
    assert found["mask_doubt"]["flagged"] == named and found["mask_doubt"]["radius_px"] == 2
    assert found["second_masks"]["flagged"] == {"empty": 1, "border": 1, "full": 1, "tiny": 4, "soft": 5}
    pairs = [[f"{one}.jpg", f"{other}.jpg"] for one, other in PAIRS]
    assert found["near_duplicates"]["pairs"] == pairs
    monkeypatch.setattr(doubts, "MOST_PAIRS", 2)
    listed = doubts.of_photos(pictures(EVERY), {})
    assert (listed["pairs"], listed["pair_count"]) == (pairs[:2], 3)


def grid(of=""):
    return [OF_ALL[f"{of}grid/{number}"] for number in range(views.GRID)]


def test_measures_over_the_same_backgrounds_are_of_all_of_them(found):
    hits, labels = (
        np.array([right(f"grid/{number}", "clean") for number in range(views.GRID)]),
        torch.from_numpy(LABELS),
    )
    assert estimated(hits.min(0)) == near(found["worst_of_backgrounds"]["worst"])
    assert estimated(hits.mean(0)) == near(found["worst_of_backgrounds"]["mean"])
    for name, of in (
        ("conflict", background_bias.conflict(grid(), labels)),
        ("invariance", invariance.invariance(grid())),
    ):
        assert estimated(of.numpy()) == near(found[name])
    assert found["variance"]["random"] == pytest.approx(invariance.random_shares(25, views.GRID)._asdict())
    shares = invariance.variance_shares(grid())
    assert found["variance"]["background"]["value"] == pytest.approx(shares.background, abs=1e-5)


def test_second_masks_and_a_second_pool_are_held_against_the_first(found):
    conflicts = [
        background_bias.conflict(grid(of), torch.from_numpy(LABELS)).numpy() for of in ("", "second/", "pool/")
    ]
    second, pool = found["second_masks"], found["second_backgrounds"]
    for of, number, part in (("second/", 1, second), ("pool/", 2, pool)):
        other = drawn(of)
        assert estimated(other) == recall(part["swapped"]) and estimated(CLEAN - other) == recall(part["drop"])
        assert share(other) == near(part["kept"])
        assert estimated(conflicts[number]) == near(part["conflict"])
    assert estimated(drawn("second/") - SWAPPED) == recall(second["moved"])  # the drop by the first less that by these
    assert estimated(SWAPPED - drawn("pool/")) == recall(pool["moved"])  # the drop on these less that on the first
    assert estimated(conflicts[2] - conflicts[0]) == near(pool["conflict_moved"])
    kept = np.flatnonzero(AGREEMENT >= 0.5)
    for of, name in (("", "drop_agreed"), ("second/", "second_drop_agreed")):
        assert estimated(right("clean", kept=kept) - drawn(of, kept=kept)) == recall(second[name]), name
    assert estimated(AGREEMENT) == near(second["agreement"])
    assert second["unlike_share"] == pytest.approx((AGREEMENT < 0.5).mean())


def test_a_sample_of_queries_has_the_figures_of_these_in_the_gallery_as_it_is():
    def some(values):
        return np.where(np.isin(EVERY, SAMPLE), values, np.nan)

    table, pairs = pictures(EVERY).table, [(SAMPLE[1], np.setdiff1d(EVERY, SAMPLE)[0]), (SAMPLE[4], SAMPLE[6])]
    gallery = Gallery(table.assign(class_id=LABELS), len(LABELS), SAMPLE, None, None, "")
    of_sample = {view: of if view == "clean" else of[SAMPLE] for view, of in OF_ALL.items() if view not in views.PROBES}
    measured = Sampled(pictures(SAMPLE, gallery=gallery, second_pool=None, near_duplicates=pairs), of_sample)
    found, columns = measured.all(), measured.columns()
    seen = {view: some(right(view, "clean")) for view in of_sample}
    first, second = (np.mean([seen[f"{of}swapped/{draw}"] for draw in range(DRAWS)], axis=0) for of in ("", "second/"))
    clean, level, hits = seen["clean"], LEVEL, np.array([seen[f"grid/{number}"] for number in range(views.GRID)])
    assert estimated(clean) == recall(found["matrix"]["clean"]["clean"])
    assert estimated(first) == recall(found["matrix"]["swapped"]["clean"])
    assert estimated(clean - first) == recall(found["drop"])
    assert estimated(first - level, clean - level) == near(found["kept"])
    assert found["chance"]["recall_at_1"] == pytest.approx(level[SAMPLE].mean())
    for change in views.CHANGES:
        changed = seen[f"swapped/{change}"]
        assert estimated(clean - changed) == recall(found["mask_doubt"][f"drop_{change}"]), change
        assert estimated(seen["swapped/0"] - changed) == recall(found["mask_doubt"][f"moved_{change}"]), change
    by_second = {"swapped": second, "drop": clean - second, "moved": second - first}
    for name, values in by_second.items():
        assert estimated(values) == recall(found["second_masks"][name]), name
    assert estimated(second - level, clean - level) == near(found["second_masks"]["kept"])
    assert estimated(hits.min(0)) == near(found["worst_of_backgrounds"]["worst"])
    assert estimated(hits.mean(0)) == near(found["worst_of_backgrounds"]["mean"])
    alone, doubles = ~np.isin(EVERY, [row for pair in pairs for row in pair]), found["near_duplicates"]
    assert estimated(np.where(alone, clean, np.nan)) == recall(doubles["clean_without"])
    assert estimated(np.where(alone, clean - first, np.nan)) == recall(doubles["drop_without"])
    assert (doubles["queries"], doubles["pair_count"]) == (3, 2)
    assert doubles["pairs"] == [[f"{one}.jpg", f"{other}.jpg"] for one, other in pairs]
    assert [found["sample"][name] for name in ("queries", "of", "gallery")] == [12, 24, 25]
    for name, values in (("clean", clean), ("drop", clean - first)):
        assert found["sample"]["adds"][name] == pytest.approx(sample.adds(values[SAMPLE], 24))
    of_columns = {"recall_at_1_swapped_in_clean": first, "recall_at_1_drop_in_clean": clean - first}
    of_columns |= {f"recall_at_1_{name}_second": values for name, values in by_second.items()}
    for name, values in of_columns.items():
        assert columns[name] == pytest.approx(values[SAMPLE]), name
    assert "conflict_second" not in columns and columns["mask_agreement"].tolist() == AGREEMENT[SAMPLE].tolist()
