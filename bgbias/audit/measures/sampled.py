"""From the embeddings of some queries, and of the gallery, to what an audit says in numbers.

What a query finds does not depend on the other queries, so the figures of a sample are those of an audit of all photos,
where that searches the gallery as it is. All other measures of an audit compare photos that are all swapped, and are
left out.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from bgbias.audit.inputs import sample, views
from bgbias.audit.inputs.pictures import Pictures
from bgbias.audit.measures import doubts, second_masks
from bgbias.audit.measures.scores import by_changed_masks, kept, less, means, over_draws
from bgbias.metrics import background_bias
from bgbias.metrics.bootstrap import Sums, estimates, sums
from bgbias.metrics.chance import chance
from bgbias.metrics.names import METRICS
from bgbias.metrics.retrieval import Scores, per_query
from bgbias.seeding import generator


class Sampled:
    """The measures of an audit of some queries, each against the whole gallery as it is.

    Attributes:
        scores: what is measured -> the scores of the queries, in the order of `pictures`.
        singles: likewise for measures of one value.
        probed: the rows of photos that are shown without their object: none.
    """

    probed = ()

    def __init__(self, pictures: Pictures, embeddings: Mapping[str, Tensor], quick: bool = False):
        """Take the pictures of a sample, and the embeddings of `embeddings.embed`; quick: of few views."""
        self.pictures, self.embeddings, self.quick = pictures, embeddings, quick
        self.draws = views.QUICK_DRAWS if quick else pictures.draws
        gallery = pictures.gallery
        self.rows, self.every, self.size = *map(torch.from_numpy, (gallery.queries, gallery.labels)), gallery.size
        self.scores, self.singles = self._searches(), {}
        if not quick:
            self.scores |= self._changed_masks()
            self.singles = self._over_grid()

    def chance_of_probed(self) -> None:
        """As of `Measures`, of no photos."""

    def all(self) -> dict:
        """The part of audit.json that comes from embeddings, as of `Measures`, without what needs all photos swapped.

        swapped is of swapped queries in the gallery as it is, and so are drop and kept.
        """
        values = self._values()
        asked = {name: sums(of_measure, self.pictures.labels) for name, of_measure in values.items()}
        asked |= {f"kept{of}": self._kept(f"swapped{of}") for of in ("", "_second") if f"swapped{of}" in self.scores}
        without = self._without_some(values)
        asked |= {f"{metric}_{name}": of[metric] for name, of in without.items() for metric in METRICS}
        single = {name: estimate.as_json() for name, estimate in estimates(asked, self._rng).items()}
        found = {name: {metric: single[f"{metric}_{name}"] for metric in METRICS} for name in (*self.scores, *without)}
        few = {
            "sample": self._sample(values),
            "chance": means(self._chance()),
            "matrix": {view: {"clean": found[view]} for view in ("clean", "swapped")},
            "drop": found["drop"],
            "kept": single["kept"],
            "mask_doubt": doubts.of_masks(self.pictures, found),
            "second_masks": doubts.by_second_masks(self.pictures, found | single, values),
            "second_backgrounds": None,
            "near_duplicates": doubts.of_photos(self.pictures, found),
        }
        if self.quick:
            return few
        worst = {"worst": single["right_on_all"], "mean": single["right_on_one"], "backgrounds": views.GRID}
        return few | {"worst_of_backgrounds": worst}

    def columns(self) -> dict[str, np.ndarray]:
        """Name of a measure -> float64 (Q,), its value of each query; those of swapped queries say in what gallery."""
        named = {"swapped": "swapped_in_clean", "drop": "drop_in_clean"}
        missing = {name: np.full(len(self.rows), np.nan) for name in second_masks.COLUMNS if name != "conflict_second"}
        values = self._values()
        ours = {f"{metric}_{old}": f"{metric}_{new}" for metric in METRICS for old, new in named.items()}
        return missing | {ours.get(name, name): of_measure for name, of_measure in values.items()}

    def _values(self) -> dict[str, np.ndarray]:
        of_scores = {f"{metric}_{name}": of[metric] for metric in METRICS for name, of in self.scores.items()}
        return {name: np.asarray(values, dtype=np.float64) for name, values in (of_scores | self.singles).items()}

    def _without_some(self, values: dict[str, np.ndarray]) -> dict[str, dict[str, Sums]]:
        """What is clean, and the drop, of the queries without a near-duplicate in the gallery; of those of sure masks.

        Queries are left out, and the gallery stays as it is: a photo that is there twice leads no other query to
        another class. Whether a query has a near-duplicate does not depend on which are drawn, so the mean over those
        that are left estimates, without bias, the mean over all queries that have none.
        """
        sure = np.array(self.pictures.doubts) == ""
        without = self._without("duplicates", ~doubts.doubled(self.pictures), values)
        return without | self._without("doubtful", sure, values)

    def _without(self, what: str, left: np.ndarray, values: dict[str, np.ndarray]) -> dict[str, dict[str, Sums]]:
        """What is clean, and the drop, of the queries that are left; nothing where all are, or those of one class."""
        labels = self.pictures.labels[left]
        if left.all() or len(np.unique(labels)) < 2:
            return {}
        return {
            f"{name}_without_{what}": {metric: sums(values[f"{metric}_{name}"][left], labels) for metric in METRICS}
            for name in ("clean", "drop")
        }

    def _sample(self, values: dict[str, np.ndarray]) -> dict:
        of = len(sample.searchable(self.every.numpy(), self.size))
        gallery = self.pictures.gallery
        found = {"queries": len(self.rows), "of": of, "gallery": self.size, "apart": gallery.apart}
        found["one_each"] = gallery.one_each
        found["adds"] = {name: sample.adds(values[f"recall_at_1_{name}"], of) for name in sample.ADDS}
        return found | {"said": sample.describe(found)}

    def _chance(self) -> dict[str, Tensor]:
        found = chance(self.every, self.size)
        places = torch.searchsorted(found["rows"], self.rows)
        return {metric: found[metric][places] for metric in METRICS}

    def _gallery(self) -> Tensor:
        return self.embeddings["clean"][: self.size]

    def _search(self, queries: Tensor, some: Tensor | slice = slice(None)) -> Scores:
        return per_query(queries, self._gallery(), self.every, [1], self.rows[some])

    def _over_draws(self, of: str = "") -> Scores:
        return over_draws([self._search(self.embeddings[f"{of}swapped/{draw}"]) for draw in range(self.draws)])

    def _searches(self) -> dict[str, Scores]:
        clean = self.embeddings["clean"][self.pictures.gallery.rows]
        found = {"clean": self._search(clean), "swapped": self._over_draws()}
        return found | {"drop": less(found["clean"], found["swapped"])}

    def _changed_masks(self) -> dict[str, Scores]:
        found = by_changed_masks(self.scores["clean"], lambda view: self._search(self.embeddings[view]))
        if self.pictures.second_kind:
            found["swapped_second"] = self._over_draws(views.SECOND)
            found["drop_second"] = less(self.scores["clean"], found["swapped_second"])
            found["moved_second"] = less(found["swapped_second"], self.scores["swapped"])
        return found

    def _over_grid(self) -> dict[str, Tensor]:
        grid = [self.embeddings[f"grid/{number}"] for number in range(views.GRID)]
        over = background_bias.over_backgrounds(grid, self._gallery(), self.every, self.rows)
        second = {"mask_agreement": self.pictures.agreement} if self.pictures.second_kind else {}
        return {"right_on_all": over["worst"], "right_on_one": over["mean"]} | second

    def _kept(self, swapped: str) -> Sums:
        level = self._chance()["recall_at_1"]
        return kept(self.scores["clean"], self.scores[swapped], level, self.pictures.labels)

    def _rng(self) -> np.random.Generator:
        return generator(self.pictures.seed, "audit intervals")
