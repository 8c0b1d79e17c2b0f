"""Networks with an embedding head, their normalisation, saved and loaded strictly."""

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import normalize
from torchvision import models
from torchvision.models.resnet import BasicBlock

from bgbias import files


@dataclasses.dataclass(frozen=True)
class Card:
    """What must be known of an embedder to build it again and to use it."""

    network: str
    embedding_dim: int
    input_px: int
    distance: str  # of the loss it was trained with: "euclidean" or "cosine"
    mean: tuple[float, ...]  # per channel (RGB), in grey levels
    sd: tuple[float, ...]


class Embedder(nn.Module):
    """A convolutional network, a linear head, and the L2 norm.

    Attributes:
        card: the description that is saved beside the weights.
        trunk: images -> features (N, width).
    """

    def __init__(self, card: Card, pretrained: bool = False):
        """Build the network with fresh weights, or with ImageNet's where `pretrained`."""
        super().__init__()
        if card.network not in NETWORKS:
            raise ValueError(f"unknown network '{card.network}'; known are {', '.join(NETWORKS)}")
        self.card = card
        self.trunk, self._last_map, width = NETWORKS[card.network](pretrained)
        self.head = nn.Linear(width, card.embedding_dim)
        self.register_buffer("mean", torch.tensor(card.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("sd", torch.tensor(card.sd).view(1, 3, 1, 1), persistent=False)
        self.to(memory_format=torch.channels_last)

    @property
    def last_map(self) -> nn.Module:
        """The module whose output is the last feature map, for Grad-CAM."""
        return self.trunk.get_submodule(self._last_map)

    def normalise(self, pictures: Tensor) -> Tensor:
        """Bytes (N, 3, H, W) to what the network expects, float32 of the same shape."""
        pictures = pictures.to(self.mean.device, memory_format=torch.channels_last)
        return (pictures.float() - self.mean) / self.sd

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (N, 3, H, W) to embeddings (N, embedding_dim) of length 1."""
        return normalize(self.head(self.trunk(images)))


def small_resnet(pretrained: bool) -> tuple[nn.Module, str, int]:
    """Four residual blocks of 32 to 256 channels (1.2 million weights): learns from scratch on a CPU."""
    if pretrained:
        raise ValueError("small_resnet has no pretrained weights: set pretrained to false")
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
    return nn.Sequential(OrderedDict(layers)), "block4", 256


def _torchvision(name: str) -> Callable[[bool], tuple[nn.Module, str, int]]:
    def make(pretrained: bool) -> tuple[nn.Module, str, int]:
        network = models.get_model(name, weights="IMAGENET1K_V1" if pretrained else None)
        width = network.fc.in_features
        network.fc = nn.Identity()
        return network, "layer4", width

    return make


NETWORKS = {
    "small_resnet": small_resnet,
    "resnet18": _torchvision("resnet18"),
    "resnet50": _torchvision("resnet50"),
}
IMAGENET = {"mean": (123.675, 116.28, 103.53), "sd": (58.395, 57.12, 57.375)}  # torchvision's, in grey levels


def save(embedder: Embedder, folder: Path) -> None:
    """Write `weights.safetensors` and `network.json` into a folder."""
    with files.whole_folder(folder) as partial:
        weights = {name: tensor.contiguous().cpu() for name, tensor in embedder.state_dict().items()}
        save_file(weights, partial / "weights.safetensors")
        files.write_json(partial / "network.json", dataclasses.asdict(embedder.card))


def load(folder: Path, where: torch.device | None = None) -> Embedder:
    """Read what `save` has written; the embedder comes in evaluation mode.

    Raises:
        FileNotFoundError: no such model.
        ValueError: the weights do not fit the network that network.json names.
    """
    if not (folder / "network.json").is_file():
        raise FileNotFoundError(f"{folder}: no model here; `dvc repro` trains it")
    embedder = Embedder(Card(**files.read_json(folder / "network.json")))
    try:
        embedder.load_state_dict(load_file(folder / "weights.safetensors"))
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{folder}: the weights do not fit network.json: {reason}") from error
    return embedder.to(where or device()).eval()


def device() -> torch.device:
    """The GPU where there is one, else the CPU; asks cuDNN for reproducible convolutions."""
    torch.backends.cudnn.deterministic = True
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@torch.no_grad()
def embed(embedder: Embedder, batches: Iterable[Tensor]) -> Tensor:
    """Embed batches of bytes, uint8 (B, 3, H, W), in evaluation mode.

    Returns:
        float32 (N, embedding_dim) on the CPU.
    """
    training = embedder.training
    embedder.eval()
    embeddings = torch.cat([embedder(embedder.normalise(batch)).float().cpu() for batch in batches])
    embedder.train(training)
    return embeddings
