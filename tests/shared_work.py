"""What processes that share their work make of the drawn photos: by one process, or as torchrun starts it, by several.

torchrun --nproc-per-node=N tests/shared_work.py GIVEN MADE few|all
"""

import dataclasses
import pickle
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from test_masks_make import draw
from training_parts import SETTINGS, make

from bgbias import files, ranks
from bgbias.attention.maps import Attention, measure
from bgbias.cache import Cache
from bgbias.config import params
from bgbias.errors import InputError
from bgbias.masks import make as masks
from bgbias.metrics import retrieval
from bgbias.models.embedder import embed_photos
from bgbias.photos.views import Photos
from bgbias.training import loop, shared
from bgbias.training.batches import Crops

LOSSES = ("contrastive", "triplet", "multi_similarity", "arcface", "normalized_softmax")
REGIMES = ("base", "bgaugment", "bgconsistency")
LARGE = {"batch_size": 8, "batches_per_epoch": 10, "max_epochs": 2, "patience": 2, "freeze_batch_norm": True}
LARGE |= {"lr": 3e-5, "head_lr": 3e-5}  # AdamW makes of the last digit of a tiny gradient a step of this length
TRAININGS = {f"{loss} {regime}": {"loss": loss, "regime": regime} for loss in LOSSES for regime in REGIMES}
FEW = ("contrastive base", "triplet bgaugment", "arcface bgconsistency")
BACKGROUNDS = [  # of a batch, in every way that photos of it can depend on one another
    {},
    {"grow_masks_px": 1},
    {"backgrounds": "mixed", "vary_backgrounds": True},
    {"backgrounds": "photos"},
    {"vary_backgrounds": True, "skip_suspect": True},
]


def trained(given: tuple, out: Path, trainings: dict[str, dict]) -> dict[str, torch.Tensor]:
    """The weights after 20 steps, by training."""
    found = {}
    for name, how in trainings.items():
        loop.fit(*make(*given, **LARGE | how), out / f"{name}.pt")
        last = torch.load(out / f"{name}.pt", weights_only=True)
        found[name] = torch.cat(
            [weight.flatten().double() for part in ("embedder", "loss") for weight in last[part].values()]
        )
    return found


def batches(given: tuple) -> list[torch.Tensor]:
    """The pictures of batches, of whole ones, put together from those of all processes."""
    data, geometry, options = given
    photos, found = Photos.prepared("drawn", geometry, data), []
    for regime in REGIMES[1:]:
        for changed in BACKGROUNDS:
            treated = dataclasses.replace(SETTINGS.regime_settings[regime], **changed)
            crops = Crops(photos, treated, dataclasses.replace(options, batch_size=8), 2, 5)
            own = crops[1, 0].pictures(torch.device("cpu"))
            whole = torch.empty(8, *own.shape[1:], dtype=torch.uint8)
            for rows, pictures in ranks.gather((crops.rows, own)):
                whole[rows] = pictures
            found.append(whole)
    return found


def measured(given: tuple, out: Path) -> dict[str, np.ndarray]:
    """Embeddings, attention scores and maps, and the masks of drawn photos, by name."""
    data, geometry, options = given
    embedder, photos = make(data, geometry, options)[0].eval(), Photos.prepared("drawn", geometry, data)
    ids = np.tile(photos.table.image_id.to_numpy(), 5)
    manifest = photos.draw(ids, photos.pool("val"), 5, "swapped", 0)
    seen = {
        "clean": lambda part: photos.clean(ids[part]),
        "swapped": lambda part: photos.swapped(manifest[part], photos.pool("val")),
    }
    attention = Attention(embedder, dataclasses.replace(SETTINGS.attention, copies=2), 5)
    found = {view: embed_photos(embedder, of_view, list(map(str, ids))).numpy() for view, of_view in seen.items()}
    found["scores"], found["maps"] = measure(attention, photos, ids, seen["swapped"])
    clean, swapped = (torch.from_numpy(found[view]) for view in seen)
    labels = torch.tensor(photos.table.class_id[ids].to_numpy())
    for number in (len(ids), 2):  # of queries: three processes do not share two
        retrieved = retrieval.per_query(swapped[:number], clean, labels, [1, 50], torch.arange(number))
        found |= {f"{name} of {number}": scores.numpy() for name, scores in retrieved.items()}
    for number in range(7):
        if ranks.is_first():
            draw(out / "photos" / f"{number}.png", 30 + number, 40)
    ranks.wait()
    table = pd.DataFrame({"path": [f"{number}.png" for number in range(7)], "mask_path": ""})
    options = params.Masks(method="grabcut", rembg_model="", grabcut_px=32)
    masks.make_masks(table, out / "photos", out / "masks", options, workers=1)
    for path in table.path:
        found[f"mask {path}"] = np.fromfile(masks.file_of(out / "masks", path), np.uint8)
    return found


def kept(out: Path) -> dict[str, object]:
    """What is written once, whoever asks for it; and what is raised by one, and is met by all."""
    calls = []

    def write(folder: Path) -> None:
        calls.append(ranks.count())
        files.write_text(folder / "a.txt", "a")

    def refuse(number: int) -> int:
        if number in (2, 3):
            raise InputError(f"{number} is bad: mend it")
        return number

    def fill(number: int) -> None:
        raise OSError(f"no space for {number}")

    def refused(function, *arguments) -> str:
        try:
            found = function(*arguments)
            return str(found and list(found))
        except (InputError, OSError) as error:
            return str(error)

    def rows():
        return ranks.spread(lambda number: np.full((2, 3), number), range(5))

    cache = Cache(out / "cache")
    text = cache.folder("folder", "mark", write, lambda folder: (folder / "a.txt").read_text())
    array = np.array(cache.array("array", "mark", 10, rows))
    files.write_json(out / "one.json", {"rank": ranks.rank()})
    return {
        "text": text,
        "array": array,
        "calls": sum(map(len, ranks.gather(calls))),
        "written": files.read_json(out / "one.json"),
        "refused": refused(ranks.spread, refuse, range(5)),
        "refused by the first": refused(ranks.by_first, refuse, 2),
        "failed": refused(ranks.spread, fill, range(1)),
        "as before": refused(ranks.spread, refuse, [1, 0, 4]),
        "too many": refused(ranks.enough, 2, "photos"),
        "shares": [list(share) for share in ranks.gather(ranks.share(7))],
    }


def gradients() -> dict[str, list[float]]:
    """Those of a network, which sees a share of the batch, and of a loss's own weights, which see all of it."""
    source = torch.Generator().manual_seed(0)
    images, network, own = (torch.randn(*shape, generator=source) for shape in ((7, 5), (5, 3), (3,)))
    rows = torch.tensor(ranks.share(7)).flip(0)  # in any order
    embeddings = shared.gather_rows(images[rows] @ network.requires_grad_(), rows, 7)
    if ranks.count() == 1:
        embeddings = embeddings.flip(0)
    (embeddings.pow(3) @ own.requires_grad_() * torch.arange(7)).sum().backward()
    shared.add_gradients([network])
    return {"network": network.grad.flatten().tolist(), "loss": own.grad.tolist()}


def main(given: Path, out: Path, which: str) -> None:
    """Make a few trainings and all else, or all trainings, and let the first process write it."""
    parts = pickle.loads(given.read_bytes())
    few = {name: how for name, how in TRAININGS.items() if name in FEW}
    found = {"trained": trained(parts, out, few if which == "few" else TRAININGS)}
    if which == "few":
        found |= {"batches": batches(parts), "measured": measured(parts, out), "kept": kept(out)}
        found["gradients"] = gradients()
    if ranks.is_first():
        torch.save(found, out / "found.pt")


if __name__ == "__main__":
    torch.set_num_threads(1)
    ranks.join()
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
    ranks.leave()
