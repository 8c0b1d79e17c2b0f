"""A network that onnxruntime runs."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from bgbias import cores, ranks
from bgbias.errors import InputError, as_input_error
from bgbias.external import graphs

CHANNELS = (3, None)  # an axis of as many, or of any number


class OnnxNetwork(nn.Module):
    """An ONNX model, run by onnxruntime: no gradients.

    Attributes:
        channels_last: whether it takes (N, H, W, 3), as TensorFlow's networks do.
        output: name of the tensor that it gives.
        input_px: side of the images; None: any.
    """

    def __init__(self, model: Path | bytes, where: torch.device, output: str | None = None):
        """Open the model, and look at its input and outputs.

        Args:
            model: the file, or its content.
            where: on a GPU only where onnxruntime can.
            output: which of its outputs, or which inner tensor of a file.

        Raises:
            ValueError: onnxruntime cannot read it, or it has another input, or no such output.
        """
        super().__init__()
        self.session = _opened(model, where)
        outputs = [given.name for given in self.session.get_outputs()]
        if output and output not in outputs:
            self.session = _opened(graphs.tapped(model, output), where, model.parent)
            outputs = [output]
        if len(outputs) > 1 and not output:
            raise InputError(f"it has the outputs {', '.join(outputs)}: choose one, as in ?output={outputs[-1]}")
        self.output = output or outputs[0]
        inputs = self.session.get_inputs()
        shape, self.input = inputs[0].shape, inputs[0].name
        fixed = [side if isinstance(side, int) else None for side in shape]  # None: any
        self.dtype = {"tensor(float)": np.float32, "tensor(float16)": np.float16}.get(inputs[0].type)
        self.channels_last = len(fixed) == 4 and fixed[3] == 3 and fixed[1] != 3
        if self.channels_last:
            fixed = [fixed[0], fixed[3], fixed[1], fixed[2]]
        if len(inputs) > 1 or len(fixed) != 4 or fixed[1] not in CHANNELS or fixed[2] != fixed[3] or not self.dtype:
            found = "; ".join(f"{given.name}, {given.type} of {given.shape}" for given in inputs)
            raise InputError(
                f"its input is {found}; expected one of floats (N, 3, H, W) or (N, H, W, 3), H = W: export it so"
            )
        self.batch, self.input_px = fixed[0], fixed[2]

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (N, 3, H, W) to what the model gives; a fixed batch size is met by adding blank ones."""
        ordered = images.permute(0, 2, 3, 1) if self.channels_last else images
        arrays = ordered.detach().cpu().numpy().astype(self.dtype, order="C", copy=False)
        size, found = self.batch or len(arrays), []
        for start in range(0, len(arrays), size):
            part = arrays[start : start + size]
            short = size - len(part)
            padded = np.concatenate([part, np.zeros((short, *part.shape[1:]), self.dtype)]) if short else part
            output = self.session.run([self.output], {self.input: padded})[0]
            found.append(output[: len(output) - short])
        given = torch.from_numpy(np.concatenate(found)).to(images.device)
        pooled_last = self.channels_last and given.ndim == 4 and given.shape[1:3] == (1, 1)
        return given.flatten(1) if pooled_last else given


def _opened(model: Path | bytes, where: torch.device, weights: Path | None = None):
    """Open a session; weights: the folder of weights that lie beside a model's file."""
    import onnxruntime  # slow, and only needed here

    wanted = ["CUDAExecutionProvider"] if where.type == "cuda" else []
    providers = [name for name in wanted if name in onnxruntime.get_available_providers()]
    options = onnxruntime.SessionOptions()
    if ranks.count() > 1:
        options.intra_op_num_threads = cores.count()  # else each process takes all
    if weights:
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(weights))
    with as_input_error("onnxruntime cannot read it: export the model again"):
        return onnxruntime.InferenceSession(model, options, providers=[*providers, "CPUExecutionProvider"])
