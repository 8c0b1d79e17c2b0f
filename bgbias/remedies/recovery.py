"""How much of the drop each remedy recovers: learnt on training classes, chosen on validation, measured on test.

The pool `val` is shared out: the backgrounds of one half are learnt from, and shown by remedies; those of the other
half are swapped in to choose. So what is chosen has not been fitted to the backgrounds that it is judged by.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from bgbias.metrics.aggregate import over
from bgbias.metrics.bootstrap import Sums, estimates, sums
from bgbias.metrics.names import METRICS
from bgbias.metrics.retrieval import Scores, per_query
from bgbias.photos.foreground import OBJECT
from bgbias.photos.views import Photos
from bgbias.remedies import elsewhere, projection
from bgbias.remedies.passes import Split
from bgbias.remedies.pictures import FOUND, REMEDIES, Fix, Remedy, averaged
from bgbias.seeding import generator

ENDS = ("value", "low", "high")


def score(remedy: Remedy, split: Split, view: int, fix: Fix) -> Scores:
    """Compute the retrieval metrics of each query of a view, by its row in the split, remedied."""
    queries, both = averaged([split.views[view][name] for name in remedy.passes]), remedy.sides == "both"
    if split.gallery is None:
        gallery = queries if both else split.views[view]["as_is"]
        return per_query(fix(queries), fix(gallery), split.labels, [1])
    rows = torch.arange(split.gallery, len(split.labels))
    gallery = averaged([split.views[0][name] for name in (remedy.passes if both else ("as_is",))])[: split.gallery]
    return per_query(fix(queries[-len(rows) :]), fix(gallery), split.labels, [1], rows)


def scores(remedy: Remedy, split: Split, fix: Fix) -> list[Scores]:
    """Compute `score` of the clean view, then of each swapped one."""
    return [score(remedy, split, view, fix) for view in range(len(split.views))]


def criterion(remedy: Remedy, chosen_on: Split, fix: Fix) -> float:
    """Return what remedies are chosen by: the mean of MAP@R on clean and swapped photos, so that both count alike."""
    clean, *swapped = [of_view["map_at_r"].mean().item() for of_view in scores(remedy, chosen_on, fix)]
    return (clean + sum(swapped) / len(swapped)) / 2


def _unchanged(embeddings: Tensor) -> Tensor:
    return embeddings


class Learnt(NamedTuple):
    """The fixes of embeddings, as chosen.

    Attributes:
        directions: float32 (P, D), to be removed.
        matrix: float32 (D, D), to whiten by.
        tried: what was chosen from: "directions" (how many are removed) and "shrinkage", each value -> criterion.
        movement: how many directions -> their share of all that embeddings move with the background.
    """

    directions: Tensor
    matrix: Tensor
    tried: dict[str, dict[float, float]]
    movement: dict[int, float]

    def fixes(self) -> dict[str, Fix]:
        """Return them by the names that remedies call them by."""
        removed = partial(projection.removed, directions=self.directions)
        whitened = partial(projection.whitened, matrix=self.matrix)
        return {"none": _unchanged, "removed": removed, "whitened": whitened}


def learn(swaps: Tensor, chosen_on: Split) -> Learnt:
    """Learn the fixes from swaps of training photos; validation chooses how many directions and how much shrinkage.

    Of equally good numbers of directions the smallest is chosen, of equally good shrinkages the greatest. A number of
    directions that would leave nothing of a validation photo's embedding is not tried.
    """
    directions, shares = projection.directions(swaps)
    as_is, validation = REMEDIES[0], torch.cat([passes["as_is"] for passes in chosen_on.views])
    by_count = {
        count: criterion(as_is, chosen_on, partial(projection.removed, directions=directions[:count]))
        for count in projection.counts(swaps.shape[2], len(directions))
        if projection.something_left(validation, directions[:count]).all()
    }
    matrices = {shrinkage: projection.whitening(swaps, shrinkage) for shrinkage in projection.SHRINKAGES}
    by_shrinkage = {
        shrinkage: criterion(as_is, chosen_on, partial(projection.whitened, matrix=matrix))
        for shrinkage, matrix in matrices.items()
    }
    count, shrinkage = (max(tried, key=tried.get) for tried in (by_count, by_shrinkage))  # the first of equals
    tried = {"directions": by_count, "shrinkage": by_shrinkage}
    movement = {number: shares[:number].sum().item() for number in by_count}
    return Learnt(directions[:count], matrices[shrinkage], tried, movement)


def measure(tested: Split, chosen_on: Split | None, learnt: Learnt | None, seed: int) -> dict[str, dict]:
    """Measure what each remedy does for the test photos.

    Args:
        tested: the test photos.
        chosen_on: the validation photos; None: there are none.
        learnt: of `learn`; None: nothing was learnt, and remedies of pictures alone are measured.
        seed: of the intervals.

    Returns:
        By its key: name, sides, passes, needs_mask; validation (its `criterion`, where there are such photos); clean
        and swapped (metrics, with the sd over the draws); and with 95 % intervals by bootstrap over classes, for each
        metric: change_clean and change_swapped (this remedy less none), recovered (change_swapped as a share of what
        swapping costs without a remedy; 1: all of it, below 0: it gets worse). None where not defined. Where places
        are known, Recall@1 same_place and elsewhere, and their changes, likewise; and validation_elsewhere.
    """
    fixes, measured, compared = learnt.fixes() if learnt else {"none": _unchanged}, {}, {}
    base = scores(REMEDIES[0], tested, fixes["none"])
    placed = None if tested.places is None else elsewhere.score(REMEDIES[0], tested, fixes["none"])
    given = (*REMEDIES, *(FOUND if FOUND[0].name in tested.views[0] else ()))
    for remedy in (one for one in given if one.fix in fixes):
        remedied = scores(remedy, tested, fixes[remedy.fix])
        draws = [{metric: draw[metric].mean().item() for metric in METRICS} for draw in remedied[1:]]
        measured[remedy.key] = {
            "name": remedy.name,
            "sides": remedy.sides,
            "passes": len(remedy.passes),
            "needs_mask": remedy.needs_mask,
            **(_criteria(remedy, chosen_on, fixes[remedy.fix]) if chosen_on else {}),
            "clean": {metric: remedied[0][metric].double().mean().item() for metric in METRICS},
            "swapped": over(draws, "_sd"),
        }
        asked = _compared(remedied, base, tested.labels)
        if placed:
            asked |= elsewhere.compared(elsewhere.score(remedy, tested, fixes[remedy.fix]), placed, tested.labels)
        compared |= {(remedy.key, *what): added for what, added in asked.items()}
    for (key, name, metric), found in estimates(compared, lambda: generator(seed, "remedy intervals")).items():
        ends = found.as_json()
        measured[key].setdefault(name, {})[metric] = {end: ends[end] for end in ENDS}
    return measured


def _criteria(remedy: Remedy, chosen_on: Split, fix: Fix) -> dict[str, float]:
    """What a remedy is chosen by: on any background, and, where places are known, in other places."""
    found = {"validation": criterion(remedy, chosen_on, fix)}
    if chosen_on.places is not None:
        values = elsewhere.score(remedy, chosen_on, fix)[elsewhere.OTHER][elsewhere.METRIC]
        found["validation_elsewhere"] = values.mean().item()
    return found


def _compared(remedied: list[Scores], base: list[Scores], labels: Tensor) -> dict[tuple[str, str], Sums]:
    """What is estimated of a remedy, and its metric."""
    labels, compared = labels[base[0]["rows"]].numpy(), {}
    for metric in METRICS:
        clean, clean_before = (views[0][metric].double().numpy() for views in (remedied, base))
        swapped, before = (
            torch.stack([draw[metric] for draw in views[1:]]).double().mean(0).numpy() for views in (remedied, base)
        )
        compared["change_clean", metric] = sums(clean - clean_before, labels)
        compared["change_swapped", metric] = sums(swapped - before, labels)
        compared["recovered", metric] = sums(swapped - before, labels, clean_before - before)
    return compared


def described(measured: dict[str, dict], learnt: Learnt | None) -> dict:
    """Return what is recorded beside `measured` of `measure`: the remedy that validation chooses, and what was learnt.

    Of equally good remedies the first is chosen; without validation none. Where validation photos have places, another
    is chosen for searches in other places, by their mean Recall@1 there.
    """
    if not learnt:
        return {"chosen": None}
    by = {"chosen": "validation", "chosen_elsewhere": "validation_elsewhere"}
    known = {name: of for name, of in by.items() if of in measured["as_is"]}
    return {
        **{name: max(measured, key=lambda key: measured[key][of]) for name, of in known.items()},
        "tried": learnt.tried,
        "movement": learnt.movement,
        "removed": len(learnt.directions),
        "dimensions": len(learnt.matrix),
    }


def empty_masks(photos: Photos, image_ids: np.ndarray) -> int:
    """Count the photos that have no object where a remedy looks for it."""
    return sum(int((masks.flatten(1).amax(1) < OBJECT).sum()) for masks in photos.foregrounds(image_ids))
