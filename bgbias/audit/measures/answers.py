"""What a model answers to some photos: whether it is fit to embed all, what it is known by, whether it stays."""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from bgbias import ranks
from bgbias.audit.inputs import views
from bgbias.audit.inputs.gallery import Gallery
from bgbias.audit.inputs.pictures import Pictures
from bgbias.cache import fingerprint
from bgbias.external.exported import exported
from bgbias.external.steady import refuse_alike, refuse_changed, refuse_unsteady
from bgbias.models import embedder as embedders

SAMPLE = 16  # photos


def fastest(embedder: embedders.Embedder, pictures: Pictures) -> embedders.Embedder:
    """Refuse an embedder whose answers change, or are all alike, and return it as it embeds fastest here.

    Args:
        embedder: the model; is not changed.
        pictures: of the audit, of which some are tried.

    Raises:
        ValueError: see `steady.refuse_unsteady` and `steady.refuse_alike`.
    """
    tried = next(views.batches(pictures, "clean")), list(pictures.table.path)
    refuse_unsteady(embedder, *tried)
    rows = some(len(pictures.labels))
    refuse_alike(embedder, pictures.photo(rows), list(pictures.table.path[rows]))
    return exported(embedder, *tried)


def identity(embedder: embedders.Embedder, pictures: Pictures) -> str:
    """Fingerprint of embedder and pictures: of equal ones, all embeddings are equal.

    What an embedder is, its SPEC and files tell, and its answer to some photos: weights, normalisation and foreign code
    all have a part in that. Two functions of one file may answer photos alike, and swapped ones not.
    """
    rows = some(len(pictures.labels))
    return fingerprinted(embedder, pictures.photo(rows), list(pictures.table.path[rows]), pictures.identity)


def some(photos: int, most: int = SAMPLE) -> np.ndarray:
    """Rows of at most so many photos, of all classes' parts of the table."""
    return np.unique(np.linspace(0, photos - 1, most).round().astype(int))


def fingerprinted(embedder: embedders.Embedder, photos: Tensor, names: Sequence[str], of_pictures: str) -> str:
    """Fingerprint of an embedder, by its SPEC, files and answer to these photos, and of pictures, by theirs."""
    answer = ranks.gather(embedders.embed(embedder, [photos], names))[0]
    answer = hashlib.sha256(answer.numpy().tobytes()).hexdigest()
    return fingerprint([embedder.name, answer, of_pictures, torch.get_num_threads()], embedder.files)


def ask_again(embedder: embedders.Embedder, pictures: Pictures | Gallery, clean: Tensor) -> None:
    """Refuse a model that now gives some photos as they are other embeddings than it gave before.

    Args:
        embedder: the model.
        pictures: all photos that were embedded.
        clean: float32 (N, D), their embeddings.

    Raises:
        ValueError: see `steady.refuse_changed`.
    """
    rows = some(len(pictures.table))
    refuse_changed(embedder, pictures.photo(rows), list(pictures.table.path[rows]), clean[rows])
