"""Write a trained network as one ONNX file: picture in, embedding out; its normalisation and its finder are inside.

    python -m stages.export --model models/demo/bgconsistency/42 --out net.onnx

Reads   the model's folder (weights.safetensors, network.json)
Writes  FILE.onnx: input `picture`, float32 (N, 3, S, S), red first, in 0..1; output `embedding`, float32 (N, D), of
        length 1. It is left only if onnxruntime embeds random pictures by it as the network does
Takes   5 s; needs the package onnx
"""

from pathlib import Path

from bgbias.command import cli
from bgbias.config import params


def main(settings: params.Params, model: Path, out: Path) -> None:
    """Load, export, and say how to name it."""
    from bgbias import export
    from bgbias.models import trained

    export.to_onnx(trained.load(model), out)
    print(f"an audit takes it as 'onnx:{out}?mean=0&sd=1'")


if __name__ == "__main__":
    cli.run(
        main,
        __doc__,
        model={"type": Path, "required": True, "help": "folder of a model", "metavar": "FOLDER"},
        out={"type": Path, "required": True, "help": "where the network goes", "metavar": "FILE.onnx"},
    )
