"""Average pools take contiguous maps on a GPU: PyTorch's gradients of others are wrong there."""

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d

from bgbias.models.cards import Input, card
from bgbias.models.embedder import Embedder
from bgbias.models.pools import ContiguousPools

MAPS = torch.randn(2, 3, 5, 5, generator=torch.Generator().manual_seed(0)).to(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    "pool",
    [nn.AvgPool2d(3, stride=1, padding=1), lambda maps: torch.nn.functional.avg_pool2d(maps, kernel_size=3, padding=1)],
    ids=["module", "function"],
)
def test_what_pools_gets_contiguous_maps_and_gives_the_same_means(pool):
    assert not pool(MAPS).is_contiguous()
    with ContiguousPools():
        found = pool(MAPS)
    assert found.is_contiguous() and torch.equal(found, pool(MAPS))


def test_gradients_and_other_functions_are_as_ever():
    gradients = []
    for mode in (torch.enable_grad(), ContiguousPools()):
        maps = MAPS.detach().requires_grad_()
        with mode:
            nn.functional.relu(avg_pool2d(maps, 3, stride=1, padding=1)).square().sum().backward()
        gradients.append(maps.grad)
    assert torch.allclose(*gradients) and nn.functional.relu(MAPS).stride() == MAPS.stride()


def test_an_embedder_pools_so_on_a_gpu_and_as_ever_on_a_cpu(monkeypatch):
    seen = []

    def network(images):
        seen.append(avg_pool2d(images, 2).is_contiguous())
        return images.mean((2, 3)) + 1

    class Pools(nn.Module):
        def forward(self, images):
            return network(images)

    embedder = Embedder(Pools(), card("python:a:b", Input(8, (0,) * 3, (1,) * 3)), "python:a:b", channels_last=True)
    images = embedder.normalise(torch.zeros(2, 3, 8, 8, dtype=torch.uint8))
    embedder(images)
    monkeypatch.setattr(torch.Tensor, "is_cuda", True)
    embedder(images)
    assert seen == [False, False, True]  # the first when it was tried
