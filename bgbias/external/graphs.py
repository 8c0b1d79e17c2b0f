"""What the graph of an ONNX file tells: its inner tensors, and which of them a classifier's last layer gets."""

from pathlib import Path

from bgbias.errors import as_input_error, unknown

LAYERS = ("Gemm", "MatMul", "Conv")  # with weights
BETWEEN = (  # such a layer and an output: the numbers of a photo stay together
    "Add BatchNormalization Cast Clip Dropout Flatten HardSwish Identity LogSoftmax Mul Relu Reshape Sigmoid Softmax "
    "Squeeze Transpose Unsqueeze"
).split()
MOST = 3  # candidates


def tapped(path: Path, output: str) -> bytes:
    """Return an ONNX model that gives one inner tensor and nothing else; weights beside the file stay there.

    Raises:
        ValueError: it has no such tensor.
    """
    import onnx  # slow, and only needed here

    with as_input_error("onnx cannot read it: export the model again"):
        model = onnx.load(path, load_external_data=False)
    inner = [name for node in model.graph.node for name in node.output if name]
    if output not in inner:
        raise unknown("output", output, inner[::-1])
    del model.graph.output[:]
    model.graph.output.append(onnx.ValueInfoProto(name=output))
    return model.SerializeToString()


def weights_beside(path: Path) -> list[Path]:
    """Return the files beside an ONNX file that hold weights of it, sorted: they may change while it does not."""
    import onnx

    graph = onnx.load(path, load_external_data=False).graph
    entries = (entry for weights in graph.initializer for entry in weights.external_data)
    return sorted({path.parent / entry.value for entry in entries if entry.key == "location"})


def before_last_layers(path: Path, output: str) -> list[str]:
    """Return what the last layers with weights before an output get, the last one's first; [] where it is a map.

    Args:
        path: of the ONNX file.
        output: a tensor of it.
    """
    import onnx

    graph = onnx.load(path, load_external_data=False).graph
    of_photos = {given.name for given in graph.input} - {weights.name for weights in graph.initializer}
    makers, found, name = {}, [], output
    for node in graph.node:  # each comes after those that it depends on
        given = next((one for one in node.input if one in of_photos), None)
        if given is not None:
            of_photos |= set(node.output)
            makers |= dict.fromkeys(node.output, (node.op_type, given))
    while name in makers and len(found) < MOST:
        kind, name = makers[name]
        if kind in LAYERS:
            found.append(name)
        elif kind not in BETWEEN:
            break
    return found
