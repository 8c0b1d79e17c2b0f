"""Intervals by bootstrap over classes: by hand, by a plain loop, and whether they cover."""

import itertools

import numpy as np
import pytest
import torch

from bgbias.metrics import bootstrap
from bgbias.metrics.bootstrap import estimate, estimates, expanded_interval, sums, times_drawn


def clustered(rng, classes=40):
    """Values that share an effect within a class, as queries of a product do; their mean is 0."""
    labels = np.repeat(np.arange(classes), rng.integers(5, 16, classes))
    return rng.normal(size=classes)[labels] + rng.normal(size=len(labels)), labels


def ratio(parts, wholes, labels, rng):
    return estimates({"ratio": sums(parts, labels, wholes)}, lambda: rng)["ratio"]


def coverage(monkeypatch, samples, by_class=True, classes=40):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 1000)
    rng, covered = np.random.default_rng(0), 0
    for _ in range(samples):
        values, labels = clustered(rng, classes)
        found = estimate(values, labels if by_class else np.arange(len(labels)), rng)
        covered += found.low <= 0 <= found.high
    return covered / samples


def test_the_interval_covers_the_truth_in_about_95_of_100_clustered_samples(monkeypatch):
    assert 0.90 <= coverage(monkeypatch, 300) <= 0.98


@pytest.mark.parametrize(("classes", "share"), [(5, 0.92), (10, 0.94), (20, 0.94)])
def test_intervals_of_few_classes_cover_nearly_as_often(monkeypatch, classes, share):
    assert coverage(monkeypatch, 1000, classes=classes) == pytest.approx(share, abs=0.025)


def test_intervals_of_few_classes_cover_less_often_where_a_few_classes_alone_score_badly(monkeypatch):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 1000)
    rng, labels, covered = np.random.default_rng(0), np.repeat(np.arange(10), 10), 0
    for _ in range(300):
        values = rng.random(100) < rng.beta(1.9, 0.1, 10)[labels]  # 0.95 on average, most of them near 1
        found = estimate(values, labels, rng)
        covered += found.low <= 0.95 <= found.high
    assert 0.70 <= covered / 300 <= 0.80


def test_resampling_queries_one_by_one_would_be_too_narrow(monkeypatch):
    assert coverage(monkeypatch, 60, by_class=False) < 0.70


def test_interval_equals_a_plain_loop():
    rng = np.random.default_rng(1)
    values, labels = clustered(rng, 12)
    classes, means = np.unique(labels), []
    for _ in range(4000):
        drawn = rng.choice(classes, len(classes))
        means.append(np.concatenate([values[labels == label] for label in drawn]).mean())
    found = estimate(values, labels, rng)
    assert (found.low, found.high) == pytest.approx(expanded_interval(np.array(means), 12), abs=0.05)
    assert found.value == pytest.approx(values.mean())


def test_few_classes_come_close_to_all_resamples():
    values = np.array([0.1, 0.35, 0.8, 0.9, 0.97])
    means = [np.mean(drawn) for drawn in itertools.product(values, repeat=5)]
    exact = expanded_interval(np.array(means), 5)
    assert estimate(values, np.arange(5), np.random.default_rng(0))[1:3] == pytest.approx(exact, abs=0.03)


def test_many_classes_of_a_query_each_come_close_to_the_normal_interval():
    values = np.random.default_rng(0).random(2000)
    half = 1.96 * values.std() / 2000**0.5
    found = estimate(values, np.arange(2000), np.random.default_rng(0))
    assert found[1:3] == pytest.approx((values.mean() - half, values.mean() + half), abs=0.05 * half)


def test_another_seed_moves_the_ends_by_some_hundredths_of_the_width():
    values = np.random.default_rng(0).beta(8, 2, size=20)
    intervals = [estimate(values, np.arange(20), np.random.default_rng(seed))[1:3] for seed in range(6)]
    assert len(set(intervals)) == 6 and np.ptp(intervals, axis=0).max() < 0.03 * np.diff(intervals[0])


def test_each_resample_counts_as_many_classes_as_there_are():
    times = times_drawn(7, 2000, np.random.default_rng(0))
    assert times.shape == (2000, 7) and (times.sum(1) == 7).all()
    assert times.mean(0) == pytest.approx(np.ones(7), abs=0.1)


def test_resamples_without_a_figure_are_left_out_of_the_interval():
    resampled = np.stack([np.arange(201.0), np.r_[np.arange(101.0), [np.nan] * 100]], 1)
    assert expanded_interval(resampled, 10**9) == pytest.approx(np.array([[5, 2.5], [195, 97.5]]))


def test_the_interval_of_few_classes_is_expanded_by_hand():
    # of 11 classes t = 2.2281, times sqrt(11 / 10) 2.3369, of which the normal distribution has 0.972 % beyond
    low, high = expanded_interval(np.arange(100_001.0), 11)
    assert (low, high) == pytest.approx((972.3, 100_000 - 972.3), abs=0.5)


def test_two_classes_by_hand():
    # of four equally likely resamples two are of one class alone: the interval reaches from mean to mean
    found = estimate([0.1, 0.3, 0.8], [5, 5, 6], np.random.default_rng(0))
    assert found == pytest.approx((0.4, 0.2, 0.8, 3, 2, 0))


def test_undefined_queries_are_left_out_and_counted():
    values, labels = clustered(np.random.default_rng(2), 10)
    more = np.concatenate([values, [np.nan] * 3]), np.concatenate([labels, [0, 99, 99]])
    found = estimate(*more, np.random.default_rng(0))
    assert found == estimate(values, labels, np.random.default_rng(0))._replace(undefined=3)
    assert (found.queries, found.classes) == (len(values), 10)


def test_a_single_class_has_no_interval():
    found = estimate([1.0, 0.0], [3, 3], np.random.default_rng(0))
    assert found[:1] + found[3:] == (0.5, 2, 1, 0)
    assert np.isnan(found[1:3]).all()


def test_nothing_counted_has_no_value_either():
    found = estimate([np.nan, np.nan], [3, 4], np.random.default_rng(0))
    assert np.isnan(found[:3]).all() and found[3:] == (0, 0, 2)


def test_the_same_seed_gives_the_same_interval_also_in_parts(monkeypatch):
    values, labels = clustered(np.random.default_rng(2))
    found = estimate(values, labels, np.random.default_rng(5))
    assert estimate(values, labels, np.random.default_rng(5)) == found
    monkeypatch.setattr(bootstrap, "CELLS", 999)
    assert estimate(values, labels, np.random.default_rng(5)) == found


def test_order_and_names_of_classes_move_the_interval_by_no_more_than_chance():
    values, labels = clustered(np.random.default_rng(2))
    order = np.random.default_rng(0).permutation(len(values))
    found = estimate(values[order], -labels[order], np.random.default_rng(0))
    assert found[:3] == pytest.approx(estimate(values, labels, np.random.default_rng(0))[:3], abs=0.02)


def test_tensors_are_taken_too():
    found = estimate(torch.tensor([1.0, 0.0]), torch.tensor([0, 1]), np.random.default_rng(0))
    assert found == (0.5, 0, 1, 2, 2, 0)


def test_many_figures_are_as_each_alone_and_draw_once_for_each_number_of_classes(monkeypatch):
    drawn, draw = [], bootstrap.times_drawn
    monkeypatch.setattr(bootstrap, "times_drawn", lambda *asked: drawn.append(asked[0]) or draw(*asked))
    of_40, of_12 = clustered(np.random.default_rng(2)), clustered(np.random.default_rng(3), 12)
    asked = {number: sums(np.cos(number * of_40[0]), of_40[1]) for number in range(4)}
    asked |= {"few": sums(*of_12), "share": sums(*of_12, np.ones(len(of_12[0]))), "one": sums([1.0], [0])}
    found = estimates(asked, lambda: np.random.default_rng(5))
    assert sorted(drawn) == [12, 40] and list(found) == list(asked)
    for key, of_key in asked.items():
        alone = estimates({key: of_key}, lambda: np.random.default_rng(5))[key]
        assert found[key] == pytest.approx(alone, rel=1e-12, nan_ok=True)


def test_paired_difference_is_narrower_than_what_its_parts_vary():
    rng = np.random.default_rng(3)
    values, labels = clustered(rng)
    other = values - 0.2 + 0.05 * rng.normal(size=len(values))
    found = estimate(values - other, labels, rng)
    assert found.low < 0.2 < found.high and found.high - found.low < 0.02
    alone = estimate(values, labels, rng)
    assert alone.high - alone.low > 0.4


def test_values_of_other_queries_are_refused():
    with pytest.raises(ValueError, match=r"values \(2,\), labels \(3,\) and wholes \(2,\) are not of the same queries"):
        estimate([1.0, 2.0], [1, 2, 3], np.random.default_rng(0))


def test_a_ratio_equals_a_plain_loop_that_draws_classes_for_both_sums():
    rng = np.random.default_rng(1)
    wholes, labels = clustered(rng, 12)
    wholes, parts = wholes + 4, rng.random(len(wholes))
    classes, shares = np.unique(labels), []
    for _ in range(4000):
        drawn = np.concatenate([np.flatnonzero(labels == label) for label in rng.choice(classes, len(classes))])
        shares.append(parts[drawn].sum() / wholes[drawn].sum())
    found = ratio(parts, wholes, labels, rng)
    assert (found.low, found.high) == pytest.approx(expanded_interval(np.array(shares), 12), abs=0.003)
    assert found.value == pytest.approx(parts.sum() / wholes.sum())


def test_a_share_of_as_many_ones_as_queries_is_their_mean():
    values, labels = clustered(np.random.default_rng(2), 10)
    found = ratio(values, np.ones_like(values), labels, np.random.default_rng(0))
    assert found == pytest.approx(estimate(values, labels, np.random.default_rng(0)))


@pytest.mark.parametrize(("wholes", "value"), [([0, 0, 0], np.nan), ([-1, 0, 0], np.nan), ([2, 2, -1], 1 / 3)])
def test_of_nothing_there_is_no_share_and_of_nothing_certain_no_interval(wholes, value):
    found = ratio([1, 0, 0], wholes, [0, 0, 1], np.random.default_rng(0))
    assert found.value == pytest.approx(value, nan_ok=True)
    assert np.isnan([found.low, found.high]).all()


def test_what_rounding_leaves_of_wholes_that_sum_up_to_0_has_no_share():
    """As of queries that find just as many as guessing does: 0.1 three times less 0.3 is 3e-17."""
    wholes, labels = np.tile([0.1, 0.1, 0.1, -0.3], 4), np.repeat(np.arange(4), 4)
    assert 0 < np.bincount(labels, wholes).min() < 1e-15
    assert np.isnan(ratio(np.full(16, -0.2), wholes, labels, np.random.default_rng(0))[:3]).all()
    surely = np.r_[wholes, 0.5, 0.5]  # but in resamples without the fifth class
    found = ratio(np.full(18, 0.1), surely, np.r_[labels, 4, 4], np.random.default_rng(0))
    assert found.value == pytest.approx(1.8) and np.isnan([found.low, found.high]).all()


def test_an_undefined_part_or_whole_is_left_out_of_both():
    nan = np.nan
    found = ratio([1, nan, 1, 0], [2, 2, nan, 2], [0, 0, 1, 1], np.random.default_rng(0))
    assert (found.value, found.queries, found.undefined) == (0.25, 2, 2)


def test_parts_of_other_queries_are_refused():
    with pytest.raises(ValueError, match=r"values \(2,\), labels \(3,\) and wholes \(3,\) are not"):
        ratio([1, 2], [1, 2, 3], [0, 0, 1], np.random.default_rng(0))
