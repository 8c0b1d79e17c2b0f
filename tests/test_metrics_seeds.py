"""What other training seeds add to the interval of a difference."""

import math

import numpy as np
import pytest
from scipy import stats

from bgbias.metrics import seeds

Z = stats.norm.ppf(0.975)


def test_without_seeds_an_interval_stays():
    assert seeds.widened(0.1, 0.03, 0.2, []) == (0.03, 0.2)
    assert seeds.widened(0.1, 0.03, 0.2, [seeds.spread(0.0, 3)]) == (0.03, 0.2)


def test_without_classes_it_is_welch_s():
    """Two samples of seeds, nothing else: the interval of Welch's t test."""
    first, second = np.array([0.61, 0.65, 0.66]), np.array([0.70, 0.79, 0.71, 0.74])
    value = second.mean() - first.mean()
    spreads = [seeds.spread(one.std(ddof=1), len(one)) for one in (first, second)]
    expected = stats.ttest_ind(second, first, equal_var=False).confidence_interval(0.95)
    assert seeds.widened(value, value, value, spreads) == pytest.approx(tuple(expected))


def test_classes_and_seeds_add_up_on_either_side():
    """Many seeds know their variance: then Student's t is nothing but the normal quantile."""
    low, high = seeds.widened(0.0, -0.03, 0.06, [seeds.Spread((0.04 / Z) ** 2, 10**6)])
    assert (low, high) == pytest.approx((-0.05, math.hypot(0.06, 0.04)), rel=1e-4)


def held(ratio, correlation, paired=False):
    """How often intervals hold the truth, and their mean width.

    Of classes with variance 1, and three seeds a side whose means add `ratio` to it, but for their correlation.
    """
    rng, trials, both = np.random.default_rng(1), 4000, [[1, correlation], [correlation, 1]]
    drawn = rng.multivariate_normal([0, 0], np.array(both) * ratio * 3 / 2, (trials, 3))
    hits, widths = 0, []
    for error, sides in zip(rng.normal(0, 1, trials), drawn.transpose(0, 2, 1), strict=True):
        value = error + sides[1].mean() - sides[0].mean()
        moved = [sides[1] - sides[0]] if paired else sides
        low, high = seeds.widened(value, value - Z, value + Z, [seeds.spread(one.std(ddof=1), 3) for one in moved])
        hits += low <= 0 <= high
        widths.append(high - low)
    return hits / trials, np.mean(widths)


@pytest.mark.parametrize("ratio", [0.1, 1, 10])
def test_the_interval_holds_the_truth_as_often_as_it_says(ratio):
    assert 0.935 < held(ratio, 0)[0] < 0.965


@pytest.mark.parametrize("ratio", [0.3, 1, 3])
def test_seeds_that_move_two_regimes_alike_make_it_too_wide_and_unlike_too_narrow(ratio):
    """What the docstring of `widened` says, and what pairing the seeds would give instead."""
    assert 0.96 < held(ratio, 0.6)[0] < 0.985
    assert 0.895 < held(ratio, -0.5)[0] < 0.955
    assert all(0.91 < held(ratio, correlation, paired=True)[0] < 0.96 for correlation in (-0.5, 0, 0.6))
    assert held(ratio, 0, paired=True)[1] > held(ratio, 0)[1]


def test_what_is_not_defined_in_a_seed_leaves_no_interval():
    assert all(map(math.isnan, seeds.widened(0.1, 0.0, 0.2, [seeds.spread(math.nan, 3)])))
    metrics = {"seeds": 2, "attention": {"clean": {"mean": None, "mean_seeds_sd": None}}}
    assert math.isnan(seeds.spreads(metrics)["attention_score_clean"].variance)


def test_the_spreads_of_a_regime():
    metrics = {
        "seeds": 2,
        "queries": 480,
        "clean": {"recall_at_1": 0.5, "recall_at_1_seeds_sd": 0.02},
        "swapped": {"recall_at_1": 0.5, "recall_at_1_sd": 0.5, "recall_at_1_seeds_sd": 0.04},
        "attention": {"clean": {"mean": 0.2, "mean_seeds_sd": 0.01, "sd_seeds_sd": 0.5}},
    }
    assert {name: (one.variance, one.freedom) for name, one in seeds.spreads(metrics).items()} == {
        "recall_at_1_clean": (pytest.approx(0.0002), 1),
        "recall_at_1_swapped": (pytest.approx(0.0008), 1),
        "attention_score_clean": (pytest.approx(0.00005), 1),
    }
