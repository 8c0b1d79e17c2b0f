"""Retrieval on a GPU: the lists and figures of a CPU, whatever memory and precision it is left."""

import pytest
import torch
from on_gpu import CUDA, MARKS

from bgbias.metrics import nearest
from bgbias.metrics.retrieval import evaluate

pytestmark = MARKS
SIZES = [(400, 8_131, 98), (1_000, 150_000, 9), (300, 150_000, 2_000)]  # queries, references (of three parts), k


def problem(queries, references, coarse):
    """Points, or coarse ones: with them, sums of products are exact in any order, and many tie."""
    source = torch.Generator().manual_seed(0)
    points = torch.randn(references, 128, generator=source)
    points = (8 * points).round() / 8 if coarse else torch.nn.functional.normalize(points)
    own = torch.randperm(references, generator=source)[:queries]
    return points[own], points, own


def listed(queries, references, own, k, where):
    found = list(nearest.lists(queries.to(where), references.to(where), own.to(where), k))
    assert torch.cat([places for places, _ in found]).tolist() == list(range(len(queries)))
    return torch.cat([rows for _, rows in found]).cpu()


@pytest.fixture
def expected():
    """Lists of a CPU, by size."""
    return {size: listed(*problem(*size[:2], coarse=True), size[2], "cpu") for size in SIZES}


@pytest.fixture
def little_memory():
    """600 MB, of which 80 are taken by references."""
    torch.cuda.empty_cache()
    _, total = torch.cuda.mem_get_info()
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 600e6) / total)
    yield
    torch.cuda.set_per_process_memory_fraction(1.0)


def test_lists_are_those_of_a_cpu_ties_and_all_also_where_memory_is_short(expected, request):
    for size in SIZES:
        assert torch.equal(listed(*problem(*size[:2], coarse=True), size[2], CUDA), expected[size])
    request.getfixturevalue("little_memory")
    for size in SIZES:
        assert torch.equal(listed(*problem(*size[:2], coarse=True), size[2], CUDA), expected[size])


def test_of_any_numbers_lists_differ_only_where_similarities_do_not_by_more_than_rounding(record_property):
    queries, references, own = problem(1_000, 150_000, coarse=False)
    one, other = (listed(queries, references, own, 20, where) for where in ("cpu", CUDA))
    of_one, of_other = ((references[rows].double() * queries[:, None].double()).sum(2) for rows in (one, other))
    record_property("other places", int((one != other).sum()))
    assert (of_one - of_other).abs().max() < 1e-6 and (one != other).float().mean() < 1e-3


def test_figures_are_those_of_a_cpu(record_property):
    source = torch.Generator().manual_seed(0)
    labels = torch.arange(12_000) // 6
    points = torch.nn.functional.normalize(
        torch.randn(2_000, 64, generator=source)[labels] + 2 * torch.randn(12_000, 64, generator=source)
    )
    one, other = (evaluate(points.to(to), points.to(to), labels.to(to), [1, 10, 1000]) for to in ("cpu", CUDA))
    record_property("figures", str(one))
    assert other == pytest.approx(one, abs=1e-6) and 0.1 < one["map_at_r"] < 0.9


def test_tf32_that_a_user_s_own_code_allows_rounds_nothing_here_and_stays_allowed():
    queries, references, own = problem(1_000, 150_000, coarse=False)
    exact = [listed(queries, references, own, k, CUDA) for k in (20, 2_000)]  # screened, and not
    before, torch.backends.cuda.matmul.fp32_precision = torch.backends.cuda.matmul.fp32_precision, "tf32"
    try:
        rounded = [listed(queries, references, own, k, CUDA) for k in (20, 2_000)]
        assert torch.backends.cuda.matmul.fp32_precision == "tf32"
    finally:
        torch.backends.cuda.matmul.fp32_precision = before
    assert all(torch.equal(one, other) for one, other in zip(exact, rounded, strict=True))
