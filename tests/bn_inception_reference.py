"""The network that BN-Inception must equal, and pictures for it."""

import pytest
import torch
from torch import nn


@pytest.fixture(scope="session")
def reference():
    """The network of pretrainedmodels with random weights and statistics that keep the signal alive to its end."""
    import pretrainedmodels  # here: conftest imports this file

    torch.manual_seed(0)
    network = pretrainedmodels.bninception(num_classes=1000, pretrained=None).eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        elif isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight.data, module.running_var):
                tensor.uniform_(0.5, 1.5)
            for tensor in (module.bias.data, module.running_mean):
                tensor.normal_(0, 0.2)
    network.last_linear = nn.Identity()
    return network


def images(px, number=2):
    """Random pictures less Caffe's means."""
    pixels = torch.randint(0, 256, (number, 3, px, px), generator=torch.Generator().manual_seed(px))
    return pixels - torch.tensor([104.0, 117.0, 128.0]).view(3, 1, 1)
