"""From the embeddings of all views to what an audit says in numbers, each with its 95 % interval."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from bgbias import invariance, probes
from bgbias.audit import views
from bgbias.audit.pictures import Pictures
from bgbias.chance import chance
from bgbias.intervals import Estimate, estimate
from bgbias.retrieval import per_query
from bgbias.seeding import generator

METRICS = ("recall_at_1", "map_at_r")
FLAGS = {"empty": "empty", "nearly_full": "full", "border": "border", "tiny": "tiny"}  # suspicion -> key
Scores = dict[str, Tensor]  # of `retrieval.per_query`


def entry(found: Estimate) -> dict:
    """An estimate as audit.json has it, None for NaN.

    >>> entry(Estimate(0.5, math.nan, math.nan, 2, 1, 0))
    {'value': 0.5, 'low': None, 'high': None, 'queries': 2, 'classes': 1, 'undefined': 0}
    """
    return {name: none_for_nan(value) for name, value in found._asdict().items()}


def none_for_nan(value: float) -> float | None:
    """JSON has no NaN."""
    return None if math.isnan(value) else value


class Measures:
    """All measures of one audit.

    A query's score on the swapped view is its mean over the draws. Intervals are drawn alike for all measures.
    """

    def __init__(self, pictures: Pictures, embeddings: dict[str, Tensor]):
        """Take the pictures for their labels and masks, and the embeddings of `embeddings.embed`."""
        self.pictures, self.embeddings = pictures, embeddings
        self.labels = torch.from_numpy(pictures.labels)
        self.probed = torch.from_numpy(views.rows_of(pictures, next(iter(views.PROBES))))
        self.clean = self._scores("clean", "clean")
        self.swapped = self._over_draws(lambda draw: self._scores(draw, draw))

    def all(self) -> dict:
        """The part of audit.json that comes from embeddings: see `bgbias.audit.verdict` for what it means."""
        probed = self.labels[self.probed]
        in_clean = {view: self._estimates(self._probed(view, "clean"), probed) for view in views.BACKGROUND_ONLY}
        return {
            "chance": _means(chance(self.labels)),
            "matrix": self._matrix(),
            "drop": self._drop(self.clean, self.swapped),
            "views": self._views(),
            "background_only_against_clean": in_clean,
            "gap": self._gap(),
            **self._over_grid(),
            "mask_doubt": self._mask_doubt(),
        }

    def chance_of_probed(self) -> float | None:
        """Recall@1 of guessing among the probed photos; None where these are too few."""
        return _means(chance(self.labels[self.probed]))["recall_at_1"] if len(self.probed) else None

    def _scores(self, queries: str, gallery: str, kept: Tensor | slice = slice(None)) -> Scores:
        """Scores of the photos that are kept; as if there were no others."""
        return per_query(self.embeddings[queries][kept], self.embeddings[gallery][kept], self.labels[kept], [1])

    def _over_draws(self, score: Callable[[str], Scores]) -> Scores:
        found = [score(f"swapped/{draw}") for draw in range(views.DRAWS)]
        means = {name: torch.stack([scores[name] for scores in found]).double().mean(0) for name in METRICS}
        return means | {"rows": found[0]["rows"]}

    def _estimate(self, values: Tensor, labels: Tensor) -> dict:
        rng = generator(self.pictures.seed, "audit intervals")
        return entry(estimate(values.double().numpy(), labels.numpy(), rng))

    def _estimates(self, scores: Scores, labels: Tensor) -> dict:
        return {name: self._estimate(scores[name], labels[scores["rows"]]) for name in METRICS}

    def _drop(self, first: Scores, second: Scores, labels: Tensor | None = None) -> dict:
        """First less second of the same queries; paired, so what makes a query hard in both cancels out."""
        labels = self.labels if labels is None else labels
        less = {name: first[name].double() - second[name].double() for name in METRICS}
        return self._estimates(less | {"rows": first["rows"]}, labels)

    def _matrix(self) -> dict:
        found = {
            "clean": {
                "clean": self.clean,
                "swapped": self._over_draws(lambda draw: self._scores("clean", draw)),
            },
            "swapped": {
                "clean": self._over_draws(lambda draw: self._scores(draw, "clean")),
                "swapped": self.swapped,
            },
        }
        return {
            queries: {gallery: self._estimates(scores, self.labels) for gallery, scores in row.items()}
            for queries, row in found.items()
        }

    def _probed(self, view: str, gallery: str) -> Scores:
        """Scores of a view that only probed photos have; of no query where these are too few."""
        if not len(self.probed):
            return {name: torch.empty(0) for name in METRICS} | {"rows": self.probed}
        references = self.embeddings[gallery] if gallery in views.PROBES else self.embeddings[gallery][self.probed]
        return per_query(self.embeddings[view], references, self.labels[self.probed], [1])

    def _views(self) -> dict:
        found = {"clean": self.clean, "swapped": self.swapped}
        found |= {view: self._scores(view, view) for view in views.OBJECT_ONLY}
        of_all = {view: self._estimates(scores, self.labels) for view, scores in found.items()}
        probed = self.labels[self.probed]
        return of_all | {view: self._estimates(self._probed(view, view), probed) for view in views.PROBES}

    def _gap(self) -> dict:
        same, rand = (self._probed(view, view) for view in ("mixed_same", "mixed_rand"))
        return self._estimates(probes.background_gap(same, rand), self.labels[self.probed])

    def _over_grid(self) -> dict:
        grid = torch.stack([self.embeddings[f"grid/{number}"] for number in range(views.GRID)], 1)
        over = probes.over_backgrounds(grid, self.embeddings["clean"], self.labels)
        searched = self.labels[over["rows"]]
        shares = {name: none_for_nan(share) for name, share in invariance.variance_shares(grid)._asdict().items()}
        return {
            "conflict": self._estimate(probes.conflict(grid, self.labels), self.labels),
            "worst_of_backgrounds": {
                **{name: self._estimate(over[name], searched) for name in ("worst", "mean")},
                "backgrounds": views.GRID,
            },
            "invariance": self._estimate(invariance.invariance(grid), self.labels),
            "variance": {**shares, "random": invariance.random_shares(len(grid), views.GRID)._asdict()},
        }

    def _mask_doubt(self) -> dict:
        """The drop without the photos of doubtful masks, and with masks that are a little smaller or larger."""
        doubts, paths = np.array(self.pictures.doubts), self.pictures.table.path.to_numpy()
        found = {
            "flagged": {key: sorted(paths[doubts == kind]) for kind, key in FLAGS.items()},
            "drop_without": None,
            "radius_px": views.doubt_px(self.pictures),
        }
        for change in ("eroded", "dilated"):
            view = f"swapped/{change}"
            found[f"drop_{change}"] = self._drop(self.clean, self._scores(view, view))
        kept = torch.from_numpy(np.flatnonzero(doubts == ""))
        if len(kept) < len(doubts) and views.can_be_searched(self.labels[kept].numpy()):
            swapped = self._over_draws(lambda draw: self._scores(draw, draw, kept))
            found["drop_without"] = self._drop(self._scores("clean", "clean", kept), swapped, self.labels[kept])
        return found


def _means(scores: Scores) -> dict:
    return {name: scores[name].mean().item() for name in METRICS}
