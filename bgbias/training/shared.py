"""A training batch that several processes share: each embeds its rows, and all train by the loss of all rows."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from bgbias import ranks


def gather_rows(own: Tensor, rows: Tensor, number: int) -> Tensor:
    """The rows of all ranks, with the gradients of this one's.

    Args:
        own: float (B, D), this rank's.
        rows: int64 (B,), which of all they are.
        number: N, of all.

    Returns:
        float (N, D). A loss of it has gradients for `own` alone: see `add_gradients`.
    """
    if ranks.count() == 1:
        return own
    others = own.new_zeros(number, own.shape[1])
    rows = rows.to(own.device)
    others[rows] = own.detach()
    ranks.add_up(others)
    return others.index_copy(0, rows, own)


def add_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Add up the gradients of all ranks, for each of which gradients reach its own rows alone."""
    if ranks.count() > 1:
        _in_one([parameter.grad for parameter in parameters if parameter.grad is not None])


def average(tensors: Iterable[Tensor]) -> None:
    """Replace tensors by their means over the ranks; those of whole numbers stay."""
    if ranks.count() > 1:
        for tensor in (tensors := [tensor for tensor in tensors if tensor.is_floating_point()]):
            tensor.div_(ranks.count())
        _in_one(tensors)


def _in_one(tensors: list[Tensor]) -> None:
    """Add up over the ranks, in one message instead of many."""
    if tensors:
        ranks.add_up(together := torch.cat([tensor.flatten() for tensor in tensors]))
        for tensor, total in zip(tensors, together.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(total.view(tensor.shape))
