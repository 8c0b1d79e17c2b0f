"""Models from ONNX and TorchScript files and from the user's code: the same network, the same embeddings."""

import sys

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from bgbias.external.spec import load
from bgbias.models.embedder import embed

CPU = torch.device("cpu")
PICTURES = torch.randint(0, 256, (5, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
MODULE = """
from pathlib import Path
import torch
from torch import nn

def network():
    conv = nn.Conv2d(3, 8, 3, stride=2)
    conv.load_state_dict(torch.load("conv.pth"))
    network = nn.Sequential(conv, nn.ReLU(), nn.AdaptiveAvgPool2d(1))
    return network, 16, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

def raises():
    raise KeyError("no such\\ncheckpoint")

def leaves():
    raise SystemExit("no licence")

def nothing():
    pass

def grey_levels():
    return nn.Flatten(), 16, [123.7, 116.3, 103.5], [58.4, 57.1, 57.4]

def words():
    return nn.Flatten(), 16, ["a", "b", "c"], [1, 1, 1]

def short():
    return nn.Flatten(), 16, [0.5], [0.5]

def no_side():
    return nn.Flatten(), 0, [0.5] * 3, [0.5] * 3
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The current directory, with a module of functions."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "mine.py").write_text(MODULE)
    (tmp_path / "broken.py").write_text("import\n")
    yield tmp_path
    sys.modules.pop("mine", None)


@pytest.fixture
def network(here):
    torch.manual_seed(0)
    made = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1)).eval()
    torch.save(made[0].state_dict(), "conv.pth")
    torch.jit.trace(made, torch.zeros(1, 3, 16, 16)).save("net.pt")
    write_onnx("net.onnx", made)
    return made


def write_onnx(path, network, shape=("n", 3, 16, 16), kind=TensorProto.FLOAT, inputs=("x",), outputs=("y",)):
    """Write a convolution, ReLU and global mean; further inputs and outputs do nothing."""
    weights = {name: tensor.detach().numpy() for name, tensor in network[0].named_parameters()}
    if kind == TensorProto.FLOAT16:
        weights = {name: array.astype(np.float16) for name, array in weights.items()}
    nodes = [
        helper.make_node("Conv", ["x", "weight", "bias"], ["map"], strides=[2, 2]),
        helper.make_node("Relu", ["map"], ["positive"]),
        *(helper.make_node("GlobalAveragePool", ["positive"], [name]) for name in outputs),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info(name, kind, shape) for name in inputs],
        [helper.make_tensor_value_info(name, kind, [None] * 4) for name in outputs],
        [onnx.numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


def embeddings(spec, pictures=PICTURES):
    return embed(load(spec, CPU), pictures.split(3), range(len(pictures)))


def expected(network, mean=(0.485, 0.456, 0.406), sd=(0.229, 0.224, 0.225), pictures=PICTURES):
    images = (pictures / 255 - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(sd).view(3, 1, 1)
    with torch.no_grad():
        return nn.functional.normalize(network(images).flatten(1))


@pytest.mark.parametrize("spec", ["onnx:net.onnx", "torchscript:net.pt?input_px=16", "python:mine:network"])
def test_a_network_gives_the_same_embeddings_from_wherever_it_is_read(network, spec):
    assert torch.allclose(embeddings(spec), expected(network), atol=1e-5)


@pytest.mark.parametrize("spec", ["onnx:net.onnx?", "torchscript:net.pt?input_px=16&"])
def test_options_say_what_the_network_expects(network, spec):
    bgr = embeddings(f"{spec}mean=0.1,0.2,0.3&sd=0.5&channels=BGR")
    flipped = expected(network, (0.1, 0.2, 0.3), (0.5, 0.5, 0.5), PICTURES.flip(1))
    assert torch.allclose(bgr, flipped, atol=1e-5)


def test_what_is_known_of_a_model(network):
    onnx_model, scripted = load("onnx:net.onnx", CPU), load("torchscript:net.pt", CPU)
    assert (onnx_model.name, onnx_model.input_px, onnx_model.card.embedding_dim) == ("onnx:net.onnx", 16, 8)
    assert scripted.input_px == 224  # a TorchScript file does not tell
    assert scripted.differentiable and not onnx_model.differentiable
    assert not scripted.training and not onnx_model.training


def test_an_onnx_model_of_any_side_is_given_224_px(network):
    write_onnx("any.onnx", network, ("n", 3, "height", "width"))
    assert load("onnx:any.onnx", CPU).input_px == 224
    assert torch.allclose(embeddings("onnx:any.onnx?input_px=16"), expected(network), atol=1e-5)


@pytest.mark.parametrize("batch", [1, 2, 4])
def test_an_onnx_model_of_a_fixed_batch_size_is_fed_such_batches(network, batch):
    write_onnx("fixed.onnx", network, (batch, 3, 16, 16))
    assert torch.allclose(embeddings("onnx:fixed.onnx"), expected(network), atol=1e-5)


def test_an_onnx_model_of_half_precision_is_given_halves(network):
    write_onnx("half.onnx", network, kind=TensorProto.FLOAT16)
    found = embeddings("onnx:half.onnx")
    assert found.dtype == torch.float32
    assert torch.allclose(found, expected(network), atol=1e-2)


def test_one_of_several_outputs_is_chosen(network):
    write_onnx("two.onnx", network, outputs=("tokens", "pooled"))
    with pytest.raises(ValueError, match="it has the outputs tokens, pooled: choose one, as in .output=pooled"):
        load("onnx:two.onnx", CPU)
    assert torch.allclose(embeddings("onnx:two.onnx?output=pooled"), expected(network), atol=1e-5)
    with pytest.raises(ValueError, match="unknown output 'pool'; close to it is pooled"):
        load("onnx:two.onnx?output=pool", CPU)


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": ("n", 16, 16, 1)},
        {"shape": ("n", 3, 16, 8)},
        {"shape": (3, 16, 16)},
        {"inputs": ("x", "more")},
        {"kind": TensorProto.DOUBLE},
    ],
)
def test_an_onnx_model_of_another_input_is_refused(network, changes):
    write_onnx("other.onnx", network, **changes)
    message = r"^onnx:other.onnx: (its input is x, tensor.*; expected one of floats \(N, 3, H, W\) or|onnxruntime)"
    with pytest.raises(ValueError, match=message) as caught:
        load("onnx:other.onnx", CPU)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("onnx:no.onnx", "no.onnx: no such file: correct the path"),
        ("torchscript:no.pt", "no.pt: no such file: correct the path"),
        ("onnx:mine.py", "onnxruntime cannot read it: export the model again (InvalidProtobuf: "),
        (
            "torchscript:mine.py",
            "not a TorchScript file: write it by torch.jit.save, not by torch.save (RuntimeError: ",
        ),
        (
            "torchscript:conv.pth",
            "not a TorchScript file: write it by torch.jit.save, not by torch.save (RuntimeError: ",
        ),
        ("onnx:net.onnx?input_px=32", "fails on images (2, 3, 32, 32): correct its input_px or export it again (Inv"),
        ("python:yours:network", "cannot import yours from "),
        ("python::network", "cannot import nothing from "),
        ("python:broken:network", "(SyntaxError: "),
        ("python:mine:netwrk", "unknown function 'netwrk'; close to it is network"),
        ("python:mine", "unknown function ''; known are Path, network, raises, "),
        (
            "python:mine:raises",
            "raises() fails: correct it; it is called without arguments (KeyError: 'no such\\ncheckpoint')",
        ),
        ("python:mine:leaves", "leaves() fails: correct it; it is called without arguments (SystemExit: no licence)"),
        ("python:mine:nothing", "nothing() gives None, expected (nn.Module, input_px, mean, sd), mean and sd three"),
        ("python:mine:short", "short() gives (Flatten("),
        ("python:mine:grey_levels", "white is 1 here: divide grey levels by 255"),
        ("python:mine:words", "mean ('a', 'b', 'c'), sd (1, 1, 1): expected three numbers each"),
        ("python:mine:no_side", "input_px 0, channels RGB: expected 1 to 4096, and RGB or BGR"),
    ],
)
def test_what_cannot_be_loaded_is_one_line_with_the_mend(network, spec, message):
    with pytest.raises((ValueError, FileNotFoundError)) as caught:
        load(spec, CPU)
    assert str(caught.value).startswith(f"{spec}: ") and message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, FileNotFoundError) == ("no such file" in message)
