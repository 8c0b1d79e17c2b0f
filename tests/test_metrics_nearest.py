"""Lists of nearest references: those of a stable sort, whatever chose the candidates, and in whatever parts."""

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from bgbias.metrics import nearest


def listed(points, k, ways, monkeypatch):
    """All lists, screened in these precisions."""
    monkeypatch.setattr(nearest, "ENOUGH", 0)
    monkeypatch.setattr("bgbias.metrics.precisions.of", lambda references: ways)
    found = list(nearest.lists(points, points, torch.arange(len(points)), k))
    assert torch.cat([places for places, _ in found]).tolist() == list(range(len(points)))
    return torch.cat([rows for _, rows in found])


def ranking(points):
    return (points @ points.T).fill_diagonal_(-torch.inf).argsort(dim=1, descending=True, stable=True)


WAYS = [[torch.float32], [torch.bfloat16, torch.float32]]


@pytest.mark.parametrize("ways", WAYS)
@pytest.mark.parametrize("spare", [1, 8, 1000])
@pytest.mark.parametrize("part", [50, 8192])
def test_screened_lists_are_those_of_a_stable_sort_also_of_duplicates(monkeypatch, ways, spare, part):
    source = torch.Generator().manual_seed(0)
    points = normalize(torch.randn(30, 16, generator=source)[torch.arange(600) % 30])
    points[300:] = normalize(points[300:] + 0.02 * torch.randn(300, 16, generator=source))  # the others are duplicates
    for name, value in {"SPARE": spare, "PART": 0, "LEAST_PART": part, "TRIED": 100, "COLUMNS": 64}.items():
        monkeypatch.setattr(nearest, name, value)
    assert torch.equal(listed(points, 12, ways, monkeypatch), ranking(points)[:, :12])


def test_few_queries_find_what_they_find_among_many_also_of_duplicates():
    points = normalize(torch.randn(153, 64, generator=torch.Generator().manual_seed(0))).repeat(2, 1)
    rows, expected = torch.arange(len(points)), ranking(points)[:, :12]
    for few in (1, 2, 3):
        for some in rows.split(few):
            ((_, found),) = nearest.lists(points[some], points, some, 12)
            assert torch.equal(found, expected[some])


def test_the_own_photo_alone_is_left_out_also_where_it_is_the_first_of_its_columns(monkeypatch):
    monkeypatch.setattr(nearest, "COLUMNS", 64)
    places = torch.randn(200, 16, generator=torch.Generator().manual_seed(0))
    places[64::64] = places[0] + 0.1 * places[64::64]  # rows 0, 64, 128 and 192 are alike
    found = listed(normalize(places), 3, [torch.float32], monkeypatch)[64]
    assert set(found.tolist()) == {0, 128, 192}


@pytest.mark.parametrize("ways", WAYS)
def test_lists_that_rough_similarities_cannot_tell_are_made_exactly(monkeypatch, ways):
    source = torch.Generator().manual_seed(0)
    points = normalize(1 + 0.05 * torch.randn(600, 16, generator=source).double()).float()  # closer than bf16 resolves
    exact = points.double() @ points.double().T
    expected = exact.fill_diagonal_(-torch.inf).sort(1, descending=True)
    found = listed(points, 12, ways, monkeypatch)
    assert (exact.gather(1, found) - expected.values[:, :12]).abs().max() < 1e-6


def test_lists_do_not_depend_on_the_precision_that_is_fastest(monkeypatch):
    source = torch.Generator().manual_seed(0)
    points = normalize(1 + 0.3 * torch.randn(4000, 24, generator=source))  # of some, bf16 proves the lists
    points[1::50] = points[::50]
    ways = [[torch.float32], [torch.bfloat16, torch.float32], [torch.bfloat16]]
    one, other, _ = (listed(points, 10, way, monkeypatch) for way in ways)
    assert torch.equal(one, other)
    _, sure = nearest._screened(points, points, torch.arange(4000), 10, torch.bfloat16)
    assert 0.01 < sure.float().mean() < 0.99


def test_queries_after_those_tried_go_the_faster_way(monkeypatch):
    seconds, asked, clock = {torch.bfloat16: 2.0, torch.float32: 1.0}, [], [0.0]

    def screened(queries, references, own, k, way):
        asked.append((way, len(queries)))
        clock[0] += seconds[way] * len(queries)
        return torch.zeros(len(queries), k, dtype=torch.int64), torch.ones(len(queries), dtype=torch.bool)

    monkeypatch.setattr(nearest, "_screened", screened)
    monkeypatch.setattr(nearest, "perf_counter", lambda: clock[0])
    for fast, slow in ((torch.float32, torch.bfloat16), (torch.bfloat16, torch.float32)):
        seconds[fast], seconds[slow] = 1.0, 2.0
        asked.clear()
        listed(torch.zeros(700, 4), 5, WAYS[1], monkeypatch)
        assert [(way, count) for way, count in asked if count] == [
            (torch.bfloat16, 256),
            (torch.float32, 256),
            (fast, 188),
        ]


@pytest.mark.parametrize(("rows", "count"), [(5, 5), (30, 1), (300, 4), (301, 17), (5000, 400)])
def test_the_largest_by_blocks_are_the_largest(rows, count):
    source = torch.Generator().manual_seed(0)
    queries, part = torch.randn(20, 8, generator=source), torch.randn(rows, 8, generator=source)
    value, index = nearest._rough(queries, part, torch.full((20,), -1), count, torch.empty(0))
    expected = (queries @ part.T).topk(count)
    order = value.argsort(1, descending=True)
    assert torch.equal(index.gather(1, order), expected.indices)
    torch.testing.assert_close(value.gather(1, order), expected.values)


def test_references_mapped_from_a_file_are_found_as_those_in_memory(tmp_path, monkeypatch):
    points = normalize(torch.randn(500, 16, generator=torch.Generator().manual_seed(0)))
    np.save(tmp_path / "points.npy", points.numpy())
    mapped = torch.from_numpy(np.load(tmp_path / "points.npy", mmap_mode="c"))
    monkeypatch.setattr(nearest, "LEAST_PART", 90)
    monkeypatch.setattr(nearest, "PART", 0)
    monkeypatch.setattr(nearest, "ENOUGH", 0)
    rows = torch.tensor([3, 400, 77])
    found = [next(iter(nearest.lists(points[rows], of, rows, 9)))[1] for of in (points, mapped)]
    assert torch.equal(*found) and torch.equal(found[0], ranking(points)[rows, :9])


def test_rows_that_tie_are_sorted_an_eighth_of_them_at_a_time(monkeypatch):
    sizes, argsort = [], torch.Tensor.argsort
    monkeypatch.setattr(torch.Tensor, "argsort", lambda rows, **how: sizes.append(len(rows)) or argsort(rows, **how))
    assert nearest._nearest(torch.zeros(64, 100), 5).tolist() == [[0, 1, 2, 3, 4]] * 64
    assert sizes == [8] * 8
