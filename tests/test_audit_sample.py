"""An audit of some of a catalogue's queries: drawn without bias, and each with the figures of an audit of all."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from audited_shop import CLASSES, PHOTOS, SETTINGS, run

from bgbias import cache
from bgbias.audit.inputs import packs, sample
from bgbias.errors import InputError
from stages import compare

pytestmark = pytest.mark.usefixtures("in_the_shop")
SAME = {"recall_at_1_clean": "recall_at_1_clean", "recall_at_1_swapped_in_clean": "recall_at_1_swapped_in_clean"}
SAME |= {name: name for name in ("map_at_r_clean", "map_at_r_swapped_in_clean", "right_on_all", "right_on_one")}


@pytest.fixture(scope="module")
def some(shop, tmp_path_factory):
    """An audit of 20 of 48 queries."""
    folder = tmp_path_factory.mktemp("some")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(shop)
        return run(shop, folder, "mixture", queries=20) | {"folder": folder}


def test_every_query_is_as_likely_and_classes_have_their_share():
    labels = np.repeat(np.arange(6), [1, 2, 5, 10, 20, 40])  # class 0 is a lone query
    drawn = [sample.draw(labels, 11, seed) for seed in range(4000)]
    assert all(len(rows) == 11 and (np.diff(rows) > 0).all() for rows in drawn)
    times = np.bincount(np.concatenate(drawn), minlength=len(labels)) / len(drawn)
    assert times[0] == 0 and times[1:] == pytest.approx(11 / 77, abs=0.025)
    of_classes = np.array([np.bincount(labels[rows], minlength=6) for rows in drawn])
    share = 11 * np.array([0, 2, 5, 10, 20, 40]) / 77
    assert (np.abs(of_classes - share) < 1).all()
    apart = {sample.draw(np.array([3, 3, 3, 3, 5, 5]), 1, seed, gallery=2)[0] for seed in range(20)}
    assert apart == {2, 3}  # queries that have a photo of their class in the gallery
    assert any({70, 71} <= set(rows) for rows in drawn)  # also of photos that lie side by side, in no fixed step


def test_the_mean_over_samples_is_that_of_all_queries_and_drawing_adds_what_it_says():
    rng = np.random.default_rng(0)
    sizes = rng.integers(2, 60, 50)
    labels = np.repeat(np.arange(50), sizes)
    scores = (rng.random(len(labels)) < np.repeat(0.2 + 0.01 * sizes, sizes)).astype(float)  # large classes are easier
    values = [scores[sample.draw(labels, 200, seed)] for seed in range(2000)]
    means = np.array([found.mean() for found in values])
    assert abs(means.mean() - scores.mean()) < 4 * means.std() / len(means) ** 0.5
    by_class = np.mean([scores[labels == kind].mean() for kind in range(50)])
    assert abs(means.mean() - by_class) > 20 * means.std() / len(means) ** 0.5  # which is another figure
    within = np.abs(means - scores.mean()) <= [sample.adds(found, len(labels)) for found in values]
    assert 0.94 < within.mean() < 1


def test_each_query_scores_as_in_the_audit_of_all(some, audits):
    ours, whole = (pd.read_csv(one["folder"] / "queries.csv").set_index("path") for one in (some, audits["mixture"]))
    assert len(ours) == 20 and ours["class"].nunique() == CLASSES
    for name in SAME:
        assert ours[name].tolist() == pytest.approx(whole.loc[ours.index, name].tolist(), abs=1e-6), name
    lost = whole.recall_at_1_clean - whole.recall_at_1_swapped_in_clean
    assert ours.recall_at_1_drop_in_clean.tolist() == pytest.approx(lost[ours.index].tolist())
    assert some["drop"]["recall_at_1"]["value"] == pytest.approx(lost[ours.index].mean())
    assert some["matrix"]["swapped"]["clean"]["recall_at_1"]["queries"] == 20


def test_a_sample_of_all_queries_has_the_figures_of_the_audit_of_all(shop, tmp_path, monkeypatch, audits):
    monkeypatch.setattr(sample, "searchable", lambda labels, gallery: np.arange(len(labels) + 1))  # one too many
    monkeypatch.setattr(sample, "draw", lambda labels, count, seed, gallery: np.arange(len(labels)))
    found, whole = run(shop, tmp_path, "mixture", queries=CLASSES * PHOTOS), audits["mixture"]
    for view in ("clean", "swapped"):
        assert found["matrix"][view]["clean"] == whole["matrix"][view]["clean"]
    assert found["worst_of_backgrounds"] == whole["worst_of_backgrounds"]
    assert found["chance"] == pytest.approx(whole["chance"])
    assert found["second_masks"]["agreement"] == whole["second_masks"]["agreement"]


def test_more_queries_than_there_are_audit_all(shop, tmp_path, audits):
    found, whole = run(shop, tmp_path, "mixture", queries=1000), audits["mixture"]
    said = "--queries 1,000: there are 48, so all are audited, as without it."
    assert said in found["verdict"] and said not in whole["verdict"]
    for name in ("matrix", "drop", "kept", "gap", "conflict", "variance", "attention", "mask_doubt", "made_with"):
        assert found[name] == whole[name], name


CLEAN = "Recall@1 of clean photos"


@pytest.mark.parametrize(
    ("clean", "drop", "said"),
    [
        (
            0.012,
            0.0,
            f"adds up to 1.2 points to {CLEAN}, which the intervals hold. How much drawing adds to the drop is not",
        ),
        (
            0.0,
            1e-17,
            f" How much drawing adds to {CLEAN} and the drop is not known: there all drawn queries are alike. ",
        ),
    ],
)
def test_of_queries_that_are_all_alike_what_drawing_adds_is_not_said_to_be_nothing(clean, drop, said):
    of = {"queries": 3, "of": 48, "gallery": 48, "apart": False, "adds": {"clean": clean, "drop": drop}}
    assert said in sample.describe(of) and "0.0 points" not in sample.describe(of)
    one_each = sample.describe(of | {"one_each": True})
    assert " How much drawing adds to the drop is not known: there all drawn queries are alike. " in one_each


def test_the_verdict_says_what_was_drawn_and_what_that_adds(some):
    said = some["verdict"][2] if some["second_masks"] else some["verdict"][1]
    assert said == some["sample"]["said"]
    assert said.startswith("Audited are 20 of 48 queries, drawn by the seed from all classes in proportion")
    adds = some["sample"]["adds"]["drop"]
    assert 0.05 < adds < 0.3 and f"{100 * adds:.1f} points to the drop" in said
    assert "Not measured, for they need every photo on other backgrounds: swapped galleries, background gap" in said
    assert not {"gap", "conflict", "invariance", "variance", "views"} & set(some)


def test_the_page_shows_what_was_measured_and_no_more(some):
    page = (some["folder"] / "report.html").read_text()
    assert "the gallery stays as it is" in page and "<dt>queries</dt><dd>20</dd>" in page
    assert not [name for name in ("matrix", "views", "variance") if f'id="{name}"' in page]
    assert 'class="before-after"' in page and 'id="photos"' in page and 'id="attention"' in page
    assert " Maps show where it looks.</p>" in page and "Pair score</strong>" not in page


def test_a_repeated_audit_embeds_nothing_and_an_interrupted_one_goes_on(shop, tmp_path, capsys, monkeypatch):
    from bgbias.audit.measures import embeddings

    monkeypatch.setattr(embeddings, "PIECE", 16)
    decoded = []

    def broken(gallery, start, end):
        if start == 32:
            raise KeyboardInterrupt
        decoded.append(start)
        return made(gallery, start, end)

    made = embeddings._Gallery._made
    monkeypatch.setattr(embeddings._Gallery, "_made", broken)
    with pytest.raises(KeyboardInterrupt):
        run(shop, tmp_path, "leaning", queries=20, quick=True)
    assert f"\n{2 * 20 + 48} pictures of " in capsys.readouterr().out
    monkeypatch.setattr(embeddings._Gallery, "_made", lambda *asked: decoded.append(asked[1]) or made(*asked))
    found = run(shop, tmp_path, "leaning", queries=20, quick=True)
    assert decoded == [0, 16, 32] and "\n16 pictures of " in capsys.readouterr().out
    assert run(shop, tmp_path, "leaning", queries=20, quick=True) == found
    assert decoded == [0, 16, 32] and "all pictures have been embedded before" in capsys.readouterr().out
    assert "This audit is quick: two draws of swapped queries" in found["verdict"][-1]


def test_masks_are_made_of_the_queries_alone(shop, tmp_path, monkeypatch):
    asked = []
    made = packs.make_masks
    monkeypatch.setattr(
        packs, "make_masks", lambda table, *given, **how: asked.append(len(table)) or made(table, *given, **how)
    )
    run(shop, tmp_path, "mixture", queries=13, masks=None, mask_method="grabcut", quick=True)
    assert asked == [13]


def test_audits_of_other_samples_are_not_compared(shop, tmp_path, some):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("audited_shop.SETTINGS", dataclasses.replace(SETTINGS, seed=7))
        run(shop, tmp_path / "other", "mixture", queries=20)
    run(shop, tmp_path / "same", "leaning", queries=20)
    with pytest.raises(InputError, match="are of different samples of queries: audit all with the same --queries"):
        compare.main(SETTINGS, some["folder"], tmp_path / "other", None)
    compare.main(SETTINGS, some["folder"], tmp_path / "same", tmp_path / "compared.md")
    assert "points of Recall@1 less to swapped backgrounds" in (tmp_path / "compared.md").read_text()


def test_a_sample_is_the_same_whatever_version_of_the_code_drew_it(shop, tmp_path, some, monkeypatch):
    monkeypatch.setattr(cache, "loaded_code", lambda *packages: [Path(__file__)])
    again = run(shop, tmp_path, "mixture", queries=20, quick=True)
    assert again["made_with"] == some["made_with"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"queries": 0}, "--queries 0: expected 1 or more"),
        ({"queries": -5}, "--queries -5: expected 1 or more"),
        ({"queries": 1}, "--queries 1: all drawn are of one class, and intervals need 2: give more"),
        ({"queries": 9, "second_backgrounds": "photos"}, "--second-backgrounds photos: puts whole galleries there"),
    ],
)
def test_what_cannot_be_sampled_is_refused(shop, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        run(shop, tmp_path, "mixture", **options)
    assert not (tmp_path / "audit.json").exists()
