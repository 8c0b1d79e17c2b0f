"""One instrument for all networks, trained here or anywhere: bytes in, embeddings of length 1 out."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from bgbias import ranks
from bgbias.errors import InputError, as_input_error
from bgbias.models.cards import Card
from bgbias.models.pools import ContiguousPools
from bgbias.photos.compose import in_cache
from bgbias.photos.views import parts

FEWEST = 16  # pictures at once


class Embedder(nn.Module):
    """A network with all that it takes to use it; comes frozen, in evaluation mode.

    Attributes:
        network: normalised images -> what is divided by its length.
        card: the description.
        name: what it is called in errors.
        input_px: side of the images that it expects.
        files: files and folders whose content the network depends on.
        channels_last: whether images reach the network as they are; else contiguous: many a foreign network flattens
            by .view, which takes no other format.
        differentiable: whether gradients reach the images, as attention maps need.
    """

    def __init__(
        self, network: nn.Module, card: Card, name: str, files: Sequence[Path] = (), channels_last: bool = False
    ):
        """Try the network on two black pictures: does it give embeddings, of what dimension, with gradients?

        Raises:
            ValueError: it does not; see `forward`.
        """
        super().__init__()
        self.network, self.name, self.files, self.channels_last = network, name, files, channels_last
        self.card, self.input_px = card, card.input_px
        self.eval().requires_grad_(False)
        where = next((tensor.device for tensor in (*network.parameters(), *network.buffers())), None)
        self.register_buffer("mean", torch.tensor(card.mean, device=where).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("sd", torch.tensor(card.sd, device=where).view(1, 3, 1, 1), persistent=False)
        if channels_last:
            self.to(memory_format=torch.channels_last)
        pictures = torch.zeros(2, 3, card.input_px, card.input_px, dtype=torch.uint8)
        embeddings = self(self.normalise(pictures).requires_grad_())
        self.card = dataclasses.replace(card, embedding_dim=embeddings.shape[1])
        self.differentiable = embeddings.requires_grad

    def normalise(self, pictures: Tensor) -> Tensor:
        """Turn bytes (N, 3, S, S), red first, into float32 images as the network expects them, channels last.

        Raises:
            ValueError: S is not input_px; many a network would take the pictures all the same.
        """
        if pictures.shape[2:] != (self.input_px, self.input_px):
            found, mend = "{} x {}".format(*pictures.shape[:1:-1]), "set images.<dataset>.input_px, or train it again"
            raise InputError(f"{self.name}: expects pictures of {self.input_px} px, these are of {found}: {mend}")
        pictures = pictures.to(self.mean.device)
        images = torch.empty(pictures.shape, device=pictures.device, memory_format=torch.channels_last)
        for image, picture in zip(in_cache(images), in_cache(pictures), strict=True):
            ordered = picture.flip(1) if self.card.channels == "BGR" else picture
            image.copy_(ordered.float().sub_(self.mean).div_(self.sd))
        return images

    def forward(self, images: Tensor) -> Tensor:
        """Embed normalised images (N, 3, H, W): float32 (N, D), of length 1; a map of one cell is flattened.

        Raises:
            ValueError: the network fails, or gives something else than one embedding for each image.
        """
        mend = "correct its input_px or export it again"
        pools = ContiguousPools() if images.is_cuda else nullcontext()
        with as_input_error(f"{self.name}: fails on images {tuple(images.shape)}: {mend}"), pools:
            found = self.network(images if self.channels_last else images.contiguous())
        if not isinstance(found, Tensor):
            raise InputError(f"{self.name}: gives a {type(found).__name__}, expected a tensor: let it return one")
        if found.is_complex():
            raise InputError(f"{self.name}: gives complex numbers, expected real ones: let it return their parts")
        shape = tuple(found.shape)
        if len(shape) < 2 or any(side != 1 for side in shape[2:]):
            raise InputError(f"{self.name}: gives {shape}, expected (N, D): pool maps or tokens inside the model")
        if len(found) != len(images):
            mend = "another batch size is fixed in the model; export it with a dynamic one"
            raise InputError(f"{self.name}: {len(found)} embeddings for {len(images)} images: {mend}")
        return normalize(found.flatten(1).float())


def device() -> torch.device:
    """Return the GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def portions(embedder: Embedder, batch: Tensor) -> tuple[Tensor, ...]:
    """Split a batch for `embed` so that it stays in a CPU's cache, which can halve the time; the same embeddings.

    Args:
        embedder: of any origin.
        batch: uint8 (B, 3, H, W).

    Returns:
        16 to 31 pictures each, on a CPU: fewer at once would change the last digits; the whole batch on a GPU.
    """
    return batch.tensor_split(max(1, len(batch) // FEWEST)) if embedder.mean.device.type == "cpu" else (batch,)


@torch.no_grad()
def embed(embedder: Embedder, batches: Iterable[Tensor], names: Sequence[str]) -> Tensor:
    """Embed batches of bytes, uint8 (B, 3, H, W), red first, in evaluation mode; the mode is then as it was.

    Args:
        embedder: of any origin.
        batches: of any sizes.
        names: of all photos, in the batches' order, for errors.

    Returns:
        float32 (N, D) on the CPU, each row of length 1, whatever length the model gives it: a row's product with
        another is their cosine similarity.

    Raises:
        ValueError: there is no photo, the model fails (see `Embedder.forward`), or the embedding of a photo has a NaN
            or infinite number, is all zeros, or has not as many numbers as before.
    """
    found, done, training = [], 0, embedder.training
    embedder.eval()
    for batch in batches:
        embeddings = embedder(embedder.normalise(batch)).cpu()
        numbers, before = embeddings.shape[1], embedder.card.embedding_dim
        if numbers != before:
            mend = "let it give as many whatever the batch"
            raise InputError(f"{embedder.name}: gives {numbers} numbers for a photo now, {before} before: {mend}")
        lengths = embeddings.norm(dim=1)
        bad = (~((lengths - 1).abs() < 0.01)).nonzero()  # NaN where a number is not finite, else 0
        if len(bad):
            row = int(bad[0])
            what = "all zeros" if lengths[row] < 1 else "not finite"
            mend = "look at the photo, and at the model's weights, mean and sd"
            raise InputError(f"{embedder.name}: the embedding of {names[done + row]} is {what}: {mend}")
        found.append(embeddings)
        done += len(batch)
    embedder.train(training)
    if not found:
        raise InputError(f"{embedder.name}: no photos to embed: give some")
    return torch.cat(found)


def embed_photos(embedder: Embedder, seen: Callable[[slice], Iterable[Tensor]], names: Sequence[str]) -> Tensor:
    """Embed photos batch by batch, as `embed`; several processes share the batches.

    Args:
        embedder: of any origin.
        seen: part of the photos -> what the network sees of them, in batches for `embed`.
        names: of all photos, for errors.

    Returns:
        float32 (N, D), as of `embed`, on all processes.

    Raises:
        ValueError: see `embed`.
    """
    found = ranks.spread(lambda part: embed(embedder, seen(part), names[part]), parts(len(names)))
    return torch.cat(list(found))
