"""What is audited: photos, masks and backgrounds at the size of the embedder's input, as bytes."""

from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from bgbias.ablations import inpainted
from bgbias.audit.inputs import mixed
from bgbias.audit.inputs.doubles import Backgrounds, Doubles
from bgbias.audit.inputs.gallery import Gallery
from bgbias.audit.inputs.second_kind import SecondKind
from bgbias.cache import Cache, fingerprint
from bgbias.datasets import near_duplicates
from bgbias.photos import extent, foreground
from bgbias.photos.compose import paste
from bgbias.photos.extent import can_be_probed, grown
from bgbias.photos.foreground import OBJECT
from bgbias.photos.pack import Pack
from bgbias.photos.views import Photos
from bgbias.seeding import generator

DRAWS = 5  # of a background for each photo of a folder
PURPOSE = "audit swap"  # of these draws


class Pictures:
    """What is audited, row by row, at the size of the embedder's input.

    Attributes:
        photos: all there are, image_ids: which of them are audited.
        table: of the audited photos: path, class_id, class_name.
        labels: int64 (N,), class_id.
        pool: Pack of backgrounds, of any sizes.
        draws: how many backgrounds are drawn for each photo.
        input_px: S, side of the pictures.
        seed: of all draws.
        purpose: of the draws of swapped photos, see `Photos.draw`.
        identity: fingerprint of all these bytes.
        second_kind: other masks; None: there are none.
        second_pool: other backgrounds; None: there are none.
        places: int64 (N,), where each photo was taken; None: that is not known.
        gallery: of whose queries these are a sample, or which some of these search; None: all search all others.
        doubles: looks for near-duplicates of the queries in their gallery; None: there is none.
    """

    def __init__(
        self,
        photos: Photos,
        image_ids: np.ndarray,
        pool: Pack,
        seed: int,
        cache: Cache,
        draws: int = DRAWS,
        purpose: str = PURPOSE,
        second_kind: SecondKind | None = None,
        gallery: Gallery | None = None,
        squares: Backgrounds | None = None,
    ):
        """Choose what is audited.

        Args:
            photos: whose geometry gives pictures of the embedder's input size.
            image_ids: of the photos that are audited.
            pool: of backgrounds.
            seed: of all draws.
            cache: for what takes long.
            draws: how many backgrounds are drawn for each photo.
            purpose: of the draws, see `Photos.draw`; "swapped" draws as the pipeline does.
            second_kind: masks of another kind, to hold beside those of the photos.
            gallery: of whose queries these are a sample.
            squares: backgrounds that may be photos of the gallery, see `Doubles`.
        """
        self.table = photos.table.loc[image_ids].reset_index(drop=True)
        self.labels = self.table.class_id.to_numpy(copy=True)
        self.pool, self.draws, self.input_px, self.seed = pool, draws, photos.geometry.input_px, seed
        self.photos, self.image_ids, self.purpose, self._cache = photos, np.asarray(image_ids), purpose, cache
        settings = [list(self.table.path), self.labels.tolist(), self.image_ids.tolist(), seed, draws, purpose]
        packs = [pack.folder for pack in (photos.photos, photos.masks, pool)]
        self.identity = fingerprint([*settings, photos.geometry], packs)
        self.second_kind, self.second_pool, self.gallery, self.places = second_kind, None, gallery, None
        own = photos.photos.subset(self.image_ids)
        self.doubles = None
        if gallery:
            asked = own if len(own) == len(gallery.rows) else own.subset(gallery.rows)  # of all photos, see `sources`
            self.doubles = Doubles(gallery, asked, photos.geometry, cache, squares or {})
        if second_kind:
            self._by_second_kind = Photos(self.table, own, second_kind.masks, photos.geometry)

    def photo(self, rows: np.ndarray) -> Tensor:
        """Photos, uint8 (B, 3, S, S)."""
        return torch.cat(list(self.photos.clean(self.image_ids[rows])))

    def mask(self, rows: np.ndarray) -> Tensor:
        """Masks, uint8 (B, 1, S, S)."""
        return torch.cat(list(self.photos.foregrounds(self.image_ids[rows])))

    def swapped(self, rows: np.ndarray, draw: int, grow_px: int = 0, second_pool: bool = False) -> Tensor:
        """Photos on random parts of random backgrounds, uint8 (B, 3, S, S).

        Args:
            rows: of the photos.
            draw: of the backgrounds.
            grow_px: of the masks, as of `extent.grown`.
            second_pool: on its backgrounds.
        """
        pool = self.pool_of(second_pool)
        manifest = self.photos.draw(self.image_ids[rows], pool, self.seed, self.purpose, draw)
        return torch.cat(list(self.photos.swapped(manifest, pool, grow_px)))

    def pool_of(self, second_pool: bool) -> Pack:
        """The second pool, or the first."""
        return self.second_pool.pictures if second_pool else self.pool

    def second_mask(self, rows: np.ndarray) -> Tensor:
        """Masks of the second kind, uint8 (B, 1, S, S)."""
        return torch.cat(list(self._by_second_kind.foregrounds(rows)))

    def second_swapped(self, rows: np.ndarray, draw: int) -> Tensor:
        """Photos by masks of the second kind, on the same parts of the same backgrounds as `swapped`."""
        manifest = self.photos.draw(self.image_ids[rows], self.pool, self.seed, self.purpose, draw)
        backgrounds = torch.cat(list(self.photos.backgrounds(manifest, self.pool)))
        return paste(self.photo(rows), self.second_mask(rows), backgrounds)

    @cached_property
    def second_doubts(self) -> list[str]:
        """As `doubts`, of the second masks."""
        return suspicions(self._second_masks())

    @cached_property
    def agreement(self) -> Tensor:
        """The IoU of each photo's masks of the two kinds, float64 (N,), see `extent.iou`."""
        pairs = zip(self._masks(), self._second_masks(), strict=True)
        return torch.cat([extent.iou(*pair) for pair in pairs])

    @cached_property
    def doubts(self) -> list[str]:
        """What is probably wrong with each mask, as `foreground.suspicion` names it; "" for nothing."""
        return suspicions(self._masks())

    @cached_property
    def near_duplicates(self) -> list[tuple[int, int]]:
        """Pairs of rows, see `near_duplicates.near_duplicates`; of queries, of the gallery's table, see `Doubles`."""
        if self.doubles:
            return self.doubles.pairs()
        return near_duplicates.near_duplicates(self.photos.photos.subset(self.image_ids))

    @cached_property
    def mirrored(self) -> list[tuple[int, int]]:
        """Likewise pairs of which one is a near-duplicate of the other's mirror image alone."""
        if self.doubles:
            return self.doubles.mirrored()
        found = near_duplicates.near_duplicates(self.photos.photos.subset(self.image_ids), mirrored=True)
        return sorted({*found} - {*self.near_duplicates})

    def _masks(self) -> Iterator[Tensor]:
        return self.photos.foregrounds(self.image_ids)

    def _second_masks(self) -> Iterator[Tensor]:
        return self._by_second_kind.foregrounds(np.arange(len(self.labels)))

    @cached_property
    def probed(self) -> np.ndarray:
        """Rows of the photos whose object can be taken away: there is one, and it leaves some background."""
        kept = []
        for masks in self._masks():
            leaves_some = (grown(masks, self.margin_px) < OBJECT).flatten(1).any(1)
            kept.append(can_be_probed(masks) & leaves_some)
        return torch.cat(kept).nonzero()[:, 0].numpy()

    @cached_property
    def donors(self) -> dict[str, np.ndarray]:
        """Mixed view -> row of the photo whose background each of the probed photos gets; -1 for none."""
        labels, rows = self.labels[self.probed], np.append(self.probed, -1)
        return {
            draw.__name__: rows[draw(labels, generator(self.seed, f"audit {draw.__name__}"))] for draw in mixed.DRAWS
        }

    @property
    def margin_px(self) -> int:
        """What is painted over around an object: 3 % of the picture, against soft edges, shadows and tight masks."""
        return max(2, round(0.03 * self.input_px))

    def emptied(self, rows: np.ndarray) -> Tensor:
        """The backgrounds of probed photos, the object painted over; uint8 (B, 3, S, S)."""
        pictures = np.stack([self.all_emptied[row] for row in np.searchsorted(self.probed, rows)])
        return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()

    @cached_property
    def all_emptied(self) -> Pack:
        """The backgrounds of all probed photos, in their order, see `emptied`."""

        def make() -> Iterator[np.ndarray]:
            for row in tqdm(self.probed, "removing objects", unit="photo"):
                picture = inpainted(self.photo(np.array([row])), self.mask(np.array([row])), self.margin_px)
                yield picture[0].permute(1, 2, 0).numpy()

        return packed(self._cache, "emptied", self.identity, make)


def suspicions(batches: Iterator[Tensor]) -> list[str]:
    """Name what is probably wrong with each mask, see `foreground.suspicion`; "" for nothing.

    Args:
        batches: of masks, uint8 (B, 1, S, S).

    >>> list(map(bool, suspicions(iter([torch.zeros(1, 1, 8, 8, dtype=torch.uint8)]))))
    [True]
    """
    return [foreground.suspicion(mask[0].numpy()) for masks in batches for mask in masks]


def packed(cache: Cache, name: str, mark: str, make: Callable[[], Iterator[np.ndarray]]) -> Pack:
    """The pictures that were packed under a name and fingerprint; else they are made, and packed."""
    return cache.folder(name, mark, lambda path: Pack.write(path, make()), Pack)
