"""What is recovered for embedders whose answer is known."""

import pytest
import torch
from remedied import SEED, nothing_learnt, random, split_of, swaps_of_other_photos, world
from torch.nn.functional import normalize

from bgbias.remedies import projection
from bgbias.remedies.passes import Split
from bgbias.remedies.pictures import PASSES, REMEDIES
from bgbias.remedies.recovery import learn, measure


def measured(photos, name):
    tested = split_of(photos, name)
    return tested, measure(tested, tested, nothing_learnt(tested.views[0]["as_is"].shape[1]), SEED)


def test_masking_queries_changes_nothing_for_an_embedder_that_sees_the_object_alone(photos, few_resamples):
    tested, found = measured(photos, "object")
    for name in PASSES:
        assert torch.allclose(tested.views[1][name], tested.views[0]["as_is"], atol=1e-3), name
    for key, remedy in found.items():
        assert remedy["clean"]["recall_at_1"] == remedy["swapped"]["recall_at_1"] == 1, key
        assert remedy["recovered"]["recall_at_1"] == {"value": None, "low": None, "high": None}, key  # no drop


def test_behind_every_photo_the_same_background_recovers_what_the_object_alone_gives(photos, few_resamples):
    _, found = measured(photos, "both")
    assert found["as_is"]["swapped"]["recall_at_1"] < 0.9
    for key in ("grey_both", "swaps_4_both", "swaps_16_both"):
        assert found[key]["swapped"]["recall_at_1"] == 1, key
    assert found["own_swaps_4_both"]["swapped"]["recall_at_1"] < 1


def test_an_embedder_that_sees_the_background_alone_has_nothing_to_be_recovered(photos):
    tested = split_of(photos, "background")
    for passes in tested.views:
        for name in ("grey", "same_3"):
            assert torch.allclose(passes[name], passes[name][:1].expand_as(passes[name]))


def test_validation_chooses_to_remove_all_background_dimensions_and_all_of_the_drop_is_recovered(few_resamples):
    learnt = learn(swaps_of_other_photos(), world(100))
    assert list(learnt.tried["directions"]) == [0, 1, 2, 4] and len(learnt.directions) == 4
    assert learnt.matrix.shape == (12, 12) and list(learnt.tried["shrinkage"]) == list(projection.SHRINKAGES)
    assert learnt.movement[0] == 0 and learnt.movement[1] < learnt.movement[2] < learnt.movement[4]
    assert learnt.movement[4] == pytest.approx(1)
    found = measure(world(200), world(100), learnt, SEED)
    assert found["as_is"]["swapped"]["recall_at_1"] < 0.6
    assert found["removed"]["recovered"]["recall_at_1"]["value"] == pytest.approx(1, abs=0.03)
    assert found["whitened"]["recovered"]["recall_at_1"]["value"] > 0.9


def test_a_random_embedder_is_left_at_chance(few_resamples):
    def split(seed):
        views = [normalize(random(200, 12, seed=seed + number)) for number in range(3)]
        return Split(torch.arange(200) % 20, [dict.fromkeys(PASSES, view) for view in views])

    learnt = learn(normalize(random(50, 5, 12, seed=1), dim=2), split(10))
    for key, remedy in measure(split(20), split(10), learnt, SEED).items():
        assert remedy["swapped"]["recall_at_1"] == pytest.approx(9 / 199, abs=0.035), key


def test_every_fix_that_is_learnt_is_a_remedy():
    assert nothing_learnt(3).fixes().keys() == {remedy.fix for remedy in REMEDIES}


def test_what_would_leave_nothing_of_an_embedding_is_not_tried():
    swaps = normalize(torch.cat([random(30, 5, 4), torch.zeros(30, 5, 4)], 2), dim=2)
    embeddings = normalize(torch.cat([random(9, 4, seed=1), torch.zeros(9, 4)], 1))
    split = Split(torch.arange(9) % 3, [dict.fromkeys(PASSES, embeddings)] * 2)
    assert list(learn(swaps, split).tried["directions"]) == [0, 1, 2]
