"""A network that was trained here, as one ONNX file: picture in, embedding out."""

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from bgbias import files
from bgbias.errors import as_input_error
from bgbias.models.embedder import Embedder

OPSET = 17  # grid_sample, which enlarges the object, needs 16


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
    length 1. So its SPEC is onnx:FILE?mean=0&sd=1.

    Args:
        embedder: of `trained.load`; is moved to the CPU.
        path: of the file.

    Raises:
        ValueError: the network has an operation that ONNX lacks, or the package onnx is not installed.
    """
    picture = torch.zeros(2, 3, embedder.input_px, embedder.input_px)
    names = {"input_names": ["picture"], "output_names": ["embedding"]}
    sizes = {"dynamic_axes": {"picture": {0: "N"}, "embedding": {0: "N"}}}
    mend = f"{embedder.name}: cannot be written as ONNX: pip install onnx, or take another network"
    with files.whole_file(path) as partial, warnings.catch_warnings(action="ignore"), as_input_error(mend):
        whole = _OfPictures(embedder).cpu().eval()
        torch.onnx.export(whole, (picture,), partial, **names, **sizes, opset_version=OPSET, dynamo=False)
