"""The networks by name: how to build them, what they expect, where their first weights come from.

torchvision takes most of a second to import, and not every network needs it: it is imported where it is used.
"""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from bgbias.models.bn_inception import BNInception, load_weights
from bgbias.models.pretrained import read


class Network(NamedTuple):
    """A network without its classifier.

    Attributes:
        make: weights ("scratch", "imagenet" or a file's path) -> module: images (N, 3, H, W) to (N, width).
        last_map: name of the submodule whose output is the last feature map.
        width: number of features.
        channels: order of the input's channels, "RGB" or "BGR".
        mean: subtracted from the grey levels, in that order.
        sd: that they are then divided by.
    """

    make: Callable[[str], nn.Module]
    last_map: str
    width: int
    channels: str = "RGB"
    mean: tuple[float, ...] = (123.675, 116.28, 103.53)  # of ImageNet, as for torchvision's networks
    sd: tuple[float, ...] = (58.395, 57.12, 57.375)


def small_resnet(weights: str) -> nn.Module:
    """Four residual blocks of 32 to 256 channels (1.2 million weights): learns from scratch on a CPU."""
    if weights != "scratch":
        raise ValueError(f"small_resnet has no pretrained weights: set weights to scratch instead of {weights}")
    from torchvision.models.resnet import BasicBlock

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
    return nn.Sequential(OrderedDict(layers))


def _torchvision(name: str, weights: str) -> nn.Module:
    from torchvision import models

    try:
        network = models.get_model(name, weights="IMAGENET1K_V1" if weights == "imagenet" else None)
    except OSError as error:
        raise FileNotFoundError(
            f"{name}: the ImageNet weights cannot be downloaded ({error}): connect to the network, or set weights to "
            "the path of torchvision's file"
        ) from error
    if weights not in ("scratch", "imagenet"):
        try:
            network.load_state_dict(read(Path(weights), f"torchvision's file of {name}"))
        except RuntimeError as error:
            raise ValueError(f"{weights}: not the weights of {name}: {' '.join(str(error).split())}") from error
    network.fc = nn.Identity()
    return network


def fold_batch_norm(network: nn.Module) -> None:
    """Merge every batch norm into the convolution before it: the same function in evaluation mode, in less time.

    Args:
        network: in evaluation mode; is changed. Each batch norm must be registered right after the
            convolution whose output alone it takes, as in all NETWORKS.
    """
    before = ("", None)
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.BatchNorm2d) and isinstance(before[1], nn.Conv2d):
            network.set_submodule(before[0], fuse_conv_bn_eval(before[1], module))
            network.set_submodule(name, nn.Identity())
        before = (name, module)


def _bn_inception(weights: str) -> nn.Module:
    network = BNInception()
    if weights != "scratch":
        load_weights(network, None if weights == "imagenet" else Path(weights))
    return network


NETWORKS = {
    "small_resnet": Network(small_resnet, "block4", 256),
    "resnet18": Network(partial(_torchvision, "resnet18"), "layer4", 512),
    "resnet50": Network(partial(_torchvision, "resnet50"), "layer4", 2048),
    "bn_inception": Network(_bn_inception, "features", 1024, "BGR", (104.0, 117.0, 128.0), (1.0, 1.0, 1.0)),
}
