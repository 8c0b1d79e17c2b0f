"""PyTorch networks run by onnxruntime: the same embeddings, or PyTorch's own."""

import re
import sys

import pytest
import torch
from torch import nn

from bgbias.external.exported import exported
from bgbias.external.onnx_network import OnnxNetwork
from bgbias.external.spec import load
from bgbias.models.embedder import embed

CPU = torch.device("cpu")
PICTURES = torch.randint(0, 256, (9, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
NAMES = [f"{number}.jpg" for number in range(9)]
MODULE = """
import torch
from torch import nn

class Decides(nn.Module):
    def forward(self, images):
        return images.amax((2, 3)) if images.mean() > 0 else images.mean((2, 3))

class Drifts(nn.Module):
    calls = 0
    def forward(self, images):
        self.calls += 1
        return images.mean((2, 3)) + self.calls * 1e-3

class Unknown(nn.Module):
    def forward(self, images):
        return torch.linalg.svdvals(images)[:, :, 0]

class Talks(nn.Module):
    def forward(self, images):
        if torch.onnx.is_in_onnx_export():
            raise RuntimeError("no export " * 50)
        return images.mean((2, 3))

def of(network):
    return network, 32, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)

def steady():
    torch.manual_seed(0)
    return of(nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()))

def decides():
    return of(Decides())

def drifts():
    return of(Drifts())

def unknown():
    return of(Unknown())

def pools():
    return of(nn.Sequential(nn.AdaptiveAvgPool2d(7), nn.Flatten()))

def talks():
    return of(Talks())
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "mine.py").write_text(MODULE)
    yield
    sys.modules.pop("mine", None)


@pytest.mark.parametrize(
    "spec",
    [
        "python:mine:steady",
        "torchscript:net.pt?input_px=32&mean=0.5&sd=0.5",
        "torchvision:mobilenet_v3_small?input_px=32",
        pytest.param("torchvision:vit_b_32", marks=pytest.mark.slow),  # attention as PyTorch computes it fastest
    ],
)
def test_onnxruntime_gives_the_same_embeddings(spec, capsys):
    torch.jit.trace(load("python:mine:steady", CPU).network, torch.zeros(1, 3, 32, 32)).save("net.pt")
    embedder = load(spec, CPU)
    pictures = nn.functional.interpolate(PICTURES, embedder.input_px)
    made = exported(embedder, pictures, NAMES)
    assert isinstance(made.network, OnnxNetwork) and not isinstance(embedder.network, OnnxNetwork)
    assert (made.name, made.card, made.files) == (embedder.name, embedder.card, embedder.files)
    for batches in (pictures.split(9), pictures.split(4)):
        assert torch.allclose(embed(made, batches, NAMES), embed(embedder, batches, NAMES), rtol=0, atol=1e-5)
    assert embedder.differentiable and torch.backends.mha.get_fastpath_enabled()
    assert capsys.readouterr().out.startswith("embedding by onnxruntime: embeddings differ from PyTorch's by ")


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("decides", "InputError: it may decide by what it sees: PyTorch's tracer follows one way only"),
        ("drifts", "InputError: its embeddings differ by "),
        ("unknown", "UnsupportedOperatorError: Exporting the operator "),
        ("pools", r"SymbolicValueError: Unsupported: .* PyTorch GitHub: https://github.com/pytorch/pytorch/issues"),
        ("talks", r"RuntimeError: no export .* no \.\.\.\)$"),  # cut between words, and seen to be cut
    ],
)
def test_what_onnx_cannot_tell_stays_with_pytorch_and_one_line_says_why(function, reason, capfd):
    embedder = load(f"python:mine:{function}", CPU)
    capfd.readouterr()
    assert exported(embedder, PICTURES, NAMES) is embedder
    said = capfd.readouterr()
    assert re.match(rf"embedding by PyTorch: no export to ONNX \({reason}", said.out) and said.out.count("\n") == 1
    assert said.err == ""


@pytest.mark.parametrize("spec", ["small_resnet", "bn_inception?input_px=64"])
def test_networks_of_this_project_compute_as_they_do_in_its_pipeline(spec, capsys):
    embedder = load(spec, CPU)
    assert exported(embedder, nn.functional.interpolate(PICTURES, 64), NAMES) is embedder
    assert capsys.readouterr().out == ""


def test_an_onnx_file_is_not_exported_again(capsys):
    torch.onnx.export(load("python:mine:steady", CPU).network, (torch.zeros(2, 3, 32, 32),), "net.onnx", dynamo=False)
    embedder = load("onnx:net.onnx", CPU)
    assert exported(embedder, PICTURES, NAMES) is embedder
