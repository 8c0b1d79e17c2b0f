"""A training step, forward and back, with the pipeline's loss and optimiser, by network.

    python -m benchmarks.training

published: NCHW fp32, PyTorch's default layout
bgbias:    channels last fp32, the pipeline's default
bf16:      channels last with `train.DATASET.precision: bf16`; weights and loss stay fp32
"""

import argparse
import copy
from collections.abc import Callable, Iterator

import torch
from pytorch_metric_learning.losses import TripletMarginLoss
from torch import Tensor

from benchmarks import harness
from bgbias.models import trained
from bgbias.models.embedder import Embedder, device
from bgbias.training.batch_norm import freeze_batch_norm

SIDE = 227


def stepper(embedder: Embedder, images: Tensor, labels: Tensor, precision: str) -> Callable[[], Tensor]:
    """One step of the study's protocol: a triplet loss, frozen batch norm, RMSprop; returns the embeddings."""
    optimizer = torch.optim.RMSprop(embedder.parameters(), lr=1e-9, momentum=0.9)
    loss = TripletMarginLoss()
    embedder.train()
    freeze_batch_norm(embedder)

    def step() -> Tensor:
        with torch.autocast(images.device.type, torch.bfloat16, enabled=precision == "bf16"):
            embeddings = embedder(images)
        optimizer.zero_grad()
        loss(embeddings.float(), labels).backward()
        optimizer.step()
        return embeddings.detach().float()

    return step


def case(network: str, batch: int, repeats: int) -> harness.Case:
    """One network."""
    where = device()
    torch.manual_seed(0)
    embedder = trained.new(network, 128, SIDE, "euclidean").to(where)
    pictures = torch.randint(0, 256, (batch, 3, SIDE, SIDE), dtype=torch.uint8)
    images, labels = embedder.normalise(pictures), torch.arange(batch, device=where) // 4
    plain = copy.deepcopy(embedder).to(memory_format=torch.contiguous_format)
    alternatives = {
        "published": stepper(plain, images.contiguous(), labels, "fp32"),
        "bgbias": stepper(copy.deepcopy(embedder), images, labels, "fp32"),
        "bf16": stepper(copy.deepcopy(embedder), images, labels, "bf16"),
    }
    return harness.Case(
        name=network,
        alternatives=alternatives,
        ours="bgbias",
        published="published",
        bound=None,
        pictures=batch,
        difference=lambda results: (results["published"] - results["bgbias"]).abs().max().item(),
        repeats=repeats,
        notes=lambda seconds, results: {
            "bf16_ratio_vs_published": seconds["published"] / seconds["bf16"],
            "bf16_max_abs_diff": (results["published"] - results["bf16"]).abs().max().item(),
        },
    )


def cases(options: argparse.Namespace) -> Iterator[harness.Case]:
    """BN-Inception as in the study, and a ResNet-50."""
    batch, repeats = (8, 3) if options.quick else (32, 5)
    yield from (case(network, batch, repeats) for network in ("bn_inception", "torchvision:resnet50"))


if __name__ == "__main__":
    harness.run(__doc__, cases)
