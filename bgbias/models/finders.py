"""Finders by their shape, and a finder alone as files."""

import dataclasses
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from bgbias import files
from bgbias.errors import InputError
from bgbias.finder.network import EncodedFinder, Finder, OwnFinder, Shape
from bgbias.models import encoder

SHAPE, WEIGHTS, MEND = "finder.json", "finder.safetensors", "train the finder again"


def make(shape: Shape, weights: str = "scratch") -> Finder:
    """Make a finder that is to be trained, or filled; random weights are drawn from PyTorch's generator.

    Args:
        shape: of the finder.
        weights: of its encoder, see `by_name.trunk`.

    Raises:
        FileNotFoundError: no such weights.
        ValueError: no such network, or one without maps that a finder can use.

    >>> len(make(Shape(8, 128, True, "small_resnet")).encoder.channels)
    4
    """
    if shape.encoder is None:
        return OwnFinder(shape)
    return EncodedFinder(shape, encoder.make(shape.encoder, weights))


def save(finder: Finder, folder: Path) -> None:
    """Write `finder.safetensors` and `finder.json` into a folder."""
    with files.whole_folder(folder) as partial:
        save_file({name: tensor.contiguous().cpu() for name, tensor in finder.state_dict().items()}, partial / WEIGHTS)
        files.write_json(partial / SHAPE, dataclasses.asdict(finder.shape))


def refuse_other_content(folder: Path) -> None:
    """Raise an InputError where something else than a finder lies in the place of its folder: `save` replaces all."""
    others = {path.name for path in folder.iterdir()} - {SHAPE, WEIGHTS} if folder.is_dir() else folder.exists()
    if others:
        raise InputError(f"{folder}: something else than a finder lies there, and would be lost: choose a new folder")


def load(folder: Path) -> Finder:
    """Read what `save` has written: frozen, in evaluation mode, on the CPU.

    Raises:
        FileNotFoundError: no finder there.
        ValueError: finder.json is of another version or unreadable, or the weights do not fit it.
    """
    for file in (SHAPE, WEIGHTS):
        if not (folder / file).is_file():
            raise FileNotFoundError(
                f"{folder}: no finder here ({file} is missing): `python -m stages.finder` trains one"
            )
    written = files.read_json(folder / SHAPE, mend=MEND)
    try:
        finder = make(Shape(**written))
        finder.load_state_dict(load_file(folder / WEIGHTS))
        if not all(tensor.isfinite().all() for tensor in finder.state_dict().values()):
            raise InputError("some weights are not finite")
    except (TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise InputError(
            f"{folder}: holds no finder of this version: {MEND}: {' '.join(str(error).split())}"
        ) from error
    return finder.eval().requires_grad_(False).to(memory_format=torch.channels_last)
