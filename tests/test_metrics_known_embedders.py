"""The instrument itself: embedders that see the object alone, the background alone, or nothing, have known scores.

Objects and scenes are random vectors. Every class has its own kind of scene, as in a biased dataset: so who sees the
background alone finds the class on clean photos, and must fall to chance when the background is swapped.
"""

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from bgbias.audit.mixed import mixed_rand, mixed_same
from bgbias.metrics.background_bias import background_gap, conflict, over_backgrounds
from bgbias.metrics.bootstrap import estimate
from bgbias.metrics.chance import chance
from bgbias.metrics.invariance import invariance, random_shares, variance_shares
from bgbias.metrics.retrieval import per_query

CLASSES, PHOTOS, BACKGROUNDS, DIMENSIONS = 100, 600, 5, 64
LABELS = torch.arange(PHOTOS)[torch.randperm(PHOTOS, generator=torch.Generator().manual_seed(1))] % CLASSES


class World:
    """Random directions, the same in every run."""

    def __init__(self):
        """Start from the seed."""
        self.source = torch.Generator().manual_seed(0)

    def directions(self, *shape):
        return normalize(torch.randn(*shape, DIMENSIONS, generator=self.source), dim=-1)

    def of_classes(self):
        """A direction for each photo, close to that of its class."""
        return normalize(self.directions(CLASSES)[LABELS] + 0.3 * self.directions(PHOTOS), dim=1)


@pytest.fixture(scope="module", params=["object", "background", "random"])
def seen(request):
    """What an embedder sees, and its embeddings of every view."""
    world = World()
    embed = {
        "object": lambda objects, scenes: objects.expand(scenes.shape),
        "background": lambda objects, scenes: scenes,
        "random": lambda objects, scenes: world.directions(*scenes.shape[:-1]),
    }[request.param]
    objects, scenes = world.of_classes(), world.of_classes()
    same, rand = (draw(LABELS.numpy(), np.random.default_rng(0)) for draw in (mixed_same, mixed_rand))
    views = {
        "clean": embed(objects, scenes),
        "swapped": embed(objects, world.directions(PHOTOS)),
        "mixed_same": embed(objects, scenes[same]),
        "mixed_rand": embed(objects, scenes[rand]),
        "grid": embed(objects[:, None], world.directions(BACKGROUNDS).expand(PHOTOS, -1, -1)),
    }
    return request.param, views


def searches(views):
    """Clean and swapped queries in clean and swapped galleries."""
    names = ("clean", "swapped")
    return {(q, g): per_query(views[q], views[g], LABELS, [1]) for q in names for g in names}


def recall(found):
    return found["recall_at_1"].mean().item()


def test_clean_and_swapped_queries_and_galleries(seen):
    name, views = seen
    found = searches(views)
    at_chance = recall(chance(LABELS))
    expected = {
        "object": dict.fromkeys(found, 1.0),
        "background": {**dict.fromkeys(found, at_chance), ("clean", "clean"): 1.0},
        "random": dict.fromkeys(found, at_chance),
    }[name]
    for cell, scores in found.items():
        assert recall(scores) == pytest.approx(expected[cell], abs=0.03), cell


def test_drop_of_who_sees_the_object_alone_is_zero_for_every_query(seen):
    name, views = seen
    found = searches(views)
    drop = found["clean", "clean"]["map_at_r"] - found["swapped", "swapped"]["map_at_r"]
    assert bool((drop == 0).all()) == (name == "object")


@pytest.mark.parametrize("gallery", ["clean", "its own view"])
def test_background_gap(seen, gallery):
    name, views = seen
    same, rand = (
        per_query(views[view], views["clean" if gallery == "clean" else view], LABELS, [1])
        for view in ("mixed_same", "mixed_rand")
    )
    gap = background_gap(same, rand)["recall_at_1"]
    if name == "object":
        assert (gap == 0).all()
    else:  # by chance a random background is of the right class
        expected = {"background": 1 - recall(chance(LABELS)), "random": 0}[name]
        assert gap.mean().item() == pytest.approx(expected, abs=0.04)


def test_conflict(seen):
    name, views = seen
    found = conflict(views["grid"].unbind(1), LABELS)
    if name == "random":
        assert found.mean().item() == pytest.approx(0.5, abs=0.02)
    else:
        assert (found == {"object": 0, "background": 1}[name]).all()


def test_worst_and_mean_over_backgrounds(seen):
    name, views = seen
    found = over_backgrounds(views["grid"].unbind(1), views["clean"], LABELS)
    at_chance = recall(chance(LABELS))
    mean, worst = {"object": (1, 1), "background": (at_chance, 0), "random": (at_chance, at_chance**BACKGROUNDS)}[name]
    assert found["mean"].mean().item() == pytest.approx(mean, abs=0.02)
    assert found["worst"].mean().item() == pytest.approx(worst, abs=0.01)


def test_invariance(seen):
    name, views = seen
    found = invariance(views["grid"].unbind(1)).mean().item()
    assert found == pytest.approx({"object": 1, "background": 0, "random": 0}[name], abs=0.01)


def test_variance_shares(seen):
    name, views = seen
    expected = {"object": (1, 0, 0), "background": (0, 1, 0), "random": random_shares(PHOTOS, BACKGROUNDS)}[name]
    assert variance_shares(views["grid"].unbind(1)) == pytest.approx(expected, abs=0.01)


def test_intervals_hold_the_known_answer(seen):
    name, views = seen
    found = per_query(views["swapped"], views["swapped"], LABELS, [1])
    interval = estimate(found["recall_at_1"], LABELS[found["rows"]], np.random.default_rng(0))
    expected = 1 if name == "object" else recall(chance(LABELS))
    assert interval.low <= expected <= interval.high
    assert (interval.queries, interval.classes, interval.undefined) == (PHOTOS, CLASSES, 0)
