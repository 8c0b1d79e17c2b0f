"""Recall@1, MAP@R and R-precision of N embeddings of 128 dimensions, each a query against all others.

    python -m benchmarks.retrieval [--large]

calculator: pytorch-metric-learning's AccuracyCalculator with faiss
faiss:      faiss's exact search, then this project's arithmetic on the lists
bgbias:     the pipeline's path
fp32:       the same without bf16, as on processors that do not multiply such numbers fast
product:    the fp32 matrix product of all embeddings alone, 128 queries by all references at a time
tiled:      the same, 512 queries by 2,048 references at a time, which stay in the cache

Needs `pip install -r benchmarks/requirements.txt`.
"""

import argparse
from collections.abc import Iterator
from functools import partial
from unittest.mock import patch

import torch
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from torch import Tensor
from torch.nn.functional import normalize

from benchmarks import harness
from bgbias.metrics import precisions, retrieval

NAMES = {"recall_at_1": "precision_at_1", "map_at_r": "mean_average_precision_at_r", "r_precision": "r_precision"}
SIZES = {"cars196": (8_131, 83, 99), "mid": (20_000, 100, 100), "sop": (60_502, 5, 9)}  # photos, mean and largest class
QUICK = {"quick": (4_000, 40, 50)}
LARGE = {"large": (200_000, 5, 9)}


def problem(photos: int, mean: int, largest: int) -> tuple[Tensor, Tensor]:
    """Embeddings that carry some of the class, and classes of random sizes up to `largest`."""
    source = torch.Generator().manual_seed(0)
    sizes = torch.randint(max(2, 2 * mean - largest), largest + 1, (photos,), generator=source)
    labels = torch.arange(photos).repeat_interleave(sizes)[:photos]
    centres = torch.randn(int(labels.max()) + 1, 128, generator=source)
    points = centres[labels] + 1.5 * torch.randn(photos, 128, generator=source)
    return normalize(points), labels


def calculator(points: Tensor, labels: Tensor, **how: object) -> dict[str, float]:
    """The published way; `how` it searches, if not by faiss."""
    found = AccuracyCalculator(include=tuple(NAMES.values()), k="max_bin_count", device=points.device, **how)
    scores = found.get_accuracy(points, labels)
    return {ours: scores[theirs] for ours, theirs in NAMES.items()}


def with_faiss(points: Tensor, labels: Tensor) -> dict[str, float]:
    """Lists by faiss, metrics by array arithmetic."""
    import faiss

    positives = labels.bincount()[labels] - 1
    index = faiss.IndexFlatIP(points.shape[1])
    index.add(points.numpy())
    k = int(positives.max())
    listed = torch.from_numpy(index.search(points.numpy(), k + 1)[1])
    own = listed == torch.arange(len(points))[:, None]
    own[~own.any(1), -1] = True  # its photo ties with too many others: the last one goes
    hit = (labels[listed[~own].view(-1, k)] == labels[:, None]).float()
    scores = {"recall_at_1": hit[:, 0], **retrieval._precision(hit, positives)}
    return {name: values[positives > 0].mean().item() for name, values in scores.items()}


def product(points: Tensor, rows: int, columns: int) -> None:
    """All similarities, kept nowhere."""
    memory = points.new_empty(rows * columns)
    for some in points.split(rows):
        for others in points.split(columns):
            torch.mm(some, others.T, out=memory[: len(some) * len(others)].view(len(some), len(others)))


def in_fp32(points: Tensor, labels: Tensor) -> dict[str, float]:
    """The pipeline's path without bf16."""
    with patch.object(precisions, "of", lambda references: [references.dtype]):
        return retrieval.evaluate(points, points, labels, [1])


def brute_force(points: Tensor, labels: Tensor) -> dict[str, float]:
    """The definitions in float64, from whole rankings."""
    similarity = (points.double() @ points.double().T).fill_diagonal_(-torch.inf)
    hit = (labels[similarity.argsort(dim=1, descending=True, stable=True)] == labels[:, None])[:, :-1].double()
    positives = hit.sum(1)
    hit, positives = hit[positives > 0], positives[positives > 0]
    scores = {"recall_at_1": hit[:, 0], **retrieval._precision(hit, positives)}
    return {name: values.mean().item() for name, values in scores.items()}


def largest_gap(one: dict[str, float], other: dict[str, float]) -> float:
    """Between two results, over the metrics."""
    return max(abs(one[name] - other[name]) for name in NAMES)


def case(name: str, photos: int, mean: int, largest: int) -> harness.Case:
    """One size."""
    points, labels = problem(photos, mean, largest)
    rivals = {"calculator": partial(calculator, points, labels), "faiss": partial(with_faiss, points, labels)}

    def difference(results: dict) -> float:
        few, its = points[:2000], labels[:2000]
        return largest_gap(retrieval.evaluate(few, few, its, [1]), brute_force(few, its))

    def notes(seconds: dict, results: dict) -> dict[str, float]:
        return {f"diff_from_{rival}": largest_gap(results["bgbias"], results[rival]) for rival in (*rivals, "fp32")}

    ours = {
        "bgbias": partial(retrieval.evaluate, points, points, labels, [1]),
        "fp32": partial(in_fp32, points, labels),
        "product": partial(product, points, 128, photos),
        "tiled": partial(product, points, 512, 2048),
    }
    return harness.Case(
        name=name,
        alternatives=rivals | ours,
        ours="bgbias",
        published="calculator",
        bound="product",
        pictures=0,
        difference=difference,
        repeats=1 if name == "large" else 3,
        notes=notes,
    )


def cases(options: argparse.Namespace) -> Iterator[harness.Case]:
    """One case a size."""
    import faiss

    faiss.omp_set_num_threads(options.threads)
    for name, sizes in (QUICK if options.quick else SIZES | (LARGE if options.large else {})).items():
        yield case(name, *sizes)


if __name__ == "__main__":
    harness.run(__doc__, cases, large="N = 200,000, too (half an hour)")
