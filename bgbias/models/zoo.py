"""Networks of collections, by name and without their classifier: torchvision's and timm's."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
from torchvision import models

from bgbias.errors import as_value_error, check_file, unknown
from bgbias.models import pretrained
from bgbias.models.formats import Input


def from_torchvision(target: str, where: torch.device) -> tuple[nn.Module, Input]:
    """A classification network, NAME[:WEIGHTS] as in `bgbias.models.spec`, its last layer taken off."""
    name, _, weights = target.partition(":")
    known = models.list_models(module=models)
    if name not in known:
        raise unknown("network of torchvision", name, known)
    published = list(models.get_model_weights(name))
    by_name = {"imagenet": published[0], **{entry.name: entry for entry in published}}
    chosen = by_name.get(weights)
    if weights and not chosen and not Path(weights).is_file():
        raise FileNotFoundError(f"no such weights or file '{weights}': known are {', '.join(by_name)}, or give a path")
    url = chosen.url if chosen else "nothing"
    mend = f"connect to the network, or give the path of a copy, torchvision:{name}:FILE"
    with (
        as_value_error(f"cannot download {url}: {mend}"),
        _same_weights(),
    ):
        network = models.get_model(name, weights=chosen)
    preset = (chosen or published[0]).transforms()
    px = getattr(network, "image_size", preset.crop_size[0])  # vit_h_14 is published for larger images than it makes
    # for each of torchvision's classification networks the classifier: a convolution in SqueezeNet
    last = [path for path, layer in network.named_modules() if isinstance(layer, nn.Linear | nn.Conv2d)][-1]
    with_classifier = set(network.state_dict())
    network.set_submodule(last, nn.Identity())
    if weights and not chosen:
        _fill(network, Path(weights), with_classifier)
    return network, Input(px, tuple(preset.mean), tuple(preset.std))


def from_timm(target: str, where: torch.device) -> tuple[nn.Module, Input]:
    """A network of timm, if that is installed, likewise."""
    try:
        import timm  # slow, and only needed here
    except ImportError as error:
        raise ValueError("timm is not installed: pip install timm") from error
    name, _, weights = target.partition(":")
    if not timm.is_model(name):
        raise unknown("network of timm", name, timm.list_models())
    with (
        as_value_error(f"timm cannot make or download it: connect to the network, or give a path, timm:{name}:FILE"),
        _same_weights(),
    ):
        network = timm.create_model(name, pretrained=weights == "pretrained")
    data = timm.data.resolve_model_data_config(network)
    with_classifier = set(network.state_dict())
    network.reset_classifier(0)
    if weights not in ("", "pretrained"):
        _fill(network, Path(weights), with_classifier)
    return network, Input(data["input_size"][-1], tuple(data["mean"]), tuple(data["std"]))


@contextmanager
def _same_weights() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def _fill(network: nn.Module, path: Path, with_classifier: Collection[str]) -> None:
    check_file(path)
    if path.suffix == ".safetensors":
        with as_value_error("not a file of safetensors"):
            state = load_file(path)
    else:
        state = pretrained.read(path, "what torch.save(network.state_dict(), FILE) writes")
    ours = network.state_dict().keys()
    with as_value_error("the weights do not fit the network"):
        network.load_state_dict({key: state[key] for key in state if key in ours or key not in with_classifier})
