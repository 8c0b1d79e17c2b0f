"""Masks of a second kind, to hold beside the first: which, and how they are made."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from tqdm import tqdm

from bgbias import cores, files
from bgbias.cache import Cache, fingerprint
from bgbias.config import params
from bgbias.config.audits import SecondMasks
from bgbias.masks.make import made_from
from bgbias.masks.segment import cut_out
from bgbias.photos.decode import read_mask
from bgbias.photos.pack import Pack

GRABCUT_PX = 128
OTHER_RADIUS = 0.9  # of GrabCut's disc beside GrabCut: as good on the study's CUB photos (see `segment`), and larger


class SecondKind(NamedTuple):
    """Masks of a second kind.

    Attributes:
        name: of the kind.
        masks: row by row, as large as the packed photos.
        mark: which masks these are, whatever the embedder's input.
    """

    name: str
    masks: Pack
    mark: str


def making(asked: SecondMasks | None, first: str, model: str) -> params.Masks | None:
    """Return how masks of a second kind are made; None: not at all.

    Args:
        asked: their method; None: GrabCut, which is always at hand.
        first: the method of the first ones. Beside GrabCut, GrabCut starts from a larger disc.
        model: of rembg.

    >>> making(None, "grabcut", "u2net").grabcut_radius, making("none", "grabcut", "u2net")
    (0.9, None)
    """
    if asked == "none":
        return None
    method = asked or "grabcut"
    radius = OTHER_RADIUS if method == first == "grabcut" else None
    return params.Masks(method=method, rembg_model=model, grabcut_px=GRABCUT_PX, grabcut_radius=radius)


def name(options: params.Masks) -> str:
    """Name a kind of second masks.

    >>> name(making(None, "given", "u2net")), name(making("rembg", "given", "u2net"))
    ('grabcut', 'rembg u2net')
    """
    more = {"rembg": f" {options.rembg_model}", "grabcut": " from a larger disc" if options.grabcut_radius else ""}
    return options.method + more.get(options.method, "")


def shared(first: Pack, second: SecondKind | None, paths: Iterable[Path]) -> list[str]:
    """Say how many masks of a second kind are the first ones, a sentence; nothing where none is, or there are none.

    Such are first masks that are given and were made by the same method. Soft ones alone prove that: two methods may
    find the same pixels of a small photo, but no same edge.

    Args:
        first: the first masks.
        second: the others.
        paths: of the first, as they were before they were cropped.
    """
    pairs = zip(first, second.masks, paths, strict=True) if second else ()
    same = [path for one, other, path in pairs if np.array_equal(one, other)]
    count = sum(any(read_mask(path).histogram()[1:255]) for path in same)
    if not count:
        return []
    return [
        f"{count} of the {len(first)} masks of the second kind, {second.name}, are those of the first, to the byte: no "
        "second opinion on these photos. Give --second-masks another method."
    ]


def of_packed(photos: Pack, image_ids: np.ndarray, options: params.Masks, cache: Cache) -> SecondKind:
    """Cut the objects out of packed photos, once; by a method that reads no other files."""
    settings, data = made_from(options)
    mark = fingerprint(["second masks", image_ids.tolist(), *settings], [photos.folder, *data])

    def make() -> Iterator[np.ndarray]:
        for image_id in tqdm(image_ids, "second masks", unit="photo"):
            yield np.asarray(cut_out(Image.fromarray(photos[image_id]), options, cores.count()))[..., None]

    masks = cache.folder("second_masks", mark, lambda path: Pack.write(path, make()), Pack)
    return SecondKind(name(options), masks, files.checksum(masks.folder)[:16])
