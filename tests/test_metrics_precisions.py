"""Precisions of similarities: which are tried, how far they can be from the exact ones, and that none is rounded."""

import pytest
import torch
from torch.nn.functional import normalize

from bgbias.metrics import nearest, precisions


@pytest.mark.parametrize(("fp32", "bf16", "ways"), [(2, 1, [torch.bfloat16, torch.float32]), (1, 2, [torch.float32])])
def test_bf16_is_tried_only_where_a_small_product_of_it_is_faster(monkeypatch, fp32, bf16, ways):
    clock, mm = [0.0], torch.mm

    def timed(one, other):
        clock[0] += bf16 if one.dtype == torch.bfloat16 else fp32
        return mm(one, other)

    monkeypatch.setattr(torch, "mm", timed)
    monkeypatch.setattr(precisions, "perf_counter", lambda: clock[0])
    precisions.bf16_is_fast.cache_clear()
    assert precisions.of(torch.zeros(2, 3)) == ways
    precisions.bf16_is_fast.cache_clear()
    assert precisions.of(torch.zeros(2, 3).double()) == [torch.float64]


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_the_margin_of_a_screening_holds(precision):
    source = torch.Generator().manual_seed(0)
    for scale in (1.0, 0.001, 300.0):
        points = scale * torch.randn(400, 128, generator=source).abs()  # of one sign: the largest similarities
        rough = points.to(precision) @ points.to(precision).T
        margin = precisions.margin(precision, 128) * points.norm(dim=1)[:, None] * points.norm(dim=1).max()
        assert ((rough.double() - points.double() @ points.double().T).abs() < margin).all()


def test_products_of_lists_are_of_whole_numbers_and_what_a_user_has_allowed_comes_back(monkeypatch):
    matmul, mm, seen = torch.backends.cuda.matmul, torch.mm, []
    monkeypatch.setattr(precisions, "of", lambda references: [references.dtype])
    monkeypatch.setattr(torch, "mm", lambda *its, **how: seen.append(matmul.fp32_precision) or mm(*its, **how))
    points = normalize(torch.randn(3000, 8, generator=torch.Generator().manual_seed(0)))
    before, matmul.fp32_precision = matmul.fp32_precision, "tf32"
    try:
        for k in (5, 100):  # screened, and not
            list(nearest.lists(points, points, torch.arange(3000), k))
            assert set(seen) == {"ieee"} and matmul.fp32_precision == "tf32"
            seen.clear()
        with pytest.raises(ZeroDivisionError), precisions.whole_fp32():
            _ = 1 / 0
        assert matmul.fp32_precision == "tf32"
    finally:
        matmul.fp32_precision = before
