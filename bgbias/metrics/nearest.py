"""The nearest references of each query, exactly, from embeddings of any number (tensors only).

Candidates are chosen by rough similarities, ranked by exact ones, and a list is believed where a proven margin says
that no other reference can belong to it; else it is made anew from more exact similarities. So lists do not depend on
how rough the first ones were. References are taken part by part: they may be mapped from a file larger than memory.
Where the processor multiplies bf16 numbers faster than fp32 ones, the first queries are timed both ways, and the others
go the faster one.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

ENTRIES = 6_000_000  # similarities at a time of few references, 24 MB: more would be no faster
PART = 2**23  # numbers of references that are screened at a time: 32 MB
LEAST_PART = 8192  # references, however many dimensions they have
COLUMNS = 2048  # similarities of a query that stay in the processor's cache,
LARGEST_BLOCK = 32  # of which one is the largest of at most so many; more would be slow, as bf16 numbers are
AT_ONCE, TRIED = 256, 256  # queries; and how many are timed each way
CACHED = {"cpu": 2**18, "cuda": 2**24}  # numbers, 1 MB; 64 MB fill a GPU
ON_GPU = 2**28  # similarities at a time, 1 GB, where there is as much memory
KEPT = 2**21  # numbers of lists that wait for the next part
SPARE = 16  # candidates of a screening beyond those that are wanted
ENOUGH = 100  # references for each candidate, for a screening


def lists(queries: Tensor, references: Tensor, own: Tensor, k: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Find the k most similar references of each query, most similar first, of equal ones the lower row first.

    Args:
        queries: float (Q, D).
        references: float (N, D), finite like the queries; similar means a large inner product.
        own: int64 (Q,), the row of `references` that each query does not find.
        k: how many, less than N.

    Yields:
        Places of some queries, int64 (B,), in order, and rows of their nearest references, int64 (B, k).
    """
    places = torch.arange(len(queries), device=queries.device)
    if len(references) <= ENOUGH * (k + SPARE):
        yield from _unscreened(queries, references, own, places, k)
        return
    ways, seconds = _precisions(references), {}
    tried = 2 * TRIED  # also where there is one way: the same queries are then taken together whatever is fastest
    for some in filter(len, [*places[:tried].split(TRIED), *places[tried:].split(max(AT_ONCE, KEPT // (k + 1)))]):
        started, way = perf_counter(), len(seconds) if len(seconds) < len(ways) else min(seconds, key=seconds.get)
        nearest, sure = _screened(queries[some], references, own[some], k, ways[way])
        for precision in ways[way + 1 :]:
            unsure = (~sure).nonzero()[:, 0]
            nearest[unsure], sure[unsure] = _screened(
                queries[some[unsure]], references, own[some[unsure]], k, precision
            )
        left = _unscreened(queries, references, own, some[~sure], k)
        nearest[~sure] = torch.cat([nearest[:0], *(found for _, found in left)])
        seconds[way] = (perf_counter() - started) / len(some)
        yield from zip(some.split(AT_ONCE), nearest.split(AT_ONCE), strict=True)


def _precisions(references: Tensor) -> list[torch.dtype]:
    """Of similarities, the roughest first."""
    fast = references.is_cpu and references.dtype == torch.float32 and bf16_is_fast()
    return [*([torch.bfloat16] if fast else []), references.dtype]


@cache
def bf16_is_fast() -> bool:
    """Whether this processor multiplies bf16 numbers faster than fp32 ones, by a small product; once in a process."""
    seconds = {}
    for precision in (torch.float32, torch.bfloat16):
        one, other = (torch.ones(rows, 128, dtype=precision) for rows in (AT_ONCE, COLUMNS))
        for _ in range(3):  # the first time, what it needs is set up
            started = perf_counter()
            torch.mm(one, other.T)
            seconds[precision] = min(perf_counter() - started, seconds.get(precision, math.inf))
    return seconds[torch.bfloat16] < seconds[torch.float32]


def margin(precision: torch.dtype, dimensions: int) -> float:
    """How far a rough similarity can be from the exact one, as a share of |q| |r|.

    Rounding a factor to bf16 changes it by at most 2^-9 of itself, so a sum of products by at most 2^-8 |q| |r|
    (Cauchy-Schwarz); rounding the sum, by 2^-9 |q| |r|. Adding up D products in any order changes the sum by at most
    D u |q| |r|, with u half the precision's eps, and the exact one is such a sum, too. A tenth is for the small rest.

    >>> margin(torch.bfloat16, 128) > margin(torch.float32, 128) > 0
    True
    """
    rounding = 2**-8 + 2**-9 if precision == torch.bfloat16 else 0
    return 1.1 * (rounding + dimensions * torch.finfo(torch.promote_types(precision, torch.float32)).eps)


@contextmanager
def _whole_fp32() -> Iterator[None]:
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


@_whole_fp32()
def _screened(queries: Tensor, references: Tensor, own: Tensor, k: int, way: torch.dtype) -> tuple[Tensor, Tensor]:
    """The k nearest among the candidates of each part, and for which queries that is proven.

    A list is proven when its last similarity exceeds every rough one left out by more than the margin, and no two tie.
    """
    best = queries.new_full((len(queries), k + 1), -torch.inf)
    found, left_out = own.new_zeros(best.shape), best[:, 0].clone()
    lengths = queries.norm(dim=1) * margin(way, queries.shape[1])
    rows = max(PART // references.shape[1], LEAST_PART)
    at_once = min(AT_ONCE if references.is_cpu else _fitting(references, rows), len(queries))
    memory = torch.empty(0, dtype=way, device=references.device)
    for start, part in zip(range(0, len(references), rows), references.split(rows), strict=True):
        margins, rough_part = lengths * part.norm(dim=1).max(), part.to(way)
        for few in torch.arange(len(queries), device=own.device).split(at_once):
            of_few = queries[few]
            count = min(k + 1 + SPARE, len(part))
            value, index = _rough(of_few.to(way), rough_part, own[few] - start, count, memory)
            exact = _inner(of_few, part, index).masked_fill_(value == -torch.inf, -torch.inf)  # its own photo
            if count < len(part):
                left_out[few] = torch.maximum(left_out[few], value.amin(1) + margins[few])
            known, rows_of = torch.cat([best[few], exact], 1), torch.cat([found[few], index + start], 1)
            best[few], place = known.topk(k + 1)
            found[few] = rows_of.gather(1, place)
    sure = (best[:, k - 1] > left_out) & (best[:, 1:] < best[:, :-1]).all(1)
    return found[:, :k].contiguous(), sure


def _fitting(references: Tensor, rows: int) -> int:
    """How many queries' similarities with so many rows fill a GPU, and take an eighth of what memory it has left."""
    where = references.device
    free, total = torch.cuda.mem_get_info(where)
    held = torch.cuda.memory_reserved(where)
    allowed = int(torch.cuda.get_per_process_memory_fraction(where) * total) - held
    left = min(free, allowed) + held - torch.cuda.memory_allocated(where)
    return max(1, min(ON_GPU, left // 8 // references.element_size()) // rows)


def _rough(queries: Tensor, part: Tensor, own: Tensor, count: int, memory: Tensor) -> tuple[Tensor, Tensor]:
    """The `count` largest similarities of each query, float (B, count), in any order, and their rows of the part.

    They lie in the blocks of the largest maxima. A block is a column of some of the similarities that were computed
    together, so its maximum is found while they are in the processor's cache.
    """
    size = 1 << max(0, min(LARGEST_BLOCK, int((len(part) / count) ** 0.5)).bit_length() - 1)
    across, steps = COLUMNS // size, -(-len(part) // COLUMNS)
    similarity = memory.resize_(steps, len(queries), COLUMNS)
    maxima = queries.new_empty(len(queries), steps, across)
    for step, columns in enumerate(part.split(COLUMNS)):
        if len(columns) < COLUMNS:
            similarity[step] = -torch.inf
            similarity[step, :, : len(columns)] = queries @ columns.T
        else:
            torch.mm(queries, columns.T, out=similarity[step])
        here = ((own >= step * COLUMNS) & (own < step * COLUMNS + len(columns))).nonzero()[:, 0]
        similarity[step, here, own[here] % COLUMNS] = -torch.inf
        torch.amax(similarity[step].unflatten(1, (size, across)), 1, out=maxima[:, step])
    blocks = _places_of_largest(maxima.flatten(1).float(), count)
    first = blocks // across * COLUMNS + blocks % across
    rows = (first[:, :, None] + across * torch.arange(size, device=own.device)).flatten(1)
    flat = rows // COLUMNS * (len(queries) * COLUMNS) + rows % COLUMNS
    flat += COLUMNS * torch.arange(len(queries), device=own.device)[:, None]
    candidates = similarity.flatten()[flat].float()
    place = _places_of_largest(candidates, count)
    return candidates.gather(1, place), rows.gather(1, place).clamp_(max=len(part) - 1)  # beyond, all are -inf


def _places_of_largest(values: Tensor, count: int) -> Tensor:
    """Places of the `count` largest of each row, in any order, int64; on a CPU by NumPy, several times as fast."""
    if not values.is_cpu:
        return values.topk(count, sorted=False).indices
    return torch.from_numpy(np.argpartition(values.numpy(), -count, axis=1)[:, -count:])


def _inner(queries: Tensor, part: Tensor, index: Tensor) -> Tensor:
    """Inner products of queries and rows of the part; each is the same whatever others are asked with it."""
    few = max(1, CACHED[part.device.type] // (index.shape[1] * part.shape[1]))
    asked = zip(queries.split(few), index.split(few), strict=True)
    return torch.cat([part[rows].mul_(some[:, None]).sum(2) for some, rows in asked])


def _unscreened(
    queries: Tensor, references: Tensor, own: Tensor, wanted: Tensor, k: int
) -> Iterator[tuple[Tensor, Tensor]]:
    for places, similarity in similarities(queries, references, own, wanted):
        yield places, _nearest(similarity, k)


def similarities(queries: Tensor, references: Tensor, own: Tensor, wanted: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Give places of some of the wanted queries and their similarities with all references, -inf with their own."""
    rows = len(references)
    at_once = min(max(32, ENTRIES // rows), 256) if references.is_cpu else min(_fitting(references, rows), len(wanted))
    memory = references.new_empty(at_once, len(references))
    for places in wanted.split(at_once):
        with _whole_fp32():
            similarity = torch.mm(queries[places], references.T, out=memory[: len(places)])
        similarity[torch.arange(len(places), device=places.device), own[places]] = -torch.inf
        yield places, similarity


def _nearest(similarity: Tensor, k: int) -> Tensor:
    place = _places_of_largest(similarity, k + 1)  # one more shows whether the k-th ties with the next
    value, order = similarity.gather(1, place).sort(1, descending=True)
    nearest = place.gather(1, order)[:, :k]
    tied = (value[:, 1:] == value[:, :-1]).any(1)  # these came in any order: sort their rows whole
    nearest[tied] = similarity[tied].argsort(dim=1, descending=True, stable=True)[:, :k]
    return nearest
