"""The embeddings of all that remedies show a model, made once, in files: memory holds those that are in use."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from bgbias import ranks
from bgbias.models.embedder import Embedder, embed, embed_photos, portions
from bgbias.photos import pack
from bgbias.photos.views import Photos, parts
from bgbias.remedies.pictures import Shown
from bgbias.seeding import generator

PHOTOS, SWAPS = 2000, 6  # training photos that are learnt from, at most, and backgrounds for each
Make = Callable[[], Iterator[np.ndarray]]
Keep = Callable[[str, int, Make], np.ndarray]  # view, rows, make -> the array, see `Cache.array`
Open = Callable[[], np.ndarray]
Known = Mapping[str, Mapping[str, Open]]  # view -> pass -> what opens its embeddings


class Split(NamedTuple):
    """The embeddings of a split.

    Attributes:
        labels: int64 (N,).
        views: the clean one, then the draws of the swapped one; each one's passes (see `Shown`) by name, (N, D).
        gallery: how many photos, the first ones, the others search as they are; then swapped views hold the others
            alone. None: every photo searches all others of its view.
        places: int64 (N,), where each was taken; None: it is not known.
    """

    labels: Tensor
    views: list[Mapping[str, Tensor]]
    gallery: int | None = None
    places: Tensor | None = None


class Embeddings(Mapping):
    """Name, such as of a view or of a pass -> float32 (N, D), a row a photo.

    They are read from their file whenever they are asked for: memory holds those that are in use.
    """

    def __init__(self, opened: Mapping[str, Open]):
        """Take what opens each."""
        self.opened = opened

    def __getitem__(self, name: str) -> Tensor:
        """Open one."""
        return torch.from_numpy(self.opened[name]())

    def __iter__(self) -> Iterator[str]:
        """Their names."""
        return iter(self.opened)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.opened)


class Swaps(NamedTuple):
    """How the backgrounds of swapped photos are drawn, see `Photos.draw`: as an audit or the stage embed draws them."""

    pool: pack.Pack
    draws: int
    seed: int
    purpose: str = "swapped"

    def draw(self, photos: Photos, image_ids: np.ndarray, number: int) -> pd.DataFrame:
        """Draw once: a manifest."""
        return photos.draw(image_ids, self.pool, self.seed, self.purpose, number)


def training_swaps(embedder: Embedder, photos: Photos, training: np.ndarray, pool: pack.Pack, seed: int) -> Tensor:
    """Embed training photos, of validation and test classes none, on several backgrounds each.

    Args:
        embedder: of any origin.
        photos: all there are.
        training: the image_ids of those for training.
        pool: of backgrounds.
        seed: of the draws.

    Returns:
        float32 (N, SWAPS, D), of PHOTOS random photos where there are more.
    """
    image_ids = generator(seed, "nuisance photos").permutation(training)[:PHOTOS]
    drawn = (photos.draw(image_ids, pool, seed, "nuisance", number) for number in range(SWAPS))
    names = list(photos.table.path[image_ids])
    bar = tqdm(drawn, "train", total=SWAPS, unit="view")
    return torch.stack([_swapped(embedder, photos, manifest, pool, names) for manifest in bar], 1)


def _swapped(embedder: Embedder, photos: Photos, manifest: pd.DataFrame, pool: pack.Pack, names: list[str]) -> Tensor:
    def seen(part: slice) -> Iterator[Tensor]:
        return (portion for batch in photos.swapped(manifest[part], pool) for portion in portions(embedder, batch))

    return embed_photos(embedder, seen, names)


def embedded(
    embedder: Embedder,
    photos: Photos,
    image_ids: np.ndarray,
    swaps: Swaps,
    shown: Shown,
    keep: Keep,
    known: Known | None = None,
    gallery: int | None = None,
) -> Split:
    """Embed all passes of some photos' clean view and of their swapped ones; a view is in memory batch by batch only.

    Args:
        embedder: of any origin.
        photos: all there are.
        image_ids: of those to embed.
        swaps: how backgrounds are drawn.
        shown: what the embedder is shown.
        keep: puts what is made into a file, see `Keep`.
        known: view -> pass -> what opens its embeddings, which are not made again.
        gallery: as of `Split`.
    """
    known, swapped = known or {}, image_ids[gallery or 0 :]
    drawn = {f"swapped/{number}": swaps.draw(photos, swapped, number) for number in range(swaps.draws)}
    views = []
    for view, manifest in tqdm(({"clean": None} | drawn).items(), "remedies", unit="view"):
        names = [name for name in shown.names if name not in known.get(view, {})]
        ids = image_ids if manifest is None else swapped

        def make(
            manifest: pd.DataFrame | None = manifest, names: list[str] = names, ids: np.ndarray = ids
        ) -> Iterator[np.ndarray]:
            def one(part: slice) -> np.ndarray:
                seen = photos.clean(ids[part]) if manifest is None else photos.swapped(manifest[part], swaps.pool)
                return _passes(embedder, next(seen), next(photos.foregrounds(ids[part])), ids[part], shown, names)

            return ranks.spread(one, parts(len(ids)))

        kept = keep(view, len(ids), make)
        columns = {name: partial(_column, kept, place) for place, name in enumerate(names)}
        views.append(Embeddings({**known.get(view, {}), **columns}))
    return Split(torch.from_numpy(photos.table.class_id.to_numpy()[image_ids]), views, gallery)


def _column(kept: np.ndarray, place: int) -> np.ndarray:
    return np.ascontiguousarray(kept[:, place])


def _passes(
    embedder: Embedder, pictures: Tensor, masks: Tensor, image_ids: np.ndarray, shown: Shown, names: Sequence[str]
) -> np.ndarray:
    """Embed the passes of some names of a batch: float32 (B, names, D)."""
    paths = list(shown.photos.table.path[image_ids])
    passes = {name: pass_ for name, pass_ in shown.passes(pictures, masks, image_ids) if name in names}
    return torch.stack([embed(embedder, portions(embedder, passes[name]), paths) for name in names], 1).numpy()
