"""Whether a model is a function of the photo: if not, all its figures are at random."""

from collections.abc import Sequence

from torch import Tensor

from bgbias.errors import InputError
from bgbias.models.embedder import Embedder, embed

ENOUGH = 8  # photos
ALIKE = 0.999  # cosine; rounding leaves more than 0.99999, dropout of 10 % some 0.95


def refuse_unsteady(embedder: Embedder, pictures: Tensor, names: Sequence[str]) -> None:
    """Embed some photos twice together, then one by one, and refuse a model whose answers differ.

    Args:
        embedder: of any origin.
        pictures: uint8 (B, 3, S, S); the first 8 are tried.
        names: of the photos, for errors.

    Raises:
        ValueError: a photo's embedding changes from call to call, or with the photos beside it, or is none.
    """
    pictures = pictures[:ENOUGH]
    first = embed(embedder, [pictures], names)
    mend = "it was exported in training mode; call .eval() before the export"
    for batches, what in (
        ([pictures], "gives the same photos other embeddings at each call, as dropout does"),
        (pictures.split(1), "gives a photo another embedding beside other photos, as batch statistics do"),
    ):
        least = (embed(embedder, batches, names) * first).sum(1).min()
        if least < ALIKE:
            raise InputError(f"{embedder.name}: {what} (cosine {least:.3f}): {mend}")
