"""What an audit does with the embeddings of N photos: all measures with their intervals; and the intervals alone.

    python -m benchmarks.audit [--large]

measures, in memory: all measures, the embeddings of all views in memory
measures, bgbias:    the same, each view mapped from its file while it is in use
intervals, each:     65 means over queries, each with resamples of its own
intervals, bgbias:   all of one set of resamples
intervals, drawing:  the resamples drawn once, and nothing done with them
"""

import argparse
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch

from benchmarks import harness
from bgbias.audit.inputs import views
from bgbias.audit.measures.embeddings import Embeddings
from bgbias.audit.measures.figures import Measures
from bgbias.metrics import bootstrap

FIGURES, DRAWS = 65, 5  # of an audit
SIZES = {"5,000 photos": (5_000, 1_000, 512)}  # photos, classes, dimensions
QUICK = {"600 photos": (600, 120, 64)}
LARGE = {"20,000 photos": (20_000, 4_000, 512)}
FEW_CLASSES = {"20 classes": (20, 10_000)}  # classes, resamples
CLASSES = {"12,000 classes": (12_000, 400)}  # of an audit's 10,000 resamples, which take nearly all of the time


def problem(folder: Path, photos: int, classes: int, dimensions: int) -> tuple[SimpleNamespace, dict[str, Path]]:
    """What stands for an audit's pictures, and a file of embeddings for each view: of class, background and noise."""
    rng = np.random.default_rng(0)
    labels = np.unique(rng.integers(0, classes, photos), return_inverse=True)[1]
    own, behind = (rng.standard_normal((count, dimensions), dtype=np.float32) for count in (classes, 100))
    probed, found = np.flatnonzero(rng.random(photos) < 0.97), {}
    for number, view in enumerate(views.views(DRAWS)):
        rows = probed if view in views.PROBES else np.arange(photos)
        backgrounds = np.full(len(rows), number) if view.startswith("grid/") else rng.integers(100, size=len(rows))
        made = own[labels[rows]] + behind[backgrounds] + rng.standard_normal((len(rows), dimensions), dtype=np.float32)
        found[view] = folder / f"{view.replace('/', '-')}.npy"
        np.save(found[view], made / np.linalg.norm(made, axis=1, keepdims=True))
    doubts = ["tiny" if share < 0.1 else "" for share in rng.random(photos)]
    paths = [f"{label:05}/{row:06}.jpg" for row, label in enumerate(labels)]
    table = pd.DataFrame({"path": paths, "class_name": labels.astype(str)})
    settings = {"labels": labels, "draws": DRAWS, "seed": 42, "input_px": 64, "table": table}
    none = dict.fromkeys(("gallery", "second_kind", "second_pool", "places"))
    return SimpleNamespace(**settings, probed=probed, doubts=doubts, near_duplicates=[], mirrored=[], **none), found


def numbers(found: object) -> list[float]:
    """All numbers in nested dictionaries, None as -1."""
    if isinstance(found, dict):
        return [number for inner in found.values() for number in numbers(inner)]
    return [-1.0 if found is None else found] if found is None or isinstance(found, int | float) else []


def measures(name: str, folder: Path, photos: int, classes: int, dimensions: int) -> harness.Case:
    """One size of an audit."""
    pictures, paths = problem(folder, photos, classes, dimensions)

    def in_memory() -> list[float]:
        return numbers(
            Measures(pictures, {view: torch.from_numpy(np.load(path)) for view, path in paths.items()}).all()
        )

    def mapped() -> list[float]:
        opened = {view: partial(np.load, path, mmap_mode="c") for view, path in paths.items()}
        return numbers(Measures(pictures, Embeddings(opened)).all())

    return harness.Case(
        name=f"measures, {name}",
        alternatives={"in memory": in_memory, "bgbias": mapped},
        ours="bgbias",
        published="in memory",
        bound=None,
        pictures=0,
        difference=lambda results: float(np.abs(np.subtract(*results.values())).max()),
        repeats=1,
    )


def intervals(name: str, classes: int, resamples: int) -> harness.Case:
    """65 means over the queries of some classes."""
    rng = np.random.default_rng(0)
    labels = rng.integers(classes, size=5 * classes)
    asked = {figure: bootstrap.sums(rng.random(len(labels)), labels) for figure in range(FIGURES)}
    bootstrap.RESAMPLES = resamples

    def together(some: dict) -> list[float]:
        return numbers(
            {key: one.as_json() for key, one in bootstrap.estimates(some, partial(np.random.default_rng, 1)).items()}
        )

    def drawing() -> None:
        source, step = np.random.default_rng(1), max(1, bootstrap.CELLS // classes)
        for start in range(0, resamples, step):
            bootstrap.times_drawn(classes, min(step, resamples - start), source)

    return harness.Case(
        name=f"intervals, {name}",
        alternatives={
            "each": lambda: [number for key, one in asked.items() for number in together({key: one})],
            "bgbias": partial(together, asked),
            "drawing": drawing,
        },
        ours="bgbias",
        published="each",
        bound="drawing",
        pictures=0,
        difference=lambda results: float(np.abs(np.subtract(results["each"], results["bgbias"])).max()),
        repeats=3,
    )


def cases(options: argparse.Namespace) -> Iterator[harness.Case]:
    """The intervals, then the measures, a case a size."""
    for name, sizes in (FEW_CLASSES | ({} if options.quick else CLASSES)).items():
        yield intervals(name, *sizes)
    for name, sizes in (QUICK if options.quick else SIZES | (LARGE if options.large else {})).items():
        with tempfile.TemporaryDirectory() as folder:
            yield measures(name, Path(folder), *sizes)


if __name__ == "__main__":
    harness.run(__doc__, cases, large="20,000 photos, too (half an hour)")
