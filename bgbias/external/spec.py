"""Any embedding model, named by a SPEC: see `bgbias.external`."""

import sys
from pathlib import Path

import torch
from torch import nn

from bgbias.errors import InputError, as_input_error, unknown
from bgbias.external import baselines, formats, graphs
from bgbias.models import trained
from bgbias.models.by_name import COLLECTIONS, trunk
from bgbias.models.cards import Input, card
from bgbias.models.embedder import Embedder, device
from bgbias.models.own import OWN

FORMATS = {  # scheme -> (rest of the SPEC, device) -> the network and what it expects
    "onnx": formats.from_onnx,
    "torchscript": formats.from_torchscript,
    "python": formats.from_python,
    "baseline": baselines.from_baseline,
}
SCHEMES = ("model", *OWN, *COLLECTIONS, *FORMATS)


def load(spec: str, where: torch.device | None = None) -> Embedder:
    """Load the model of a SPEC (see `bgbias.external`), in evaluation mode, tried on two pictures.

    Args:
        spec: such as "torchvision:resnet50:imagenet".
        where: the device; None: the GPU where there is one. ONNX models run where onnxruntime can.

    Raises:
        FileNotFoundError: a file or folder of the SPEC is missing.
        ValueError: the SPEC is not understood, or what it names is not such a model.

    >>> embedder = load("torchvision:resnet18?input_px=64")
    >>> embedder.input_px, embedder.card.embedding_dim, embedder.differentiable
    (64, 512, True)
    """
    where = where or device()
    try:
        scheme, target, options = _parse(spec)
        if scheme == "model":
            _refuse_several(Path(target))
            return trained.load(Path(target), where, spec)
        if scheme in FORMATS:
            output = {"output": options.pop("output")} if "output" in options else {}
            network, expected = FORMATS[scheme](target, where, **output)
        else:
            network, expected = _by_name(scheme, target)
        its = card(spec, expected._replace(**options))
        _refuse_half(options, expected.channels)
    except (ValueError, FileNotFoundError) as error:
        kind = FileNotFoundError if isinstance(error, FileNotFoundError) else InputError
        raise kind(f"{spec}: {error}") from error
    return Embedder(network.to(where), its, spec, _files(scheme, target)).to(where)


def _refuse_several(folder: Path) -> None:
    """Refuse the folder of a regime, which holds a model for each seed."""
    inner = sorted(path.parent for path in folder.glob("*/network.json"))
    if inner and not (folder / "network.json").is_file():
        listed = ", ".join(map(str, inner))
        raise FileNotFoundError(f"{folder} holds models and is none itself: give one of them: {listed}")


def _refuse_half(options: dict, channels: str) -> None:
    """Refuse options that would leave ImageNet's mean beside another sd, or for channels in another order."""
    given = {"mean", "sd"} & options.keys()
    turned = options.get("channels", channels) != channels
    if len(given) == 1 or (turned and not given):
        found = given.pop() if given else f"channels={options['channels']}"
        raise InputError(f"{found} alone: give mean and sd both, in the order of the channels, as they belong together")


def _by_name(scheme: str, target: str) -> tuple[nn.Module, Input]:
    """Make a network of OWN or COLLECTIONS; random weights are always the same."""
    name, weights = scheme, target
    if scheme in COLLECTIONS:
        name, _, weights = target.partition(":")
        name = f"{scheme}:{name}"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return trunk(name, weights or "scratch")


def _files(scheme: str, target: str) -> list[Path]:
    """The file or module that a target names, such as that of the weights, and weights that lie beside it."""
    if scheme == "onnx":
        return [Path(target), *graphs.weights_beside(Path(target))]
    if scheme == "python":
        module = sys.modules[target.partition(":")[0]]
        return [Path(module.__file__)] if getattr(module, "__file__", None) else []
    paths = [Path(target), Path(target.partition(":")[2])]
    return [path for path in paths if path.is_file()][:1]


def _parse(spec: str) -> tuple[str, str, dict]:
    spec, _, query = spec.partition("?")
    scheme, _, target = spec.partition(":")
    if scheme not in SCHEMES:
        known = [name if name in OWN else f"{name}:" for name in SCHEMES]
        raise InputError(f"{unknown('scheme', scheme, known)}; a network of torchvision is torchvision:NAME")
    own = {"model": (), "onnx": (*Input._fields, "output")}.get(scheme, Input._fields)
    options = dict(option.partition("=")[::2] for option in query.split("&") if option)
    for name in options:
        if name not in own:
            raise unknown("option", name, own)
    with as_input_error(f"cannot read the options '{query}': expected such as input_px=224&mean=0.5,0.5,0.5&sd=0.5"):
        for name in options.keys() & {"mean", "sd"}:
            numbers = tuple(float(number) for number in options[name].split(","))
            options[name] = numbers * 3 if len(numbers) == 1 else numbers
        if "input_px" in options:
            options["input_px"] = int(options["input_px"])
    return scheme, target, options
