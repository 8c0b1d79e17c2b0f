"""What a GPU does of each part of the pipeline, with its data from the real input path, and without it.

    python -m benchmarks.gpu [--quick] [--json FILE] [--threads 16]

retrieval:  Recall@1, MAP@R and R-precision of 20,000 and 60,502 embeddings, and of 5,000 queries in a million
            product: the fp32 matrix product of all embeddings alone; bf16: candidates chosen in bf16
            calculator: pytorch-metric-learning's AccuracyCalculator with its search by PyTorch
training:   a step of the study's protocol, BN-Inception, 32 pictures of 227 px, that are on the GPU already
            published: NCHW fp32; tf32: convolutions round to TF32, PyTorch's default; bf16: precision: bf16
epoch:      the same steps with crops, backgrounds and composing, by `threads` - 1 workers; loader: these alone
embedding:  pictures of 227 px by BN-Inception, 64 at a time; photos: cropped and composed by one process first
attention:  maps of 8 photos, 25 noisy copies each, forward and back

Without a GPU all is done by the CPU, which takes minutes with --quick, too.
"""

import argparse
import copy
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import torch
from pytorch_metric_learning.distances import CosineSimilarity
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.utils.inference import CustomKNN
from torch import Tensor

from benchmarks import drawn, harness
from benchmarks.attention import correlation, published
from benchmarks.retrieval import NAMES, calculator, largest_gap, problem
from benchmarks.training import stepper
from bgbias import seeding
from bgbias.attention.maps import PHOTOS_AT_ONCE, Attention
from bgbias.config import read
from bgbias.metrics import precisions, retrieval
from bgbias.models import trained
from bgbias.models.embedder import Embedder, device, embed, embed_photos
from bgbias.photos import decode, pack
from bgbias.training import loop
from bgbias.training.augment import Batch
from bgbias.training.batches import Crops

SIDE, BATCH = 227, 32
SIZES = {"mid": (20_000, 100, 100), "sop": (60_502, 5, 9)}  # photos, mean and largest class
MILLION = (1_000_000, 5_000)  # photos, queries
QUICK = {"quick": (4_000, 5, 9)}


@contextmanager
def tf32() -> Iterator[None]:
    """Let convolutions round to TF32."""
    before, torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.allow_tf32, True
    yield
    torch.backends.cudnn.allow_tf32 = before


def rounded(run: Callable[[], object]) -> Callable[[], object]:
    """The same with TF32."""

    def in_tf32() -> object:
        with tf32():
            return run()

    return in_tf32


def compared(
    name: str, alternatives: dict[str, Callable], ours: str, rival: str, bound: str | None, **more
) -> harness.Case:
    """A case whose results are not compared, unless it says how."""
    more = {"pictures": 0, "difference": lambda results: 0.0, "repeats": 5} | more
    return harness.Case(name, alternatives, ours, rival, bound, **more)


def product(queries: Tensor, references: Tensor) -> None:
    """All similarities, kept nowhere: a gigabyte of them at a time."""
    for some in queries.split(max(1, 2**28 // len(references))):
        some @ references.T


def by_bf16(run: Callable[[], dict]) -> dict:
    """Screen in bf16 first."""
    with patch.object(precisions, "of", lambda references: [torch.bfloat16, references.dtype]):
        return run()


def searches(name: str, photos: int, mean: int, largest: int) -> harness.Case:
    """Each photo against all others."""
    points, labels = (made.to(device()) for made in problem(photos, mean, largest))
    ours = partial(retrieval.evaluate, points, points, labels, [1])
    alternatives = {
        "bgbias": ours,
        "bf16": partial(by_bf16, ours),
        "product": partial(product, points, points),
        "calculator": partial(calculator, points, labels, knn_func=CustomKNN(CosineSimilarity(), batch_size=2_048)),
    }
    return compared(
        f"retrieval {name}",
        alternatives,
        "bgbias",
        "calculator",
        "product",
        difference=lambda results: largest_gap(results["bgbias"], results["calculator"]),
        notes=lambda seconds, results: {"bf16_diff": largest_gap(results["bgbias"], results["bf16"])},
    )


def catalogue(photos: int, queries: int) -> harness.Case:
    """A sample of queries against a large gallery."""
    where, source = device(), torch.Generator(device()).manual_seed(0)
    labels = torch.arange(photos, device=where) // 10
    centres = torch.randn(photos // 10 + 1, 128, generator=source, device=where)
    points = torch.nn.functional.normalize(
        centres[labels] + 1.5 * torch.randn(photos, 128, generator=source, device=where)
    )
    rows = torch.randperm(photos, generator=source, device=where)[:queries]

    def ours() -> dict[str, float]:
        found = retrieval.per_query(points[rows], points, labels, [1], rows)
        return {key: found[key].mean().item() for key in NAMES}

    alternatives = {"bgbias": ours, "bf16": partial(by_bf16, ours), "product": partial(product, points[rows], points)}
    return compared(f"{queries} queries in {photos}", alternatives, "bgbias", "product", "product")


def network(distance: str) -> Embedder:
    """BN-Inception with random weights."""
    torch.manual_seed(0)
    return trained.new("bn_inception", 128, SIDE, distance).to(device())


def pictures_of(number: int) -> Tensor:
    """Smooth random pictures."""
    few = torch.randint(0, 256, (number, 3, 9, 9), dtype=torch.uint8)
    return torch.nn.functional.interpolate(few, (SIDE, SIDE), mode="bilinear", antialias=True)


def training(number: int, repeats: int) -> harness.Case:
    """Some steps of images that are on the GPU already."""
    embedder, labels = network("euclidean"), torch.arange(BATCH, device=device()) // 4
    images = embedder.normalise(pictures_of(BATCH))
    plain = copy.deepcopy(embedder).to(memory_format=torch.contiguous_format)

    def some(step: Callable[[], Tensor]) -> Callable[[], Tensor]:
        return lambda: [step() for _ in range(number)][-1]

    steps = {
        "published": some(stepper(plain, images.contiguous(), labels, "fp32")),
        **{key: some(stepper(copy.deepcopy(embedder), images, labels, key)) for key in ("fp32", "bf16")},
        "tf32": rounded(some(stepper(copy.deepcopy(embedder), images, labels, "fp32"))),
    }

    def notes(seconds: dict, results: dict) -> dict[str, float]:
        exact = results["fp32"]
        return {f"{key}_diff": (results[key] - exact).abs().max().item() for key in ("bf16", "tf32")}

    return compared(
        "training", steps, "fp32", "published", None, pictures=number * BATCH, repeats=repeats, notes=notes,
        difference=lambda results: (results["published"] - results["fp32"]).abs().max().item(),
    )  # fmt: skip


def epoch(crops: Crops, regime: str, repeats: int) -> harness.Case:
    """An epoch of the pipeline's loop, and its loader alone."""
    embedder, steps = network("euclidean"), crops.options.batches_per_epoch

    def run(precision: str) -> Callable[[], None]:
        its = copy.copy(crops)
        its.options = replace(crops.options, precision=precision)
        optimizer = torch.optim.RMSprop(embedder.parameters(), lr=1e-9, momentum=0.9)
        schedule = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
        return lambda: loop._epoch(embedder, TripletMarginLoss(), optimizer, schedule, its, batches(), 1)[0]

    def batches() -> Iterator[Batch]:
        return iter(loop._batches(crops, 1, device()))

    def loader() -> None:
        for batch in batches():
            len(batch.labels)

    alternatives = {"fp32": run("fp32"), "bf16": run("bf16"), "tf32": rounded(run("fp32")), "loader": loader}
    return compared(f"epoch, {regime}", alternatives, "fp32", "tf32", "loader", pictures=steps * BATCH, repeats=repeats)


def embedding(photos, number: int, repeats: int) -> harness.Case:
    """Pictures that are there already, and photos."""
    embedder, pictures = network("cosine").eval().requires_grad_(False), pictures_of(number)
    names, ids = list(map(str, range(number))), torch.arange(number).remainder(len(photos.table)).numpy()
    pool = photos.pool("val")
    manifest = photos.draw(ids, pool, 0, "swapped", 0)
    there = partial(embed, embedder, pictures.split(64), names)
    alternatives = {
        "pictures": there,
        "tf32": rounded(there),
        "clean photos": lambda: embed_photos(embedder, lambda part: photos.clean(ids[part]), names),
        "swapped photos": lambda: embed_photos(embedder, lambda part: photos.swapped(manifest[part], pool), names),
    }
    return compared(
        "embedding", alternatives, "pictures", "swapped photos", None, pictures=number, repeats=repeats,
        difference=lambda results: (results["pictures"] - results["tf32"]).abs().max().item(),
    )  # fmt: skip


def attention(copies: int, repeats: int) -> harness.Case:
    """Maps of as many photos as the stage makes at a time."""
    settings = replace(read.load().attention, copies=copies)
    embedder, pictures = network("cosine"), pictures_of(PHOTOS_AT_ONCE)
    plain = copy.deepcopy(embedder).to(memory_format=torch.contiguous_format)
    ours = {key: Attention(copy.deepcopy(embedder), replace(settings, precision=key), 0) for key in ("fp32", "bf16")}
    image = embedder.normalise(pictures[:1])[0]
    noise = torch.stack([ours["fp32"]._noise(image, row) for row in range(len(pictures))])
    maps = {key: partial(its.maps, pictures, range(len(pictures))) for key, its in ours.items()}
    alternatives = {"published": partial(published, plain, pictures, noise), **maps, "tf32": rounded(maps["fp32"])}

    def notes(seconds: dict, results: dict) -> dict[str, float]:
        exact = results["published"]
        return {f"{key}_map_correlation": correlation(exact, results[key]) for key in ("fp32", "bf16", "tf32")}

    return compared(
        "attention", alternatives, "fp32", "published", None, pictures=len(pictures), repeats=repeats, notes=notes,
        difference=lambda results: (results["published"] - results["fp32"]).abs().max().item(),
    )  # fmt: skip


def one_by_one(paths: list[Path], side: int, read: Callable = decode.read_photo) -> Iterator:
    """Shrink so few photos in this process, before which a pool would start for longer."""
    return (pack.shrink(read(path), side) for path in paths)


def cases(options: argparse.Namespace) -> Iterator[harness.Case]:
    """Networks first, then searches."""
    seeding.deterministic(options.threads)
    settings, quick = read.load(), options.quick
    repeats, batches = (1, 1) if quick else (5, 40)
    yield training(1 if quick else 10, repeats)
    with tempfile.TemporaryDirectory() as folder:
        paths = drawn.files_of(Path(folder) / "files", None, 64 if quick else 128, 12)
        with patch.object(pack, "shrink_all", one_by_one):
            photos = drawn.prepared(Path(folder) / "data", paths, settings.images["cub200"])
        its = replace(settings.train["cub200"], max_epochs=1, batches_per_epoch=batches, workers=options.threads - 1)
        for regime in ("base", "bgaugment"):
            yield epoch(Crops(photos, settings.regime_settings[regime], its, 2, 0), regime, min(repeats, 2))
        yield embedding(photos, 64 if quick else 2_048, min(repeats, 2))
    yield attention(2 if quick else 25, repeats)
    for name, sizes in (QUICK if quick else SIZES).items():
        yield searches(name, *sizes)
    yield catalogue(*((20_000, 500) if quick else MILLION))


if __name__ == "__main__":
    started = time.perf_counter()
    harness.run(__doc__, cases)
    print(f"{time.perf_counter() - started:.0f} s")
