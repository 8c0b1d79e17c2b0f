"""BN-Inception, the study's network, its layers named as in the published weights, which it loads strictly."""

from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from bgbias.errors import InputError
from bgbias.models import pretrained

URL = "http://data.lip6.fr/cadene/pretrainedmodels/bn_inception-52deb4733.pth"  # of its SHA-256 no more is told
CLASSIFIER = ("last_linear.weight", "last_linear.bias")  # of ImageNet: in the file, of no use here
MEAN = partial(nn.AvgPool2d, 3, stride=1, padding=1)
MAX = partial(nn.MaxPool2d, 3, stride=1, padding=1)
HALF = partial(nn.MaxPool2d, 3, stride=2, ceil_mode=True)  # rounds up, as in Caffe, where convolutions round down
STEM = [  # name and pool, or name, width, kernel, stride of a convolution with batch norm and ReLU
    ("conv1_7x7_s2", 64, 7, 2),
    ("pool1_3x3_s2", HALF),
    ("conv2_3x3_reduce", 64, 1, 1),
    ("conv2_3x3", 192, 3, 1),
    ("pool2_3x3_s2", HALF),
]
BLOCKS = {  # widths of four branches: 1x1 | 1x1, 3x3 | 1x1, 3x3 twice | pool, 1x1; those without 1x1 halve the map
    "3a": (64, 64, 64, 64, 96, MEAN, 32),
    "3b": (64, 64, 96, 64, 96, MEAN, 64),
    "3c": (0, 128, 160, 64, 96, HALF, 0),
    "4a": (224, 64, 96, 96, 128, MEAN, 128),
    "4b": (192, 96, 128, 96, 128, MEAN, 128),
    "4c": (160, 128, 160, 128, 160, MEAN, 128),
    "4d": (96, 128, 192, 160, 192, MEAN, 128),
    "4e": (0, 128, 192, 192, 256, HALF, 0),
    "5a": (352, 192, 320, 160, 224, MEAN, 128),
    "5b": (352, 192, 320, 192, 224, MAX, 128),
}


def _branches(one: int, reduce: int, three: int, reduce_2: int, double: int, pool: partial, project: int) -> list[list]:
    """A row of BLOCKS as branches, in the order of their concatenation, their layers written as in STEM."""
    step = 1 if one else 2
    branches = [
        [("1x1", one, 1, 1)],
        [("3x3_reduce", reduce, 1, 1), ("3x3", three, 3, step)],
        [("double_3x3_reduce", reduce_2, 1, 1), ("double_3x3_1", double, 3, 1), ("double_3x3_2", double, 3, step)],
        [("pool", pool), ("pool_proj", project, 1, 1)],
    ]
    return branches if one else [*branches[1:3], [("pool", pool)]]


class BNInception(nn.Module):
    """Inception with batch normalisation (Ioffe & Szegedy 2015) without its classifier; with PyTorch's initial weights.

    The published weights come from Caffe: the channels are blue, green, red in grey levels, less 104, 117, 128.

    Attributes:
        features: passes the last feature map on, (N, 1024, H / 32, W / 32), so that Grad-CAM finds it.

    >>> BNInception().eval()(torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2, 1024])
    """

    def __init__(self):
        super().__init__()
        names, width = self._add("", STEM, 3)
        self._blocks = [[names]]  # names only: the layers are the network's own, not in groups, as in the weights
        for block, row in BLOCKS.items():
            branches = [self._add(f"inception_{block}_", layers, width) for layers in _branches(*row)]
            self._blocks.append([names for names, _ in branches])
            width = sum(wide for _, wide in branches)
        self.features = nn.Identity()

    def _add(self, prefix: str, layers: list[tuple], width: int) -> tuple[list[str], int]:
        """Add a branch whose input has `width` channels; returns the names of its modules and its own width."""
        before = len(self._modules)
        for name, layer, *shape in layers:
            if shape:
                kernel, stride = shape
                self.add_module(prefix + name, nn.Conv2d(width, layer, kernel, stride, padding=kernel // 2))
                self.add_module(f"{prefix}{name}_bn", nn.BatchNorm2d(layer))
                self.add_module(f"{prefix}{name}_relu", nn.ReLU(inplace=True))
                width = layer
            else:
                self.add_module(prefix + name, layer())
        return list(self._modules)[before:], width

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (N, 3, H, W) to features (N, 1024).

        Raises:
            ValueError: a size that the branches of 3c or 4e, which round differently, would halve differently.
        """
        if any(side < 31 or (side + 1) % 32 > 7 for side in images.shape[-2:]):
            raise InputError(
                f"BN-Inception cannot halve images of {images.shape[-2]} x {images.shape[-1]} pixels evenly: each side "
                "must have between 32 n - 1 and 32 n + 6 pixels, such as 64, 224, 227 or 256"
            )
        maps = images
        for branches in self._blocks:
            maps = torch.cat([self._through(names, maps) for names in branches], 1)
        maps = self.features(maps)
        return avg_pool2d(maps, [int(side) for side in maps.shape[-2:]]).flatten(1)  # int: a constant in an export

    def _through(self, names: list[str], maps: Tensor) -> Tensor:
        for name in names:
            maps = getattr(self, name)(maps)
        return maps


def load_weights(network: BNInception, path: Path | None = None) -> None:
    """Load the published weights except the classifier's; where that fails, the network stays as it was.

    Args:
        network: takes the weights.
        path: of the file; None: from PyTorch's cache of downloads, which is filled from URL.

    Raises:
        FileNotFoundError: no such file, or it cannot be downloaded.
        ValueError: the name carries the published checksum but the file has another, it holds more than tensors,
            or a tensor is missing, unexpected or of another shape.
    """
    given, expected = pretrained.read(path, URL) if path else pretrained.published(URL), network.state_dict()
    given = {name: tensor for name, tensor in given.items() if name not in CLASSIFIER}
    for name, tensor in expected.items():
        if name.endswith("num_batches_tracked"):
            given.setdefault(name, tensor)  # a counter that PyTorch did not have when the file was made
        elif "_bn." in name and name in given and given[name].shape == (1, *tensor.shape):
            given[name] = given[name][0]  # as PyTorch kept batch norm at that time
    if wrong := pretrained.misfits(given, expected):
        raise InputError(f"{path or URL}: not the weights of BN-Inception: {wrong}: replace it by {URL}")
    network.load_state_dict(given)
