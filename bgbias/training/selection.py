"""Which epoch is kept: the one whose network retrieves best among the validation photos."""

from collections.abc import Callable, Sequence

import torch

from bgbias.metrics import retrieval
from bgbias.models.embedder import Embedder, embed_photos
from bgbias.photos.pack import Pack
from bgbias.photos.views import Photos


def validation(photos: Photos, views: Sequence[str], pool: Pack, seed: int) -> Callable[[Embedder], dict[str, float]]:
    """Make the function that scores a network after each epoch.

    Every epoch is measured on the same composites, so that epochs differ by the network alone.

    Args:
        photos: of the dataset.
        views: "clean", "swapped" or both: the scores are means over these.
        pool: of backgrounds, for the swapped view.
        seed: of the training.

    Returns:
        Embedder -> the means over the queries of `retrieval.evaluate`: recall_at_1, r_precision, map_at_r.
    """
    image_ids = photos.split("val")
    names = list(photos.table.path[image_ids])
    labels = torch.tensor(photos.table.class_id[image_ids].to_numpy())
    manifest = photos.draw(image_ids, pool, seed, "validation", 0)

    def validate(embedder: Embedder) -> dict[str, float]:
        seen = {
            "clean": lambda part: photos.clean(image_ids[part]),
            "swapped": lambda part: photos.swapped(manifest[part], pool),
        }
        scores = []
        for view in views:
            embeddings = embed_photos(embedder, seen[view], names)
            scores.append(retrieval.evaluate(embeddings, embeddings, labels, [1]))
        return {name: sum(score[name] for score in scores) / len(scores) for name in scores[0]}

    return validate
