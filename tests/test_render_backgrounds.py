"""The rendered backgrounds: what is painted in parts, to take less time, is what it would be as a whole."""

import numpy as np
import pytest

from bgbias.render import landscapes
from bgbias.render.backgrounds import STYLES, swap
from bgbias.render.colours import mix, oklch
from bgbias.render.noise import nearest, noise


def plane(n):
    return np.meshgrid(*[(np.arange(n, dtype=np.float32) + np.float32(0.5)) / np.float32(n)] * 2)


def test_noise_of_a_row_and_a_column_is_that_of_the_plane_they_span():
    x, y = plane(50)
    whole = noise(7 * x, 3 * y, np.random.default_rng(0), 4)
    np.testing.assert_array_equal(noise(7 * x[:1], 3 * y[:, :1], np.random.default_rng(0), 4), whole)


def test_the_nearest_point_is_that_of_least_distance_and_of_several_the_first():
    x, y = plane(40)
    middles = np.random.default_rng(0).random((9, 2)).astype(np.float32)
    middles = np.concatenate([middles, middles])  # each twice
    distances = np.stack([(x - a) ** 2 + (y - b) ** 2 for a, b in middles])
    which, distance = nearest(x, y, middles)
    np.testing.assert_array_equal(which, distances.argmin(0))
    np.testing.assert_array_equal(distance, distances.min(0))


@pytest.mark.parametrize("seed", range(4))
def test_a_trunk_changes_nothing_beside_it(seed):
    (x, y), r = plane(80), np.random.default_rng(seed)
    hue, mist = r.choice([0.13, 0.2, 0.33, 0.42, 0.6]), r.uniform(0.6, 0.92)
    expected = mix(oklch(mist, 0.04, hue), oklch(mist - 0.3, 0.06, hue), np.clip(2 * y - 1, 0, 1))
    for near in np.linspace(0.1, 1, r.integers(10, 25)):  # over the whole picture
        trunk = oklch(mist - (mist - 0.15) * near, 0.03, r.choice([0.13, hue]))
        middle, width = r.random() + r.uniform(-0.08, 0.08) * y, (0.006 + 0.03 * near) * r.uniform(0.7, 1.4)
        bark = np.abs(x - middle) < width * (0.8 + 0.4 * noise(8 * x, 8 * y, r, 1))
        expected = mix(expected, trunk, (bark & (y < 0.6 + 0.35 * near)).astype(np.float32))
    np.testing.assert_array_equal(landscapes.forest(x, y, np.random.default_rng(seed)), expected)


@pytest.mark.parametrize("number", range(len(STYLES)))
def test_every_style_paints_a_picture_of_its_own(number):
    first, again, other = (swap(pool, number, 42, 32) for pool in ("test", "test", "val"))
    assert first.shape == (32, 32, 3) and first.dtype == np.float32 and first.std() > 0.01
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).mean() > 0.01
