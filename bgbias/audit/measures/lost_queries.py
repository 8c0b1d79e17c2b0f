"""Queries to look at, where not all photos search all others: those that lose most when their background is swapped."""

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from bgbias.attention.saliency import attention_map
from bgbias.audit.inputs.gallery import Gallery
from bgbias.audit.inputs.pictures import Pictures
from bgbias.audit.inputs.views import compose
from bgbias.audit.measures.examples import ROWS, Row, neighbours, pixels
from bgbias.audit.measures.explained import SEEN, TOP, Explainer
from bgbias.metrics.nearest import lists
from bgbias.metrics.retrieval import Scores

AT_ONCE = 64  # queries


def lost_queries(
    pictures: Pictures,
    embeddings: Mapping[str, Tensor],
    scores: Mapping[str, Scores],
    explainer: Explainer | None = None,
) -> list[Row]:
    """At most 6 queries that are right as they are and wrong on their first background, those that lose most first.

    That is MAP@R, over all draws. Photos whose masks are in doubt are left out: what they lose, the mask may have
    taken.

    Args:
        pictures: of the audit, with a gallery.
        embeddings: of `embeddings.embed`.
        scores: clean and drop, of all queries in their order.
        explainer: for attention maps; None: without.
    """
    gallery, clean, drop = pictures.gallery, scores["clean"], scores["drop"]
    can_be = (clean["recall_at_1"] == 1) & (drop["recall_at_1"] > 0)
    queries = np.flatnonzero(can_be.numpy() & (np.array(pictures.doubts) == ""))
    queries = queries[np.argsort(-drop["map_at_r"].numpy()[queries], kind="stable")]
    lost, own = [], gallery.labels[gallery.queries]
    for some in np.array_split(queries, max(1, math.ceil(len(queries) / AT_ONCE))):
        first = gallery.labels[_found(gallery, embeddings, some, "swapped")[:, 0]]
        lost += some[first != own[some]].tolist()
        if len(lost) >= ROWS:
            break
    lost = np.array(lost[:ROWS], dtype=np.int64)
    views = {seen: pixels(compose(pictures, view, lost)) for seen, view in SEEN.items()} if len(lost) else {}
    found = {seen: _found(gallery, embeddings, lost, seen) for seen in views}
    maps = {seen: attention_map(explainer.maps("worst", lost, seen)).numpy() for seen in views} if explainer else {}
    rows = []
    for place, query in enumerate(lost):
        shown = {seen: of_lost[place] for seen, of_lost in views.items()}
        for seen, of in found.items():
            shown[f"neighbours_{seen}"] = neighbours(gallery.photo(of[place]), gallery, of[place], own[query])
        shown |= {f"attention_{seen}": of_lost[place] for seen, of_lost in maps.items()}
        shown["one_each"] = gallery.one_each
        rows.append(Row(path=pictures.table.path[query], class_name=pictures.table.class_name[query], **shown))
    return rows


def _found(gallery: Gallery, embeddings: Mapping[str, Tensor], queries: np.ndarray, seen: str) -> np.ndarray:
    """The rows of the 5 photos of the gallery that some queries find first, int64 (B, 5); of fewer, all."""
    searched = embeddings["clean"][: gallery.size]
    asked = embeddings["clean"][gallery.rows[queries]] if seen == "clean" else embeddings[SEEN[seen]][queries]
    held = not (gallery.apart or gallery.one_each)  # the query's own photo is among those that are searched
    own, most = torch.from_numpy(gallery.queries[queries]), min(TOP, gallery.size - held)
    parts = [rows for _, rows in lists(asked, searched, own, most)]
    return torch.cat([own.new_zeros(0, most), *parts]).numpy()
