"""The pictures of a report: contact sheet, retrieval gallery, attention maps."""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bgbias.config import params
from bgbias.metrics import retrieval
from bgbias.photos.views import Photos
from bgbias.report import figures
from bgbias.report.figures import Cell
from bgbias.report.overlays import overlay
from bgbias.seeding import generator

SIDE_PX = 96  # of a picture of a sheet


class Pictures:
    """Test photos as pictures, uint8 (S, S, 3): what the network sees, drawn larger than its input."""

    def __init__(self, dataset: str, geometry: params.Geometry, pool: str, seed: int):
        """Open a dataset, and the pool that its swapped view draws from."""
        self.photos = Photos.prepared(dataset, dataclasses.replace(geometry, input_px=SIDE_PX))
        self.pool, self.seed = self.photos.pool(pool), seed

    def clean(self, image_ids: Sequence[int]) -> list[np.ndarray]:
        """Return the photos."""
        return _pictures(self.photos.clean(image_ids))

    def masks(self, image_ids: Sequence[int]) -> list[np.ndarray]:
        """Return their masks."""
        return [mask.repeat(3, axis=2) for mask in _pictures(self.photos.foregrounds(image_ids))]

    def swapped(self, image_ids: Sequence[int], number: int = 0) -> list[np.ndarray]:
        """Return the photos as they are in a draw of the swapped view."""
        manifest = self.photos.draw(image_ids, self.pool, self.seed, "swapped", number)
        return _pictures(self.photos.swapped(manifest, self.pool))


def _pictures(batches: Iterable[Tensor]) -> list[np.ndarray]:
    return list(torch.cat(list(batches)).permute(0, 2, 3, 1).numpy())


def contact_sheet(pictures: Pictures, classes: int = 8, photos: int = 6) -> Image.Image:
    """Draw some test classes by rows: photos, and of the first one its mask and two swapped backgrounds."""
    table = pictures.photos.table
    by_class = table[table.split == "test"].groupby("class_name").image_id.apply(list)
    chosen = by_class.iloc[np.linspace(0, len(by_class) - 1, min(classes, len(by_class))).round().astype(int)]
    rows = []
    for image_ids in chosen:
        shown = pictures.clean(image_ids[:photos])
        shown += [np.full_like(shown[0], 255)] * (photos - len(shown))
        first = image_ids[:1]
        treated = pictures.masks(first) + pictures.swapped(first, 0) + pictures.swapped(first, 1)
        rows.append([*map(Cell, shown), None, *map(Cell, treated)])
    headings = {0: "photos of a class", photos + 1: "mask", photos + 2: "swapped backgrounds"}
    return figures.sheet(rows, [""] * len(rows), headings)


def gallery(
    pictures: Pictures, embeddings: dict[str, dict[str, np.ndarray]], queries: int = 4, top: int = 5
) -> Image.Image:
    """Draw the nearest neighbours of a few random test queries, clean and swapped, for each regime.

    Args:
        pictures: of the dataset.
        embeddings: view ("clean", "swapped") -> regime -> float (N, D), of the test photos.
        queries: how many, or all where there are fewer.
        top: neighbours of each, likewise.
    """
    image_ids = pictures.photos.split("test")
    queries, top = min(queries, len(image_ids)), min(top, len(image_ids) - 1)
    labels = pictures.photos.table.class_id[image_ids].to_numpy()
    chosen = generator(pictures.seed, "gallery").choice(len(image_ids), queries, replace=False)
    tensors = {
        (view, regime): torch.from_numpy(embedded)
        for view, regimes in embeddings.items()
        for regime, embedded in regimes.items()
    }
    nearest = {key: retrieval.neighbours(of, of, top)[chosen].numpy() for key, of in tensors.items()}
    rows, names = [], []
    for place, query in enumerate(chosen):
        for view, regimes in embeddings.items():
            draw = getattr(pictures, view)
            row = [Cell(draw(image_ids[[query]])[0])]
            for regime in regimes:
                retrieved = nearest[view, regime][place]
                right = labels[retrieved] == labels[query]
                row += [None, *map(Cell, draw(image_ids[retrieved]), map(bool, right))]
            rows.append(row)
            names.append(view)
    headings = {0: "query"}
    for number, regime in enumerate(next(iter(embeddings.values()))):
        headings[2 + number * (top + 1)] = regime
    return figures.sheet(rows, names, headings)


def attention(pictures: Pictures, image_ids: Sequence[int], maps: dict[str, dict[str, np.ndarray]]) -> Image.Image:
    """Draw the study's figure 2: photo, attention map of each regime, found masks; clean left, swapped right.

    Args:
        pictures: of the dataset.
        image_ids: of the photos.
        maps: view -> regime, or "REGIME mask" for what its finder finds -> uint8 (N, H, W), of the same photos.
    """
    rows = [[] for _ in image_ids]
    headings, column = {}, 0
    for view, regimes in maps.items():
        photos = getattr(pictures, view)(image_ids)
        names = ["mask" if name.endswith(" mask") else name for name in regimes]
        headings |= {column: view} | {column + 1 + place: name for place, name in enumerate(names)}
        column += 2 + len(regimes)
        for number, row in enumerate(rows):
            overlays = [overlay(photos[number], of_regime[number]) for of_regime in regimes.values()]
            row += [*([None] if row else []), Cell(photos[number]), *map(Cell, overlays)]
    return figures.sheet(rows, [""] * len(rows), headings)
