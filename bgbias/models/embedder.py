"""Networks with an embedding head: used, saved and loaded strictly."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import normalize

from bgbias import files
from bgbias.errors import refuse_unknown
from bgbias.models.networks import NETWORKS
from bgbias.photos.compose import in_cache


@dataclasses.dataclass(frozen=True)
class Card:
    """What must be known of an embedder to build it again and to use it.

    Attributes:
        network: one of NETWORKS.
        embedding_dim: length of an embedding.
        input_px: side of the images that it was trained on.
        distance: of the loss that it was trained with, "euclidean" or "cosine".
        channels: order of the input's channels, "RGB" or "BGR".
        mean: subtracted from the grey levels, in that order.
        sd: that they are then divided by.
    """

    network: str
    embedding_dim: int
    input_px: int
    distance: str
    channels: str
    mean: tuple[float, ...]
    sd: tuple[float, ...]


def card(network: str, embedding_dim: int, input_px: int, distance: str) -> Card:
    """The card of a new embedder, with its network's own normalisation."""
    refuse_unknown("network", [network], NETWORKS)
    its = NETWORKS[network]
    return Card(network, embedding_dim, input_px, distance, its.channels, its.mean, its.sd)


class Embedder(nn.Module):
    """A convolutional network, a linear head, and the L2 norm.

    Attributes:
        card: the description that is saved beside the weights.
        trunk: images -> features (N, width).
    """

    def __init__(self, card: Card, weights: str = "scratch"):
        """Build the network with fresh weights ("scratch"), ImageNet's ("imagenet"), or a file's."""
        super().__init__()
        refuse_unknown("network", [card.network], NETWORKS)
        network = NETWORKS[card.network]
        self.card = card
        self.trunk = network.make(weights)
        self.head = nn.Linear(network.width, card.embedding_dim)
        self.register_buffer("mean", torch.tensor(card.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("sd", torch.tensor(card.sd).view(1, 3, 1, 1), persistent=False)
        self.to(memory_format=torch.channels_last)

    @property
    def last_map(self) -> nn.Module:
        """The module whose output is the last feature map, for Grad-CAM."""
        return self.trunk.get_submodule(NETWORKS[self.card.network].last_map)

    def normalise(self, pictures: Tensor) -> Tensor:
        """Bytes (N, 3, H, W), red first, to what the network expects, float32 of the same shape, channels last."""
        pictures = pictures.to(self.mean.device)
        images = torch.empty(pictures.shape, device=pictures.device, memory_format=torch.channels_last)
        for image, picture in zip(in_cache(images), in_cache(pictures), strict=True):
            ordered = picture.flip(1) if self.card.channels == "BGR" else picture
            image.copy_(ordered.float().sub_(self.mean).div_(self.sd))
        return images

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (N, 3, H, W) to embeddings (N, embedding_dim) of length 1."""
        return normalize(self.head(self.trunk(images)))


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
        ValueError: network.json is of another version or unreadable, or the weights do not fit its network.
    """
    for name in ("network.json", "weights.safetensors"):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder}: no model here ({name} is missing); `dvc repro` trains it")
    try:
        embedder = Embedder(Card(**files.read_json(folder / "network.json")))
    except (TypeError, ValueError) as error:  # ValueError: an unknown network, or no JSON
        raise ValueError(f"{folder}: network.json is of another version ({error}): train the model again") from error
    try:
        embedder.load_state_dict(load_file(folder / "weights.safetensors"))
    except (RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{folder}: the weights do not fit network.json: train the model again: {reason}") from error
    return embedder.to(where or device()).eval()


def device() -> torch.device:
    """Return the GPU where there is one, else the CPU."""
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
