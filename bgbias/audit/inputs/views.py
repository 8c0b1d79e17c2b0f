"""What the embedder sees: the views of an audit, composed as bytes."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from torch import Tensor

from bgbias import ablations
from bgbias.audit.inputs.pictures import Pictures
from bgbias.photos.compose import centre_box, paste, take
from bgbias.photos.extent import doubt_px
from bgbias.photos.views import BATCH
from bgbias.seeding import generator

GRID = 4  # backgrounds, the same for all photos
Make = Callable[[Pictures, np.ndarray], Tensor]  # rows -> uint8 (B, 3, S, S)


def _swapped(pictures: Pictures, rows: np.ndarray, draw: int = 0, grow: int = 0) -> Tensor:
    """Photos before random parts of random backgrounds; `grow`: 1 for dilated, -1 for eroded masks."""
    return pictures.swapped(rows, draw, grow * doubt_px(pictures.input_px))


def _on_same(
    pictures: Pictures, rows: np.ndarray, number: int, second_kind: bool = False, second_pool: bool = False
) -> Tensor:
    """Photos before one background, the same for all; by masks of the second kind, or of the second pool."""
    backgrounds = pictures.pool_of(second_pool)
    order = generator(pictures.seed, "audit grid").permutation(len(backgrounds))
    background = backgrounds[order[number]]
    height, width, _ = background.shape
    behind = take(background, centre_box(height, width, min(height, width)), pictures.input_px)
    masks = pictures.second_mask(rows) if second_kind else pictures.mask(rows)
    return paste(pictures.photo(rows), masks, behind.expand(len(rows), -1, -1, -1))


def _on_colour(pictures: Pictures, rows: np.ndarray, colour: Tensor | None, second_kind: bool = False) -> Tensor:
    photos, masks = pictures.photo(rows), pictures.second_mask(rows) if second_kind else pictures.mask(rows)
    return ablations.on_colour(photos, masks, ablations.mean_colours(photos) if colour is None else colour)


def _silhouette(pictures: Pictures, rows: np.ndarray) -> Tensor:
    """The object filled with the mean colour of its background, which draws the least attention to it."""
    photos, masks = pictures.photo(rows), pictures.mask(rows)
    return ablations.silhouette(photos, masks, ablations.mean_colours(photos, 255 - masks))


def _boxed(pictures: Pictures, rows: np.ndarray, fill: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    return fill(pictures.photo(rows), pictures.mask(rows))


def _mixed(pictures: Pictures, rows: np.ndarray, view: str) -> Tensor:
    """Photos before other photos' backgrounds; where there is no donor, before their own, painted alike."""
    drawn = pictures.donors[view][np.searchsorted(pictures.probed, rows)]
    behind = pictures.emptied(np.where(drawn < 0, rows, drawn))
    return paste(pictures.photo(rows), pictures.mask(rows), behind)


def _pasted(pictures: Pictures, rows: np.ndarray, mirrored: bool = False) -> Tensor:
    """Photos before their own backgrounds, painted over: what is lost is lost to cutting out and pasting."""
    behind = pictures.emptied(rows)
    return paste(pictures.photo(rows), pictures.mask(rows), behind.flip(3) if mirrored else behind)


OBJECT_ONLY: dict[str, Make] = {
    "foreground_black": partial(_on_colour, colour=ablations.BLACK),
    "foreground_grey": partial(_on_colour, colour=ablations.GREY),
    "foreground_mean": partial(_on_colour, colour=None),
}
BACKGROUND_ONLY: dict[str, Make] = {
    "background_silhouette": _silhouette,
    "background_box_blacked": partial(_boxed, fill=ablations.box_blacked),
    "background_box_tiled": partial(_boxed, fill=ablations.box_tiled),
}
MIXED: dict[str, Make] = {name: partial(_mixed, view=name) for name in ("mixed_same", "mixed_rand")}
MISLEADING: dict[str, Make] = {"mixed_other": partial(_mixed, view="mixed_other")}  # queries only
PASTED: dict[str, Make] = {"pasted_back": _pasted, "pasted_mirrored": partial(_pasted, mirrored=True)}
PROBES = BACKGROUND_ONLY | MIXED | MISLEADING | PASTED  # of the photos that can be probed only
CHANGES = {"eroded": -1, "dilated": 1}  # of masks
SECOND = "second/"  # how views by masks of a second kind begin; the rest is the name of the same by the first
SECOND_ALONE = f"{SECOND}foreground_grey"  # made where places are known
POOL = "pool/"  # likewise those on backgrounds of a second pool
QUICK_DRAWS = 2  # of swapped photos, in a quick audit
OF_A_SAMPLE = ("swapped/", "grid/", f"{SECOND}swapped/")  # of the queries; the gallery is clean
OBJECT_ALONE = ("foreground_black", "foreground_grey")  # on colours that tell nothing of the photo, as its mean does
OF_ONE_EACH = (*OF_A_SAMPLE, *OBJECT_ALONE, *BACKGROUND_ONLY, *PASTED)  # likewise, where they search for themselves


def names(
    draws: int, quick: bool = False, second_kind: bool = False, second_pool: bool = False, places: bool = False
) -> list[str]:
    """Return the names of the views that an audit embeds.

    Args:
        draws: how many backgrounds are drawn for each photo.
        quick: clean photos and two draws of swapped ones only.
        second_kind: of an audit that is not quick, with those by masks of a second kind.
        second_pool: likewise, with those on backgrounds of a second pool.
        places: with objects alone by masks of a second kind, too, which are searched by place only.

    >>> names(5, quick=True)
    ['clean', 'swapped/0', 'swapped/1']
    """
    every = [name for name in views(draws, second_kind, second_pool) if places or name != SECOND_ALONE]
    return every[: 1 + QUICK_DRAWS if quick else None]


def views(draws: int, second_kind: bool = False, second_pool: bool = False) -> dict[str, Make]:
    """Return every view of an audit: its name -> how it is composed.

    Args:
        draws: how many backgrounds are drawn for each photo.
        second_kind: with those by masks of a second kind: all draws, for a drop like the first, the conflict's grid,
            and objects alone on grey.
        second_pool: with the same on backgrounds of a second pool.

    >>> list(views(2))[:5]
    ['clean', 'swapped/0', 'swapped/1', 'swapped/eroded', 'swapped/dilated']
    """
    by_second = {
        **{f"swapped/{draw}": partial(Pictures.second_swapped, draw=draw) for draw in range(draws)},
        **{f"grid/{number}": partial(_on_same, number=number, second_kind=True) for number in range(GRID)},
        "foreground_grey": partial(_on_colour, colour=ablations.GREY, second_kind=True),
    }
    on_pool = {
        **{f"swapped/{draw}": partial(Pictures.swapped, draw=draw, second_pool=True) for draw in range(draws)},
        **{f"grid/{number}": partial(_on_same, number=number, second_pool=True) for number in range(GRID)},
    }
    return {
        "clean": lambda pictures, rows: pictures.photo(rows),
        **{f"swapped/{draw}": partial(_swapped, draw=draw) for draw in range(draws)},
        **{f"swapped/{change}": partial(_swapped, grow=sign) for change, sign in CHANGES.items()},
        **{f"grid/{number}": partial(_on_same, number=number) for number in range(GRID)},
        **OBJECT_ONLY,
        **PROBES,
        **({f"{SECOND}{name}": make for name, make in by_second.items()} if second_kind else {}),
        **({f"{POOL}{name}": make for name, make in on_pool.items()} if second_pool else {}),
    }


def compose(pictures: Pictures, view: str, rows: np.ndarray) -> Tensor:
    """Compose a view of some photos, uint8 (B, 3, S, S)."""
    known = views(pictures.draws, bool(pictures.second_kind), bool(pictures.second_pool))
    return known[view](pictures, rows)


def can_be_searched(labels: np.ndarray) -> bool:
    """Whether there is a query with a right and a wrong answer: two classes, and one of two photos or more."""
    _, sizes = np.unique(labels, return_counts=True)
    return len(sizes) > 1 and sizes.max() > 1


def rows_of(pictures: Pictures, view: str) -> np.ndarray:
    """The rows of the photos that a view is made of; none where too few are left to search among."""
    if view not in PROBES:
        return np.arange(len(pictures.labels))
    for_themselves = pictures.gallery and pictures.gallery.one_each
    searched = for_themselves or can_be_searched(pictures.labels[pictures.probed])
    return pictures.probed if searched else pictures.probed[:0]


def batches(pictures: Pictures, view: str) -> Iterator[Tensor]:
    """A view of all its photos, in batches of uint8 (B, 3, S, S)."""
    rows = rows_of(pictures, view)
    for start in range(0, len(rows), BATCH):
        yield compose(pictures, view, rows[start : start + BATCH])
