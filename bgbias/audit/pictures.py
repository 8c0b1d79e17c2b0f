"""Photos, masks and backgrounds at the size of the embedder's input, as bytes."""

from collections.abc import Iterator
from dataclasses import asdict
from functools import cached_property
from multiprocessing.pool import ThreadPool
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from bgbias import files, images, masks, params
from bgbias.audit.cache import Cache, fingerprint, stamps
from bgbias.datasets.demo.swaps import swap
from bgbias.datasets.folder import READ
from bgbias.probe_views import grown
from bgbias.removal import OBJECT, can_be_probed, inpainted
from bgbias.seeding import generator
from bgbias.views import BATCH

POOL = 100  # backgrounds, rendered or of a folder; more would say little more and take longer
FEWEST = 4  # backgrounds of a folder: as many as the grid needs
BACKGROUND_SHARE = 5 / 3  # a background's short side, in inputs: crops of it are not enlarged
FEW = 64  # photos, whose masks are made sooner than other processes have started


def crop(picture: Image.Image, side_px: int) -> np.ndarray:
    """The centre square of a picture, resized (bilinear, antialiased): its short side becomes `side_px`.

    >>> crop(Image.new("L", (30, 20), 7), 10).shape
    (10, 10, 1)
    """
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.resize((side_px, side_px), Image.Resampling.BILINEAR, (left, top, left + side, top + side))
    return np.asarray(square).reshape(side_px, side_px, -1)


def _crops(paths: list[Path], side_px: int, mode: str, what: str) -> Iterator[np.ndarray]:
    with ThreadPool(images.cores()) as pool:  # decoding leaves Python's lock to others
        found = pool.imap(lambda path: crop(images.read_photo(path, mode), side_px), paths)
        yield from tqdm(found, what, len(paths), unit="picture")


class Pictures:
    """What is audited, row by row.

    Attributes:
        table: of `photos.read`.
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
        photos: images.Pack,
        of_masks: images.Pack,
        backgrounds: images.Pack,
        seed: int,
        cache: Cache,
    ):
        """Join what `photo_pack`, `mask_pack` and `background_pack` give."""
        self.table, self.photos, self.masks, self.backgrounds = table, photos, of_masks, backgrounds
        self.labels, self.input_px, self.seed = table.class_id.to_numpy(copy=True), int(photos.shapes[0, 0]), seed
        packs = [files.checksum(pack.folder) for pack in (photos, of_masks, backgrounds)]
        self.identity, self._cache = fingerprint(packs, list(table.path), self.labels.tolist(), seed), cache

    def photo(self, rows: np.ndarray) -> Tensor:
        """Photos, uint8 (B, 3, S, S)."""
        return _stack(self.photos, rows)

    def mask(self, rows: np.ndarray) -> Tensor:
        """Masks, uint8 (B, 1, S, S)."""
        return _stack(self.masks, rows)

    @cached_property
    def doubts(self) -> list[str]:
        """What is probably wrong with each mask, as `masks.suspicion` names it; "" for nothing."""
        return [masks.suspicion(self.masks[row]) for row in range(len(self.masks))]

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
    def _emptied(self) -> images.Pack:
        def make() -> Iterator[np.ndarray]:
            for row in tqdm(self.probed, "removing objects", unit="photo"):
                picture = inpainted(self.photo([row]), self.mask([row]), self.margin_px)
                yield picture[0].permute(1, 2, 0).numpy()

        return self._cache.pack("emptied", self.identity, make)


def _stack(pack: images.Pack, rows: np.ndarray) -> Tensor:
    return torch.from_numpy(np.stack([pack[row] for row in rows])).permute(0, 3, 1, 2).contiguous()


def photo_pack(table: pd.DataFrame, folder: Path, input_px: int, cache: Cache) -> images.Pack:
    """Decode and crop all photos, once."""
    paths = [folder / path for path in table.path]
    made_from = fingerprint(stamps(paths), input_px)
    return cache.pack("photos", made_from, lambda: _crops(paths, input_px, "RGB", "photos"))


def mask_pack(table: pd.DataFrame, folder: Path, options: params.Masks, input_px: int, cache: Cache) -> images.Pack:
    """Make the masks of all photos (an interrupted run goes on), and crop them.

    Raises:
        ValueError: as of `masks.make`; no mask shows an object.
    """
    given = sorted({folder / path for path in table.mask_path if path and options.method == "given"})
    listed = list(zip(table.path, table.mask_path, strict=True))
    made_from = fingerprint(stamps([folder / path for path in table.path] + given), listed, asdict(options))
    full_size = cache.folder / made_from / "masks"
    masks.make(table, folder, full_size, options, workers=1 if len(table) <= FEW else None)
    paths = [masks.file_of(full_size, path) for path in table.path]
    pack = cache.pack(f"masks_{input_px}", made_from, lambda: _crops(paths, input_px, "L", "cropping masks"))
    if all(masks.suspicion(pack[row]) == "empty" for row in range(len(pack))):
        raise ValueError(f"{folder}: all masks are empty (white is the object): make others, or --mask-method grabcut")
    return pack


def background_pack(folder: Path | None, input_px: int, seed: int, cache: Cache) -> images.Pack:
    """The pool of backgrounds: the pictures of a folder (at most 100, drawn by the seed), or 100 rendered ones.

    Args:
        folder: read with all that is in it; None: the pictures are rendered, as the pool `test` of the demo is.
        input_px: of the embedder.
        seed: of the draw, and of the rendering.
        cache: where the pool is kept.

    Raises:
        ValueError: no folder, fewer than 4 pictures, or one that does not decode.
    """
    side_px = round(BACKGROUND_SHARE * input_px)
    if folder is None:

        def make() -> Iterator[np.ndarray]:
            for number in tqdm(range(POOL), "rendering backgrounds", unit="picture"):
                yield np.round(swap("test", number, seed, side_px) * 255).astype(np.uint8)

        return cache.pack("backgrounds", fingerprint("rendered", POOL, side_px, seed), make)
    paths = _drawn(folder, seed)
    shrunk = (images.shrink(images.read_photo(path), side_px) for path in tqdm(paths, "backgrounds", unit="picture"))
    return cache.pack("backgrounds", fingerprint(stamps(paths), side_px), lambda: shrunk)


def _drawn(folder: Path, seed: int) -> list[Path]:
    """The pictures of a folder that are used."""
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder: give a folder of background pictures, or none to render some")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in READ and path.is_file())
    if len(paths) < FEWEST:
        raise ValueError(f"{folder}: {len(paths)} pictures, at least {FEWEST} are needed: add some backgrounds")
    if len(paths) > POOL:
        chosen = generator(seed, "audit pool").choice(len(paths), POOL, replace=False)
        paths = [paths[place] for place in sorted(chosen)]
    return paths


def made_with(of_masks: images.Pack, backgrounds: Path | None, seed: int) -> dict:
    """What the swaps hang on beside the photos, whatever the embedder's input: full-size masks, backgrounds, seed."""
    full_size = of_masks.folder.parent / "masks"  # see `mask_pack`
    pool = files.checksum(*_drawn(backgrounds, seed))[:16] if backgrounds else "rendered"
    return {"masks": files.checksum(full_size)[:16], "backgrounds": pool, "seed": seed}
