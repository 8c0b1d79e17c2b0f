"""The nearest references of each query, exactly, from embeddings of any number (tensors only).

Candidates are chosen by rough similarities, ranked by exact ones, and a list is believed where a proven margin says
that no other reference can belong to it; else it is made anew from more exact similarities. So lists do not depend on
how rough the first ones were. References are taken part by part: they may be mapped from a file larger than memory.
Where the processor multiplies bf16 numbers faster than fp32 ones, the first queries are timed both ways, and the others
go the faster one.
"""

from collections.abc import Iterator
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from bgbias.metrics import precisions

ENTRIES = 6_000_000  # similarities at a time of few references, 24 MB: more would be no faster
PART = 2**23  # numbers of references that are screened at a time: 32 MB
LEAST_PART = 8192  # references, however many dimensions they have
COLUMNS = 2048  # similarities of a query that stay in the processor's cache,
LARGEST_BLOCK = 32  # of which one is the largest of at most so many; more would be slow, as bf16 numbers are
LEAST_QUERIES = 8  # of fewer, a CPU's products have other last digits, also for references that are equal
AT_ONCE, TRIED = 256, 256  # queries; and how many are timed each way
CACHED = {"cpu": 2**18, "cuda": 2**24}  # numbers, 1 MB; 64 MB fill a GPU
ON_GPU = 2**28  # similarities at a time, 1 GB, where there is as much memory
KEPT = 2**21  # numbers of lists that wait for the next part
SPARE = 16  # candidates of a screening beyond those that are wanted
PARTS = 8  # of rows that are sorted whole
ENOUGH = 100  # references for each candidate, for a screening


def lists(queries: Tensor, references: Tensor, own: Tensor, k: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Find the k most similar references of each query, most similar first, of equal ones the lower row first.

    Args:
        queries: float (Q, D).
        references: float (N, D), finite like the queries; similar means a large inner product.
        own: int64 (Q,), the row of `references` that each query does not find; N or more: it is none of them.
        k: how many: less than N, or N where no query is one of the references.

    Yields:
        Places of some queries, int64 (B,), in order, and rows of their nearest references, int64 (B, k).
    """
    places = torch.arange(len(queries), device=queries.device)
    if len(references) <= ENOUGH * (k + SPARE):
        yield from _unscreened(queries, references, own, places, k)
        return
    ways, seconds = precisions.of(references), {}
    # on a CPU also where there is one way: the same queries are then taken together whatever is fastest
    tried = 2 * TRIED if references.is_cpu else 0
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


@precisions.whole_fp32()
def _screened(queries: Tensor, references: Tensor, own: Tensor, k: int, way: torch.dtype) -> tuple[Tensor, Tensor]:
    """The k nearest among the candidates of each part, and for which queries that is proven.

    A list is proven when its last similarity exceeds every rough one left out by more than the margin, and no two tie.
    """
    best = queries.new_full((len(queries), k + 1), -torch.inf)
    found, left_out = own.new_zeros(best.shape), best[:, 0].clone()
    lengths = queries.norm(dim=1) * precisions.margin(way, queries.shape[1])
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
    wide = COLUMNS if part.is_cpu else LEAST_PART  # of a GPU each step costs a wait
    across, steps = wide // size, -(-len(part) // wide)
    similarity = memory.resize_(steps, len(queries), wide)
    maxima = queries.new_empty(len(queries), steps, across)
    for step, columns in enumerate(part.split(wide)):
        if len(columns) < wide:
            similarity[step] = -torch.inf
            similarity[step, :, : len(columns)] = queries @ columns.T
        else:
            torch.mm(queries, columns.T, out=similarity[step])
        here = ((own >= step * wide) & (own < step * wide + len(columns))).nonzero()[:, 0]
        similarity[step, here, own[here] % wide] = -torch.inf
        torch.amax(similarity[step].unflatten(1, (size, across)), 1, out=maxima[:, step])
    blocks = _places_of_largest(maxima.flatten(1).float(), count)
    first = blocks // across * wide + blocks % across
    rows = (first[:, :, None] + across * torch.arange(size, device=own.device)).flatten(1)
    flat = rows // wide * (len(queries) * wide) + rows % wide
    flat += wide * torch.arange(len(queries), device=own.device)[:, None]
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
        asked = places.repeat(LEAST_QUERIES)[:LEAST_QUERIES] if len(places) < LEAST_QUERIES <= at_once else places
        with precisions.whole_fp32():
            similarity = torch.mm(queries[asked], references.T, out=memory[: len(asked)])[: len(places)]
        among = (own[places] < rows).nonzero()[:, 0]
        similarity[among, own[places[among]]] = -torch.inf
        yield places, similarity


def _nearest(similarity: Tensor, k: int) -> Tensor:
    place = _places_of_largest(
        similarity, min(k + 1, similarity.shape[1])
    )  # one more shows whether the k-th ties with the next
    value, order = similarity.gather(1, place).sort(1, descending=True)
    nearest = place.gather(1, order)[:, :k]
    tied = (value[:, 1:] == value[:, :-1]).any(1)  # these came in any order: sort their rows whole
    for few in tied.nonzero()[:, 0].split(max(1, len(similarity) // PARTS)):  # a GPU takes much memory for a sort
        nearest[few] = similarity[few].argsort(dim=1, descending=True, stable=True)[:, :k]
    return nearest
