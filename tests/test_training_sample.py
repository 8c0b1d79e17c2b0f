"""Which photos are in a training batch."""

import numpy as np

from bgbias.training.batches import sample


def test_a_batch_has_m_photos_of_each_class_and_no_photo_twice():
    by_class = [np.arange(10 * c, 10 * c + 5) for c in range(9)]
    batch = sample(by_class, 16, 4, np.random.default_rng(0))
    assert len({image_id for image_id, _ in batch}) == 16
    assert np.bincount([label for _, label in batch]).tolist().count(4) == 4
    assert all(image_id // 10 == label for image_id, label in batch)


def test_a_class_with_too_few_photos_gives_some_twice():
    batch = sample([np.array([0, 1])], 4, 4, np.random.default_rng(0))
    assert {image_id for image_id, _ in batch} <= {0, 1} and len(batch) == 4


def test_every_class_and_photo_is_sampled():
    by_class, rng = [np.arange(5 * c, 5 * c + 5) for c in range(9)], np.random.default_rng(0)
    seen = {image_id for _ in range(60) for image_id, _ in sample(by_class, 8, 2, rng)}
    assert seen == set(range(45))
