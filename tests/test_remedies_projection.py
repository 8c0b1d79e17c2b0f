"""The nuisance subspace: by hand, and of embedders whose dimensions are known."""

import pytest
import torch
from random_tensors import random
from torch.nn.functional import normalize

from bgbias.metrics.chance import chance
from bgbias.metrics.retrieval import per_query
from bgbias.remedies import projection

CLASSES, PHOTOS, OBJECT, BACKGROUND = 20, 160, 16, 8
LABELS = torch.arange(PHOTOS) % CLASSES


class Split:
    """An embedder of an object part and a larger background part, in dimensions that a rotation hides."""

    def __init__(self):
        self.rotation = torch.linalg.qr(random(OBJECT + BACKGROUND, OBJECT + BACKGROUND, seed=9))[0]

    def embed(self, objects, backgrounds):
        parts = [normalize(objects, dim=-1), 2 * normalize(backgrounds, dim=-1)]
        return normalize(torch.cat(parts, -1), dim=-1) @ self.rotation

    def swaps(self, photos=50, times=6):
        objects = random(photos, 1, OBJECT, seed=5).expand(-1, times, -1)
        return self.embed(objects, random(photos, times, BACKGROUND, seed=6))

    def searched(self):
        """Photos of other classes than the swaps': clean, each class before its own background; and swapped."""
        objects = random(CLASSES, OBJECT, seed=1)[LABELS] + 0.2 * random(PHOTOS, OBJECT, seed=2)
        own = random(CLASSES, BACKGROUND, seed=3)[LABELS]
        return self.embed(objects, own), self.embed(objects, random(PHOTOS, BACKGROUND, seed=4))


def recall(embeddings):
    return per_query(embeddings, embeddings, LABELS, [1])["recall_at_1"].mean().item()


def test_removing_the_background_s_dimensions_recovers_all_of_the_drop():
    embedder = Split()
    clean, swapped = embedder.searched()
    directions, shares = projection.directions(embedder.swaps())
    assert directions.shape == (BACKGROUND, OBJECT + BACKGROUND) and shares.sum() == pytest.approx(1)
    assert recall(clean) == 1 and recall(swapped) < 0.5
    assert recall(projection.removed(swapped, directions)) == 1
    alone = normalize(swapped @ embedder.rotation.T[:, :OBJECT])
    assert torch.allclose(projection.removed(swapped, directions) @ embedder.rotation.T[:, :OBJECT], alone, atol=1e-5)


def test_removing_too_few_leaves_some_of_the_background():
    embedder = Split()
    directions, _ = projection.directions(embedder.swaps())
    _, swapped = embedder.searched()
    assert recall(projection.removed(swapped, directions[:4])) < 1


def test_whitening_recovers_the_drop_too_and_not_at_all_where_it_is_shrunk_away():
    embedder = Split()
    _, swapped = embedder.searched()
    assert recall(projection.whitened(swapped, projection.whitening(embedder.swaps(), 0.01))) == 1
    shrunk_away = projection.whitened(swapped, projection.whitening(embedder.swaps(), 1))
    assert torch.allclose(shrunk_away, swapped, atol=1e-5)


def test_a_random_embedder_is_left_at_chance():
    directions, shares = projection.directions(normalize(random(200, 6, 24, seed=7), dim=-1))
    assert shares.max() < 2 / 24  # no direction moves more than another
    found = recall(projection.removed(normalize(random(PHOTOS, 24, seed=8)), directions[:8]))
    assert found == pytest.approx(chance(LABELS)["recall_at_1"].mean().item(), abs=0.06)


def test_directions_are_those_of_the_differences_between_swaps_of_a_photo():
    swaps = random(30, 4, 6) * torch.tensor([5.0, 4, 3, 2, 1, 0.5])
    pairs = [swaps[:, i] - swaps[:, j] for i in range(4) for j in range(4) if i != j]
    differences = torch.cat(pairs).double()
    expected = differences.T @ differences / len(differences) / 2
    assert torch.allclose(projection.covariance(swaps), expected)
    directions, shares = projection.directions(swaps)
    _, values, vectors = torch.linalg.svd(differences, full_matrices=False)
    assert torch.allclose((directions.double() @ vectors.T).abs(), torch.eye(6).double(), atol=1e-4)
    assert torch.allclose(shares, values**2 / (values**2).sum())


def test_what_differs_between_photos_is_no_nuisance():
    swaps = random(30, 4, 6)
    elsewhere = swaps + 9 * random(30, 1, 6, seed=1)
    assert torch.allclose(projection.covariance(swaps), projection.covariance(elsewhere), atol=1e-5)


def test_embeddings_that_do_not_move_have_no_directions():
    still = random(30, 1, 6).expand(-1, 4, -1)
    directions, shares = projection.directions(still)
    assert directions.shape == (0, 6) and len(shares) == 0
    points = normalize(random(3, 6))
    assert torch.allclose(projection.removed(points, directions), points)
    assert torch.allclose(projection.whitened(points, projection.whitening(still, 0.5)), points)


def test_removed_embeddings_have_length_one_no_part_in_the_directions_and_stay_when_removed_again():
    directions, _ = projection.directions(random(30, 4, 6))
    found = projection.removed(random(9, 6, seed=1), directions[:2])
    assert torch.allclose(found.norm(dim=1), torch.ones(9))
    assert (found @ directions[:2].T).abs().max() < 1e-6
    assert torch.allclose(projection.removed(found, directions[:2]), found, atol=1e-6)


def test_whitened_swaps_move_alike_in_every_direction():
    swaps = random(300, 4, 6) * torch.tensor([5.0, 4, 3, 2, 1, 0.5])
    matrix = projection.whitening(swaps, 1e-9)
    assert torch.allclose(projection.covariance(swaps @ matrix), torch.eye(6).double(), atol=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: projection.directions(random(5, 6)), r"swaps \(5, 6\): expected \(N, K, D\), N photos on K >= 2"),
        (lambda: projection.directions(random(5, 1, 6)), r"swaps \(5, 1, 6\): expected"),
        (lambda: projection.directions(random(0, 3, 6)), r"swaps \(0, 3, 6\): expected"),
        (lambda: projection.covariance(random(5, 2, 6).log()), "swaps: some embeddings are not finite"),
        (lambda: projection.whitening(random(5, 2, 6), 0.0), "shrinkage 0.0: expected above 0 and at most 1"),
        (lambda: projection.whitening(random(5, 2, 6), 1.1), "shrinkage 1.1: expected above 0 and at most 1"),
        (lambda: projection.removed(random(3, 6), random(2, 5)), r"embeddings \(3, 6\), directions \(2, 5\): expected"),
        (lambda: projection.removed(random(3, 6), torch.ones(2, 6)), "directions are not orthonormal"),
        (
            lambda: projection.removed(torch.eye(3), torch.eye(3)[1:2]),
            r"nothing is left of embeddings \[1\]: remove les",
        ),
        (lambda: projection.whitened(random(3, 6), random(5, 5)), r"embeddings \(3, 6\), matrix \(5, 5\): expected"),
    ],
)
def test_what_cannot_be_used_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_of_an_embedding_within_the_directions_nothing_is_left():
    directions = torch.linalg.qr(random(6, 6))[0][:2]
    within = random(4, 2, seed=1) @ directions
    points = torch.cat([within, within + 0.01 * random(4, 6, seed=2)])
    assert projection.something_left(points, directions).tolist() == [False] * 4 + [True] * 4
    assert projection.something_left(points, directions[:1]).all()


def test_less_directions_are_tried_than_there_are_dimensions():
    assert projection.counts(2, 2) == [0, 1]
    assert projection.counts(8, 0) == [0]
    assert projection.counts(9, 9) == [0, 1, 2, 4, 8]
