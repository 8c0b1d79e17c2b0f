"""What is to be said of a model before its figures are believed: what was guessed of it, and what it seems to be."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from bgbias.audit.measures import normalisation
from bgbias.audit.measures.normalisation import SILENT
from bgbias.audit.verdict.wording import interval, percent, points
from bgbias.external import graphs
from bgbias.models.by_name import COLLECTIONS
from bgbias.models.embedder import Embedder
from bgbias.models.own import OWN

ANYONES = ("onnx", "torchscript", "python")  # schemes of models that may have kept their last layer
ENOUGH = 8  # photos
IMAGENET = (1000, 1001, 21841, 21843)  # classes of its two sizes, without and with some for nothing
ALIKE = 1.01  # times the shortest: from there on cosine and inner product may name other nearest photos


def looked_at(
    embedder: Embedder, fast: Embedder, table: pd.DataFrame, photo: Callable[[np.ndarray], Tensor], seed: int
) -> tuple[dict, list[str]]:
    """Look at a model before its figures are measured.

    Args:
        embedder: named by its SPEC.
        fast: the same, by what it is run, see `answers.fastest`.
        table: of the photos, of which some are tried: path, class_id.
        photo: rows -> photos, uint8 (B, 3, S, S).
        seed: of the draw.

    Returns:
        What `normalisation.tried` gives, and what is to be said, see `model_remarks`.
    """
    labels = table.class_id.to_numpy()
    rows = normalisation.sample(labels, seed)
    of_rows = photo(rows), labels[rows], list(table.path[rows])
    normalised = normalisation.tried(fast, *of_rows, seed)
    return normalised, model_remarks(embedder, of_rows[0], normalised)


def model_remarks(embedder: Embedder, pictures: Tensor, normalised: dict) -> list[str]:
    """Say what was guessed of a model, whether it is untrained or seems to classify, and of what lengths it embeds.

    Nothing is said where all is known.

    Args:
        embedder: named by its SPEC.
        pictures: uint8 (B, 3, S, S), some photos.
        normalised: as returned by `normalisation.tried`.
    """
    said = [
        *_untrained(embedder.name),
        *_layout(embedder),
        *_normalisation(normalised, embedder.name),
        *_numbers(embedder, pictures),
    ]
    return [*said, *_side(embedder), *_of_weights(embedder)]


def _untrained(spec: str) -> list[str]:
    """Weights that were left out give figures like those that were meant."""
    model = spec.partition("?")[0]
    scheme, _, target = model.partition(":")
    weights = target.partition(":")[2] if scheme in COLLECTIONS else target
    if scheme not in (*OWN, *COLLECTIONS) or weights not in ("", "scratch"):
        return []
    return [f"{model} names no weights, so they are random: these figures are those of an untrained network."]


def _layout(embedder: Embedder) -> list[str]:
    if not getattr(embedder.network, "channels_last", False):
        return []
    return ["By the shape of its input the model takes pictures with the channels last, (N, H, W, 3): it gets them so."]


def _normalisation(found: dict, spec: str) -> list[str]:
    if not found["assumed"]:
        return []
    mean, sd = (",".join(f"{number:g}" for number in found[name]) for name in ("mean", "sd"))
    assumed = f"ImageNet's mean={mean}&sd={sd}, red first, was assumed"
    said = f"The model's file does not tell how pictures are normalised: {assumed}"
    if found["usual"]:
        others = ", ".join(f"{percent({'value': one['map_at_r']})} with {way}" for way, one in found["usual"].items())
        said += (
            f"{', perhaps wrongly' if found['better'] else ''}. On {found['photos']} photos of {found['classes']} "
            f"classes MAP@R is {percent({'value': found['map_at_r']})} with that, {others}"
        )
    if not found["better"]:
        shown = "; none is shown to be better" if found["usual"] else ""
        mend = f"add {joint(spec)}mean=...&sd=..., and channels=BGR where blue comes first"
        return [f"{said}{shown}. If it was trained otherwise, these figures are not its own: {mend}."]
    gain = found["usual"][found["better"]]["gain"]
    return [
        f"{said}; {found['better']} gains {points(gain)} ({interval(gain)}). If it was trained so, audit "
        f"'{with_options(spec, found['better'])}'."
    ]


def _side(embedder: Embedder) -> list[str]:
    spec = embedder.name
    told = getattr(embedder.network, "input_px", None) or "input_px=" in spec.partition("?")[2]
    if told or spec.partition(":")[0] not in SILENT:
        return []
    return [
        f"The model's file does not tell the side of its pictures: {embedder.input_px} px were assumed. If it was "
        f"trained with others, these figures are not its own: add {joint(embedder.name)}input_px=..."
    ]


def _of_weights(embedder: Embedder) -> list[str]:
    """A file of weights does not tell more than an ONNX file does, and may be of somebody's own training."""
    model, _, query = embedder.name.partition("?")
    scheme = model.partition(":")[0]
    if scheme not in COLLECTIONS or not embedder.files:
        return []
    mean, sd = (",".join(f"{level / 255:.3g}" for level in of) for of in (embedder.card.mean, embedder.card.sd))
    ways = {"mean=": f"mean={mean}&sd={sd}", "input_px=": f"input_px={embedder.input_px}"}
    taken = [way for option, way in ways.items() if option not in query]
    if not taken:
        return []
    return [
        f"The file of weights does not tell how pictures are made for it: {' and '.join(taken)}, the ways of "
        f"{scheme}'s own weights, were assumed. If it was trained otherwise, these figures are not its own: add "
        f"{joint(embedder.name)}{'&'.join(taken)} with the right numbers."
    ]


@torch.no_grad()
def _numbers(embedder: Embedder, pictures: Tensor) -> list[str]:
    """What the numbers that anyone's model gives for some photos seem to be."""
    if embedder.name.partition(":")[0] not in ANYONES:
        return []
    given = embedder.network(embedder.normalise(pictures[:ENOUGH]).contiguous()).flatten(1)
    if not given.is_floating_point():
        kind = str(given.dtype).removeprefix("torch.")
        return [
            f"The model gives whole numbers ({kind}), compared by their cosine as they are: packed bits, or codes with "
            "an offset, are to be unpacked inside the model."
        ]
    return _last_layer(embedder, given.float()) or _lengths(given.double())


def _last_layer(embedder: Embedder, given: Tensor) -> list[str]:
    probable = bool((given >= 0).all() and ((given.sum(1) - 1).abs() < 1e-3).all())
    if not probable and given.shape[1] not in IMAGENET:
        return []
    what = "sum to 1, as probabilities of classes do" if probable else "are as many as ImageNet has classes"
    mend = _features(embedder)
    return [f"The {given.shape[1]} numbers that the model gives for a photo {what}: for its features, {mend}."]


def _lengths(given: Tensor) -> list[str]:
    shortest, longest = (float(end) for end in given.norm(dim=1).aminmax())
    if longest < ALIKE * shortest:
        return []
    return [
        f"The embeddings that the model gives have lengths from {shortest:.3g} to {longest:.3g}, and are compared by "
        "their cosine. A search by their inner product or Euclidean distance finds other photos: these figures are "
        "its own only if it divides embeddings by their length, too."
    ]


def _features(embedder: Embedder) -> str:
    """How to get them."""
    specs, network = [], embedder.network
    if embedder.name.startswith("onnx:"):
        inner = graphs.before_last_layers(embedder.files[0], network.output)
        specs = [f"'{with_options(embedder.name, f'output={name}')}'" for name in inner]
    return f"audit {' or '.join(specs)}" if specs else "give it without its last layer"


def joint(spec: str) -> str:
    """Return what comes between a SPEC and another option.

    >>> joint("onnx:net.onnx"), joint("onnx:net.onnx?output=a")
    ('?', '&')
    """
    return "&" if "?" in spec else "?"


def with_options(spec: str, options: str) -> str:
    """Give a SPEC other options, in the place of those of the same names.

    >>> with_options("onnx:net.onnx", "mean=0&sd=1"), with_options("onnx:net.onnx?output=a&sd=1", "output=b")
    ('onnx:net.onnx?mean=0&sd=1', 'onnx:net.onnx?sd=1&output=b')
    """
    model, _, query = spec.partition("?")
    new = {option.partition("=")[0] for option in options.split("&")}
    kept = [option for option in query.split("&") if option and option.partition("=")[0] not in new]
    return f"{model}?{'&'.join([*kept, options])}"
