"""Networks that were trained elsewhere: from ONNX and TorchScript files, and from the user's own code."""

import importlib
import sys
from pathlib import Path
from textwrap import shorten

import torch
from torch import nn

from bgbias.errors import InputError, as_input_error, check_file, unknown
from bgbias.external.onnx_network import OnnxNetwork
from bgbias.models.cards import Input


def from_onnx(target: str, where: torch.device, output: str | None = None) -> tuple[nn.Module, Input]:
    """An ONNX model; `output`: which of its outputs, if it has several, or of its inner tensors."""
    check_file(Path(target))
    network = OnnxNetwork(Path(target), where, output)
    return network, Input(network.input_px or Input().input_px)


def from_torchscript(target: str, where: torch.device) -> tuple[nn.Module, Input]:
    """What torch.jit.save wrote; the file holds code, which is run."""
    check_file(Path(target))
    with as_input_error("not a TorchScript file: write it by torch.jit.save, not by torch.save"):
        return torch.jit.load(target, map_location=where), Input()


def from_python(target: str, where: torch.device) -> tuple[nn.Module, Input]:
    """What a function of the user's returns, see `bgbias.external`; its module is run."""
    name, _, function_name = target.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    with as_input_error(f"cannot import {name or 'nothing'} from {Path.cwd()} or the installed packages"):
        module = importlib.import_module(name)
    function = getattr(module, function_name, None)
    if not callable(function):
        raise unknown("function", function_name, [key for key, value in vars(module).items() if callable(value)])
    with as_input_error(f"{function_name}() fails: correct it; it is called without arguments"):
        given = function()
    match given:
        case [nn.Module() as network, int() as px, [_, _, _] as mean, [_, _, _] as sd]:
            return network, Input(px, tuple(mean), tuple(sd))
    expected = "(nn.Module, input_px, mean, sd), mean and sd three numbers each"
    raise InputError(f"{function_name}() gives {shorten(repr(given), 200)}, expected {expected}")
