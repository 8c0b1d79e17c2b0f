"""Photos to look at: those that lose most when their background is swapped, and some at random with their masks."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from bgbias import ablations
from bgbias.attention.saliency import attention_map
from bgbias.audit.inputs.gallery import Gallery
from bgbias.audit.inputs.pictures import Pictures
from bgbias.audit.inputs.views import compose
from bgbias.audit.measures.explained import SEEN, Explainer, nearest
from bgbias.seeding import generator

ROWS, SHEET = 6, 12
AT_ONCE = 256  # queries
Neighbour = tuple[np.ndarray, str, bool]  # uint8 (S, S, 3), its class, whether that is the query's


class Row(NamedTuple):
    """A query as it is shown: clean and swapped, with what the model holds for most similar to each.

    Attributes:
        path: of the photo.
        class_name: of the photo.
        clean: uint8 (S, S, 3).
        swapped: uint8 (S, S, 3).
        neighbours_clean: of the clean photo, the most similar first.
        neighbours_swapped: of the swapped photo, likewise.
        attention_clean: float (S, S) in [0, 1], of the clean photo; None where there is none.
        attention_swapped: of the swapped photo, likewise.
        pair_clean: what makes the clean photo and its first neighbour alike: a map of either, likewise.
        pair_swapped: of the swapped photo and its first neighbour, likewise.
        one_each: whether it searches for itself, and is called by its path.
    """

    path: str
    class_name: str
    clean: np.ndarray
    swapped: np.ndarray
    neighbours_clean: Sequence[Neighbour]
    neighbours_swapped: Sequence[Neighbour]
    attention_clean: np.ndarray | None = None
    attention_swapped: np.ndarray | None = None
    pair_clean: tuple[np.ndarray, np.ndarray] | None = None
    pair_swapped: tuple[np.ndarray, np.ndarray] | None = None
    one_each: bool = False


class Masked(NamedTuple):
    """A photo beside its mask.

    Attributes:
        path: of the photo.
        photo: uint8 (S, S, 3).
        mask: uint8 (S, S, 3), white where the object is.
        cut_out: uint8 (S, S, 3), the object on grey.
    """

    path: str
    photo: np.ndarray
    mask: np.ndarray
    cut_out: np.ndarray


def mask_sheet(pictures: Pictures) -> list[Masked]:
    """Draw at most 12 photos at random, by the seed, with their masks, in the order of their rows."""
    order = generator(pictures.seed, "audit mask sheet").permutation(len(pictures.labels))
    rows = np.sort(order[:SHEET])
    photos, masks = pictures.photo(rows), pictures.mask(rows)
    shown = photos, masks.expand(-1, 3, -1, -1), ablations.on_colour(photos, masks, ablations.GREY)
    return [Masked(*of_photo) for of_photo in zip(pictures.table.path[rows], *map(pixels, shown), strict=True)]


def pixels(photos: Tensor) -> np.ndarray:
    """Turn uint8 (B, 3, S, S) into (B, S, S, 3), as pictures are drawn."""
    return photos.permute(0, 2, 3, 1).contiguous().numpy()


def neighbours(photos: Tensor, of: Pictures | Gallery, rows: np.ndarray, label: int) -> list[Neighbour]:
    """Return what a query of a class finds: these photos, in these rows of what was searched."""
    names, right = of.table.class_name, of.labels[rows] == label
    return [(picture, names[row], bool(one)) for picture, row, one in zip(pixels(photos), rows, right, strict=True)]


def first_ranks(embeddings: Tensor, labels: Tensor) -> Tensor:
    """The rank of each query's nearest photo of its class among all other photos; int64 (N,), 0 for a lone query.

    Equally similar photos are taken to come later.

    >>> points = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8]])
    >>> first_ranks(points, torch.tensor([0, 1, 0])).tolist()
    [2, 0, 2]
    >>> first_ranks(torch.ones(3, 1), torch.tensor([0, 1, 0])).tolist()
    [1, 0, 1]
    """
    ranks = []
    for rows in torch.arange(len(labels)).split(AT_ONCE):
        similarity = embeddings[rows] @ embeddings.T
        similarity[torch.arange(len(rows)), rows] = -torch.inf
        own = labels[rows, None] == labels
        best = similarity.masked_fill(~own, -torch.inf).amax(1, keepdim=True)
        ranks.append(torch.where(best[:, 0].isinf(), 0, (similarity > best).sum(1) + 1))
    return torch.cat(ranks)


def worst_photos(pictures: Pictures, embeddings: Mapping[str, Tensor], explainer: Explainer | None) -> list[Row]:
    """At most 6 queries that are right on clean and wrong on swapped photos, the largest fall in rank first.

    Photos whose masks are in doubt are left out: what they lose, the mask may have taken.

    Args:
        pictures: of the audit.
        embeddings: of `embeddings.embed`.
        explainer: for attention maps; None: without.
    """
    labels = torch.from_numpy(pictures.labels)
    ranks = first_ranks(embeddings[SEEN["swapped"]], labels).numpy()
    found = {seen: explainer.nearest(seen) if explainer else nearest(embeddings[view]) for seen, view in SEEN.items()}
    right = {seen: pictures.labels[rows[:, 0]] == pictures.labels for seen, rows in found.items()}
    lost = np.flatnonzero(right["clean"] & ~right["swapped"] & (np.array(pictures.doubts) == ""))
    chosen = lost[np.argsort(-ranks[lost], kind="stable")][:ROWS]
    if not len(chosen):
        return []
    first = {seen: found[seen][chosen, 0] for seen in SEEN}
    maps = {seen: _maps(explainer, chosen, first[seen], seen) for seen in SEEN} if explainer else None
    rows = []
    for place, query in enumerate(chosen):
        label, shown = pictures.labels[query], {}
        for seen, view in SEEN.items():
            near = found[seen][query]
            shown[seen] = pixels(compose(pictures, view, np.array([query])))[0]
            shown[f"neighbours_{seen}"] = neighbours(compose(pictures, view, near), pictures, near, label)
            if maps:
                alone, *pair = (of_lost[place] for of_lost in maps[seen])
                shown |= {f"attention_{seen}": alone, f"pair_{seen}": tuple(pair)}
        rows.append(Row(path=pictures.table.path[query], class_name=pictures.table.class_name[query], **shown))
    return rows


def _maps(explainer: Explainer, queries: np.ndarray, first: np.ndarray, seen: str) -> list[np.ndarray]:
    """Of the queries, of their pairs with the first neighbours from the queries' side, and from the neighbours'."""
    asked = (queries,), (queries, first), (first, queries)
    return [attention_map(explainer.maps("worst", rows, seen, *others)).numpy() for rows, *others in asked]
