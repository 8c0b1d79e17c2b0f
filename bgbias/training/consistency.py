"""What bgconsistency adds to a loss: how far the two embeddings of a photo are apart, and how much that counts when."""

from torch import Tensor

from bgbias.config import params
from bgbias.errors import InputError

EXACT = 0.01  # by how much a length may differ from 1, as in half precision


def weight(regime: params.Regime, options: params.Training, epoch: int, step: int) -> float:
    """Return the weight of the consistency in one step: it rises evenly over the regime's share of the training.

    At full weight from the first step, its gradient is nearly as long as the loss's before any class is learnt, and
    delays that: a short training, such as a pretrained network needs, then ends too early.

    Args:
        regime: has the full weight, and over which share of all steps it is reached.
        options: have the number of all steps.
        epoch: counted from 1.
        step: of the epoch, counted from 0.

    >>> from types import SimpleNamespace
    >>> regime = SimpleNamespace(consistency=8.0, consistency_rise=0.5)
    >>> options = SimpleNamespace(max_epochs=4, batches_per_epoch=10)
    >>> [weight(regime, options, *at) for at in ((1, 0), (2, 0), (3, 0), (4, 9))]
    [0.0, 4.0, 8.0, 8.0]
    """
    done = (epoch - 1) * options.batches_per_epoch + step
    rise = regime.consistency_rise * options.max_epochs * options.batches_per_epoch
    return regime.consistency * (min(1.0, done / rise) if rise else 1.0)


def disagreement(embeddings: Tensor) -> Tensor:
    """1 - cosine of each photo's two embeddings, on average.

    Args:
        embeddings: float (2 B, D), of length 1: of a paired batch, so row i and row B + i are of one photo.

    Returns:
        Scalar in [0, 2].

    Raises:
        ValueError: no pairs, or another length: their product would be no cosine, and pull at the lengths.

    >>> import torch
    >>> disagreement(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])).item()
    0.5
    """
    if not len(embeddings) or len(embeddings) % 2:
        raise InputError(f"disagreement: {len(embeddings)} embeddings are no pairs: give all first, then all second")
    length = embeddings.detach().norm(dim=1)
    if ((length - 1).abs() > EXACT).any():
        found = f"embeddings of length {length.min():.3g} to {length.max():.3g}"
        raise InputError(f"disagreement: {found}, expected 1: divide each by its length first")
    first, second = embeddings.chunk(2)
    return 1 - (first * second).sum(1).mean()
