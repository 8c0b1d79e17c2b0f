"""Networks by name: one way to name them in training and in audits."""

from torch import nn

from bgbias.errors import unknown
from bgbias.models.cards import Input
from bgbias.models.own import OWN
from bgbias.models.zoo import from_timm, from_torchvision

COLLECTIONS = ("torchvision", "timm")


def trunk(network: str, weights: str, made_for: int | None = None) -> tuple[nn.Module, Input]:
    """Make a network without its classifier, and say what it expects.

    Args:
        network: one of OWN, torchvision:NAME or timm:NAME.
        weights: scratch, or what the network's own function takes: names of published weights, or a file.
        made_for: side of the images of a vision transformer that was trained here.

    Raises:
        FileNotFoundError: no such weights.
        ValueError: no such network, or the weights do not fit it.

    >>> trunk("torchvision:resnet18", "scratch")[1].input_px
    224
    """
    collection, colon, name = network.partition(":")
    if network in OWN:
        return OWN[network](weights)
    if not colon or collection not in COLLECTIONS:
        raise unknown("network", network, [*OWN, *(f"{known}:NAME" for known in COLLECTIONS)])
    return from_timm(name, weights) if collection == "timm" else from_torchvision(name, weights, made_for)
