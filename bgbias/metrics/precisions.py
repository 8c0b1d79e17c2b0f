"""How precise similarities are: in which precisions they are computed, and how far those can be from the exact ones."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from time import perf_counter

import torch
from torch import Tensor

TRIED = 256, 2048  # rows of the factors of a small product


def of(references: Tensor) -> list[torch.dtype]:
    """Name the precisions of similarities with these references, the roughest first."""
    fast = references.is_cpu and references.dtype == torch.float32 and bf16_is_fast()
    return [*([torch.bfloat16] if fast else []), references.dtype]


@cache
def bf16_is_fast() -> bool:
    """Tell whether this processor multiplies bf16 numbers faster than fp32 ones, by a small product, once."""
    seconds = {}
    for precision in (torch.float32, torch.bfloat16):
        one, other = (torch.ones(rows, 128, dtype=precision) for rows in TRIED)
        for _ in range(3):  # the first time, what it needs is set up
            started = perf_counter()
            torch.mm(one, other.T)
            seconds[precision] = min(perf_counter() - started, seconds.get(precision, math.inf))
    return seconds[torch.bfloat16] < seconds[torch.float32]


def margin(precision: torch.dtype, dimensions: int) -> float:
    """Bound how far a rough similarity can be from the exact one, as a share of |q| |r|.

    Rounding a factor to bf16 changes it by at most 2^-9 of itself, so a sum of products by at most 2^-8 |q| |r|
    (Cauchy-Schwarz); rounding the sum, by 2^-9 |q| |r|. Adding up D products in any order changes the sum by at most
    D u |q| |r|, with u half the precision's eps, and the exact one is such a sum, too. A tenth is for the small rest.

    >>> margin(torch.bfloat16, 128) > margin(torch.float32, 128) > 0
    True
    """
    rounding = 2**-8 + 2**-9 if precision == torch.bfloat16 else 0
    return 1.1 * (rounding + dimensions * torch.finfo(torch.promote_types(precision, torch.float32)).eps)


@contextmanager
def whole_fp32() -> Iterator[None]:
    """Multiply fp32 numbers as they are, whatever the user's own code has allowed: TF32 or bf16 would round them."""
    matmuls = torch.backends.cuda.matmul, torch.backends.mkldnn.matmul
    before = [matmul.fp32_precision for matmul in matmuls]
    try:
        for matmul in matmuls:
            matmul.fp32_precision = "ieee"
        yield
    finally:
        for matmul, precision in zip(matmuls, before, strict=True):
            matmul.fp32_precision = precision
