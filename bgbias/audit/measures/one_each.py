"""What an audit says in numbers of photos that each show another product: do they find themselves?

No photo shows the product of another one, so there is none to find but the photo itself, as it is in the gallery. An
embedder that sees the object alone finds every one on any background; one that sees the background alone finds those
alone whose background was left.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from bgbias.audit.inputs import views
from bgbias.audit.inputs.pictures import Pictures
from bgbias.audit.measures.sampled import Sampled
from bgbias.audit.measures.scores import column, less
from bgbias.metrics.bootstrap import estimates, sums
from bgbias.metrics.names import METRICS
from bgbias.metrics.retrieval import Scores


class OneEach(Sampled):
    """The measures of a sample, and what objects alone, backgrounds alone, and objects put back find of themselves.

    Attributes:
        parts: what is measured -> the scores of its queries; their rows are those of the queries.
        probed: the rows of photos that are shown without their object.
    """

    def __init__(self, pictures: Pictures, embeddings: Mapping[str, Tensor], quick: bool = False):
        """Take the pictures of photos of one each, and their embeddings, as `Sampled` does."""
        super().__init__(pictures, embeddings, quick)
        self.probed = views.rows_of(pictures, next(iter(views.PROBES)))
        self.parts = {} if quick else self._parts()

    def chance_of_probed(self) -> float | None:
        """Recall@1 of guessing, which is the same for all queries; None where no object can be taken away."""
        return self._chance()["recall_at_1"].mean().item() if len(self.probed) else None

    def all(self) -> dict:
        """As of `Sampled`; unless it is quick, also what parts find, and what is lost to pasting."""
        found = super().all()
        if self.quick:
            return found
        asked = {
            f"{metric}_{name}": sums(of[metric].double(), self.pictures.labels[of["rows"]])
            for metric in METRICS
            for name, of in self.parts.items()
        }
        single = {name: estimate.as_json() for name, estimate in estimates(asked, self._rng).items()}
        parts = {name: {metric: single[f"{metric}_{name}"] for metric in METRICS} for name in self.parts}
        return found | {
            "object_alone_against_clean": {view: parts[f"{view}_in_clean"] for view in views.OBJECT_ALONE},
            "background_only_against_clean": {view: parts[f"{view}_in_clean"] for view in views.BACKGROUND_ONLY},
            "pasting": {view: parts[f"lost_{view}"] for view in views.PASTED},
        }

    def columns(self) -> dict[str, np.ndarray]:
        """As of `Sampled`, and those of the parts; NaN where a photo has none."""
        return super().columns() | {
            f"{metric}_{name}": column(len(self.rows), of[metric], of["rows"])
            for metric in METRICS
            for name, of in self.parts.items()
        }

    def _parts(self) -> dict[str, Scores]:
        found = {f"{view}_in_clean": self._part(view) for view in (*views.OBJECT_ALONE, *views.BACKGROUND_ONLY)}
        clean = {metric: self.scores["clean"][metric][self.probed] for metric in METRICS} | {"rows": self.probed}
        return found | {f"lost_{view}": less(clean, self._part(view)) for view in views.PASTED}

    def _part(self, view: str) -> Scores:
        """The scores of the queries that a view is made of; of none where it is made of none."""
        rows = views.rows_of(self.pictures, view)
        if not len(rows):
            return {metric: torch.empty(0) for metric in METRICS} | {"rows": rows}
        return self._search(self.embeddings[view], torch.from_numpy(rows)) | {"rows": rows}
