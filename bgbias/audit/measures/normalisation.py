"""The normalisation that the file of a model does not tell: what was assumed, and what the usual others would give."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from bgbias.audit.measures.scores import means
from bgbias.errors import InputError
from bgbias.metrics.bootstrap import estimate
from bgbias.metrics.retrieval import Scores, per_query
from bgbias.models.cards import Input, card
from bgbias.models.embedder import Embedder, embed
from bgbias.seeding import generator

SILENT = ("onnx", "torchscript")  # schemes whose files do not tell
USUAL = {  # option of a SPEC -> mean and sd; beside ImageNet's, levels of -1 to 1, 0 to 1 and 0 to 255
    "mean=0.5&sd=0.5": (0.5, 0.5),
    "mean=0&sd=1": (0.0, 1.0),
    "mean=0&sd=0.00392157": (0.0, 0.00392157),
}
PHOTOS, OF_A_CLASS = 100, 5  # that are tried
BETTER = 0.02  # MAP@R that another normalisation must gain to be named,
SURE = 1.28 / 1.96  # and more than nothing at a level of 90 %, one-sided: how much of the 95 % interval's lower half
BATCH = 16


def sample(labels: np.ndarray, seed: int) -> np.ndarray:
    """Draw the rows of at most 100 photos, 5 of each class; more where there are less than 20 classes of two or more.

    Where there is no such class, of any photos.

    >>> len(sample(np.repeat(np.arange(40), 30), 42)), len(sample(np.repeat(np.arange(4), 30), 42))
    (100, 100)
    >>> len(sample(np.arange(200), 42))
    100
    """
    rng = generator(seed, "photos to try normalisations on")
    classes, sizes = np.unique(labels, return_counts=True)
    if sizes.max() == 1:
        return np.sort(rng.permutation(len(labels))[:PHOTOS])
    classes = rng.permutation(classes[sizes > 1])
    each = max(OF_A_CLASS, PHOTOS // max(1, len(classes)))
    chosen = [row for kind in classes for row in rng.permutation(np.flatnonzero(labels == kind))[:each]]
    return np.sort(np.array(chosen[:PHOTOS], dtype=np.int64))


def tried(embedder: Embedder, pictures: Tensor, labels: np.ndarray, names: Sequence[str], seed: int) -> dict:
    """Say how a model's pictures are normalised, and, where that was assumed, what the usual other ways would give.

    Args:
        embedder: named by its SPEC.
        pictures: uint8 (B, 3, S, S), the photos of `sample`.
        labels: int (B,), their classes.
        names: of the photos, for errors.
        seed: of the intervals.

    Returns:
        mean and sd of levels in 0..1, channels, and assumed: whether neither the SPEC nor the model tells. If so, also
        photos and classes that were tried, recall_at_1 and map_at_r of these, usual: option of a SPEC -> {recall_at_1,
        map_at_r, gain: of MAP@R, an estimate, paired} without those that the model cannot take, and better: the option
        that gains most of those that are shown to gain, and more than 2 points; None: there is none.
    """
    its = embedder.card
    told = {name: [round(level / 255, 6) for level in of] for name, of in (("mean", its.mean), ("sd", its.sd))}
    told |= {"channels": its.channels, "assumed": _assumed(embedder.name)}
    if not told["assumed"]:
        return told
    told |= {"photos": len(labels), "classes": len(np.unique(labels)), "usual": {}, "better": None}
    if told["classes"] in (1, len(labels)):  # nothing wrong to find, or nothing right
        return told
    before, usual = _scores(embedder, pictures, labels, names), {}
    for option, (mean, sd) in USUAL.items():
        expected = Input(its.input_px, (mean,) * 3, (sd,) * 3, its.channels)
        try:
            other = Embedder(embedder.network, card(its.network, expected), embedder.name)
            after = _scores(other, pictures, labels, names)
        except InputError:  # numbers that are too large or too small for it
            continue
        gained = (after["map_at_r"].double() - before["map_at_r"].double()).numpy()
        gain = estimate(gained, labels[before["rows"].numpy()], generator(seed, "gain by normalisation"))
        usual[option] = means(after) | {"gain": gain.as_json()}
    gains = {option: one["gain"]["value"] for option, one in usual.items() if _is_shown(one["gain"])}
    return told | means(before) | {"usual": usual, "better": max(gains, key=gains.get, default=None)}


def _is_shown(gain: dict[str, float]) -> bool:
    return gain["value"] > max(BETTER, SURE * (gain["value"] - gain["low"]))


def _assumed(spec: str) -> bool:
    options = [option.partition("=")[0] for option in spec.partition("?")[2].split("&")]
    return spec.partition(":")[0] in SILENT and not {"mean", "sd"} & set(options)


def _scores(embedder: Embedder, pictures: Tensor, labels: np.ndarray, names: Sequence[str]) -> Scores:
    embeddings = embed(embedder, pictures.split(BATCH), names)
    return per_query(embeddings, embeddings, torch.from_numpy(labels), [1])
