"""Batch norm: merged into convolutions where that computes the same, and nowhere else."""

import pytest
import torch
from torch import nn

from bgbias.attention.fold import folded
from bgbias.models.cards import Input, card
from bgbias.models.embedder import Embedder
from bgbias.models.trained import new


def as_after_training(network):
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.running_mean, module.running_var, module.weight, module.bias):
                nn.init.uniform_(tensor, 0.5, 1.5)
    return network.eval()


def batch_norms(network):
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def foreign(network):
    return Embedder(as_after_training(network), card("mine", Input(16)), "mine")


@pytest.mark.parametrize(
    "network", ["small_resnet", "bn_inception", "torchvision:resnet18", "timm:tf_efficientnet_lite0"]
)
def test_a_copy_with_merged_batch_norm_computes_the_same(network):
    if network.startswith("timm"):
        pytest.importorskip("timm")
    embedder = as_after_training(new(network, 8, 64, "cosine"))
    before, images = batch_norms(embedder), torch.randn(2, 3, 64, 64)
    merged = folded(embedder)
    assert merged is not embedder and batch_norms(merged) == 0 < before == batch_norms(embedder)
    assert torch.allclose(merged(images), embedder(images), atol=1e-5)
    assert (merged.name, merged.card) == (embedder.name, embedder.card)


class Twisted(nn.Module):
    """Its batch norm is registered after a convolution that it does not follow."""

    def __init__(self):
        """Make its layers."""
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3)

    def forward(self, images):
        """Use them the other way round."""
        return self.conv(self.norm(images)).mean((2, 3))


class Stubborn(nn.Sequential):
    """Cannot be copied."""

    def __deepcopy__(self, memo):
        """Refuse."""
        raise TypeError("cannot pickle a lock")


LAYERS = (nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1))


@pytest.mark.parametrize("network", [Twisted(), Stubborn(*LAYERS), torch.jit.script(nn.Sequential(*LAYERS))])
def test_what_cannot_be_merged_stays_as_it_is(network):
    embedder = foreign(network)
    assert folded(embedder) is embedder


def test_a_foreign_network_is_merged_where_that_holds():
    embedder = foreign(nn.Sequential(*LAYERS))
    assert batch_norms(folded(embedder)) == 0 and batch_norms(embedder) == 1
