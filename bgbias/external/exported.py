"""PyTorch networks run by onnxruntime, which computes small ones several times as fast on a CPU."""

import io
import warnings
from collections.abc import Sequence
from textwrap import shorten
from unittest.mock import patch

import torch
from torch import Tensor

from bgbias.errors import InputError, printable
from bgbias.external.onnx_network import OnnxNetwork
from bgbias.models.by_name import COLLECTIONS
from bgbias.models.embedder import Embedder, embed

SCHEMES = (*COLLECTIONS, "python", "torchscript")
TRIED = 8  # photos
TOLERANCE = 1e-5  # of a number of an embedding of length 1; rounding differs by some 1e-7


def exported(embedder: Embedder, pictures: Tensor, names: Sequence[str]) -> Embedder:
    """Return the same embedder run by onnxruntime, and say so; itself where that is not its way, or not the same.

    Networks of torchvision and timm, TorchScript and the user's own are exported, on a CPU. What comes out is held to
    PyTorch's answer to some photos, in a batch and one by one. A network of the user's that may decide by what it sees
    is not exported.

    Args:
        embedder: a steady one, see `steady.refuse_unsteady`; is not changed.
        pictures: uint8 (B, 3, S, S); the first 8 are tried.
        names: of the photos, for errors.
    """
    if embedder.name.partition(":")[0] not in SCHEMES or embedder.mean.device.type != "cpu":
        return embedder
    pictures = pictures[:TRIED]
    try:
        network = OnnxNetwork(_export(embedder, pictures[:2]), torch.device("cpu"))
        made = Embedder(network, embedder.card, embedder.name, embedder.files)
        expected = embed(embedder, [pictures], names)
        both = (embed(made, batches, names) - expected for batches in ([pictures], pictures.split(1)))
        difference = max(float(one.abs().max()) for one in both)
        if difference > TOLERANCE:
            raise InputError(f"its embeddings differ by {difference:.0e}")
    except Exception as error:  # whatever the export of anyone's network trips over
        reason = printable(shorten(str(error).strip().partition("\n")[0], 300, placeholder=" ..."))
        print(f"embedding by PyTorch: no export to ONNX ({type(error).__name__}: {reason})", flush=True)
        return embedder
    print(f"embedding by onnxruntime: embeddings differ from PyTorch's by {difference:.0e} at most", flush=True)
    return made


@torch.no_grad()
def _export(embedder: Embedder, pictures: Tensor) -> bytes:
    """Trace the network; the older exporter needs no package beside PyTorch."""
    written, any_number = io.BytesIO(), {0: "n"}
    fast = torch.backends.mha.get_fastpath_enabled()  # attention in one operation that ONNX does not know
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        quiet = patch.object(torch._C, "_jit_onnx_log")  # it prints the whole graph of what it cannot export
        with quiet, warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            torch.onnx.export(
                embedder.network,
                (embedder.normalise(pictures).contiguous(),),
                written,
                dynamo=False,
                input_names=["images"],
                output_names=["embeddings"],
                dynamic_axes={"images": any_number, "embeddings": any_number},
            )
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    decides = any(issubclass(one.category, torch.jit.TracerWarning) for one in warned)
    if decides and embedder.name.partition(":")[0] not in COLLECTIONS:  # those decide by the pictures' side only
        raise InputError("it may decide by what it sees: PyTorch's tracer follows one way only")
    return written.getvalue()
