"""Where an audited embedder looks: attention maps and how much of them lies on the object."""

from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from bgbias import params
from bgbias.attention import Attention
from bgbias.audit.cache import Cache, fingerprint
from bgbias.audit.embeddings import identity
from bgbias.audit.measures import column, entry
from bgbias.audit.pictures import Pictures
from bgbias.audit.views import VIEWS
from bgbias.audited import Audited
from bgbias.intervals import estimate
from bgbias.localisation import pointing_game, relevance_rank_accuracy
from bgbias.saliency import attention_map, attention_score
from bgbias.seeding import generator

PHOTOS = 60
AT_ONCE = 4  # photos; smoothgrad's 25 copies of them make a batch of 100
SEEN = {"clean": "clean", "swapped": "swapped/0"}  # key -> view
SCORES = {
    "score": lambda maps, masks: attention_score(attention_map(maps), masks),
    "rank_accuracy": relevance_rank_accuracy,
    "pointing_game": pointing_game,
}


class Explainer:
    """Attention maps of an embedder that gradients reach, by smoothgrad, kept in the cache."""

    def __init__(self, embedder: Audited, pictures: Pictures, options: params.Attention, cache: Cache):
        """Options: those of params.yaml, but always smoothgrad, which needs to know nothing of the network."""
        self.pictures, self.cache = pictures, cache
        self.options = replace(options, method="smoothgrad")
        self.made_from = fingerprint(identity(embedder, pictures), options.copies, options.noise_share)
        self.attention = Attention(embedder, self.options, pictures.seed)

    def maps(self, name: str, rows: np.ndarray, seen: str) -> Tensor:
        """Saliency of some photos as they are in a view of SEEN, float (B, S, S), neither scaled nor clamped."""

        def make() -> np.ndarray:
            found = []
            with tqdm(total=len(rows), desc=f"attention, {seen}", unit="photo") as bar:
                for start in range(0, len(rows), AT_ONCE):
                    some = rows[start : start + AT_ONCE]
                    found.append(self.attention.unscaled(VIEWS[SEEN[seen]](self.pictures, some), some).cpu())
                    bar.update(len(some))
            return torch.cat(found).nan_to_num(0).numpy()  # no gradient is no attention

        made_from = fingerprint(self.made_from, rows.tolist())
        return torch.from_numpy(self.cache.array(f"{name}/{seen}", made_from, make))

    @cached_property
    def per_photo(self) -> tuple[np.ndarray, dict[str, dict[str, np.ndarray]]]:
        """The rows of at most 60 random photos, and what each scores: key of SEEN -> name of SCORES -> float64."""
        pictures = self.pictures
        order = generator(pictures.seed, "audit attention").permutation(len(pictures.labels))
        rows, found = np.sort(order[:PHOTOS]), {}
        masks = pictures.mask(rows)[:, 0].float() / 255
        for seen in SEEN:
            maps = self.maps("attention", rows, seen)
            found[seen] = {name: score(maps, masks).double().numpy() for name, score in SCORES.items()}
        return rows, found

    def scores(self) -> dict:
        """Attention score, relevance rank accuracy and pointing game, clean and swapped."""
        rows, found = self.per_photo
        labels, seed = self.pictures.labels[rows], self.pictures.seed
        return {
            seen: {
                name: entry(estimate(values, labels, generator(seed, "audit intervals")))
                for name, values in of_seen.items()
            }
            for seen, of_seen in found.items()
        }


def columns(explainer: Explainer | None, photos: int) -> dict[str, np.ndarray]:
    """Name of a measure -> float64 (photos,); NaN for photos without attention maps, all where nothing explains."""
    rows, found = explainer.per_photo if explainer else (np.arange(0), {})
    return {
        f"attention_{name}_{seen}": column(photos, found[seen][name] if found else [], rows)
        for name in SCORES
        for seen in SEEN
    }
