"""Networks of collections, by name and without their classifier: torchvision's and timm's, which are slow to import."""

import re
from collections import OrderedDict
from collections.abc import Collection
from pathlib import Path

from torch import Tensor, nn

from bgbias.errors import InputError, as_input_error, unknown
from bgbias.models import efficientnet_lite, pretrained
from bgbias.models.cards import Input

AUXILIARY = ("aux1", "aux2", "AuxLogits")  # further classifiers of GoogLeNet and Inception, used in training only


def from_torchvision(name: str, weights: str, made_for: int | None = None) -> tuple[nn.Module, Input]:
    """Make a classification network of torchvision and take its last layer off.

    Args:
        name: of the network.
        weights: scratch; imagenet (the first that are published); the name of others; or a file of a state dict.
        made_for: side of the images of a vision transformer; None: that which the weights are published for.

    Raises:
        FileNotFoundError: no such weights.
        ValueError: no such network, or the weights do not fit it.
    """
    from torchvision import models

    known = models.list_models(module=models)
    if name not in known:
        raise unknown("network of torchvision", name, known)
    entries = list(models.get_model_weights(name))
    by_name = {"imagenet": entries[0], **{entry.name: entry for entry in entries}}
    chosen = by_name.get(weights)
    if weights != "scratch" and not chosen and not Path(weights).is_file():
        listed = ", ".join(["scratch", *by_name])
        raise FileNotFoundError(f"no such weights or file '{weights}': known are {listed}, or give a path")
    options = {}
    if name.startswith("vit_") and (made_for or chosen):
        options["image_size"] = made_for or chosen.meta["min_size"][0]
    if name in ("googlenet", "inception_v3"):
        options["transform_input"] = True  # they expect it of the published weights; it belongs to no state dict
    network = models.get_model(name, weights=None, **options)
    preset = (chosen or entries[0]).transforms()
    px = getattr(network, "image_size", preset.crop_size[0])  # vit_h_14 is published for larger images than it makes
    with_classifier = set(network.state_dict())
    for auxiliary in AUXILIARY:
        if hasattr(network, auxiliary):
            setattr(network, auxiliary, None)
            network.aux_logits = False
    # for each of torchvision's classification networks the classifier: a convolution in SqueezeNet
    last = [path for path, layer in network.named_modules() if isinstance(layer, nn.Linear | nn.Conv2d)][-1]
    network.set_submodule(last, nn.Identity())
    if weights != "scratch":
        _fill(network, pretrained.published(chosen.url) if chosen else _of_file(weights), with_classifier)
    return network, Input(px, tuple(preset.mean), tuple(preset.std))


def from_timm(name: str, weights: str) -> tuple[nn.Module, Input]:
    """Make a network of timm, if that is installed, likewise; weights: scratch, pretrained (timm's own), or a file.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no timm, no such network, no download, or the weights do not fit the network.
    """
    try:
        import timm
    except ImportError as error:
        raise InputError("timm is not installed: pip install timm") from error
    if not timm.is_model(name):
        raise unknown("network of timm", name, timm.list_models())
    with as_input_error("timm cannot make or download it: connect to the network, or give a file of weights"):
        network = timm.create_model(name, pretrained=weights == "pretrained")
    data = timm.data.resolve_model_data_config(network)
    with_classifier = set(network.state_dict())
    network.reset_classifier(0)
    if weights not in ("scratch", "pretrained"):
        state = _of_file(weights)
        if name.startswith("tf_efficientnet_lite"):
            state = efficientnet_lite.renamed(state, [len(stage) for stage in network.blocks])
        _fill(network, state, with_classifier)
    return network, Input(data["input_size"][-1], tuple(data["mean"]), tuple(data["std"]))


def _of_file(path: str) -> OrderedDict[str, Tensor]:
    return pretrained.read(Path(path), "what torch.save(network.state_dict(), FILE) writes")


def _fill(network: nn.Module, state: OrderedDict[str, Tensor], with_classifier: Collection[str]) -> None:
    """Load weights strictly, but for those of classifiers."""
    ours = network.state_dict().keys()
    for key in list(state):
        tensor = state.pop(key)
        key = re.sub(r"(denselayer\d+\.(?:norm|conv))\.(\d)\.", r"\1\2.", key)  # as DenseNet's layers were once named
        if key in ours or key not in with_classifier:
            state[key] = tensor
    try:
        network.load_state_dict(state)
    except Exception as error:  # some networks of torchvision have checks of their own
        wrong = pretrained.misfits(state, network.state_dict()) or " ".join(str(error).split())
        mend = "give those of the same network"
        raise InputError(f"the weights do not fit the network: {wrong}: {mend}") from error
