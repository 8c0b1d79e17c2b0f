"""Embedding pictures by a PyTorch network of anyone's, on a CPU.

    python -m benchmarks.embedding

pytorch:       as the network is loaded
channels last: its weights and images in that memory format
bgbias:        what an audit does: exported in memory, and run by onnxruntime
onnx file:     the same network, exported by its user and audited as onnx:FILE
"""

import argparse
import copy
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import onnxruntime
import torch

from benchmarks import harness
from bgbias.external.exported import exported
from bgbias.external.spec import load
from bgbias.models.embedder import Embedder, embed

NETWORKS = ("mobilenet_v2", "resnet18")
PICTURES = 32


def case(name: str, pictures: torch.Tensor, folder: Path, quick: bool) -> harness.Case:
    """One network of torchvision, with random weights."""
    numbers, plain = list(map(str, range(len(pictures)))), load(f"torchvision:{name}")
    last = Embedder(copy.deepcopy(plain.network), plain.card, name, channels_last=True)
    axes = {"images": {0: "n"}, "embeddings": {0: "n"}}
    given = {"input_names": ["images"], "output_names": ["embeddings"], "dynamic_axes": axes, "dynamo": False}
    torch.onnx.export(plain.network, (plain.normalise(pictures[:2]).contiguous(),), folder / "net.onnx", **given)
    embedders = {
        "pytorch": plain,
        "channels last": last,
        "bgbias": exported(plain, pictures, numbers),
        "onnx file": load(f"onnx:{folder / 'net.onnx'}"),
    }
    return harness.Case(
        name=name,
        alternatives={key: lambda one=one: embed(one, [pictures], numbers) for key, one in embedders.items()},
        ours="bgbias",
        published="pytorch",
        bound="onnx file",
        pictures=len(pictures),
        difference=lambda results: float((results["bgbias"] - results["pytorch"]).abs().max()),
        repeats=3 if quick else 9,
    )


def cases(options: argparse.Namespace) -> Iterator[harness.Case]:
    """A case a network."""
    real = onnxruntime.SessionOptions

    def of_threads() -> onnxruntime.SessionOptions:
        made = real()
        made.intra_op_num_threads = options.threads  # else onnxruntime takes all cores
        return made

    source = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (PICTURES, 3, 224, 224), dtype=torch.uint8, generator=source)
    with tempfile.TemporaryDirectory() as folder, patch("onnxruntime.SessionOptions", of_threads):
        for name in NETWORKS[:1] if options.quick else NETWORKS:
            yield case(name, pictures, Path(folder), options.quick)


if __name__ == "__main__":
    harness.run(__doc__, cases)
