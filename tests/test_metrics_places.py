"""Recall@1 among photos of the own place and of others: by hand, over all draws, by retrieval of drawn galleries."""

from itertools import combinations

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from bgbias.metrics.places import by_place, compared
from bgbias.metrics.retrieval import per_query

SOURCE = torch.Generator().manual_seed(0)
LABELS = torch.tensor([0] * 7 + [1] * 5 + [2] * 4 + [3] * 3 + [4])
PLACES = torch.tensor([0, 0, 0, 0, 1, 1, 2, 0, 1, 1, 1, 2, 2, 2, 2, 0, 1, 1, 1, 0])  # all of 3 in one place
POINTS = normalize(torch.randn(len(LABELS), 3, generator=SOURCE))


def on_a_circle(*degrees):
    angles = torch.tensor(degrees, dtype=torch.float64).deg2rad()
    return torch.stack([angles.cos(), angles.sin()], 1)


def test_recall_by_hand():
    points = on_a_circle(0, 10, 45, 14, 50, 30)  # three here, two elsewhere, and one of another class
    found = by_place(points, torch.tensor([0, 0, 0, 0, 0, 1]), torch.tensor([0, 0, 0, 1, 1, 0]))
    assert found["same"]["rows"].tolist() == found["other"]["rows"].tolist() == [0, 1, 2, 3, 4]
    # those here draw both of two: 0 finds 10 and 14 before 30, 10 finds 0 and 14, 45 finds 50 alone
    # those elsewhere draw one of one and one of three: 14 finds not 50, but 0 and 10 of 0, 10 and 45; 50 finds 45
    assert found["same"]["recall_at_1"].tolist() == [1, 1, 0, 0, 0]
    assert found["other"]["recall_at_1"].tolist() == pytest.approx([1, 1, 1, 2 / 3, 1 / 3])


def drawn(row, positives, points=POINTS, searched=None):
    """Recall@1 of a query that searches these photos of its class, and all of others."""
    gallery = sorted([*positives, *np.flatnonzero((LABELS[row] != LABELS).numpy()).tolist()])
    similarity = (points if searched is None else searched)[gallery] @ points[row]
    return float(LABELS[gallery[int(similarity.argmax())]] == LABELS[row])


@pytest.mark.parametrize("points", [POINTS, POINTS.sign()], ids=["all differ", "many are equally similar"])
@pytest.mark.parametrize("searched", [None, normalize(POINTS + 0.3 * torch.randn(POINTS.shape, generator=SOURCE))])
def test_recall_is_the_mean_over_all_draws(points, searched):
    found = by_place(points, LABELS, PLACES, searched)
    expected = {"same": [], "other": []}
    for row in found["same"]["rows"].tolist():
        others = [other for other in range(len(LABELS)) if LABELS[other] == LABELS[row] and other != row]
        near = [other for other in others if PLACES[other] == PLACES[row]]
        far = [other for other in others if PLACES[other] != PLACES[row]]
        size = min(len(near), len(far))
        for name, of in (("same", near), ("other", far)):
            expected[name].append(np.mean([drawn(row, some, points, searched) for some in combinations(of, size)]))
    for name, values in expected.items():
        assert found[name]["recall_at_1"].tolist() == pytest.approx(values, abs=1e-9)
    assert 0 < np.mean(expected["same"]) < 1 and expected["same"] != expected["other"]


def test_recall_is_that_of_retrieval_in_drawn_galleries():
    rng, row, times = np.random.default_rng(0), 4, 2000  # of two in its place, itself one, and five elsewhere
    found, hits = by_place(POINTS, LABELS, PLACES), []
    of_others = np.flatnonzero((LABELS[row] != LABELS).numpy())
    for _ in range(times):
        gallery = np.sort([row, rng.choice([0, 1, 2, 3, 6]), *of_others])
        scores = per_query(POINTS[gallery], POINTS[gallery], LABELS[gallery], [1])
        place = (scores["rows"] == int(np.flatnonzero(gallery == row)[0])).nonzero()[0, 0]
        hits.append(scores["recall_at_1"][place].item())
    at = (found["other"]["rows"] == row).nonzero()[0, 0]
    assert np.mean(hits) == pytest.approx(found["other"]["recall_at_1"][at].item(), abs=0.035)


def test_photos_that_have_nothing_to_compare_are_not_counted():
    rows = compared(LABELS, PLACES).tolist()
    assert rows == [0, 1, 2, 3, 4, 5, 8, 9, 10, 12, 13, 14]  # 6, 7, 11 and 15 are alone in their place, 16-18 in one
    assert by_place(POINTS, LABELS, PLACES)["same"]["rows"].tolist() == rows


def test_an_embedder_that_knows_the_place_alone_finds_nothing_elsewhere():
    labels, places = torch.arange(4).repeat_interleave(4), torch.tensor([0, 0, 1, 1]).repeat(4)
    of_place = labels * 2 + places  # each class has two places of its own
    points = torch.eye(8)[of_place]
    found = by_place(points, labels, places)
    assert found["same"]["recall_at_1"].tolist() == [1] * 16
    shared = torch.eye(2)[places]  # a place for all classes: photos of others, and of the class elsewhere, are apart
    assert by_place(shared, labels, places)["other"]["recall_at_1"].sum() == 0
    of_class = by_place(torch.eye(4)[labels], labels, places)
    assert torch.equal(of_class["same"]["recall_at_1"], of_class["other"]["recall_at_1"])


def test_random_embeddings_find_as_much_elsewhere():
    source = torch.Generator().manual_seed(1)
    labels, places = torch.arange(60).repeat(20), torch.randint(3, (1200,), generator=source)
    found = by_place(normalize(torch.randn(1200, 32, generator=source)), labels, places)
    same, other = (scores["recall_at_1"].mean().item() for scores in found.values())
    assert same == pytest.approx(other, abs=0.01) and 0 < same < 0.02


@pytest.mark.parametrize(
    ("labels", "places", "message"),
    [
        ([0, 0, 1], [0, 0, 0], "a photo with another of its class in its place and one elsewhere"),
        ([0, 0, 0], [0, 0, 1], "two classes"),
        ([0, 0], [0, 1], "3 embeddings, 3 references, 2 labels, 2 places"),
    ],
)
def test_what_cannot_be_compared_is_refused(labels, places, message):
    with pytest.raises(ValueError, match=message):
        by_place(torch.eye(3), torch.tensor(labels), torch.tensor(places))


def test_embeddings_that_are_not_finite_or_of_other_lengths_are_refused():
    broken, longer = POINTS.clone(), POINTS.clone()
    broken[7, 0], longer[7] = float("nan"), 9 * POINTS[7]
    with pytest.raises(ValueError, match="1 of 20 embeddings are not finite"):
        by_place(broken, LABELS, PLACES)
    with pytest.raises(ValueError, match="queries of length 1 to 9, expected the same: divide each by its length"):
        by_place(longer, LABELS, PLACES)
    with pytest.raises(ValueError, match="references of length 1 to 9"):
        by_place(POINTS, LABELS, PLACES, longer)


def test_embeddings_of_half_precision_are_compared_in_fp32():
    alike = normalize(torch.cat([0.05 * POINTS, torch.ones(len(POINTS), 1)], 1)).half()
    found, expected = (by_place(points, LABELS, PLACES)["other"]["recall_at_1"] for points in (alike, alike.float()))
    assert torch.equal(found, expected)
