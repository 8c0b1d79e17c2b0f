"""The published weights of EfficientNet-Lite for PyTorch, under the names of timm's layers."""

import re
from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor

ENDS = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
EXPANDING = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
FLAT = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}  # of the first stage


def renamed(state: OrderedDict[str, Tensor], stages: Sequence[int]) -> OrderedDict[str, Tensor]:
    """Rename the tensors of efficientnet-lite-pytorch as timm names them; others keep their names.

    Args:
        state: tensors by name; blocks are numbered through all stages there.
        stages: how many blocks each stage of the network has; timm numbers them by stage.

    >>> names = ["_conv_stem.weight", "_blocks.0._bn1.bias", "_blocks.2._bn1.bias", "_fc.bias", "head.bias"]
    >>> list(renamed(OrderedDict.fromkeys(names), [1, 2]))
    ['conv_stem.weight', 'blocks.0.0.bn1.bias', 'blocks.1.1.bn2.bias', 'classifier.bias', 'head.bias']
    """
    blocks = [(stage, number) for stage, count in enumerate(stages) for number in range(count)]

    def name_of(name: str) -> str:
        block, layer, rest = re.fullmatch(r"(?:_blocks\.(\d+)\.)?([^.]*)(.*)", name).groups()
        if block is None:
            return ENDS.get(layer, layer) + rest
        if int(block) >= len(blocks):  # of a larger network
            return name
        stage, number = blocks[int(block)]
        return f"blocks.{stage}.{number}.{(EXPANDING if stage else FLAT).get(layer, layer)}{rest}"

    return OrderedDict((name_of(name), tensor) for name, tensor in state.items())
