"""Networks that are trained here, a trunk and a head, behind a finder or not: made, saved, and loaded strictly."""

import dataclasses
from collections import OrderedDict
from pathlib import Path
from typing import Self

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from bgbias import files
from bgbias.errors import InputError, refuse
from bgbias.finder.network import Finder, Shape
from bgbias.models import finders
from bgbias.models.by_name import trunk
from bgbias.models.cards import Card, card
from bgbias.models.embedder import Embedder, device


class Network(nn.Module):
    """A trunk and a linear head, which see what a finder shows of an image, if there is one.

    Attributes:
        trunk: normalised images -> features (N, width), or maps of one cell (N, width, 1, 1).
        head: features -> embeddings.
        finder: stays as it is while the others are trained; None: they see the whole image.
        channels: of the images, "RGB" or "BGR"; the finder sees red first, as it was trained.
    """

    def __init__(
        self, trunk: nn.Module, width: int, embedding_dim: int, finder: Finder | None = None, channels: str = "RGB"
    ):
        """Add a fresh head."""
        super().__init__()
        self.trunk, self.head, self.finder, self.channels = trunk, nn.Linear(width, embedding_dim), finder, channels

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (N, 3, H, W) to embeddings (N, embedding_dim), not of length 1."""
        if self.finder is not None:
            images = self.turned(self.finder.shown(self.turned(images)))
        return self.head(self.trunk(images).flatten(1))

    def turned(self, images: Tensor) -> Tensor:
        """Turn images from the trunk's order of channels to the finder's, or back."""
        return images.flip(1) if self.channels == "BGR" else images

    def train(self, mode: bool = True) -> Self:
        """Switch modes, but for the finder's, whose statistics stay."""
        super().train(mode)
        if self.finder is not None:
            self.finder.eval()
        return self


def new(
    network: str,
    embedding_dim: int,
    input_px: int,
    distance: str,
    weights: str = "scratch",
    finder: Finder | None = None,
) -> Embedder:
    """Make an embedder that is to be trained, with the normalisation of its network's makers.

    Random weights are drawn from PyTorch's generator, the trunk's before the head's.

    Args:
        network: of the trunk, and its weights, see `by_name.trunk`.
        embedding_dim: length of an embedding.
        input_px: side of its images.
        distance: of the loss that it will be trained with, "euclidean" or "cosine".
        weights: of the trunk.
        finder: of the object, trained already.

    Raises:
        FileNotFoundError: no such weights.
        ValueError: no such network, or it does not take images of this side.

    >>> new("small_resnet", 8, 64, "cosine").card.embedding_dim
    8
    """
    made, expected = trunk(network, weights)
    its = card(network, expected._replace(input_px=input_px), embedding_dim, distance)
    try:
        width = Embedder(made, its, network).card.embedding_dim
    except ValueError as error:
        mend = f"its own are of {expected.input_px} px: set images.<dataset>.input_px"
        raise InputError(f"{network} does not take images of {input_px} px, {mend} ({error})") from error
    its = dataclasses.replace(its, finder=finder and finder.shape)
    whole = Network(made, width, embedding_dim, finder, its.channels)
    embedder = Embedder(whole, its, network, channels_last=True).requires_grad_()
    if finder is not None:
        finder.requires_grad_(False)
    return embedder


@torch.no_grad()
def found_masks(embedder: Embedder, pictures: Tensor) -> Tensor:
    """Find the object as an embedder with a finder does.

    Args:
        embedder: its card has a finder.
        pictures: uint8 (B, 3, S, S), red first.

    Returns:
        uint8 (B, 1, S, S) on the CPU, 255 where the object is.
    """
    images = embedder.network.turned(embedder.normalise(pictures))
    return (255 * embedder.network.finder.masks(images)).round().byte().cpu()


def save(embedder: Embedder, folder: Path) -> None:
    """Write `weights.safetensors` and `network.json` into a folder."""
    with files.whole_folder(folder) as partial:
        weights = {name: tensor.contiguous().cpu() for name, tensor in embedder.network.state_dict().items()}
        save_file(weights, partial / "weights.safetensors")
        its = dataclasses.asdict(embedder.card)
        files.write_json(partial / "network.json", {name: value for name, value in its.items() if value is not None})


def load(folder: Path, where: torch.device | None = None, name: str = "") -> Embedder:
    """Read what `save` has written.

    Args:
        folder: that it was written into.
        where: the device; None: the GPU where there is one.
        name: of the embedder in errors; "": the folder's.

    Raises:
        FileNotFoundError: no such model.
        ValueError: network.json is of another version or unreadable, or the weights do not fit its network.
    """
    for file in ("network.json", "weights.safetensors"):
        if not (folder / file).is_file():
            raise FileNotFoundError(
                f"{folder}: no model here ({file} is missing): `dvc repro` trains those of the regimes and seeds of "
                "params.yaml; `dvc checkout` gets what was trained before"
            )
    written = files.read_json(folder / "network.json", mend="train the model again")
    try:
        shape = Shape(**written["finder"]) if "finder" in written else None
        its = Card(**written | {"finder": shape})
        if not its.embedding_dim:
            raise InputError("embedding_dim 0")
        made, _ = trunk(its.network, "scratch", its.input_px)
    except (TypeError, ValueError) as error:  # ValueError: an unknown network, or no JSON
        raise InputError(f"{folder}: network.json is of another version ({error}): train the model again") from error
    try:
        weights = OrderedDict(load_file(folder / "weights.safetensors"))
        width, finder = weights["head.weight"].shape[1], shape and finders.make(shape)
        network = Network(made, width, its.embedding_dim, finder, its.channels)
        weights._metadata = network.state_dict()._metadata  # without it MNASNet's layers refuse to load
        refuse(_of_other_kinds(weights, network), "numbers of another kind; expected those that the network has")
        network.load_state_dict(weights)
        if not all(weight.isfinite().all() for weight in weights.values()):
            raise InputError("some are not finite")
    except (KeyError, IndexError, RuntimeError, SafetensorError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{folder}: the weights do not fit network.json: train the model again: {reason}") from error
    return Embedder(network.to(where or device()), its, name or str(folder), [folder], channels_last=True)


def _of_other_kinds(weights: OrderedDict[str, Tensor], network: nn.Module) -> list[str]:
    """Names of weights that PyTorch would turn, without a word, into what the network has."""
    return [name for name, its in network.state_dict().items() if weights.get(name, its).dtype != its.dtype]
