"""Any embedding model, named by a SPEC: see `bgbias.models`."""

import dataclasses
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn.functional import normalize

from bgbias.errors import as_value_error, unknown
from bgbias.models import embedder as embedders
from bgbias.models import formats, zoo
from bgbias.models.embedder import Card, Embedder
from bgbias.models.formats import Input

LOADERS = {  # scheme -> (rest of the SPEC, device) -> the network and what it expects
    "torchvision": zoo.from_torchvision,
    "timm": zoo.from_timm,
    "onnx": formats.from_onnx,
    "torchscript": formats.from_torchscript,
    "python": formats.from_python,
}
SCHEMES = ("model", *LOADERS)


class Audited(nn.Module):
    """A network of whatever origin that can be used like an Embedder; its embeddings are divided by their length.

    Attributes:
        card: what an Embedder's card says; its network is the SPEC.
        name: the SPEC.
        input_px: side of the images that the network expects.
        files: whose content the network depends on.
        differentiable: whether gradients reach the images, as attention maps need.
    """

    def __init__(self, network: nn.Module, card: Card, where: torch.device, files: Sequence[Path] = ()):
        """Try the network on two black pictures: does it give embeddings, of what dimension, with gradients?

        Raises:
            ValueError: it does not; see `forward`.
        """
        super().__init__()
        self.network, self.card, self.files = network.to(where), card, files
        self.eval().requires_grad_(False)
        self.name, self.input_px = card.network, card.input_px
        self.register_buffer("mean", torch.tensor(card.mean, device=where).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("sd", torch.tensor(card.sd, device=where).view(1, 3, 1, 1), persistent=False)
        pictures = torch.zeros(2, 3, card.input_px, card.input_px, dtype=torch.uint8)
        embeddings = self(self.normalise(pictures).requires_grad_())
        self.card = dataclasses.replace(card, embedding_dim=embeddings.shape[1])
        self.differentiable = embeddings.requires_grad

    normalise = Embedder.normalise  # bytes (N, 3, H, W), red first, to normalised images, by card, mean and sd

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (N, 3, H, W) to embeddings, float32 (N, D), of length 1; a map of one cell is flattened.

        Raises:
            ValueError: the network fails, or gives something else than one embedding for each image.
        """
        mend = "correct its input_px or export it again"
        with as_value_error(f"{self.name}: fails on images {tuple(images.shape)}: {mend}"):
            found = self.network(images.contiguous())  # an old flatten by .view takes no other format
        if not isinstance(found, Tensor):
            raise ValueError(f"{self.name}: gives a {type(found).__name__}, expected a tensor: let it return one")
        if found.is_complex():
            raise ValueError(f"{self.name}: gives complex numbers, expected real ones: let it return their parts")
        shape = tuple(found.shape)
        if len(shape) < 2 or any(side != 1 for side in shape[2:]):
            raise ValueError(f"{self.name}: gives {shape}, expected (N, D): pool maps or tokens inside the model")
        if len(found) != len(images):
            mend = "another batch size is fixed in the model; export it with a dynamic one"
            raise ValueError(f"{self.name}: {len(found)} embeddings for {len(images)} images: {mend}")
        return normalize(found.flatten(1).float())


def load(spec: str, where: torch.device | None = None) -> Audited:
    """The model of a SPEC (see above), in evaluation mode, tried on two pictures.

    Args:
        spec: such as "torchvision:resnet50:imagenet".
        where: the device; None: the GPU where there is one. ONNX models run where onnxruntime can.

    Raises:
        FileNotFoundError: a file or folder of the SPEC is missing.
        ValueError: the SPEC is not understood, or what it names is not such a model.

    >>> embedder = load("torchvision:resnet18?input_px=64")
    >>> embedder.input_px, embedder.card.embedding_dim, embedder.differentiable
    (64, 512, True)
    """
    where = where or embedders.device()
    try:
        scheme, target, options = _parse(spec)
        if scheme == "model":
            network = embedders.load(Path(target), where)
            card = dataclasses.replace(network.card, network=spec)
        else:
            output = {"output": options.pop("output")} if "output" in options else {}
            network, expected = LOADERS[scheme](target, where, **output)
            card = _card(spec, expected._replace(**options))
    except (ValueError, FileNotFoundError, SafetensorError) as error:
        kind = FileNotFoundError if isinstance(error, FileNotFoundError) else ValueError
        raise kind(f"{spec}: {error}") from error
    return Audited(network, card, where, _files(scheme, target))


def _files(scheme: str, target: str) -> list[Path]:
    """The file, folder or module that a target names, such as that of the weights."""
    if scheme == "python":
        module = sys.modules[target.partition(":")[0]]
        return [Path(module.__file__)] if getattr(module, "__file__", None) else []
    paths = [Path(target), Path(target.partition(":")[2])]
    return [path for path in paths if path.name and path.exists()][:1]


def _parse(spec: str) -> tuple[str, str, dict]:
    spec, _, query = spec.partition("?")
    scheme, _, target = spec.partition(":")
    if scheme not in SCHEMES:
        raise unknown("scheme", scheme, [f"{name}:" for name in SCHEMES])
    own = {"model": (), "onnx": (*Input._fields, "output")}.get(scheme, Input._fields)
    options = dict(option.partition("=")[::2] for option in query.split("&") if option)
    for name in options:
        if name not in own:
            raise unknown("option", name, own)
    with as_value_error(f"cannot read the options '{query}': expected such as input_px=224&mean=0.5,0.5,0.5&sd=0.5"):
        for name in options.keys() & {"mean", "sd"}:
            numbers = tuple(float(number) for number in options[name].split(","))
            options[name] = numbers * 3 if len(numbers) == 1 else numbers
        if "input_px" in options:
            options["input_px"] = int(options["input_px"])
    return scheme, target, options


def _card(spec: str, expected: Input) -> Card:
    """A card counts in grey levels."""
    px, mean, sd, channels = expected
    with as_value_error(f"mean {mean} or sd {sd} is not three numbers"):
        mean, sd = (tuple(255 * float(number) for _, number in zip("RGB", of, strict=True)) for of in (mean, sd))
    if not all(0 <= number <= 255 for number in mean) or not all(number > 0 for number in sd):
        raise ValueError(f"mean {expected.mean}, sd {expected.sd}: white is 1 here: divide grey levels by 255")
    if px < 1 or channels not in ("RGB", "BGR"):
        raise ValueError(f"input_px {px}, channels {channels}: expected at least 1, and RGB or BGR")
    return Card(spec, 0, px, "cosine", channels, mean, sd)


@torch.no_grad()
def embed(embedder: Audited, batches: Iterable[Tensor], names: Sequence[str]) -> Tensor:
    """Embed batches of bytes, uint8 (B, 3, H, W), red first.

    Args:
        embedder: of `load`.
        batches: of any sizes.
        names: of all photos, in the batches' order, for errors.

    Returns:
        float32 (N, D) on the CPU, each row of length 1, whatever length the model gives it: a row's product with
        another is their cosine similarity.

    Raises:
        ValueError: there is no photo, the model fails (see `Audited.forward`), or the embedding of a photo has a NaN
            or infinite number, or is all zeros.
    """
    found, done = [], 0
    for batch in batches:
        embeddings = embedder(embedder.normalise(batch)).cpu()
        lengths = embeddings.norm(dim=1)
        bad = (~((lengths - 1).abs() < 0.01)).nonzero()  # NaN where a number is not finite, else 0
        if len(bad):
            row = int(bad[0])
            what = "all zeros" if lengths[row] < 1 else "not finite"
            mend = "look at the photo, and at the model's weights, mean and sd"
            raise ValueError(f"{embedder.name}: the embedding of {names[done + row]} is {what}: {mend}")
        found.append(embeddings)
        done += len(batch)
    if not found:
        raise ValueError(f"{embedder.name}: no photos to embed: give some")
    return torch.cat(found)
