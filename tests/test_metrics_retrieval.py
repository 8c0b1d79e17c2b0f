"""Retrieval metrics: by hand, by brute force in float64, against pytorch-metric-learning."""

import pytest
import torch
from pytorch_metric_learning.distances import DotProductSimilarity
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from pytorch_metric_learning.utils.inference import CustomKNN
from torch.nn.functional import normalize

from bgbias.metrics import nearest, retrieval


def random_problem(photos=60, classes=9, dimensions=8, seed=0):
    """Two views of photos with embeddings that carry some of the class; class 0 has a single photo."""
    source = torch.Generator().manual_seed(seed)
    labels = torch.randint(1, classes, (photos,), generator=source)
    labels[17] = 0
    centres = torch.randn(classes, dimensions, generator=source)
    views = [normalize(centres[labels] + 1.2 * torch.randn(photos, dimensions, generator=source)) for _ in range(2)]
    return *views, labels


def brute_force(queries, references, labels, k):
    """The definitions, one query at a time, in float64."""
    found = {"recall": [], "r_precision": [], "map_at_r": []}
    for i in range(len(labels)):
        others = [j for j in range(len(labels)) if j != i]
        r = sum(bool(labels[j] == labels[i]) for j in others)
        if r == 0:
            continue
        others.sort(key=lambda j: -(queries[i].double() @ references[j].double()).item())
        hits = [bool(labels[j] == labels[i]) for j in others]
        found["recall"].append(float(any(hits[:k])))
        found["r_precision"].append(sum(hits[:r]) / r)
        found["map_at_r"].append(sum(hits[n] * sum(hits[: n + 1]) / (n + 1) for n in range(r)) / r)
    return {name: sum(values) / len(values) for name, values in found.items()}


def test_metrics_by_hand():
    # on a line: 0 (A), 1 (A), 2 (B), 4 (A), 9 (B); similar = close. A has R = 2, B has R = 1.
    places = torch.tensor([0.0, 1.0, 2.0, 4.0, 9.0])
    angles = places / 20
    points = torch.stack([angles.cos(), angles.sin()], 1)
    labels = torch.tensor([0, 0, 1, 0, 1])
    scores = retrieval.per_query(points, points, labels, [1, 2])
    # neighbours: 0: A B A B; 1: A(0) B(2) A(4)...; 2: A(1) A(0)...; 4: B(2) A(1) A(0); 9: A(4) B(2)
    assert scores["recall_at_1"].tolist() == [1, 1, 0, 0, 0]
    assert scores["recall_at_2"].tolist() == [1, 1, 0, 1, 1]
    assert scores["r_precision"].tolist() == [0.5, 0.5, 0, 0.5, 0]
    assert scores["map_at_r"].tolist() == [0.5, 0.5, 0, 0.25, 0]


@pytest.fixture(params=["plain", "screened"], autouse=True)
def way(request, monkeypatch):
    """Both ways to the lists: from all similarities at once, and screened, part by part, in two precisions."""
    monkeypatch.setattr(nearest, "ENOUGH", 1e9 if request.param == "plain" else 0)
    monkeypatch.setattr("bgbias.metrics.precisions.of", lambda references: [torch.bfloat16, references.dtype])
    for name, value in {"SPARE": 4, "PART": 0, "LEAST_PART": 37, "COLUMNS": 16, "AT_ONCE": 10, "TRIED": 7}.items():
        monkeypatch.setattr(nearest, name, value)


@pytest.mark.parametrize("entries", [1, 12_000_000])  # 32 queries at a time, all at once
@pytest.mark.parametrize("k", [1, 3, 50])  # 50: beyond the largest class
@pytest.mark.parametrize("same_view", [True, False])
def test_metrics_equal_brute_force(monkeypatch, entries, k, same_view):
    monkeypatch.setattr(nearest, "ENTRIES", entries)
    queries, other, labels = random_problem()
    references = queries if same_view else other
    found = retrieval.evaluate(queries, references, labels, [k])
    expected = brute_force(queries, references, labels, k)
    assert found[f"recall_at_{k}"] == pytest.approx(expected["recall"], abs=1e-6)
    assert found["r_precision"] == pytest.approx(expected["r_precision"], abs=1e-6)
    assert found["map_at_r"] == pytest.approx(expected["map_at_r"], abs=1e-6)


def test_recall_of_every_k_with_many_ties_is_that_of_a_stable_sort():
    source = torch.Generator().manual_seed(0)
    points = torch.randint(0, 2, (300, 6), generator=source).float()  # few values: most similarities tie
    labels = torch.arange(300) // 2
    ranking = (points @ points.T).fill_diagonal_(-torch.inf).argsort(dim=1, descending=True, stable=True)
    rank = (labels[ranking] == labels[:, None]).byte().argmax(1) + 1
    scores = retrieval.per_query(points, points, labels, list(range(1, 300)))
    assert all(scores[f"recall_at_{k}"].tolist() == (rank <= k).float().tolist() for k in range(1, 300))


def test_some_queries_score_as_among_all():
    queries, references, labels = random_problem()
    rows = torch.tensor([40, 3, 17, 59])  # 17 is lone
    whole = retrieval.per_query(queries, references, labels, [1, 20])
    some = retrieval.per_query(queries[rows], references, labels, [1, 20], rows)
    assert some["rows"].tolist() == [40, 3, 59]
    for name, values in some.items():
        expected = dict(zip(whole["rows"].tolist(), whole[name].tolist(), strict=True))
        assert values.tolist() == pytest.approx([expected[row] for row in some["rows"].tolist()])


def test_metrics_equal_pytorch_metric_learning():
    points, _, labels = random_problem(200, 15)
    calculator = AccuracyCalculator(
        include=("precision_at_1", "r_precision", "mean_average_precision_at_r"),
        knn_func=CustomKNN(DotProductSimilarity()),
        k="max_bin_count",
    )
    expected = calculator.get_accuracy(points, labels)
    found = retrieval.evaluate(points, points, labels, [1])
    assert found["recall_at_1"] == pytest.approx(expected["precision_at_1"], abs=1e-6)
    assert found["r_precision"] == pytest.approx(expected["r_precision"], abs=1e-6)
    assert found["map_at_r"] == pytest.approx(expected["mean_average_precision_at_r"], abs=1e-6)


def test_order_of_photos_and_names_of_classes_change_nothing():
    points, _, labels = random_problem()
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))
    found = retrieval.evaluate(points, points, labels, [1, 5])
    assert retrieval.evaluate(points[order], points[order], 100 - labels[order], [1, 5]) == pytest.approx(found)


def test_lone_query_is_not_counted_but_is_a_reference():
    points = normalize(torch.tensor([[1.0, 0.0], [1.0, 0.2], [1.0, 0.11]]))
    scores = retrieval.per_query(points, points, torch.tensor([0, 0, 1]), [1])
    assert scores["rows"].tolist() == [0, 1]
    assert scores["recall_at_1"].tolist() == [0, 0]  # the lone photo stands between them


def test_own_photo_is_no_reference_in_another_view_either():
    clean = torch.eye(3)
    assert retrieval.neighbours(clean, clean.clone(), 2).tolist() == [[1, 2], [0, 2], [0, 1]]


def test_neighbours_are_references_of_the_queries_and_not_the_other_way_round():
    queries, references = torch.eye(3)[[0, 0, 1]], torch.eye(3)[[2, 1, 0]]
    assert retrieval.neighbours(queries, references, 1).tolist() == [[2], [2], [1]]


def test_of_equally_similar_references_the_lower_row_comes_first():
    collapsed = normalize(torch.ones(300, 4))
    found = retrieval.neighbours(collapsed, collapsed, 5)
    assert found[0].tolist() == [1, 2, 3, 4, 5]
    assert found[2].tolist() == [0, 1, 3, 4, 5]
    assert found[299].tolist() == [0, 1, 2, 3, 4]


def test_recall_beyond_the_number_of_photos_is_one():
    points, _, labels = random_problem()
    assert retrieval.evaluate(points, points, labels, [1000])["recall_at_1000"] == 1


@pytest.mark.parametrize(
    ("embeddings", "found"),
    [
        (torch.eye(4, dtype=torch.int8), r"int8 \(4, 4\)"),
        (torch.eye(4) > 0, r"bool \(4, 4\)"),
        (torch.ones(4, 2, 3), r"float32 \(4, 2, 3\)"),
        (torch.ones(4), r"float32 \(4,\)"),
        (torch.ones(4, 0), r"float32 \(4, 0\)"),
    ],
)
def test_what_is_no_table_of_floating_point_numbers_is_refused(embeddings, found):
    for compute in (retrieval.evaluate, retrieval.per_query):
        with pytest.raises(ValueError, match=rf"queries are {found}, expected floating point numbers \(N, D\)"):
            compute(embeddings, embeddings, torch.tensor([0, 0, 1, 1]), [1])


def test_of_references_that_are_whole_numbers_the_error_says_that_it_is_they():
    with pytest.raises(ValueError, match=r"references are int8 \(4, 4\), expected floating point numbers"):
        retrieval.evaluate(torch.eye(4), torch.eye(4, dtype=torch.int8), torch.tensor([0, 0, 1, 1]), [1])


def test_broken_embeddings_are_refused():
    points, _, labels = random_problem()
    points[3, 0] = torch.nan
    with pytest.raises(ValueError, match="1 of 60 embeddings are not finite"):
        retrieval.evaluate(points, points, labels, [1])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("length", [1, 2000])
def test_embeddings_of_few_bits_score_as_the_same_numbers_of_many(dtype, length):
    """Alike, as those of many a network: products of few bits would tie. And long: they would overflow."""
    labels, source = torch.arange(30).repeat_interleave(4), torch.Generator().manual_seed(0)
    own, others = (torch.randn(len(labels), 64, generator=source) for _ in range(2))
    points = torch.nn.functional.normalize(20 + own[labels] + others)
    points = (length * points).to(dtype)
    expected = retrieval.evaluate(points.double(), points.double(), labels, [1])
    assert retrieval.evaluate(points, points, labels, [1]) == pytest.approx(expected) and expected["recall_at_1"] > 0.1
    nearest = retrieval.neighbours(points.double(), points.double(), 3)
    assert (retrieval.neighbours(points, points, 3) == nearest).float().mean() > 0.99


@pytest.mark.parametrize("sign", [1, -1])  # all numbers of an embedding may be negative
def test_embeddings_whose_products_overflow_are_refused(sign):
    points, _, labels = random_problem()
    points = sign * 1e20 * points.abs()
    with pytest.raises(ValueError, match="60 of 60 embeddings are not finite, or their products"):
        retrieval.evaluate(points, points, labels, [1])


@pytest.mark.parametrize("length", [0, 1.1])
def test_means_over_embeddings_of_other_lengths_are_refused(length):
    points, _, labels = random_problem()
    longer = torch.cat([length * points[:1], points[1:]])
    for given in ((longer, points), (points, longer)):
        with pytest.raises(
            ValueError, match=r"of length (0|1) to 1(\.1)?, expected the same: divide each by its length"
        ):
            retrieval.evaluate(*given, labels, [1])


def test_only_lone_queries_are_refused():
    with pytest.raises(ValueError, match="every class has a single photo"):
        retrieval.evaluate(torch.eye(3), torch.eye(3), torch.arange(3), [1])


def test_more_neighbours_than_photos_are_refused():
    with pytest.raises(ValueError, match="3 neighbours asked of 2 other photos"):
        retrieval.neighbours(torch.eye(3), torch.eye(3), 3)


def test_rows_of_other_queries_are_refused():
    with pytest.raises(ValueError, match=r"queries \(3, 3\) and references \(3, 3\) differ for 2 queries"):
        retrieval.per_query(torch.eye(3), torch.eye(3), torch.arange(3), [1], torch.tensor([0, 1]))


def test_views_of_different_photos_are_refused():
    with pytest.raises(ValueError, match="differ"):
        retrieval.neighbours(torch.eye(3), torch.eye(4), 1)


@pytest.mark.parametrize(
    ("turned", "found"),
    [
        (lambda labels: labels[:, None], r"int64 \(32, 1\)"),
        (lambda labels: labels.float(), r"float32 \(32,\)"),  # numbers of products beyond 2^24 would be one
        (lambda labels: labels == 0, r"bool \(32,\)"),
    ],
)
def test_labels_that_are_no_numbers_of_classes_are_refused(turned, found):
    labels, points = torch.arange(8).repeat(4), torch.eye(32)
    assert retrieval.evaluate(points, points, labels.int(), [1])
    with pytest.raises(ValueError, match=rf"labels are {found}, expected whole numbers \(N,\): number the classes"):
        retrieval.evaluate(points, points, turned(labels), [1])
