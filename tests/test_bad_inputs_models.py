"""Models: SPECs, foreign files and code, and the folders of models that were trained here."""

import io

import pytest
import torch
from onnx import TensorProto, helper
from spoils import content
from torch import nn

pytestmark = pytest.mark.slow
AUDIT = "audit --photos data/sources/own --mask-method given --backgrounds backgrounds --out audits/own --embedder"
VALID = f"{AUDIT} model:models/demo/base/42"
SPECS = {
    "nothing": ("", "unknown scheme ''"),
    "blank": (" ", "unknown scheme ' '"),
    "a name alone": ("resnet18", "unknown scheme 'resnet18'"),
    "an address": ("https://example.org/net.onnx", "unknown scheme 'https'"),
    "control characters": ("\x1b[31m\n", "unknown scheme"),
    "torchvision without a name": ("torchvision:", "unknown network of torchvision ''"),
    "a network that there is not": ("torchvision:resnt50", "unknown network of torchvision 'resnt50'"),
    "weights that there are not": ("torchvision:resnet18:mine", "no such weights or file 'mine'"),
    "weights that are a folder": ("torchvision:resnet18:data", "no such weights or file 'data'"),
    "weights of no kind": ("torchvision:resnet18:params.yaml", "params.yaml: not a file of tensors"),
    "weights of another network": ("torchvision:resnet18:models/demo/base/42/weights.safetensors", "do not fit"),
    "small_resnet with weights": ("small_resnet:imagenet", "imagenet"),
    "bn_inception with no file": ("bn_inception:nowhere.pth", "nowhere.pth"),
    "an unknown option": ("small_resnet?px=64", "unknown option 'px'"),
    "px that is text": ("small_resnet?input_px=large", "cannot read the options"),
    "px of 0": ("small_resnet?input_px=0", "input_px 0"),
    "px below 0": ("small_resnet?input_px=-64", "input_px -64"),
    "huge px": ("small_resnet?input_px=1000000000", "input_px 1000000000"),
    "px of 400 digits": (f"small_resnet?input_px={'9' * 400}", "input_px"),
    "px of 5,000 digits": (f"small_resnet?input_px={'9' * 5000}", "cannot read the options"),
    "two means": ("small_resnet?mean=0.5,0.5", "expected three numbers each"),
    "mean in grey levels": ("small_resnet?mean=127.5", "as white is 1 here"),
    "mean that is text": ("small_resnet?mean=grey", "cannot read the options"),
    "mean that is no number": ("small_resnet?mean=nan", "mean"),
    "sd of 0": ("small_resnet?sd=0", "sd"),
    "sd below 0": ("small_resnet?sd=-1", "sd"),
    "infinite sd": ("small_resnet?sd=inf", "sd"),
    "channels": ("small_resnet?channels=GRB", "channels GRB"),
    "BGR with a mean of RGB": ("small_resnet?channels=BGR", "channels=BGR alone: give mean and sd both"),
    "a mean without sd": ("small_resnet?mean=0.5", "mean alone: give mean and sd both"),
    "an output of no ONNX": ("small_resnet?output=a", "unknown option 'output'"),
    "an option of a model of ours": ("model:models/demo/base/42?input_px=64", "unknown option 'input_px'"),
    "a folder that is none": ("model:nowhere", "nowhere: no model here"),
    "a folder of no model": ("model:data", "data: no model here"),
    "no folder": ("model:", "no model here"),
    "onnx without a file": ("onnx:", "no such file"),
    "onnx of a missing file": ("onnx:gone.onnx", "gone.onnx: no such file"),
    "onnx of a folder": ("onnx:data", "data: no such file"),
    "torchscript of a missing file": ("torchscript:gone.pt", "gone.pt: no such file"),
    "torchscript of a folder": ("torchscript:data", "data: no such file"),
    "python without a module": ("python:", "cannot import nothing"),
    "a module that there is not": ("python:no_such_module:make", "cannot import no_such_module"),
    "a path for a module": ("python:../net.py:make", "cannot import"),
    "python without a function": ("python:json", "unknown function ''"),
    "a function that there is not": ("python:json:lods", "unknown function 'lods'"),
    "a function of other answers": ("python:os:getcwd", r"getcwd\(\) gives"),
    "a function that needs more": ("python:json:loads", r"loads\(\) fails"),
    "timm without a name": ("timm:", "timm"),
    "a network that timm has not": ("timm:resnt18", "timm"),
}


@pytest.mark.parametrize(("spec", "words"), list(SPECS.values()), ids=SPECS)
def test_a_spec(refuses, small, spec, words):
    small.passes(*VALID.split())
    refuses([*AUDIT.split(), spec], words, valid=False)


def graph(shape=("N", 3, 32, 32), kind=TensorProto.FLOAT, nodes=None, outputs=("out",), inputs=1) -> bytes:
    """An ONNX model."""
    nodes = nodes or [helper.make_node("GlobalAveragePool", ["in0"], ["out"])]
    given = [helper.make_tensor_value_info(f"in{number}", kind, shape) for number in range(inputs)]
    made = [helper.make_tensor_value_info(name, kind, None) for name in outputs]
    model = helper.make_model(helper.make_graph(nodes, "g", given, made), opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    return model.SerializeToString()


def node(kind: str, *inputs: str, out: str = "out", **attributes):
    """A node of an ONNX model."""
    return helper.make_node(kind, list(inputs or ["in0"]), [out], **attributes)


class Fails(nn.Module):
    """A network whose forward pass cannot be."""

    def forward(self, images):
        return images.view(7)


class Tuple(nn.Module):
    """A network with two answers."""

    def forward(self, images):
        return images.mean((2, 3)), images


class Same(nn.Module):
    """A network that pools nothing."""

    def forward(self, images):
        return images


def torchscript(network: nn.Module) -> bytes:
    """What torch.jit.save writes."""
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(network), buffer)
    return buffer.getvalue()


def saved(content: object) -> bytes:
    """What torch.save writes."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


POOL = node("GlobalAveragePool", out="a")
ONNX = {
    "empty": (b"", "onnxruntime cannot read it"),
    "text": (b"a model\n", "onnxruntime cannot read it"),
    "cut": (graph()[:40], "onnxruntime cannot read it"),
    "an input of bytes": (graph(kind=TensorProto.UINT8, nodes=[node("Identity")]), "its input is in0"),
    "grey input": (graph(("N", 1, 32, 32)), "its input is in0"),
    "oblong input": (graph(("N", 3, 32, 64)), "its input is in0"),
    "flat input": (graph(("N", 3072), nodes=[node("Identity")]), "its input is in0"),
    "grey with channels last": (graph(("N", 32, 32, 1)), "its input is in0"),
    "oblong with channels last": (graph(("N", 32, 64, 3)), "its input is in0"),
    "a map with channels last": (graph(("N", 32, 32, 3), nodes=[node("Identity")]), r"expected \(N, D\)"),
    "two inputs": (graph(inputs=2, nodes=[node("Add", "in0", "in1")]), "its input is in0"),
    "two outputs": (graph(nodes=[POOL, node("Identity", "a", out="b")], outputs=("a", "b")), "outputs a, b"),
    "a map": (graph(nodes=[node("Identity")]), r"expected \(N, D\)"),
    "one number": (
        graph(nodes=[node("ReduceMean", axes=[0, 1, 2, 3], keepdims=0)]),
        r"expected \(N, D\)|fails on images",
    ),
    "an unknown operation": (graph(nodes=[node("NoSuchThing")]), "onnxruntime cannot read it"),
    "NaN": (graph(nodes=[POOL, node("Log", "a", out="b"), node("Sqrt", "b")]), "not finite|all zeros"),
    "zeros": (graph(nodes=[POOL, node("Sub", "a", "a")]), "all zeros"),
    "negative px": (graph(("N", 3, 0, 0)), "input_px|input is|fails"),
    "a huge px": (graph(("N", 3, 99999, 99999)), "input_px 99999"),
}
TORCHSCRIPT = {
    "empty": (b"", "not a TorchScript file"),
    "text": (b"a model\n", "not a TorchScript file"),
    "a state dict": (saved({"a": torch.zeros(1)}), "not a TorchScript file"),
    "cut": (lambda: torchscript(Same())[:200], "not a TorchScript file"),
    "it fails": (lambda: torchscript(Fails()), "fails on images"),
    "a tuple": (lambda: torchscript(Tuple()), "gives a tuple"),
    "a map": (lambda: torchscript(Same()), r"expected \(N, D\)"),
}
PYTHON = {
    "no Python": ("to be a model\n", "cannot import"),
    "not UTF-8": ("a = '\u00e4'\n".encode("latin-1"), "cannot import"),
    "NUL bytes": ("a = 1\0\n", "cannot import"),
    "empty": ("", "unknown function 'make'"),
    "it raises": ("raise ValueError('broken')\n", "cannot import .*broken"),
    "it raises many lines": ("raise ValueError('a\\nb\\nc')\n", "cannot import"),
    "it ends Python": ("import sys\nsys.exit('bye')\n", "cannot import .*bye"),
    "no function": ("make = 7\n", "unknown function 'make'"),
    "the function raises": ("def make():\n    raise KeyError('x')\n", r"make\(\) fails.*KeyError"),
    "the function ends Python": ("def make():\n    raise SystemExit(0)\n", r"make\(\) fails"),
    "nothing": ("def make():\n    return None\n", r"make\(\) gives None"),
    "a network alone": ("import torch\nmake = torch.nn.Flatten\n", r"make\(\) gives Flatten"),
    "text for px": ("import torch\ndef make():\n    return torch.nn.Flatten(), '32', (0, 0, 0), (1, 1, 1)\n", "gives"),
    "px of 0": ("import torch\ndef make():\n    return torch.nn.Flatten(), 0, (0, 0, 0), (1, 1, 1)\n", "input_px 0"),
    "true for px": (
        "import torch\ndef make():\n    return torch.nn.Flatten(), True, (0, 0, 0), (1, 1, 1)\n",
        "input_px True",
    ),
    "two means": ("import torch\ndef make():\n    return torch.nn.Flatten(), 32, (0, 0), (1, 1, 1)\n", "gives"),
    "text for means": (
        "import torch\ndef make():\n    return torch.nn.Flatten(), 32, ('a', 'b', 'c'), (1, 1, 1)\n",
        "expected three numbers each",
    ),
    "sd of 0": ("import torch\ndef make():\n    return torch.nn.Flatten(), 32, (0, 0, 0), (1, 0, 1)\n", "sd"),
    "a network that takes other sides": (
        "import torch\ndef make():\n    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(9, 4))\n"
        "    return net, 32, (0, 0, 0), (1, 1, 1)\n",
        "fails on images",
    ),
    "a network that ends Python": (
        "import torch\nclass Ends(torch.nn.Module):\n    def forward(self, images):\n        raise SystemExit('bye')\n"
        "def make():\n    return Ends(), 32, (0, 0, 0), (1, 1, 1)\n",
        "fails on images",
    ),
    "dropout": (
        "import torch\nclass Drops(torch.nn.Module):\n    def forward(self, images):\n"
        "        return torch.nn.functional.dropout(images.flatten(1), 0.5, True)\n"
        "def make():\n    return Drops(), 32, (0, 0, 0), (1, 1, 1)\n",
        "other embeddings at each call",
    ),
}


@pytest.mark.parametrize(("model", "words"), list(ONNX.values()), ids=ONNX)
def test_an_onnx_model(refuses, small, model, words):
    with small.spoilt("good.onnx", content(graph())):
        small.passes(*AUDIT.split(), "onnx:good.onnx")
    refuses(f"{AUDIT} onnx:net.onnx", words, ("net.onnx", content(model)), valid=False)


INNER = {
    "a tensor that there is not": ("pooled", "unknown output 'pooled'; close to it is pool"),
    "no name": ("?", "unknown output '.'; known are out, pool, map"),
    "a map": ("map", r"gives \(2, 3, 32, 32\), expected \(N, D\)"),
}


@pytest.mark.parametrize(("inner", "words"), list(INNER.values()), ids=INNER)
def test_an_inner_tensor_of_an_onnx_model(refuses, small, inner, words):
    chain = [node("Exp", out="map"), node("GlobalAveragePool", "map", out="pool"), node("Neg", "pool")]
    model = ("net.onnx", content(graph(nodes=chain)))
    with small.spoilt(*model):
        small.passes(*AUDIT.split(), "onnx:net.onnx?output=pool")
    refuses(f"{AUDIT} onnx:net.onnx?output={inner}", words, model, valid=False)


@pytest.mark.parametrize(("model", "words"), list(TORCHSCRIPT.values()), ids=TORCHSCRIPT)
def test_a_torchscript_model(refuses, model, words):
    refuses(
        f"{AUDIT} torchscript:net.pt?input_px=32",
        words,
        ("net.pt", content(model() if callable(model) else model)),
        valid=False,
    )


@pytest.mark.parametrize(("number", "what"), list(enumerate(PYTHON)), ids=PYTHON)
def test_a_python_model(refuses, number, what):
    code, words = PYTHON[what]
    refuses(f"{AUDIT} python:net{number}:make", words, (f"net{number}.py", content(code)), valid=False)
