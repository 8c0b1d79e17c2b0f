"""Whose background a photo is put on."""

import numpy as np
import pytest

from bgbias.audit.inputs.mixed import mixed_other, mixed_rand, mixed_same

LABELS = np.array([4, 9, 4, 7, 7, 7, 9, 4, 2])  # 2 has a single photo


def many(draw, times=3000):
    rng = np.random.default_rng(0)
    return np.stack([draw(LABELS, rng) for _ in range(times)])


@pytest.mark.parametrize("draw", [mixed_same, mixed_rand, mixed_other])
def test_no_photo_gets_its_own_background(draw):
    assert (many(draw, 200) != np.arange(len(LABELS))).all()


@pytest.mark.parametrize("draw", [mixed_same, mixed_rand, mixed_other])
def test_the_same_seed_draws_the_same_photos(draw):
    first, second = (draw(LABELS, np.random.default_rng(3)) for _ in range(2))
    assert first.tolist() == second.tolist()


def test_mixed_same_draws_all_other_photos_of_the_class_alike():
    rows = many(mixed_same)
    assert (LABELS[rows[:, :8]] == LABELS[:8]).all()
    assert np.bincount(rows[:, 0])[[2, 7]] / 3000 == pytest.approx([0.5, 0.5], abs=0.03)


def test_the_only_photo_of_a_class_has_no_mixed_same():
    assert mixed_same(LABELS, np.random.default_rng(0))[8] == -1


def test_mixed_other_draws_all_photos_of_other_classes_alike():
    rows = many(mixed_other)
    for photo, label in enumerate(LABELS):
        shares = np.bincount(rows[:, photo], minlength=9) / 3000
        assert shares == pytest.approx((label != LABELS) / (label != LABELS).sum(), abs=0.03)


def test_the_class_of_a_background_of_mixed_other_tells_no_more_than_which_class_it_is_not():
    labels, rng = np.repeat(np.arange(5), 4), np.random.default_rng(0)
    drawn = np.stack([labels[mixed_other(labels, rng)] for _ in range(3000)])
    pairs = np.zeros((5, 5))
    np.add.at(pairs, (np.broadcast_to(labels, drawn.shape), drawn), 1 / drawn.size)
    assert pairs == pytest.approx((1 - np.eye(5)) / 20, abs=0.003)


def test_mixed_rand_draws_all_other_photos_alike_those_of_its_own_class_too():
    rows = many(mixed_rand)
    for photo in range(9):
        shares = np.bincount(rows[:, photo], minlength=9) / 3000
        assert shares == pytest.approx(np.where(np.arange(9) == photo, 0, 1 / 8), abs=0.03)


def test_mixed_same_and_mixed_rand_show_the_same_backgrounds_each_once():
    assert all(sorted(drawn) == list(range(9)) for drawn in many(mixed_rand, 50))
    assert all(sorted(drawn) == [-1, *range(8)] for drawn in many(mixed_same, 50))  # 8 has no other of its class


@pytest.mark.parametrize("draw", [mixed_rand, mixed_other])
def test_a_single_class_is_refused(draw):
    with pytest.raises(ValueError, match="all photos are of one class: there is no background of another"):
        draw(np.array([1, 1]), np.random.default_rng(0))
