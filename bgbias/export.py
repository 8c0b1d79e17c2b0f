"""A network that was trained here, as one ONNX file: picture in, embedding out."""

import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from bgbias import files
from bgbias.errors import InputError, as_input_error
from bgbias.external.onnx_network import OnnxNetwork
from bgbias.models.embedder import Embedder, embed
from bgbias.seeding import generator

OPSET = 17  # grid_sample, which enlarges the object, needs 16
TRIED, COLOURS = 8, 8  # pictures, of as many squares of one colour a side
TOLERANCE = 1e-4  # of a number of an embedding of length 1; rounding differs by some 1e-7, behind a finder by some 1e-6


class _OfPictures(nn.Module):
    def __init__(self, embedder: Embedder):
        super().__init__()
        self.embedder, self.flipped = embedder, embedder.card.channels == "BGR"

    def forward(self, pictures: Tensor) -> Tensor:
        levels = 255 * (pictures.flip(1) if self.flipped else pictures)
        return self.embedder((levels - self.embedder.mean) / self.embedder.sd)


def to_onnx(embedder: Embedder, path: Path) -> None:
    """Write an embedder as one file, with its normalisation, and its finder if it has one.

    The file's input `picture` is float32 (N, 3, S, S), red first, in 0..1; its output `embedding` float32 (N, D), of
    length 1. So its SPEC is onnx:FILE?mean=0&sd=1. Before it takes its place onnxruntime embeds 8 random pictures by
    it, in a batch and one by one, and what comes out is held to the embedder's own answer.

    Args:
        embedder: of `trained.load`; is moved to the CPU.
        path: of the file.

    Raises:
        ValueError: the network has an operation that ONNX lacks, the package onnx is not installed, or the file embeds
            otherwise; then none is left.
    """
    picture = torch.zeros(2, 3, embedder.input_px, embedder.input_px)
    names = {"input_names": ["picture"], "output_names": ["embedding"]}
    sizes = {"dynamic_axes": {"picture": {0: "N"}, "embedding": {0: "N"}}}
    mend = f"{embedder.name}: cannot be written as ONNX: pip install onnx, or take another network"
    with files.whole_file(path) as partial:
        with warnings.catch_warnings(action="ignore"), as_input_error(mend):
            whole = _OfPictures(embedder).cpu().eval()
            torch.onnx.export(whole, (picture,), partial, **names, **sizes, opset_version=OPSET, dynamo=False)
        _refuse_unlike(embedder, partial)


def _refuse_unlike(embedder: Embedder, file: Path) -> None:
    """Refuse a file whose embeddings of random pictures are not the embedder's, but for rounding."""
    squares = generator(0, "pictures to try an export").integers(0, 256, (TRIED, 3, COLOURS, COLOURS), dtype=np.uint8)
    pictures = nn.functional.interpolate(torch.from_numpy(squares), (embedder.input_px, embedder.input_px))
    expected = embed(embedder, [pictures], range(TRIED))
    with as_input_error(f"{embedder.name}: the ONNX file that it gives does not run: take another network"):
        network = OnnxNetwork(file, torch.device("cpu"))
        found = [torch.cat([network(part / 255) for part in pictures.split(size)]) for size in (TRIED, 1)]
        difference = float((torch.stack(found) - expected).abs().max())
    if not difference <= TOLERANCE:  # also where it is no number
        raise InputError(
            f"{embedder.name}: its ONNX file embeds random pictures otherwise, by {difference:.0e}, expected "
            f"{TOLERANCE:.0e} at most, so it is not written: take another network"
        )
