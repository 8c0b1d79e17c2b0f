"""The first layers of a network by name, as the maps that a finder decodes."""

import torch
from torch import Tensor, nn

from bgbias.errors import InputError, as_input_error
from bgbias.models.by_name import trunk
from bgbias.models.cards import Input

STRIDES, PROBE_PX = (2, 4, 8, 16), 128


class Encoder(nn.Module):
    """Standardised images to maps, the finest first.

    Attributes:
        layers: images as the network's makers normalise them -> maps.
        channels: of the maps.
    """

    def __init__(self, layers: nn.Module, channels: list[int], expected: Input):
        """Take what was cut out of a network that expects some normalisation."""
        super().__init__()
        self.layers, self.channels = layers, channels
        photos = torch.tensor([Input().mean, Input().sd]), torch.tensor([expected.mean, expected.sd])
        (mean, sd), (its_mean, its_sd) = (of[..., None, None] for of in photos)
        self.register_buffer("scale", sd / its_sd, persistent=False)
        self.register_buffer("shift", (mean - its_mean) / its_sd, persistent=False)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Let an image have the mean and deviation of ImageNet's photos, normalise it and encode."""
        return self.layers(images * self.scale + self.shift)


class _Timm(nn.Module):
    def __init__(self, network: nn.Module, indices: list[int]):
        super().__init__()
        self.network, self.indices = network, network.prune_intermediate_layers(indices, prune_norm=True)

    def forward(self, images: Tensor) -> list[Tensor]:
        return self.network.forward_intermediates(images, self.indices, intermediates_only=True)


class _Traced(nn.Module):
    def __init__(self, network: nn.Module, nodes: list[str]):
        super().__init__()
        from torchvision.models.feature_extraction import create_feature_extractor  # slow

        self.network = create_feature_extractor(network, nodes)

    def forward(self, images: Tensor) -> list[Tensor]:
        return list(self.network(images).values())


def make(network: str, weights: str) -> Encoder:
    """Cut the layers that work at a half to a sixteenth of the image's side out of a network.

    Args:
        network: a convolutional one, and its weights: see `by_name.trunk`.
        weights: likewise.

    Raises:
        FileNotFoundError: no such weights.
        ValueError: no such network, or it has no such maps.

    >>> make("torchvision:resnet18", "scratch").channels
    [64, 64, 128, 256]
    """
    whole, expected = trunk(network, weights)
    with as_input_error(f"{network} has no maps for a finder: take another as its encoder"):
        cut = _of_timm if network.startswith("timm:") else _traced
        layers, channels = cut(whole.eval())
        if len(channels) < 2:
            raise InputError(f"at a half to a sixteenth of the side {len(channels)}, expected 2 to 4")
    return Encoder(layers, channels, expected)


def _of_timm(network: nn.Module) -> tuple[nn.Module, list[int]]:
    levels = [(index, its) for index, its in enumerate(network.feature_info) if its["reduction"] in STRIDES]
    return _Timm(network, [index for index, _ in levels]), [its["num_chs"] for _, its in levels]


def _traced(network: nn.Module) -> tuple[nn.Module, list[int]]:
    """The last map of each size, of a network that torch.fx can trace."""
    from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

    nodes = get_graph_node_names(network)[1]
    with torch.no_grad():
        outputs = create_feature_extractor(network, nodes)(torch.zeros(1, 3, PROBE_PX, PROBE_PX))
    last = {tuple(of.shape[2:]): name for name, of in outputs.items() if isinstance(of, Tensor) and of.dim() == 4}
    chosen = [last[side, side] for side in (PROBE_PX // stride for stride in STRIDES) if (side, side) in last]
    return _Traced(network, chosen), [outputs[name].shape[1] for name in chosen]
