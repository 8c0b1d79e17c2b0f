"""Batch norm in training: frozen, or of a batch that several processes share."""

import sys

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from bgbias import ranks
from bgbias.models.embedder import Embedder


def freeze_batch_norm(network: nn.Module) -> None:
    """Keep the running statistics of all batch norm; its weights still train. To be called after each `.train()`."""
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.eval()


def frozen_unlearnt(network: nn.Module, frozen: bool, weights: str) -> str:
    """Say that statistics are kept that no photos have given; "" where there are none, or they are not kept.

    >>> frozen_unlearnt(nn.BatchNorm2d(3), frozen=True, weights="scratch")
    'freeze_batch_norm keeps statistics that came with no weights, as these are scratch: set it to false'
    >>> [frozen_unlearnt(nn.BatchNorm2d(3), *how) for how in ((True, "imagenet"), (False, "scratch"))]
    ['', '']
    """
    unlearnt = frozen and weights == "scratch" and any(isinstance(one, _BatchNorm) for one in network.modules())
    said = "freeze_batch_norm keeps statistics that came with no weights, as these are scratch: set it to false"
    return said if unlearnt else ""


def share_batch_norm(embedder: Embedder) -> None:
    """Let batch norm see the whole batch on all processes; on a CPU it cannot, and its share is said."""
    if embedder.mean.device.type == "cuda":
        convert = nn.SyncBatchNorm.convert_sync_batchnorm
        if "timm" in sys.modules:  # many of its batch norms activate, too, which PyTorch's conversion would drop
            from timm.layers import convert_sync_batchnorm as convert
        embedder.network = convert(embedder.network)
    else:
        print(
            f"batch norm takes its statistics from each process's share of a batch: with {ranks.count()} processes "
            "results differ (freeze_batch_norm, or one process, for the same ones)"
        )


def running_statistics(network: nn.Module) -> list[Tensor]:
    """Return the means and variances of all batch norm that is being trained."""
    training = [module for module in network.modules() if isinstance(module, _BatchNorm) and module.training]
    return [statistic for module in training for statistic in (module.running_mean, module.running_var)]
