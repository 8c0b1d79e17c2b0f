"""Masks by rembg: what a photo costs around the network, from JPEG file to PNG file.

    python -m benchmarks.masks [--photos DIR]

published: rembg.remove of the opened photo, the mask saved as Pillow does by default
bgbias:    what the stage does for a photo
network:   a network of u2net's input and output that costs next to nothing, alone: what is beyond it, is around it
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import rembg
from onnx import TensorProto, helper
from PIL import Image

from benchmarks import drawn, harness
from bgbias.config import params
from bgbias.masks import make, segment

SIDE = 320


def network(path: Path) -> Path:
    """Write a network that answers where a photo is bright, in blocks: like a real mask nearly black and white."""
    shapes = {"x": [1, 3, SIDE, SIDE], "y": [1, 1, SIDE, SIDE]}
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items())
    scales = helper.make_tensor("scales", TensorProto.FLOAT, [4], [1.0, 1.0, 16.0, 16.0])
    steep = helper.make_tensor("steep", TensorProto.FLOAT, [], [40.0])
    nodes = [
        helper.make_node("AveragePool", ["x"], ["small"], kernel_shape=[16, 16], strides=[16, 16]),
        helper.make_node("ReduceMean", ["small"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Resize", ["mean", "", "scales"], ["large"], mode="linear"),
        helper.make_node("Mul", ["large", "steep"], ["contrast"]),
        helper.make_node("Sigmoid", ["contrast"], ["y"]),
    ]
    graph = helper.make_graph(nodes, "net", [x], [y], [scales, steep])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def cases(options: argparse.Namespace) -> Iterator[harness.Case]:
    """One case: a photo after the other."""
    with tempfile.TemporaryDirectory() as folder:
        paths, _, _ = drawn.files_of(Path(folder) / "files", options.photos, 16, 0)
        model = str(network(Path(folder) / "net.onnx"))
        session, out = segment.session(model, options.threads), Path(folder) / "mask.png"
        threads = onnxruntime.SessionOptions()
        threads.intra_op_num_threads = options.threads
        os.environ["U2NET_HOME"] = folder  # rembg takes files from there only
        plain = rembg.new_session("u2net_custom", sess_opts=threads, model_path=model)
        empty = {session.inner_session.get_inputs()[0].name: np.zeros((1, 3, SIDE, SIDE), np.float32)}
        settings = params.Masks(method="rembg", rembg_model=model, grabcut_px=128)

        def published() -> np.ndarray:
            for path in paths:
                rembg.remove(Image.open(path), session=plain, only_mask=True).save(out)
            return np.asarray(Image.open(out), dtype=float)

        def ours() -> np.ndarray:
            for path in paths:
                make._make_one(make._Task(path, None, out, settings, options.threads))
            return np.asarray(Image.open(out), dtype=float)

        def alone() -> None:
            for _ in paths:
                session.inner_session.run(None, empty)

        yield harness.Case(
            name="masks",
            alternatives={"published": published, "bgbias": ours, "network": alone},
            ours="bgbias",
            published="published",
            bound=None,
            pictures=len(paths),
            difference=lambda results: float(np.abs(results["published"] - results["bgbias"]).max()),
            repeats=3 if options.quick else 9,
            notes=lambda seconds, results: {
                "ms_around_the_network": 1000 * (seconds["bgbias"] - seconds["network"]) / len(paths),
                "published_ms_around_the_network": 1000 * (seconds["published"] - seconds["network"]) / len(paths),
            },
        )


if __name__ == "__main__":
    harness.run(__doc__, cases, photos="real photos instead of drawn ones")
