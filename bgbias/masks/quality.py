"""How well automatic masks agree with masks drawn by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from bgbias import cores
from bgbias.config import params
from bgbias.errors import InputError
from bgbias.masks import labelled, make, segment
from bgbias.masks.labelled import Labelled
from bgbias.metrics.bootstrap import LEVEL, estimate
from bgbias.photos import decode
from bgbias.photos.foreground import OBJECT, suspicion
from bgbias.seeding import generator

MEASURES = ("iou", "overlap", "precision")
FAILED = 0.5  # an IoU below it: more is wrong than right
SEED = 0


def compare(automatic: np.ndarray, hand: np.ndarray) -> dict[str, float]:
    """Compare an automatic mask with one drawn by hand.

    Both are binarised: a pixel of 128 or more is object. Of A automatic and H hand pixels, iou is |A & H| / |A | H|
    and overlap |A & H| / |H|, both as in the mask quality of Kobs & Hotho 2022, and precision |A & H| / |A|: overlap
    is lost where the object is cut away, precision where background stays. Higher is better.

    Args:
        automatic: uint8 (H, W).
        hand: uint8 (H, W).

    Returns:
        iou, overlap and precision, in [0, 1]. Of an empty automatic mask iou and overlap are 0 and precision,
        undefined, is NaN.

    Raises:
        ValueError: the masks differ in size, or the hand mask is empty.

    >>> compare(np.uint8([[255, 128, 127]]), np.uint8([[0, 255, 255]]))
    {'iou': 0.3333333333333333, 'overlap': 0.5, 'precision': 0.5}
    """
    if automatic.shape != hand.shape:
        sizes = "{} x {} pixels, its automatic mask {} x {}".format(*hand.shape[::-1], *automatic.shape[::-1])
        raise InputError(f"its hand mask has {sizes}: give both the size of the upright photo")
    cut_out, true = automatic >= OBJECT, hand >= OBJECT
    if not true.any():
        raise InputError(
            f"its hand mask is empty (no pixel of {OBJECT} or more, the greatest is {hand.max(initial=0)}): "
            "draw the object white on black, or remove the photo with its masks"
        )
    both, area = int((cut_out & true).sum()), int(cut_out.sum())
    precision = both / area if area else float("nan")
    return {"iou": both / int((cut_out | true).sum()), "overlap": both / int(true.sum()), "precision": precision}


def summarise(table: pd.DataFrame) -> dict:
    """Summarise the comparison of many masks.

    Args:
        table: a row a photo, its columns iou, overlap and precision as returned by `compare`.

    Returns:
        images (how many); empty (how many automatic masks are: their precision, undefined, is left out); iou, overlap
        and precision, each with mean, sd (population standard deviation, as in the study), median, min, the quartiles
        q25 and q75 (linearly interpolated) and ci_low and ci_high (of the mean, by `bootstrap.estimate` with every
        photo drawn by itself; None for a single one), or None for each where no precision is defined; failure_rate
        with share (of the photos: IoU below 0.5) and ci_low and ci_high as returned by `wilson_interval`.

    Raises:
        ValueError: there are no rows.

    >>> summary = summarise(pd.DataFrame({"iou": [0.4, 0.9], "overlap": [0.4, 1.0], "precision": [1.0, 0.9]}))
    >>> summary["images"], round(summary["iou"]["mean"], 6), summary["failure_rate"]["share"]
    (2, 0.65, 0.5)
    """
    if table.empty:
        raise InputError("no masks to summarise: compare some first")
    failures = int((table.iou < FAILED).sum())
    low, high = wilson_interval(failures, len(table))
    return {
        "images": len(table),
        "empty": int(table.precision.isna().sum()),
        **{name: _statistics(table[name].dropna().to_numpy()) for name in MEASURES},
        "failure_rate": {"share": failures / len(table), "ci_low": low, "ci_high": high},
    }


def _statistics(values: np.ndarray) -> dict[str, float | None]:
    names = ("mean", "sd", "median", "min", "q25", "q75", "ci_low", "ci_high")
    if not len(values):
        return dict.fromkeys(names)
    q25, median, q75 = np.quantile(values, (0.25, 0.5, 0.75))
    interval = estimate(values, np.arange(len(values)), generator(SEED, "bootstrap of mask quality")).as_json()
    statistics = values.mean(), values.std(), median, values.min(), q25, q75
    numbers = *map(float, statistics), interval["low"], interval["high"]
    return dict(zip(names, numbers, strict=True))


def wilson_interval(count: int, total: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share, by the score method (Wilson 1927).

    The bootstrap would take a share of 0 or 1 for certain, however few the photos.

    Args:
        count: 0 to `total`.
        total: at least 1.

    >>> [round(limit, 4) for limit in wilson_interval(0, 20)]
    [0.0, 0.1611]
    """
    from scipy.stats import binomtest  # takes a second, and only needed here

    interval = binomtest(count, total).proportion_ci(LEVEL, method="wilson")
    return float(interval.low), float(interval.high)


def measure(folder: Path, options: params.Masks) -> pd.DataFrame:
    """Compare the automatic mask of every photo in a folder with its hand mask.

    Args:
        folder: see `labelled.find`.
        options: of the automatic masks. "given" reads them from the folder, and never opens the photos. Others are
            of upright photos; hand masks are turned likewise, see `make.mask_as_photo`.

    Returns:
        name, iou, overlap and precision, a row a photo, sorted by name.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: as raised by `labelled.find` and `compare`; a photo or mask does not decode, or a method cannot
            work.
    """
    rows = []
    for paths in tqdm(labelled.find(folder, options.method), "mask quality", unit="photo"):
        hand = decode.read_mask(paths.hand)
        automatic = _automatic(paths, options)
        try:
            if options.method != "given":
                tags = map(make.orientation, (paths.hand, paths.photo))
                hand = make.mask_as_photo(hand, *tags, automatic.size)
            rows.append({"name": paths.name, **compare(np.asarray(automatic), np.asarray(hand))})
        except ValueError as error:
            raise InputError(f"{paths.photo}: {error}") from None
    return pd.DataFrame(rows)


def doubts(folder: Path, method: str) -> list[str]:
    """Say of hand masks, and of given automatic ones, where most look as if they meant the object otherwise, sentences.

    Most reach the photo's edges, as where objects are black; or most have levels, but none of 128 or more, as those of
    a class's number, or of colours.

    Args:
        folder: see `labelled.find`.
        method: likewise.
    """
    found, said = labelled.find(folder, method), []
    kinds = {"hand": [paths.hand for paths in found]}
    kinds |= {"automatic": [paths.given for paths in found]} if method == "given" else {}
    for kind, files in kinds.items():
        masks = [np.asarray(decode.read_mask(file)) for file in files]
        full = sum(suspicion(mask) in ("border", "nearly_full") for mask in masks)
        dark = sum(0 < mask.max(initial=0) < OBJECT for mask in masks)
        of = f"of {len(masks)} {kind} masks"
        if full > len(masks) / 2:
            where = f"{full} {of} cover most of the photo's edge, or nearly all of it"
            said.append(f"{where}: if they are black where the object is, invert them")
        if dark > len(masks) / 2:
            said.append(
                f"{dark} {of} have levels, but none of {OBJECT} or more, and count as empty: draw objects white"
            )
    return said


def _automatic(paths: Labelled, options: params.Masks) -> Image.Image:
    if options.method == "given":
        return decode.read_mask(paths.given)
    return segment.cut_out(decode.read_photo(paths.photo), options, cores.count())
