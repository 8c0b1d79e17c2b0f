"""Any embedding model, named by a SPEC.

    model:FOLDER                  a model that was trained here, such as model:models/demo/base/42
    torchvision:NAME[:WEIGHTS]    a classification network of torchvision without its last layer. WEIGHTS: imagenet (the
                                  first that torchvision publishes), the name of others such as IMAGENET1K_V2, or the
                                  path of a state dict; without WEIGHTS it is untrained, with a fixed seed
    timm:NAME[:WEIGHTS]           a network of timm (pip install timm) without its classifier. WEIGHTS: pretrained
                                  (timm's own), or the path of a state dict; without them it is untrained, likewise
    onnx:FILE                     an ONNX model, run by onnxruntime
    torchscript:FILE              what torch.jit.save wrote
    python:MODULE:FUNCTION        FUNCTION() of a module in the current directory, or an installed one, returns
                                  (network, input_px, mean, sd): an nn.Module that takes float images (N, 3, H, W), red
                                  first; the side of its images; three means and three standard deviations of the
                                  channels, where black is 0 and white is 1, as torchvision gives them

What a file does not tell may follow a question mark, each where it differs from ImageNet's ways, which are:

    onnx:net.onnx?input_px=224&mean=0.485,0.456,0.406&sd=0.229,0.224,0.225&channels=RGB

A model gets (picture - mean) / sd, with pictures in 0..1; one number stands for three; mean and sd are in the order of
the channels (RGB or BGR). For an ONNX model with several outputs, output=NAME chooses one. In a shell, quote the SPEC.

TorchScript files and python: run code that somebody else may have written: load only what you trust.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn.functional import normalize

from bgbias import embedders, foreign, zoo
from bgbias.embedders import Card, Embedder
from bgbias.foreign import Input, told, unknown

LOADERS = {  # scheme -> (rest of the SPEC, device) -> the network and what it expects
    "torchvision": zoo.from_torchvision,
    "timm": zoo.from_timm,
    "onnx": foreign.from_onnx,
    "torchscript": foreign.from_torchscript,
    "python": foreign.from_python,
}
SCHEMES = ("model", *LOADERS)


class Audited(nn.Module):
    """A network of whatever origin that can be used like an Embedder; its embeddings are divided by their length.

    Attributes:
        card: what an Embedder's card says; its network is the SPEC.
        name: the SPEC.
        input_px: side of the images that the network expects.
        differentiable: whether gradients reach the images, as attention maps need.
    """

    def __init__(self, network: nn.Module, card: Card, where: torch.device):
        """Try the network on two black pictures: does it give embeddings, of what dimension, with gradients?

        Raises:
            ValueError: it does not; see `forward`.
        """
        super().__init__()
        self.network, self.card = network.to(where), card
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
        with told(f"{self.name}: fails on images {tuple(images.shape)}: correct its input_px or export it again"):
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
    return Audited(network, card, where)


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
    with told(f"cannot read the options '{query}': expected such as input_px=224&mean=0.5,0.5,0.5&sd=0.5"):
        for name in options.keys() & {"mean", "sd"}:
            numbers = tuple(float(number) for number in options[name].split(","))
            options[name] = numbers * 3 if len(numbers) == 1 else numbers
        if "input_px" in options:
            options["input_px"] = int(options["input_px"])
    return scheme, target, options


def _card(spec: str, expected: Input) -> Card:
    """A card counts in grey levels."""
    px, mean, sd, channels = expected
    with told(f"mean {mean} or sd {sd} is not three numbers"):
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
