"""Networks that were trained elsewhere: from ONNX and TorchScript files, and from the user's own code."""

import importlib
import sys
from pathlib import Path
from textwrap import shorten

import numpy as np
import torch
from torch import Tensor, nn

from bgbias.errors import InputError, as_input_error, check_file, unknown
from bgbias.models.cards import Input


class Onnx(nn.Module):
    """An ONNX model, run by onnxruntime: no gradients."""

    def __init__(self, path: Path, where: torch.device, output: str | None):
        """Open the model, and look at its input and outputs."""
        super().__init__()
        import onnxruntime  # slow, and only needed here

        wanted = ["CUDAExecutionProvider"] if where.type == "cuda" else []
        providers = [name for name in wanted if name in onnxruntime.get_available_providers()]
        with as_input_error("onnxruntime cannot read it: export the model again"):
            self.session = onnxruntime.InferenceSession(path, providers=[*providers, "CPUExecutionProvider"])
        inputs, outputs = self.session.get_inputs(), [given.name for given in self.session.get_outputs()]
        self.output = output or outputs[0]
        if self.output not in outputs:
            raise unknown("output", self.output, outputs)
        if len(outputs) > 1 and not output:
            raise InputError(f"it has the outputs {', '.join(outputs)}: choose one, as in ?output={outputs[-1]}")
        shape, self.input = inputs[0].shape, inputs[0].name
        fixed = [side if isinstance(side, int) else None for side in shape]  # None: any
        self.dtype = {"tensor(float)": np.float32, "tensor(float16)": np.float16}.get(inputs[0].type)
        if len(inputs) > 1 or len(fixed) != 4 or fixed[1] not in (3, None) or fixed[2] != fixed[3] or not self.dtype:
            found = "; ".join(f"{given.name}, {given.type} of {given.shape}" for given in inputs)
            raise InputError(f"its input is {found}; expected one of floats (N, 3, H, W), H = W: export it so")
        self.batch, self.input_px = fixed[0], fixed[2]

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (N, 3, H, W) to what the model gives; a fixed batch size is met by adding blank ones."""
        arrays = images.detach().cpu().numpy().astype(self.dtype)
        size, found = self.batch or len(arrays), []
        for start in range(0, len(arrays), size):
            part = arrays[start : start + size]
            short = size - len(part)
            padded = np.concatenate([part, np.zeros((short, *part.shape[1:]), self.dtype)])
            output = self.session.run([self.output], {self.input: padded})[0]
            found.append(output[: len(output) - short])
        return torch.from_numpy(np.concatenate(found)).to(images.device)


def from_onnx(target: str, where: torch.device, output: str | None = None) -> tuple[nn.Module, Input]:
    """An ONNX model; `output`: which of its outputs, if it has several."""
    check_file(Path(target))
    network = Onnx(Path(target), where, output)
    return network, Input(network.input_px or Input().input_px)


def from_torchscript(target: str, where: torch.device) -> tuple[nn.Module, Input]:
    """What torch.jit.save wrote; the file holds code, which is run."""
    check_file(Path(target))
    with as_input_error("not a TorchScript file: write it by torch.jit.save, not by torch.save"):
        return torch.jit.load(target, map_location=where), Input()


def from_python(target: str, where: torch.device) -> tuple[nn.Module, Input]:
    """What a function of the user's returns, see `bgbias.external.spec`; its module is run."""
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
