"""Invariance and variance shares: by hand, by brute force, and what random embeddings give."""

import numpy as np
import pytest
import torch
from random_tensors import random_grid
from torch.nn.functional import normalize

from bgbias.metrics import invariance as metrics
from bgbias.metrics.bootstrap import expanded_interval
from bgbias.metrics.invariance import RESAMPLES, invariance, random_shares, variance_estimates, variance_shares


def test_invariance_by_hand():
    # photo 0 stays at 0 degrees, photo 1 goes from 90 to 150; cosines on unlike backgrounds: 1, 1/2 within,
    # cos 150 = -0.866 and cos 90 = 0 between
    angles = torch.deg2rad(torch.tensor([[0.0, 0.0], [90.0, 150.0]]))
    found = invariance(torch.stack([angles.cos(), angles.sin()], 2).unbind(1))
    between = -(3**0.5) / 4
    assert found.tolist() == pytest.approx([1, (0.5 - between) / (1 - between)])


def test_invariance_equals_brute_force():
    grid = random_grid(7, 4, 6)
    n, k, _ = grid.shape
    unlike = [(b, c) for b in range(k) for c in range(k) if b != c]
    between = [(grid[i, b] @ grid[j, c]).item() for i in range(n) for j in range(n) for b, c in unlike if i != j]
    between = sum(between) / len(between)
    for i, found in enumerate(invariance(grid.unbind(1)).tolist()):
        within = sum((grid[i, b] @ grid[i, c]).item() for b, c in unlike) / len(unlike)
        assert found == pytest.approx((within - between) / (1 - between), abs=1e-6)


def test_variance_shares_by_hand():
    # on a circle: photo 0 at 0 and 90 degrees, photo 1 at 90 and 180: x = (1,0) (0,1) / (0,1) (-1,0)
    grid = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [-1.0, 0.0]]])
    # mean (0, 1/2); photos' means (1/2, 1/2), (-1/2, 1/2): 2 * (1/4 + 1/4) = 1; backgrounds the same; total 3
    assert variance_shares(grid.unbind(1)) == pytest.approx((1 / 3, 1 / 3, 1 / 3))


def test_variance_shares_equal_brute_force_and_sum_to_one():
    grid = random_grid(7, 4, 6).double()
    n, k, _ = grid.shape
    mean = grid.mean((0, 1))
    cells = [(i, b) for i in range(n) for b in range(k)]
    photo = sum((grid[i].mean(0) - mean).square().sum() for i, _ in cells)
    background = sum((grid[:, b].mean(0) - mean).square().sum() for _, b in cells)
    rest = sum((grid[i, b] - grid[i].mean(0) - grid[:, b].mean(0) + mean).square().sum() for i, b in cells)
    total = sum((grid[i, b] - mean).square().sum() for i, b in cells)
    found = variance_shares(grid.unbind(1))
    assert found == pytest.approx([(part / total).item() for part in (photo, background, rest)])
    assert sum(found) == pytest.approx(1)


def test_the_intervals_of_the_shares_are_those_of_grids_put_together_from_the_classes_drawn():
    grid, labels = random_grid(11, 4, 6), torch.tensor([5, 2, 2, 0, 0, 0, 7, 7, 2, 5, 9])
    found = variance_estimates(grid.unbind(1), labels, np.random.default_rng(3))
    times = np.random.default_rng(3).multinomial(5, np.full(5, 1 / 5), size=RESAMPLES)
    rows = [torch.cat([(labels == kind).nonzero()[:, 0] for kind in np.repeat([0, 2, 5, 7, 9], drawn)])
            for drawn in times]  # fmt: skip
    drawn_anew = np.array([variance_shares(grid[some].unbind(1)) for some in rows])
    low, high = expanded_interval(drawn_anew, 5)
    for place, (name, share) in enumerate(variance_shares(grid.unbind(1))._asdict().items()):
        mirrored = max(0, 2 * share - high[place]), min(1, 2 * share - low[place])
        assert found[name][:3] == pytest.approx((share, *mirrored), abs=1e-9)
        assert found[name][3:] == (11, 5, 0)


def test_a_grid_is_taken_some_dimensions_at_a_time_and_figures_stay(monkeypatch):
    grid, labels = random_grid(11, 4, 6).unbind(1), torch.arange(11) % 4
    assert [part.shape for part in metrics._parts(grid)] == [(11, 4, 6)]
    found = invariance(grid), variance_estimates(grid, labels, np.random.default_rng(3))
    monkeypatch.setattr(metrics, "CELLS", 2 * 11 * 4)
    assert [part.shape for part in metrics._parts(grid)] == [(11, 4, 2)] * 3
    assert torch.allclose(invariance(grid), found[0], atol=1e-12)
    for name, share in variance_estimates(grid, labels, np.random.default_rng(3)).items():
        assert share == pytest.approx(found[1][name], abs=1e-12)


def test_shares_without_an_interval():
    grid, rng = random_grid(4, 4, 6), np.random.default_rng(0)
    one_class = variance_estimates(grid.unbind(1), torch.zeros(4), rng)["photo"]
    assert not np.isnan(one_class.value) and np.isnan([one_class.low, one_class.high]).all()
    alike = variance_estimates(normalize(torch.ones(3, 2, 5), dim=2).unbind(1), torch.arange(3), rng)
    assert np.isnan([share[:3] for share in alike.values()]).all()
    with pytest.raises(ValueError, match="3 labels of 4 photos"):
        variance_estimates(grid.unbind(1), torch.arange(3), rng)


def test_intervals_of_few_classes_hold_the_shares_of_many_like_these(monkeypatch):
    monkeypatch.setattr(metrics, "RESAMPLES", 300)
    many, seen, inside = 1000, 10, []  # classes, some at a time
    source = torch.Generator().manual_seed(0)
    kinds, own, places, noise = (torch.randn(*of, 32, generator=source) for of in
                                 ((many, 1, 1), (many, 4, 1), (1, 1, 4), (many, 4, 4)))  # fmt: skip
    grid = normalize(kinds + own + places + 2 * noise, dim=3)
    truth = variance_shares(grid.flatten(0, 1).unbind(1))._asdict()
    for start in range(0, many, seen):
        some = grid[start : start + seen].flatten(0, 1).unbind(1)
        found = variance_estimates(some, torch.arange(seen).repeat_interleave(4), np.random.default_rng(start))
        inside.append([found[name].low <= share <= found[name].high for name, share in truth.items()])
    assert (np.mean(inside, 0) >= 0.85).all()  # quantiles of resamples hold the background's share 7 times in 100


def test_orders_and_rotations_change_nothing():
    grid = random_grid(7, 4, 6)
    rotation, _ = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(1)))
    other = grid[[4, 2, 6, 0, 1, 5, 3]][:, [2, 0, 3, 1]] @ rotation
    assert variance_shares(other.unbind(1)) == pytest.approx(variance_shares(grid.unbind(1)), abs=1e-5)
    assert invariance(other.unbind(1)).mean().item() == pytest.approx(
        invariance(grid.unbind(1)).mean().item(), abs=1e-5
    )


def test_random_shares_are_the_mean_over_all_deals_of_given_vectors_to_a_grid():
    grid, source = random_grid(4, 3, 6), torch.Generator().manual_seed(0)
    deals = [grid.flatten(0, 1)[torch.randperm(12, generator=source)].reshape(grid.shape) for _ in range(3000)]
    mean = torch.tensor([variance_shares(deal.unbind(1)) for deal in deals]).mean(0)
    assert mean.tolist() == pytest.approx(random_shares(4, 3), abs=0.005)
    assert sum(random_shares(4, 3)) == pytest.approx(1)


def test_embeddings_that_are_all_alike_are_undefined():
    grid = normalize(torch.ones(3, 2, 5), dim=2)
    assert invariance(grid.unbind(1)).isnan().all()
    assert torch.tensor(variance_shares(grid.unbind(1))).isnan().all()


def test_what_rounding_leaves_of_many_embeddings_of_one_picture_has_no_shares():
    noise = torch.randn(1000, 4, 8, generator=torch.Generator().manual_seed(0))
    assert np.isnan(variance_shares((torch.eye(8)[0] + 1e-7 * noise).unbind(1))).all()


def test_ends_of_intervals_are_shares():
    """Of two classes that differ much, mirrored quantiles lie beyond."""
    photos = torch.tensor([[1.0, 0, 0], [1, 0, 0.2], [0, 1, 0], [0, 1, 0.2]])
    grid = [normalize(photos + torch.tensor([0, 0, shift])) for shift in (0.0, 0.5)]
    found = variance_estimates(grid, torch.tensor([0, 0, 1, 1]), np.random.default_rng(0))
    assert found["photo"].high == 1 and found["background"].low == 0


@pytest.mark.parametrize("measure", [invariance, variance_shares])
def test_what_is_no_grid_is_refused(measure):
    with pytest.raises(ValueError, match="two photos and backgrounds at least"):
        measure(random_grid(5, 1, 6).unbind(1))
    grid = random_grid(7, 4, 6)
    grid[0, 0] *= 2
    grid[0, 1] *= 0.5
    grid[1, 1] = torch.nan
    with pytest.raises(ValueError, match="3 of 28 embeddings are not finite or not of length 1"):
        measure(grid.unbind(1))
