"""The project's own networks, which go by a bare name."""

from collections import OrderedDict
from pathlib import Path

from torch import nn

from bgbias.errors import InputError
from bgbias.models.bn_inception import BNInception, load_weights
from bgbias.models.cards import Input


def small_resnet(weights: str) -> tuple[nn.Module, Input]:
    """Make four residual blocks of 32 to 256 channels (1.2 million weights), which learn from scratch on a CPU."""
    if weights != "scratch":
        raise InputError(f"small_resnet has no pretrained weights: set weights to scratch instead of {weights}")
    from torchvision.models.resnet import BasicBlock  # slow

    layers = [
        ("conv", nn.Conv2d(3, 32, 7, stride=2, padding=3, bias=False)),
        ("norm", nn.BatchNorm2d(32)),
        ("relu", nn.ReLU(inplace=True)),
        ("pool", nn.MaxPool2d(3, stride=2, padding=1)),
        ("block1", BasicBlock(32, 32)),
    ]
    for number, width in enumerate((64, 128, 256), start=2):
        shortcut = nn.Sequential(nn.Conv2d(width // 2, width, 1, stride=2, bias=False), nn.BatchNorm2d(width))
        layers.append((f"block{number}", BasicBlock(width // 2, width, stride=2, downsample=shortcut)))
    layers += [("average", nn.AdaptiveAvgPool2d(1)), ("flat", nn.Flatten())]
    return nn.Sequential(OrderedDict(layers)), Input(64)


def bn_inception(weights: str) -> tuple[nn.Module, Input]:
    """Make the study's network; weights: scratch, imagenet (downloaded), or the published file."""
    network = BNInception()
    if weights != "scratch":
        load_weights(network, None if weights == "imagenet" else Path(weights))
    return network, Input(224, tuple(grey / 255 for grey in (104, 117, 128)), (1 / 255,) * 3, "BGR")


OWN = {"small_resnet": small_resnet, "bn_inception": bn_inception}
