"""The instrument itself: embedders that see objects, backgrounds, both in known shares, or nothing have known scores.

Objects and scenes are random vectors. Every class has its own kind of scene, as in a biased dataset: so who sees the
background alone finds the class on clean photos, and must fall to chance when the background is swapped.
"""

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from bgbias.audit.inputs.mixed import mixed_other, mixed_rand, mixed_same
from bgbias.metrics.background_bias import background_gap, conflict, over_backgrounds
from bgbias.metrics.bootstrap import estimate
from bgbias.metrics.chance import chance
from bgbias.metrics.invariance import invariance, random_shares, variance_shares
from bgbias.metrics.retrieval import per_query

CLASSES, PHOTOS, BACKGROUNDS, DIMENSIONS = 100, 600, 5, 64
WEIGHTS = {  # of object and scene
    "object": (1, 0),
    "background": (0, 1),
    "mostly object": (1, 0.6),
    "mostly background": (1, 1.5),
}
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


@pytest.fixture(scope="module", params=[*WEIGHTS, "random"])
def seen(request):
    """What an embedder sees, and its embeddings of every view."""
    world = World()

    def embed(objects, scenes):
        if request.param == "random":
            return world.directions(*scenes.shape[:-1])
        weights = WEIGHTS[request.param]
        return normalize(torch.cat([weights[0] * objects.expand(scenes.shape), weights[1] * scenes], -1), dim=-1)

    objects, scenes = world.of_classes(), world.of_classes()
    draws = (mixed_same, mixed_rand, mixed_other)
    same, rand, other = (draw(LABELS.numpy(), np.random.default_rng(0)) for draw in draws)
    views = {
        "clean": embed(objects, scenes),
        "swapped": embed(objects, world.directions(PHOTOS)),
        "mixed_same": embed(objects, scenes[same]),
        "mixed_rand": embed(objects, scenes[rand]),
        "mixed_other": embed(objects, scenes[other]),
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
        "mostly object": dict.fromkeys(found, 1.0),
        "mostly background": {**dict.fromkeys(found, 0.85), ("clean", "clean"): 1.0},
        "random": dict.fromkeys(found, at_chance),
    }[name]
    for cell, scores in found.items():
        assert recall(scores) == pytest.approx(expected[cell], abs=0.15 if expected[cell] == 0.85 else 0.03), cell


def test_drop_of_who_sees_the_object_alone_is_zero_for_every_query(seen):
    name, views = seen
    found = searches(views)
    drop = found["clean", "clean"]["map_at_r"] - found["swapped", "swapped"]["map_at_r"]
    assert bool((drop == 0).all()) == (name in ("object", "mostly object"))  # the object is the same everywhere


def test_mixed_views(seen):
    name, views = seen
    galleries = {"mixed_same": "mixed_same", "mixed_rand": "mixed_rand", "mixed_other": "clean"}
    found = [recall(per_query(views[view], views[gallery], LABELS, [1])) for view, gallery in galleries.items()]
    at_chance = recall(chance(LABELS))
    expected = {
        "object": (1, 1, 1),
        "background": (1, at_chance, 0),
        "mostly object": (1, 1, 1),
        "mostly background": (1, at_chance, 0),
        "random": (at_chance, at_chance, at_chance),
    }[name]
    assert found == pytest.approx(expected, abs=0.06 if name == "mostly background" else 0.02)


def test_the_gap_is_nil_where_backgrounds_tell_nothing_but_not_among_clean_photos():
    scenes = World().directions(PHOTOS)  # that of a photo, not of its class
    gaps = {}
    for gallery in ("own", "clean"):
        same, rand = (scenes[draw(LABELS.numpy(), np.random.default_rng(0))] for draw in (mixed_same, mixed_rand))
        searches = [per_query(view, view if gallery == "own" else scenes, LABELS, [1]) for view in (same, rand)]
        gaps[gallery] = recall(background_gap(*searches))
    assert gaps == {"own": pytest.approx(0, abs=0.02), "clean": pytest.approx(1, abs=0.02)}


@pytest.mark.parametrize("gallery", ["clean", "its own view"])
def test_background_gap(seen, gallery):
    name, views = seen
    same, rand = (
        per_query(views[view], views["clean" if gallery == "clean" else view], LABELS, [1])
        for view in ("mixed_same", "mixed_rand")
    )
    gap = background_gap(same, rand)["recall_at_1"]
    if name in ("object", "mostly object"):
        assert (gap == 0).all()
    else:  # by chance a random background is of the right class
        expected = {"random": 0}.get(name, 1 - recall(chance(LABELS)))
        assert gap.mean().item() == pytest.approx(expected, abs=0.06)


def test_conflict(seen):
    name, views = seen
    found = conflict(views["grid"].unbind(1), LABELS)
    if name == "random":
        assert found.mean().item() == pytest.approx(0.5, abs=0.02)
    else:  # 0 is also of who sees some background, and 1 of who sees some object
        assert ((found - float("background" in name)).abs() < 0.01).all()


def test_worst_and_mean_over_backgrounds(seen):
    name, views = seen
    found = over_backgrounds(views["grid"].unbind(1), views["clean"], LABELS)
    at_chance = recall(chance(LABELS))
    mean, worst = (found[name].mean().item() for name in ("mean", "worst"))
    if name == "mostly background":
        assert at_chance < worst < mean - 0.1 < 0.9
        return
    expected = {"background": (at_chance, 0), "random": (at_chance, at_chance**BACKGROUNDS)}.get(name, (1, 1))
    assert (mean, worst) == pytest.approx(expected, abs=0.02)


def test_invariance(seen):
    name, views = seen
    found = invariance(views["grid"].unbind(1)).mean().item()
    objects, scenes = WEIGHTS.get(name, (0, 1))
    assert found == pytest.approx(objects**2 / (objects**2 + scenes**2), abs=0.01)


def test_variance_shares(seen):
    name, views = seen
    objects, scenes = WEIGHTS.get(name, (0, 1))
    varied = scenes**2 * (1 - 1 / BACKGROUNDS)  # about the mean of so few
    photo = objects**2 / (objects**2 + varied)
    expected = random_shares(PHOTOS, BACKGROUNDS) if name == "random" else (photo, 1 - photo, 0)
    assert variance_shares(views["grid"].unbind(1)) == pytest.approx(expected, abs=0.01)


def test_intervals_hold_the_known_answer(seen):
    name, views = seen
    found = per_query(views["swapped"], views["swapped"], LABELS, [1])
    interval = estimate(found["recall_at_1"], LABELS[found["rows"]], np.random.default_rng(0))
    if name != "mostly background":  # of whom no more is known than that it lies between
        expected = 1 if "object" in name else recall(chance(LABELS))
        assert interval.low <= expected <= interval.high
    assert (interval.queries, interval.classes, interval.undefined) == (PHOTOS, CLASSES, 0)
