"""What the background does to retrieval: by hand, by brute force, and what must not matter."""

import pytest
import torch
from random_tensors import random_grid
from torch.nn.functional import normalize

from bgbias.metrics import background_bias
from bgbias.metrics.background_bias import background_gap, conflict, over_backgrounds
from bgbias.metrics.retrieval import per_query

LABELS = torch.tensor([0, 1, 0, 2, 1, 0, 2, 1, 3])  # 3 is lone


def brute_force_conflict(grid, labels, i):
    """All rivals and friends of an anchor, one at a time."""
    photos, backgrounds = range(len(labels)), range(grid.shape[1])
    outcomes = []
    for b in backgrounds:
        for rival in (j for j in photos if labels[j] != labels[i]):
            for friend in (j for j in photos if labels[j] == labels[i] and j != i):
                for other in (c for c in backgrounds if c != b):
                    ahead = (grid[i, b] * (grid[rival, b] - grid[friend, other])).sum().item()
                    outcomes.append(0.5 if abs(ahead) < 1e-9 else float(ahead > 0))
    return sum(outcomes) / len(outcomes) if outcomes else None


def test_background_gap_is_the_difference_of_each_query():
    same, rand, gallery = random_grid().unbind(1)
    same, rand = (per_query(queries, gallery, LABELS, [1]) for queries in (same, rand))
    gap = background_gap(same, rand)
    assert gap.keys() == same.keys() and torch.equal(gap["rows"], same["rows"])
    for name in ("recall_at_1", "map_at_r", "r_precision"):
        assert torch.equal(gap[name], same[name] - rand[name])


def test_a_gap_of_different_queries_is_refused():
    first, second = ({"rows": torch.tensor([0, row])} for row in (1, 2))
    with pytest.raises(ValueError, match="mixed_same and mixed_rand are of different queries"):
        background_gap(first, second)


def test_worst_and_mean_over_backgrounds_by_hand():
    # gallery: two of class 0 at 0 degrees, two of class 1 at 90; queries see 0 or 90 as the background has it
    gallery, labels = torch.eye(2)[[0, 0, 1, 1]], torch.tensor([0, 0, 1, 1])
    grid = torch.stack([torch.eye(2)[rows] for rows in ([0, 0, 1, 1], [0, 1, 1, 0], [0, 1, 1, 0])], 1)
    found = over_backgrounds(grid.unbind(1), gallery, labels)
    assert found["worst"].tolist() == [1, 0, 1, 0]
    assert found["mean"].tolist() == pytest.approx([1, 1 / 3, 1, 1 / 3])


def test_worst_over_backgrounds_is_at_most_the_mean_and_every_background():
    grid = random_grid()
    gallery = grid[:, 0]
    found = over_backgrounds(grid.unbind(1), gallery, LABELS)
    single = [per_query(queries, gallery, LABELS, [1])["recall_at_1"] for queries in grid.unbind(1)]
    assert torch.equal(found["worst"], torch.stack(single).prod(0))
    assert torch.allclose(found["mean"], sum(single) / 3)
    assert found["rows"].tolist() == list(range(8))  # the lone query is not counted


def test_conflict_by_hand():
    # degrees; class 0: photos 0 and 1, class 1: photo 2; two backgrounds
    angles = torch.deg2rad(torch.tensor([[0.0, 40.0], [10.0, 50.0], [20.0, 90.0]]))
    grid = torch.stack([angles.cos(), angles.sin()], 2)
    found = conflict(grid.unbind(1), torch.tensor([0, 0, 1]))
    # photo 0: on 0 at 0, rival 20, friend 50: lost; on 1 at 40, rival 90, friend 10: won
    # photo 1: on 0 at 10, rival 20, friend 40: lost; on 1 at 50, rival 90, friend 0: lost
    assert found[:2].tolist() == [0.5, 1]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_conflict_equals_brute_force(seed):
    grid = random_grid(seed=seed).double()
    found = conflict(grid.unbind(1), LABELS)
    for i in range(8):
        assert found[i].item() == pytest.approx(brute_force_conflict(grid, LABELS, i))


def test_conflict_taken_in_small_parts_is_the_same(monkeypatch):
    grid, labels = random_grid(photos=40).unbind(1), torch.arange(40) % 7
    found = conflict(grid, labels)
    for name, size in (("AT_ONCE", 4), ("COLUMNS", 3), ("FRIENDS", 30)):
        monkeypatch.setattr(background_bias, name, size)
        assert torch.equal(conflict(grid, labels), found), name
    assert max(sum(len(anchors) for anchors, _ in pieces) for pieces in background_bias._pieces(labels, 3)) <= 8


def test_random_trials_of_conflict_agree_with_the_enumeration():
    grid, source = random_grid(), torch.Generator().manual_seed(0)
    rival, friend = torch.randint(9, (2, 40_000), generator=source)
    b, other = torch.randint(3, (2, 40_000), generator=source)
    valid = (LABELS[rival] != LABELS[0]) & (LABELS[friend] == LABELS[0]) & (friend != 0) & (b != other)
    rival, friend, b, other = (drawn[valid] for drawn in (rival, friend, b, other))
    ahead = (grid[0, b] * (grid[rival, b] - grid[friend, other])).sum(1) > 0
    assert ahead.double().mean().item() == pytest.approx(conflict(grid.unbind(1), LABELS)[0].item(), abs=0.02)


def test_equally_similar_rival_and_friend_count_half():
    assert conflict(normalize(torch.ones(4, 3, 7), dim=2).unbind(1), torch.tensor([0, 0, 1, 1])).tolist() == [0.5] * 4


def test_conflict_of_a_lone_photo_is_undefined_but_it_is_a_rival():
    found = conflict(random_grid().unbind(1), LABELS)
    assert found.isnan().tolist() == [False] * 8 + [True]
    assert not torch.allclose(found[:8], conflict(random_grid()[:8].unbind(1), LABELS[:8]))


def test_order_of_photos_and_names_of_classes_change_no_conflict():
    grid, order = random_grid(), torch.randperm(9, generator=torch.Generator().manual_seed(1))
    found = conflict(grid[order].unbind(1), 10 - LABELS[order])
    assert torch.allclose(found, conflict(grid.unbind(1), LABELS)[order], equal_nan=True)


def test_conflict_without_rivals_or_of_other_photos_is_refused():
    with pytest.raises(ValueError, match="all photos are of one class: there is no rival"):
        conflict(random_grid().unbind(1), torch.zeros(9))
    with pytest.raises(ValueError, match="8 labels of 9 photos"):
        conflict(random_grid().unbind(1), LABELS[:8])
