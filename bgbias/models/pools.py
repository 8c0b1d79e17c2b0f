"""Average pools whose gradients are right on a GPU, too."""

import torch
from torch.overrides import TorchFunctionMode


class ContiguousPools(TorchFunctionMode):
    """Within it, average pools take contiguous maps, whichever module or function calls them.

    On a GPU, PyTorch's gradients of maps that are channels last leave the padding out of where they belong: with
    `padding=1` all lie a pixel off (pytorch/pytorch#188344; seen with 2.11). The pooled maps themselves are right.
    """

    def __torch_function__(self, function, types, args=(), kwargs=None):
        """Call the function; of an average pool the maps are made contiguous before."""
        if function is torch.nn.functional.avg_pool2d:
            args = (args[0].contiguous(), *args[1:])
        return function(*args, **(kwargs or {}))
