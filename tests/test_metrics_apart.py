"""Queries that are not among the references: by hand, by brute force, by simulation."""

import pytest
import torch
from test_metrics_retrieval import way  # noqa: F401 (both ways to the lists, in each test)
from torch.nn.functional import normalize

from bgbias.metrics.background_bias import over_backgrounds
from bgbias.metrics.chance import chance
from bgbias.metrics.retrieval import evaluate, per_query

REFERENCES, QUERIES, K = 60, 25, 3


def test_by_hand():
    """On a line: references 0 (A), 1 (B), 2 (A), 4 (C); queries 0.4 (A), 3.5 (A), 1.1 (C), 9 (D, not there)."""
    points = torch.tensor([0.0, 1.0, 2.0, 4.0, 0.4, 3.5, 1.1, 9.0]) / 20
    points, labels = torch.stack([points.cos(), points.sin()], 1), torch.tensor([0, 1, 0, 2, 0, 0, 2, 3])
    found = per_query(points[4:], points[:4], labels, [1, 2], torch.arange(4, 8))
    assert found["rows"].tolist() == [4, 5, 6]  # neighbours: A B A C; C A B A; B A A C
    assert found["recall_at_1"].tolist() == [1, 0, 0] and found["recall_at_2"].tolist() == [1, 1, 0]
    assert found["r_precision"].tolist() == [0.5, 0.5, 0] and found["map_at_r"].tolist() == [0.5, 0.25, 0]
    means = evaluate(points[4:], points[:4], labels, [2], torch.arange(4, 8))
    assert means == pytest.approx({"recall_at_2": 2 / 3, "r_precision": 1 / 3, "map_at_r": 0.25})


def problem():
    source = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 9, (REFERENCES + QUERIES,), generator=source)
    points = torch.randn(9, 8, generator=source)[labels] + 1.2 * torch.randn(len(labels), 8, generator=source)
    return normalize(points), labels


@pytest.mark.parametrize("among", [0, 7])  # of the queries, the last references
def test_brute_force(among):
    points, labels = problem()
    rows, expected = torch.arange(REFERENCES - among, len(labels)), []
    for row in rows.tolist():
        order = (points[row].double() @ points[:REFERENCES].double().T).argsort(descending=True).tolist()
        hits = [bool(labels[other] == labels[row]) for other in order if other != row]
        r = sum(hits)
        precisions = [sum(hits[: n + 1]) / (n + 1) for n in range(r) if hits[n]]
        expected.append([float(any(hits[:K])), sum(hits[:r]) / r, sum(precisions) / r])
    found = per_query(points[rows], points[:REFERENCES], labels, [K], rows)
    measured = torch.stack([found[name] for name in (f"recall_at_{K}", "r_precision", "map_at_r")], 1)
    torch.testing.assert_close(measured, torch.tensor(expected), atol=1e-6, rtol=0)
    assert torch.equal(found["rows"], rows)


def test_a_photo_among_the_references_finds_what_it_finds_without_itself():
    """So a query apart is a query of all photos, the others of which are not searched."""
    points, labels = problem()
    apart = per_query(points[-1:], points[:-1], labels, [1], torch.tensor([len(labels) - 1]))
    every = per_query(points[-1:], points, labels, [1], torch.tensor([len(labels) - 1]))
    assert all(torch.equal(apart[name], every[name]) for name in every)


def test_ranks_beyond_the_largest_class_and_all_references_of_one_class():
    points, labels = problem()
    ranks = torch.cat([torch.zeros(REFERENCES - 1), torch.ones(2)]).long()  # the only right one is somewhere
    rows = torch.tensor([REFERENCES])
    place = (points[REFERENCES] @ points[:REFERENCES].T).argsort(descending=True).tolist().index(REFERENCES - 1)
    found = per_query(points[rows], points[:REFERENCES], ranks, [place, place + 1], rows)
    assert (found[f"recall_at_{place}"], found[f"recall_at_{place + 1}"]) == (0, 1)
    alike = per_query(points[rows], points[:REFERENCES], torch.zeros_like(labels), [1], rows)
    assert alike["map_at_r"].tolist() == [1]


def test_a_class_that_no_reference_has_is_nothing_to_retrieve():
    points, labels = torch.eye(4), torch.tensor([0, 0, 1, 2])
    with pytest.raises(ValueError, match="there is nothing to retrieve"):
        per_query(points[2:], points[:2], labels, [1], torch.tensor([2, 3]))


@pytest.mark.parametrize(
    ("references", "start", "rows"),  # of the labels that are given
    [(QUERIES - 5, REFERENCES, None), (REFERENCES, REFERENCES, None), (REFERENCES, 30, torch.arange(30, 55))],
)
def test_labels_of_the_queries_or_of_some_references_alone_are_refused(references, start, rows):
    """Of fewer references than queries, their first labels were taken for those of the references."""
    points, labels = problem()
    with pytest.raises(ValueError, match=rf"{len(labels) - start} labels of {references} references: give the ref"):
        evaluate(points[REFERENCES:], points[:references], labels[start:], [1], rows)


def test_over_backgrounds():
    points, labels = problem()
    rows, gallery = torch.arange(REFERENCES, len(labels)), points[:REFERENCES]
    found = over_backgrounds([points[REFERENCES:], gallery[:QUERIES]], gallery, labels, rows)
    one, two = (
        per_query(asked, gallery, labels, [1], rows)["recall_at_1"]
        for asked in (points[REFERENCES:], gallery[:QUERIES])
    )
    assert found["worst"].tolist() == torch.minimum(one, two).tolist()


def test_chance_is_what_random_orders_score():
    labels = torch.tensor([0, 0, 1, 2, 2, 2, 0, 2, 3])  # six references; 3 is not there
    found, source = chance(labels, 6), torch.Generator().manual_seed(0)
    assert found["rows"].tolist() == [0, 1, 3, 4, 5, 6, 7]
    for place, row in enumerate(found["rows"].tolist()):
        hits = torch.tensor([labels[other] == labels[row] for other in range(6) if other != row])
        r = int(hits.sum())
        top = hits[torch.rand(20_000, len(hits), generator=source).argsort(1)][:, :r].double()
        precision = top.cumsum(1) / torch.arange(1, r + 1)
        assert found["recall_at_1"][place].item() == pytest.approx(r / len(hits))
        assert found["map_at_r"][place].item() == pytest.approx((precision * top).mean(1).mean().item(), abs=0.01)
