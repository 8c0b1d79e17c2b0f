"""From the embeddings of all views to what an audit says in numbers, each with its 95 % interval."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from bgbias.audit.inputs import views
from bgbias.audit.inputs.pictures import Pictures
from bgbias.audit.measures import doubts, places, second_masks
from bgbias.audit.measures.scores import by_changed_masks, column, kept, less, means, over_draws
from bgbias.datasets import near_duplicates
from bgbias.metrics import background_bias, invariance
from bgbias.metrics.bootstrap import Sums, estimates, sums
from bgbias.metrics.chance import chance
from bgbias.metrics.names import METRICS
from bgbias.metrics.retrieval import Scores, per_query
from bgbias.seeding import generator

OF_THEMSELVES = views.BACKGROUND_ONLY | views.MIXED | views.PASTED  # probes that are queries and gallery


class Measures:
    """All measures of one audit.

    A query's score on the swapped view is its mean over the draws. Intervals are drawn alike for all measures.

    Attributes:
        scores: what is measured -> the scores of its queries; their rows are those of the photos.
        singles: the same for measures that have one value for each of their rows.
    """

    def __init__(self, pictures: Pictures, embeddings: Mapping[str, Tensor], quick: bool = False):
        """Take the pictures for their labels and masks, and the embeddings of `embeddings.embed`; quick: of few views.

        A quick audit has no figures but of clean and swapped photos, and needs pictures without second masks.
        """
        self.pictures, self.embeddings, self.quick = pictures, embeddings, quick
        self.draws = views.QUICK_DRAWS if quick else pictures.draws
        self.labels = torch.from_numpy(pictures.labels)
        self.probed = torch.from_numpy(views.rows_of(pictures, next(iter(views.PROBES))))
        self._searched: dict[tuple[str, str], Scores] = {}
        self.scores, self.singles = self._searches(), places.singles(pictures, embeddings, quick)
        if not quick:
            self.scores |= self._probes()
            self.singles |= self._over_grid()

    def all(self) -> dict:
        """The part of audit.json that comes from embeddings: see `bgbias.audit.verdict` for what it means."""
        scores = self.scores | self._without_some()
        if not self.quick:
            scores["grey_gain"] = less(scores["foreground_grey"], scores["swapped"])
        asked = {
            name: sums(values.double(), self.labels[rows]) for name, (values, rows) in self._values(scores).items()
        }
        single = {name: of.as_json() for name, of in estimates(asked | self._kept(), self._rng).items()}
        found = {name: {metric: single[f"{metric}_{name}"] for metric in METRICS} for name in scores}
        few = {
            "chance": means(chance(self.labels)),
            "matrix": {
                "clean": {"clean": found["clean"], "swapped": found["clean_in_swapped"]},
                "swapped": {"clean": found["swapped_in_clean"], "swapped": found["swapped"]},
            },
            "drop": found["drop"],
            "kept": single["kept"],
            "views": {view: found[view] for view in ("clean", "swapped")},
            "mask_doubt": doubts.of_masks(self.pictures, found),
            "second_masks": doubts.by_second_masks(self.pictures, found | single, self.columns()),
            "second_backgrounds": self._second_pool(found | single),
            "near_duplicates": doubts.of_photos(self.pictures, found),
        } | places.summary(self.pictures, single)
        if self.quick:
            return few
        worst = {"worst": single["right_on_all"], "mean": single["right_on_one"], "backgrounds": views.GRID}
        return few | {
            "views": few["views"] | {view: found[view] for view in (*views.OBJECT_ONLY, *OF_THEMSELVES)},
            "grey_gain": found["grey_gain"],
            "background_only_against_clean": {view: found[f"{view}_in_clean"] for view in views.BACKGROUND_ONLY},
            "mixed_other_against_clean": found["mixed_other_in_clean"],
            "gap": found["background_gap"],
            "pasting": {view: found[f"lost_{view}"] for view in views.PASTED},
            "conflict": single["conflict"],
            "invariance": single["invariance"],
            "worst_of_backgrounds": worst,
            "variance": self._variance(),
        }

    def columns(self) -> dict[str, np.ndarray]:
        """Name of a measure -> float64 (N,), its value of each photo; NaN where it has none, or was not measured."""
        found = self._values(self.scores)
        last = {name: found.pop(name, ([], np.arange(0))) for name in second_masks.COLUMNS}  # of all audits
        return {name: column(len(self.labels), *values) for name, values in (found | last).items()}

    def chance_of_probed(self) -> float | None:
        """Recall@1 of guessing among the probed photos; None where these are too few."""
        return means(chance(self.labels[self.probed]))["recall_at_1"] if len(self.probed) else None

    def _searches(self) -> dict[str, Scores]:
        found = {
            "clean": self._scores("clean", "clean"),
            "swapped": self._over_draws(lambda draw: self._scores(draw, draw)),
            "clean_in_swapped": self._over_draws(lambda draw: self._scores("clean", draw)),
            "swapped_in_clean": self._over_draws(lambda draw: self._scores(draw, "clean")),
        }
        found["drop"] = less(found["clean"], found["swapped"])
        return found

    def _probes(self) -> dict[str, Scores]:
        found = {view: self._scores(view, view) for view in views.OBJECT_ONLY}
        found |= {view: self._probed(view, view) for view in OF_THEMSELVES}
        found |= {f"{view}_in_clean": self._probed(view, "clean") for view in views.BACKGROUND_ONLY | views.MISLEADING}
        found["background_gap"] = background_bias.background_gap(found["mixed_same"], found["mixed_rand"])
        clean = self._probed("clean", "clean")
        found |= {f"lost_{view}": less(clean, found[view]) for view in views.PASTED}
        found |= by_changed_masks(self.scores["clean"], lambda view: self._scores(view, view))
        if self.pictures.second_kind:
            found["swapped_second"] = self._over_draws(lambda draw: self._scores(draw, draw), views.SECOND)
            found["drop_second"] = less(self.scores["clean"], found["swapped_second"])
            found["moved_second"] = less(found["swapped_second"], self.scores["swapped"])
        if self.pictures.second_pool:
            found["swapped_pool"] = self._over_draws(lambda draw: self._scores(draw, draw), views.POOL)
            found["drop_pool"] = less(self.scores["clean"], found["swapped_pool"])
            found["moved_pool"] = less(self.scores["swapped"], found["swapped_pool"])
        return found

    def _second_pool(self, found: dict[str, dict]) -> dict | None:
        """What backgrounds of a second pool give, and by how much more than the first; None where there are none."""
        if not self.pictures.second_pool:
            return None
        names = ("swapped", "drop", "moved", "kept", "conflict", "conflict_moved")
        return {"backgrounds": self.pictures.second_pool.name} | {name: found[f"{name}_pool"] for name in names}

    def _scores(self, queries: str, gallery: str, rows: Tensor | None = None) -> Scores:
        """Scores of some photos (None: all, searched once), as if there were no others."""
        asked = queries, gallery
        if rows is None:
            if asked not in self._searched:
                found = per_query(self.embeddings[queries], self.embeddings[gallery], self.labels, [1])
                self._searched[asked] = found
            return self._searched[asked]
        return self._search(self.embeddings[queries][rows], self.embeddings[gallery][rows], rows)

    def _probed(self, view: str, gallery: str) -> Scores:
        """Scores of probed photos among probed photos; of no query where these are too few."""
        if not len(self.probed):
            return {name: torch.empty(0) for name in METRICS} | {"rows": self.probed}
        queries, references = (
            self.embeddings[seen] if seen in views.PROBES else self.embeddings[seen][self.probed]
            for seen in (view, gallery)
        )
        return self._search(queries, references, self.probed)

    def _search(self, queries: Tensor, references: Tensor, rows: Tensor) -> Scores:
        scores = per_query(queries, references, self.labels[rows], [1])
        return scores | {"rows": rows[scores["rows"]]}

    def _over_draws(self, score: Callable[[str], Scores], of: str = "") -> Scores:
        return over_draws([score(f"{of}swapped/{draw}") for draw in range(self.draws)])

    def _kept(self) -> dict[str, Sums]:
        clean, level = self.scores["clean"], chance(self.labels)["recall_at_1"]
        swapped = {by: self.scores.get(f"swapped{by}") for by in ("", "_second", "_pool")}
        labels = self.labels[clean["rows"]]
        return {f"kept{by}": kept(clean, scores, level, labels) for by, scores in swapped.items() if scores}

    def _grid(self, of: str = "") -> list[Tensor]:
        return [self.embeddings[f"{of}grid/{number}"] for number in range(views.GRID)]

    def _over_grid(self) -> dict[str, tuple[Tensor, Tensor]]:
        every, grid = torch.arange(len(self.labels)), self._grid()
        over = background_bias.over_backgrounds(grid, self.embeddings["clean"], self.labels)
        second = {}
        if self.pictures.second_kind:
            of_second = background_bias.conflict(self._grid(views.SECOND), self.labels)
            second = {"conflict_second": (of_second, every), "mask_agreement": (self.pictures.agreement, every)}
        conflict = background_bias.conflict(grid, self.labels)
        if self.pictures.second_pool:
            of_pool = background_bias.conflict(self._grid(views.POOL), self.labels)
            second |= {"conflict_pool": (of_pool, every), "conflict_moved_pool": (of_pool - conflict, every)}
        return second | {
            "conflict": (conflict, every),
            "invariance": (invariance.invariance(grid), every),
            "right_on_all": (over["worst"], over["rows"]),
            "right_on_one": (over["mean"], over["rows"]),
        }

    def _values(self, scores: dict[str, Scores]) -> dict[str, tuple[Tensor, Tensor]]:
        """Name of a measure -> its values and their rows."""
        of_scores = {
            f"{metric}_{name}": (found[metric], found["rows"]) for metric in METRICS for name, found in scores.items()
        }
        return of_scores | self.singles

    def _rng(self) -> np.random.Generator:
        return generator(self.pictures.seed, "audit intervals")

    def _variance(self) -> dict:
        shares = invariance.variance_estimates(self._grid(), self.labels, self._rng())
        shares = {name: share.as_json() for name, share in shares.items()}
        return {**shares, "random": invariance.random_shares(len(self.labels), views.GRID)._asdict()}

    def _without_some(self) -> dict[str, Scores]:
        """Scores without photos that raise doubts: of their masks, of near-duplicates, of masks that do not agree."""
        distinct = near_duplicates.first_ones(self.pictures.near_duplicates, len(self.labels))
        scores = self._without("doubtful", np.array(self.pictures.doubts) == "") | self._without("duplicates", distinct)
        if self.pictures.second_kind:
            agreed = (self.pictures.agreement >= second_masks.AGREED).numpy()
            scores |= self._without("unlike", agreed) | self._without("unlike_second", agreed, views.SECOND)
        return scores

    def _without(self, what: str, left: np.ndarray, of: str = "") -> dict[str, Scores]:
        """Scores on clean photos, and the drop, without some photos; nothing where none or too many are left out."""
        rows = torch.from_numpy(np.flatnonzero(left))
        if left.all() or not views.can_be_searched(self.labels[rows].numpy()):
            return {}
        clean = self._scores("clean", "clean", rows)
        swapped = self._over_draws(lambda draw: self._scores(draw, draw, rows), of)
        return {f"clean_without_{what}": clean, f"drop_without_{what}": less(clean, swapped)}
