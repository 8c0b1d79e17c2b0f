"""Automatic masks against hand-drawn ones: the figures and their intervals."""

import numpy as np
import pandas as pd
import pytest
from masks_by_hand import brute_force, mask

from bgbias.masks import quality
from bgbias.metrics.bootstrap import expanded_interval
from bgbias.photos import foreground


def test_a_case_by_hand():
    found = quality.compare(mask("1110", "0000"), mask("0111", "0100"))
    assert found == {"iou": 2 / 5, "overlap": 2 / 4, "precision": 2 / 3}


@pytest.mark.parametrize("seed", range(5))
def test_compare_is_what_a_loop_over_the_pixels_counts(seed):
    rng = np.random.default_rng(seed)
    automatic, hand = rng.integers(0, 256, (2, 9, 7), dtype=np.uint8)
    assert quality.compare(automatic, hand) == brute_force(automatic, hand)


def test_swapping_the_masks_swaps_overlap_and_precision():
    a, b = np.random.default_rng(0).integers(0, 256, (2, 5, 8), dtype=np.uint8)
    one, other = quality.compare(a, b), quality.compare(b, a)
    assert one == {"iou": other["iou"], "overlap": other["precision"], "precision": other["overlap"]}


def test_a_pixel_of_128_is_object_and_one_of_127_is_not():
    soft = np.array([[127, 128, 0, 255]], dtype=np.uint8)
    assert quality.compare(soft, mask("0101")) == {"iou": 1, "overlap": 1, "precision": 1}
    assert quality.compare(mask("0101"), soft) == {"iou": 1, "overlap": 1, "precision": 1}
    assert foreground.OBJECT == 128


def test_masks_side_by_side_have_nothing_in_common():
    assert quality.compare(mask("10"), mask("01")) == {"iou": 0, "overlap": 0, "precision": 0}


def test_an_empty_automatic_mask_has_no_precision():
    found = quality.compare(mask("00"), mask("01"))
    assert (found["iou"], found["overlap"]) == (0, 0)
    assert np.isnan(found["precision"])


@pytest.mark.parametrize("automatic", [mask("00"), mask("01")])
def test_an_empty_hand_mask_is_refused(automatic):
    zero_or_one = np.array([[0, 1]], dtype=np.uint8)  # not 0 or 255
    with pytest.raises(ValueError, match=r"hand mask is empty \(no pixel of 128 or more, the greatest is 1\): draw"):
        quality.compare(automatic, zero_or_one)


def test_a_summary_by_hand():
    nan = float("nan")
    table = {"iou": [1.0, 0.5, 0.0, 0.1], "overlap": [1.0, 0.8, 0.0, 0.2], "precision": [1.0, 0.6, nan, 0.2]}
    found = quality.summarise(pd.DataFrame(table))
    assert (found["images"], found["empty"]) == (4, 1)
    iou = {"mean": 0.4, "sd": (0.62 / 4) ** 0.5, "median": 0.3, "min": 0, "q25": 0.075, "q75": 0.625}
    assert {name: found["iou"][name] for name in iou} == pytest.approx(iou)
    assert found["overlap"]["mean"] == pytest.approx(0.5)
    precision = {"mean": 0.6, "sd": (0.32 / 3) ** 0.5, "median": 0.6, "min": 0.2, "q25": 0.4, "q75": 0.8}
    assert {name: found["precision"][name] for name in precision} == pytest.approx(precision)  # of the three defined
    assert found["failure_rate"]["share"] == 0.5  # 0.0 and 0.1; 0.5 is none


def test_precision_that_is_nowhere_defined_is_null():
    found = quality.summarise(pd.DataFrame([quality.compare(mask("00"), mask("01"))] * 2))
    assert found["empty"] == 2
    assert set(found["precision"].values()) == {None}
    assert set(found["iou"].values()) == {0}
    assert found["failure_rate"]["share"] == 1


def test_a_summary_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no masks to summarise: compare some first"):
        quality.summarise(pd.DataFrame(columns=quality.MEASURES))


def test_the_interval_of_a_mean_is_that_of_photos_drawn_one_by_one():
    values = np.random.default_rng(0).beta(8, 2, size=20)
    iou = quality.summarise(pd.DataFrame(dict.fromkeys(quality.MEASURES, values)))["iou"]
    rng = np.random.default_rng(1)
    means = [rng.choice(values, len(values)).mean() for _ in range(4000)]
    assert (iou["ci_low"], iou["ci_high"]) == pytest.approx(expanded_interval(np.array(means), 20), abs=0.004)


def test_a_single_photo_has_no_interval():
    iou = quality.summarise(pd.DataFrame([quality.compare(mask("10"), mask("11"))]))["iou"]
    assert (iou["mean"], iou["ci_low"], iou["ci_high"]) == (0.5, None, None)


@pytest.mark.parametrize(
    ("count", "total", "expected"),
    [(0, 20, (0, 0.1611)), (20, 20, (0.8389, 1)), (10, 20, (0.2993, 0.7007)), (1, 1, (0.2065, 1)), (0, 1, (0, 0.7935))],
)
def test_the_interval_of_a_share(count, total, expected):
    found = quality.wilson_interval(count, total)
    assert found == pytest.approx(expected, abs=5e-5)
    p, z, n = count / total, 1.959964, total
    for limit in found:  # what the limits solve: (p - limit)² = z² limit (1 - limit) / n
        assert (p - limit) ** 2 == pytest.approx(z**2 * limit * (1 - limit) / n, abs=1e-6)
