"""What remedies win where a photo has to find its class in another place: photos as they are, none swapped."""

from torch import Tensor

from bgbias.metrics.bootstrap import Sums, sums
from bgbias.metrics.places import OTHER, SAME, by_place
from bgbias.metrics.retrieval import Scores
from bgbias.remedies.passes import Split

METRIC = "recall_at_1"
NAMES = {SAME: "same_place", OTHER: "elsewhere"}


def score(queries: Tensor, references: Tensor, split: Split) -> dict[str, Scores]:
    """Compute what the photos of a split find in their own place and elsewhere, see `by_place`; (N, D) both."""
    return by_place(queries, split.labels, split.places, references)


def compared(remedied: dict[str, Scores], base: dict[str, Scores], labels: Tensor) -> dict[tuple[str, str], Sums]:
    """Give what is estimated of a remedy: what it finds by place, and how much more than without one."""
    labels, found = labels[base[SAME]["rows"]].numpy(), {}
    for which, name in NAMES.items():
        after, before = (of[which][METRIC].numpy() for of in (remedied, base))
        found[name, METRIC] = sums(after, labels)
        found[f"change_{name}", METRIC] = sums(after - before, labels)
    return found
