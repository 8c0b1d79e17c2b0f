"""Where an audited embedder looks: attention maps and how much of them lies on the object."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from bgbias import ranks
from bgbias.attention.maps import Attention
from bgbias.attention.saliency import attention_map, attention_score
from bgbias.audit.inputs.pictures import Pictures
from bgbias.audit.inputs.views import compose
from bgbias.audit.measures.answers import identity
from bgbias.audit.measures.scores import column
from bgbias.cache import Cache, fingerprint
from bgbias.config import params
from bgbias.metrics.bootstrap import estimate
from bgbias.metrics.localisation import pointing_game, relevance_rank_accuracy
from bgbias.metrics.retrieval import neighbours
from bgbias.models.embedder import FEWEST, Embedder
from bgbias.seeding import generator

PHOTOS = 60
ON_GPU = 4  # photos at once; on a CPU few, so that their copies stay in its cache
TOP = 5  # of what a photo finds
SEEN = {"clean": "clean", "swapped": "swapped/0"}  # key -> view
SCORES = {
    "score": lambda maps, masks: attention_score(attention_map(maps), masks),
    "rank_accuracy": relevance_rank_accuracy,
    "pointing_game": pointing_game,
}
PAIR_SCORES = ("pair_score", "pair_score_retrieved")


class Explainer:
    """Attention maps of an embedder that gradients reach, by smoothgrad, kept in the cache.

    A pair has two maps, each by half the copies, so they take no longer than one of a photo by itself.
    """

    def __init__(
        self,
        embedder: Embedder,
        pictures: Pictures,
        embeddings: Mapping[str, Tensor],
        options: params.Attention,
        cache: Cache,
    ):
        """Take the embeddings of `embeddings.embed`, and params.yaml's options: always smoothgrad, for any network."""
        self.pictures, self.embeddings, self.cache, self._nearest = pictures, embeddings, cache, {}
        self.pairs = pictures.gallery is None  # of what is found in the same view
        options = replace(options, method="smoothgrad")
        self.made_from = fingerprint([identity(embedder, pictures), options])
        self.alone = Attention(embedder, options, pictures.seed)
        self.paired = Attention(embedder, replace(options, copies=(options.copies + 1) // 2), pictures.seed)

    def maps(self, name: str, rows: np.ndarray, seen: str, others: np.ndarray | None = None) -> Tensor:
        """Saliency of some photos as they are in a view of SEEN.

        Args:
            name: of what they are for.
            rows: of the photos, (B,).
            seen: the view.
            others: rows of as many photos: each similarity with one of them is explained, as both are in this view,
                from the side of `rows`; None: the distance from a black image.

        Returns:
            float (B, S, S), neither scaled nor clamped.
        """
        view = SEEN[seen]
        what = f"attention, {seen}" if others is None else f"attention of pairs, {seen}"
        attention = self.alone if others is None else self.paired

        def one(part: np.ndarray) -> np.ndarray:
            shown = compose(self.pictures, view, rows[part]), rows[part]
            held = None if others is None else self.embeddings[view][others[part]]
            made = attention.unscaled(*shown, held)
            return made.cpu().nan_to_num(0).numpy()  # no gradient is no attention

        def make() -> Iterator[np.ndarray]:
            parts = np.array_split(np.arange(len(rows)), max(1, len(rows) // _at_once(attention)))
            with tqdm(total=len(rows), desc=what, unit="photo") as bar:
                for made in ranks.spread(one, parts):
                    yield made
                    bar.update(len(made))

        made_from = fingerprint([self.made_from, rows.tolist(), None if others is None else others.tolist()])
        return torch.from_numpy(self.cache.array(f"{name}/{seen}", made_from, len(rows), make))

    @cached_property
    def per_photo(self) -> tuple[np.ndarray, dict[str, dict[str, np.ndarray]]]:
        """The rows of at most 60 random photos, and what each scores: key of SEEN -> name of a measure -> float64.

        Attention score, relevance rank accuracy and pointing game of their maps; and, where all photos search all
        others, of the pair of each with the photo that it finds first, the attention scores of either map with its own
        photo's mask.
        """
        order = generator(self.pictures.seed, "audit attention").permutation(len(self.pictures.labels))
        rows = np.sort(order[:PHOTOS])
        return rows, {seen: self._measured(rows, seen) for seen in SEEN}

    def nearest(self, seen: str) -> np.ndarray:
        """Rows of the 5 photos that each finds first in a view of SEEN, int64 (N, 5), searched once."""
        if seen not in self._nearest:
            self._nearest[seen] = nearest(self.embeddings[SEEN[seen]])
        return self._nearest[seen]

    def _measured(self, rows: np.ndarray, seen: str) -> dict[str, np.ndarray]:
        maps, masks = self.maps("attention", rows, seen), self._masks(rows)
        found = {name: score(maps, masks) for name, score in SCORES.items()}
        if self.pairs:
            first = self.nearest(seen)[rows, 0]
            for name, side, other in zip(PAIR_SCORES, (rows, first), (first, rows), strict=True):
                found[name] = SCORES["score"](self.maps("attention", side, seen, other), self._masks(side))
        return {name: values.double().numpy() for name, values in found.items()}

    def _masks(self, rows: np.ndarray) -> Tensor:
        return self.pictures.mask(rows)[:, 0].float() / 255

    def scores(self) -> dict:
        """The means of `per_photo` with their intervals."""
        rows, found = self.per_photo
        labels, seed = self.pictures.labels[rows], self.pictures.seed
        return {
            seen: {
                name: estimate(values, labels, generator(seed, "audit intervals")).as_json()
                for name, values in of_seen.items()
            }
            for seen, of_seen in found.items()
        }


def _at_once(attention: Attention) -> int:
    """How many photos: on a CPU as few as make 16 copies, as fewer at once change the last digits, see `portions`."""
    few = math.ceil(FEWEST / attention.options.copies)
    return few if attention.black.device.type == "cpu" else max(few, ON_GPU)


def nearest(embeddings: Tensor) -> np.ndarray:
    """Rows of the 5 photos that each photo finds first, int64 (N, 5); of fewer photos, of all others.

    >>> nearest(torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8]])).tolist()
    [[1, 2], [2, 0], [1, 0]]
    """
    return neighbours(embeddings, embeddings, min(TOP, len(embeddings) - 1)).numpy()


def passes(photos: int, copies: int, pairs: bool = True) -> int:
    """How many pictures' way through the model all maps take, each copy there and back: some 3 times its embedding.

    Args:
        photos: of the audit.
        copies: of a photo, of params.yaml's attention.
        pairs: whether pairs are explained, too.

    >>> passes(480, 25), passes(10, 25), passes(10, 25, pairs=False)
    (18360, 3060, 1500)
    """
    shown = min(photos, PHOTOS)
    return 3 * len(SEEN) * shown * (copies + 2 * ((copies + 1) // 2) * pairs)


def columns(explainer: Explainer | None, photos: int, pairs: bool = True) -> dict[str, np.ndarray]:
    """Name of a measure -> float64 (photos,); NaN for photos without attention maps, all where nothing explains."""
    rows, found = explainer.per_photo if explainer else (np.arange(0), {})
    return {
        f"attention_{name}_{seen}": column(photos, found[seen][name] if found else [], rows)
        for name in (*SCORES, *(PAIR_SCORES if pairs else ()))
        for seen in SEEN
    }
