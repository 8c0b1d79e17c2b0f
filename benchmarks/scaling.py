"""Two processes that share the work against one, one thread each: embedding, masks, and a training step.

    python -m benchmarks.scaling

one: the first process alone, while the second waits
two: both

busy_ratio is the same ratio of the seconds that a processor was busy, of the process where it was so longest: what
sharing would win where nothing else runs, but for waiting for one another.

The network is BN-Inception with random weights at 227 px; masks are GrabCut's of drawn photos.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import pandas as pd
import torch
from pytorch_metric_learning.losses import TripletMarginLoss
from torch import Tensor

from benchmarks import drawn, harness
from bgbias import ranks
from bgbias.command import launch, together
from bgbias.config import params
from bgbias.masks import make
from bgbias.models import trained
from bgbias.models.embedder import Embedder, embed_photos
from bgbias.photos import decode
from bgbias.training import shared
from bgbias.training.batch_norm import freeze_batch_norm

SIDE, PROCESSES = 227, 2


def case(name: str, run: Callable[[], Tensor], pictures: int, repeats: int) -> harness.Case:
    """Compare a shared piece of work with the same by one process."""

    busy_s: dict[str, list[float]] = {"one": [], "two": []}

    def one() -> Tensor | None:
        start = time.process_time()
        with ranks.alone():
            found = run() if first else None
        busy_s["one"].append(ranks.gather(time.process_time() - start)[0])
        return found

    def two() -> Tensor:
        start = time.process_time()
        found = run()
        busy_s["two"].append(max(ranks.gather(time.process_time() - start)))
        return found

    first = ranks.is_first()
    return harness.Case(
        name=name,
        alternatives={"one": one, "two": two},
        ours="two",
        published="one",
        bound=None,
        pictures=pictures,
        difference=lambda found: float((found["one"] - found["two"]).abs().max()) if first else 0.0,
        repeats=repeats,
        notes=lambda seconds, found: {"busy_ratio": median(busy_s["one"]) / median(busy_s["two"])},
    )


def embedding(embedder: Embedder, pictures: Tensor) -> Callable[[], Tensor]:
    """Embed pictures."""
    return lambda: embed_photos(embedder, lambda part: [pictures[part]], list(map(str, range(len(pictures)))))


def masks(folder: Path, count: int) -> Callable[[], Tensor]:
    """Make masks; how much of each photo they cover is compared."""
    paths, _, _ = ranks.by_first(drawn.files_of, folder / "files", None, count, 0)
    table = pd.DataFrame({"path": [path.name for path in paths], "mask_path": ""})
    options, out = params.Masks(method="grabcut", rembg_model="", grabcut_px=128), folder / "masks"

    def run() -> Tensor:
        make.make_masks(table, paths[0].parent, out, options, 1)
        covered = ranks.by_first(
            lambda: [sum(decode.read_mask(file).histogram()[128:]) for file in sorted(out.iterdir())]
        )
        ranks.by_first(shutil.rmtree, out)
        return torch.tensor(covered)

    return run


def step(embedder: Embedder, pictures: Tensor) -> Callable[[], Tensor]:
    """A training step as in `benchmarks.training`; returns all embeddings."""
    loss = TripletMarginLoss()
    optimizer = torch.optim.RMSprop(embedder.parameters(), lr=0.0, momentum=0.9)  # all steps are of the same weights
    embedder.requires_grad_().train()
    freeze_batch_norm(embedder)
    labels = torch.arange(len(pictures)) // 4

    def run() -> Tensor:
        rows = torch.tensor(ranks.share(len(pictures)))
        embeddings = shared.gather_rows(embedder(embedder.normalise(pictures[rows])), rows, len(pictures))
        optimizer.zero_grad()
        loss(embeddings, labels).backward()
        shared.add_gradients(embedder.parameters())
        optimizer.step()
        return embeddings.detach()

    return run


def cases(options: argparse.Namespace) -> Iterator[harness.Case]:
    """One case each."""
    torch.manual_seed(0)
    embedder, repeats = trained.new("bn_inception", 128, SIDE, "euclidean"), 3 if options.quick else 9
    pictures = torch.randint(0, 256, (128 if options.quick else 256, 3, SIDE, SIDE), dtype=torch.uint8)
    yield case("embedding", embedding(embedder.eval().requires_grad_(False), pictures), len(pictures), repeats)
    with tempfile.TemporaryDirectory() as folder:
        folder, count = Path(ranks.gather(folder)[0]), 8 if options.quick else 24
        yield case("masks", masks(folder, count), count, repeats)
        ranks.wait()
    batch = pictures[: 16 if options.quick else 32]
    yield case("training", step(embedder, batch), len(batch), repeats)


def main() -> None:
    """Start two processes, or be one of them."""
    if not ranks.under_torchrun():
        launch.launch("benchmarks.scaling", PROCESSES)
        return
    together.silence_all_but_the_first()
    ranks.join()
    harness.run(__doc__, cases)
    ranks.leave()


if __name__ == "__main__":
    main()
