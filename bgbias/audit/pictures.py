"""What is audited: photos, masks and backgrounds at the size of the embedder's input, as bytes."""

from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from bgbias.cache import Cache, fingerprint
from bgbias.photos import foreground
from bgbias.photos.ablate import inpainted
from bgbias.photos.foreground import OBJECT, can_be_probed, grown
from bgbias.photos.pack import Pack
from bgbias.photos.views import BATCH


class Pictures:
    """What is audited, row by row.

    Attributes:
        table: of `folder.read`.
        labels: int64 (N,), class_id.
        photos: Pack of uint8 (S, S, 3), S the embedder's input_px.
        masks: Pack of uint8 (S, S, 1).
        backgrounds: Pack of the pool, larger than S and of any proportions.
        input_px: S.
        seed: of all draws.
        identity: fingerprint of all these bytes.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        photos: Pack,
        of_masks: Pack,
        backgrounds: Pack,
        seed: int,
        cache: Cache,
    ):
        """Join what `photo_pack`, `mask_pack` and `background_pack` give."""
        self.table, self.photos, self.masks, self.backgrounds = table, photos, of_masks, backgrounds
        self.labels, self.input_px, self.seed = table.class_id.to_numpy(copy=True), int(photos.shapes[0, 0]), seed
        packs = [pack.folder for pack in (photos, of_masks, backgrounds)]
        self.identity, self._cache = fingerprint([list(table.path), self.labels.tolist(), seed], packs), cache

    def photo(self, rows: np.ndarray) -> Tensor:
        """Photos, uint8 (B, 3, S, S)."""
        return _stack(self.photos, rows)

    def mask(self, rows: np.ndarray) -> Tensor:
        """Masks, uint8 (B, 1, S, S)."""
        return _stack(self.masks, rows)

    @cached_property
    def doubts(self) -> list[str]:
        """What is probably wrong with each mask, as `foreground.suspicion` names it; "" for nothing."""
        return [foreground.suspicion(self.masks[row]) for row in range(len(self.masks))]

    @cached_property
    def probed(self) -> np.ndarray:
        """Rows of the photos whose object can be taken away: there is one, and it leaves some background."""
        kept = []
        for start in range(0, len(self.masks), BATCH):
            masks = self.mask(np.arange(start, min(start + BATCH, len(self.masks))))
            leaves_some = (grown(masks, self.margin_px) < OBJECT).flatten(1).any(1)
            kept.append(can_be_probed(masks) & leaves_some)
        return torch.cat(kept).nonzero()[:, 0].numpy()

    @property
    def margin_px(self) -> int:
        """What is painted over around an object: 3 % of the picture, against soft edges, shadows and tight masks."""
        return max(2, round(0.03 * self.input_px))

    def emptied(self, rows: np.ndarray) -> Tensor:
        """The backgrounds of probed photos, the object painted over; uint8 (B, 3, S, S)."""
        return _stack(self._emptied, np.searchsorted(self.probed, rows))

    @cached_property
    def _emptied(self) -> Pack:
        def make() -> Iterator[np.ndarray]:
            for row in tqdm(self.probed, "removing objects", unit="photo"):
                picture = inpainted(self.photo([row]), self.mask([row]), self.margin_px)
                yield picture[0].permute(1, 2, 0).numpy()

        return packed(self._cache, "emptied", self.identity, make)


def packed(cache: Cache, name: str, mark: str, make: Callable[[], Iterator[np.ndarray]]) -> Pack:
    """The pictures that were packed under a name and fingerprint; else they are made, and packed."""
    return Pack(cache.folder(name, mark, lambda path: Pack.write(path, make())))


def _stack(pack: Pack, rows: np.ndarray) -> Tensor:
    return torch.from_numpy(np.stack([pack[row] for row in rows])).permute(0, 3, 1, 2).contiguous()
