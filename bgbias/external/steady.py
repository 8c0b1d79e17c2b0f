"""Whether a model is a function of the photo, and tells photos apart: if not, all its figures are at random."""

from collections.abc import Sequence

from torch import Tensor

from bgbias.errors import InputError
from bgbias.models.embedder import Embedder, embed

ENOUGH = 8  # photos
MOST = 0.001  # of 1 - cosine; rounding leaves less than 0.00001, dropout of 10 % some 0.05
SHARE = 0.02  # of what lies between two photos: of some models all embeddings are nearly alike
LEAST = 1e-6  # what rounding may leave
TOO_ALIKE = 2e-5  # mean 1 - cosine of photos: above it float32 moved no Recall@1 by a point, at 5e-6 by two


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
    most = _most(first)
    mend = "it was exported in training mode; call .eval() before the export"
    for batches, what in (
        ([pictures], "gives the same photos other embeddings at each call, as dropout does"),
        (pictures.split(1), "gives a photo another embedding beside other photos, as batch statistics do"),
    ):
        moved = float(_apart(embed(embedder, batches, names), first).max())
        if moved > most:
            raise InputError(f"{embedder.name}: {what} (cosine {1 - moved:.5f}): {mend}")


def refuse_changed(embedder: Embedder, pictures: Tensor, names: Sequence[str], before: Tensor) -> None:
    """Embed some photos again, and refuse a model that gives other embeddings than it gave before.

    Args:
        embedder: of any origin.
        pictures: uint8 (B, 3, S, S).
        names: of the photos, for errors.
        before: float32 (B, D), their embeddings.

    Raises:
        ValueError: an embedding has changed.
    """
    moved = float(_apart(embed(embedder, [pictures], names), before).max())
    if moved > _most(before):
        raise InputError(
            f"{embedder.name}: gives photos other embeddings now than it gave before (cosine {1 - moved:.5f}), so it "
            "keeps something from call to call: let it depend on the photo alone"
        )


def refuse_alike(embedder: Embedder, pictures: Tensor, names: Sequence[str]) -> None:
    """Refuse a model whose embeddings are so alike that rounding decides which of them are nearest.

    So a number that is large and the same for all photos hides what tells them apart.

    Args:
        embedder: of any origin.
        pictures: uint8 (B, 3, S, S), of several classes.
        names: of the photos, for errors.

    Raises:
        ValueError: their mean 1 - cosine is below TOO_ALIKE. Of embeddings that are the same to the last digit nothing
            is found, so figures tell that.
    """
    found = embed(embedder, [pictures], names).double()
    apart = float(_apart(found[:, None], found).mean())
    if 0 < apart < TOO_ALIKE:
        raise InputError(
            f"{embedder.name}: gives all photos nearly the same embedding (1 - cosine is {apart:.1e} on average), so "
            "rounding would decide which are nearest: see that it is trained, with this mean and sd, and take away "
            "inside the model what all embeddings have in common"
        )


def _most(embeddings: Tensor) -> float:
    """How far a photo's embedding may move."""
    return min(MOST, max(LEAST, SHARE * float(_apart(embeddings[:, None], embeddings).mean())))


def _apart(one: Tensor, other: Tensor) -> Tensor:
    """1 - cosine of embeddings of length 1, exact also where they are nearly alike."""
    return (one - other).square().sum(-1) / 2
