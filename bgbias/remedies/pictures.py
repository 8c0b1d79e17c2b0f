"""Remedies for an embedder that relies on the background and is not trained again: what to show it, what to remove.

    removed, whitened         the embeddings without the directions of the background, see `projection`
    grey, mean_colour         the object on grey, or on its photo's mean colour
    crop, grey_crop           the square around the object's box; and the same of the object on grey
    grey_crop_dilated, grey_crop_eroded   the same with masks that reach a little further, or less far
    swaps_4, swaps_16         the object on 4 (16) backgrounds, the same for all photos; the embeddings are averaged
    own_swaps_4               the same with backgrounds drawn for each photo anew
    found_grey, found_grey_crop   the object on grey, and enlarged, by the mask that a finder finds: none is needed

Where all photos have the same background, it tells none from another. Each remedy of pictures is for queries and
gallery alike (both), or for queries alone (query): then the gallery stays as it is.

Swapped photos are composed by the very masks that remedies use, so an exact mask undoes the swap. A mask that is made
of a query is not as exact: what the dilated and eroded masks lose is what to expect to lose.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from bgbias.ablations import GREY, mean_colours, of_bytes, on_colour
from bgbias.finder.network import Finder, zoomed
from bgbias.photos import pack
from bgbias.photos.compose import paste, take
from bgbias.photos.extent import doubt_px, grown, object_box
from bgbias.photos.foreground import Box
from bgbias.photos.views import Photos

SAME, OWN = 16, 4  # backgrounds, at most
ROWS = 1024  # of embeddings that are averaged at a time
MARGIN = 0.1  # around the object's box; a crop with 0.25 recovers less of the validation photos of demo and grocery
DOUBTFUL = {"grey_crop_dilated": 1, "grey_crop_eroded": -1}  # times the pixels that masks are in doubt
Fix = Callable[[Tensor], Tensor]  # embeddings (N, D) -> (N, D)


class Remedy(NamedTuple):
    """One remedy.

    Attributes:
        name: as above, or as_is.
        sides: both or query.
        passes: what the embedder is shown of one photo, of `Shown`; the embeddings are averaged.
        fix: what is done to the embeddings then, of `recovery.Learnt.fixes`.
    """

    name: str
    sides: str
    passes: tuple[str, ...]
    fix: str = "none"

    @property
    def key(self) -> str:
        """Return its name in metrics, such as grey_query; without the sides where there is only one way."""
        return self.name if self.passes == ("as_is",) else f"{self.name}_{self.sides}"

    @property
    def needs_mask(self) -> bool:
        """Tell whether a query needs its object's mask, or box."""
        return self.passes != ("as_is",) and self not in FOUND


_AS_IS = [("as_is", "none"), ("removed", "removed"), ("whitened", "whitened")]
_SHOWN = {
    **{name: (name,) for name in ("grey", "mean_colour", "crop", "grey_crop", *DOUBTFUL)},
    **{f"swaps_{times}": tuple(f"same_{number}" for number in range(times)) for times in (4, SAME)},
    f"own_swaps_{OWN}": tuple(f"own_{number}" for number in range(OWN)),
}
REMEDIES = (
    *(Remedy(name, "both", ("as_is",), fix) for name, fix in _AS_IS),
    *(Remedy(name, "both", passes) for name, passes in _SHOWN.items()),
    *(Remedy(name, "query", passes) for name, passes in _SHOWN.items() if name not in DOUBTFUL),
)
FOUND = tuple(Remedy(name, "both", (name,)) for name in ("found_grey", "found_grey_crop"))

PASSES = tuple(dict.fromkeys(name for remedy in REMEDIES for name in remedy.passes))


class Shown:
    """What the embedder is shown of photos, whatever is behind their objects."""

    def __init__(self, photos: Photos, pool: pack.Pack, seed: int, finder: Finder | None = None):
        """Take the pool of the backgrounds, and draw those that are the same for all photos; None: no mask is found."""
        self.photos, self.pool, self.seed, self.finder = photos, pool, seed, finder
        self.same = [self._backgrounds([0], "remedy same", number)[0] for number in range(SAME)]

    @property
    def names(self) -> tuple[str, ...]:
        """Of all passes."""
        return PASSES if self.finder is None else (*PASSES, *(remedy.name for remedy in FOUND))

    def passes(self, pictures: Tensor, masks: Tensor, image_ids: Sequence[int]) -> Iterator[tuple[str, Tensor]]:
        """Yield every way to show a batch: its name, and uint8 (B, 3, S, S).

        An empty mask leaves the background alone, and `cropped` the whole picture.

        Args:
            pictures: uint8 (B, 3, S, S), S the geometry's input_px; clean or swapped.
            masks: uint8 (B, 1, S, S), 255 where the object is.
            image_ids: (B,), for which own backgrounds are drawn.
        """
        grey = on_colour(pictures, masks, GREY)
        yield "as_is", pictures
        yield "grey", grey
        yield "mean_colour", on_colour(pictures, masks, mean_colours(pictures))
        yield "crop", cropped(pictures, masks)
        yield "grey_crop", cropped(grey, masks)
        for name, sign in DOUBTFUL.items():
            doubted = grown(masks, sign * doubt_px(masks.shape[-1]))
            yield name, cropped(on_colour(pictures, doubted, GREY), doubted)
        for number, background in enumerate(self.same):
            yield f"same_{number}", paste(pictures, masks, background.expand_as(pictures))
        for number in range(OWN):
            yield f"own_{number}", paste(pictures, masks, self._backgrounds(image_ids, "remedy own", number))
        if self.finder is not None:
            yield from zip(("found_grey", "found_grey_crop"), found(self.finder, pictures), strict=True)

    def _backgrounds(self, image_ids: Sequence[int], purpose: str, number: int) -> Tensor:
        manifest = self.photos.draw(image_ids, self.pool, self.seed, purpose, number)
        return torch.cat(list(self.photos.backgrounds(manifest, self.pool)))


@torch.no_grad()
def found(finder: Finder, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Show the objects that a finder finds, on grey: where they are, and enlarged; uint8 (B, 3, S, S) each."""
    grey = GREY.view(1, 3, 1, 1)
    images = pictures.float().contiguous(memory_format=torch.channels_last) - grey
    masks = finder.masks(images)
    alone = images * masks
    return tuple((image + grey).round().clamp(0, 255).byte() for image in (alone, zoomed(alone, masks)))


def cropped(pictures: Tensor, masks: Tensor, margin: float = MARGIN) -> Tensor:
    """Crop the squares around the objects' boxes, resized to the pictures' size; without an object, leave the picture.

    Args:
        pictures: uint8 (B, C, S, S).
        masks: uint8 (B, 1, S, S), as of `of_bytes`.
        margin: that is left on each side, as a share of the box's longer side.

    Returns:
        uint8 (B, C, S, S).

    >>> picture, mask = torch.zeros(1, 1, 4, 4, dtype=torch.uint8), torch.zeros(1, 1, 4, 4, dtype=torch.uint8)
    >>> picture[..., 2:, 2:] = mask[..., 2:, 2:] = 255
    >>> cropped(picture, mask, margin=0).unique().tolist()
    [255]
    """
    return torch.stack([_crop(picture, mask, margin) for picture, mask in zip(pictures, of_bytes(masks), strict=True)])


def _crop(picture: Tensor, mask: Tensor, margin: float) -> Tensor:
    box, whole = object_box(mask), picture.shape[-1]
    if box is None:
        return picture
    side = min(whole, round(max(box.width, box.height) * (1 + 2 * margin)))
    left, top = (
        int(np.clip(round(start + (length - side) / 2), 0, whole - side))
        for start, length in ((box.left, box.width), (box.top, box.height))
    )
    return take(picture.permute(1, 2, 0).numpy(), Box(left, top, side, side), whole)


def averaged(passes: Sequence[Tensor]) -> Tensor:
    """Return the mean of a photo's embeddings, of length 1 again.

    Args:
        passes: float (N, D) each.

    Returns:
        float (N, D).

    >>> averaged([torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])]).tolist()
    [[0.7071067690849304, 0.7071067690849304]]
    """
    if len(passes) == 1:
        return passes[0]
    parts = zip(*(one.split(ROWS) for one in passes), strict=True)
    return torch.cat([normalize(torch.stack(part).mean(0)) for part in parts])
