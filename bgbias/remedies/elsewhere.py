"""What remedies win where a photo has to find its class in another place: photos as they are, none swapped."""

from torch import Tensor

from bgbias.metrics.bootstrap import Sums, sums
from bgbias.metrics.places import OTHER, SAME, by_place
from bgbias.metrics.retrieval import Scores
from bgbias.remedies.passes import Split
from bgbias.remedies.pictures import Fix, Remedy, averaged

METRIC = "recall_at_1"
NAMES = {SAME: "same_place", OTHER: "elsewhere"}


def score(remedy: Remedy, split: Split, fix: Fix) -> dict[str, Scores]:
    """Compute what photos as they are find in their own place and elsewhere, remedied; see `by_place`."""
    clean = split.views[0]
    queries = fix(averaged([clean[name] for name in remedy.passes]))
    references = queries if remedy.sides == "both" else fix(clean["as_is"])
    return by_place(queries, split.labels, split.places, references)


def compared(remedied: dict[str, Scores], base: dict[str, Scores], labels: Tensor) -> dict[tuple[str, str], Sums]:
    """Give what is estimated of a remedy: what it finds by place, and how much more than without one."""
    labels, found = labels[base[SAME]["rows"]].numpy(), {}
    for which, name in NAMES.items():
        after, before = (of[which][METRIC].numpy() for of in (remedied, base))
        found[name, METRIC] = sums(after, labels)
        found[f"change_{name}", METRIC] = sums(after - before, labels)
    return found
