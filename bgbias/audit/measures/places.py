"""What photos find of their class in their own place, and elsewhere: as they are, and in parts."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from bgbias.audit.inputs import views
from bgbias.audit.inputs.pictures import Pictures
from bgbias.metrics.places import by_place, compared

PARTS = {"clean": "photos", "foreground_grey": "objects", "background_box_tiled": "backgrounds"}  # view -> of what
PARTS |= {views.SECOND_ALONE: "objects_second"}  # by masks of a second kind
ENDS = {"same": "same_place", "elsewhere": "elsewhere", "drop": "place_drop"}
ALONE = ("objects", "objects_second")  # compared with whole photos
BEYOND = {of: f"recall_at_1_place_drop_beyond_{of}" for of in ALONE}
GAIN = {of: f"recall_at_1_elsewhere_gain_{of}" for of in ALONE}
COMPARED = {f"beyond_{of}": BEYOND[of] for of in ALONE} | {f"gain_{of}": GAIN[of] for of in ALONE}
COLUMNS = [*(f"recall_at_1_{end}_{of}" for end in ENDS.values() for of in PARTS.values()), *COMPARED.values()]


def singles(
    pictures: Pictures, embeddings: Mapping[str, Tensor], quick: bool = False
) -> dict[str, tuple[Tensor, Tensor]]:
    """Search photos of the own place, and as many of other places, in each of some views; nothing without places.

    Args:
        pictures: of the audit.
        embeddings: view -> float32 (M, D), see `views.rows_of`.
        quick: of photos as they are alone.

    Returns:
        Name of a measure -> its values, shares, and their rows: Recall@1 of both, the drop from the one to the other,
        by how much more whole photos drop than objects alone, query by query, and how much more objects alone find
        elsewhere than whole photos, both by masks of either kind.
    """
    found, made = {}, views.names(pictures.draws, quick, bool(pictures.second_kind), places=True)
    for view, of in PARTS.items() if pictures.places is not None else ():
        rows = views.rows_of(pictures, view) if view in made else np.arange(0)
        labels, places = (torch.from_numpy(of_all[rows]) for of_all in (pictures.labels, pictures.places))
        if len(compared(labels, places)):
            scores = by_place(embeddings[view], labels, places)
            same, other = (of_both["recall_at_1"] for of_both in scores.values())
            counted = torch.from_numpy(rows)[scores["same"]["rows"]]
            for end, values in zip(ENDS.values(), (same, other, same - other), strict=True):
                found[f"recall_at_1_{end}_{of}"] = values, counted
    for of in ALONE:
        if f"recall_at_1_elsewhere_{of}" in found:
            for end, name, sign in (("place_drop", BEYOND[of], 1), ("elsewhere", GAIN[of], -1)):
                (whole, rows), (alone, _) = (found[f"recall_at_1_{end}_{part}"] for part in ("photos", of))
                found[name] = sign * (whole - alone), rows
    return found


def summary(pictures: Pictures, single: Mapping[str, dict]) -> dict[str, dict]:
    """Gather the estimates of `singles` by view, as "places"; nothing without places.

    Args:
        pictures: of the audit.
        single: name of a measure -> its estimate.

    Returns:
        places: how many; left_out: how many photos are not compared; doubles: how many pairs of near-duplicates lie in
        two places; alike: how many of one class lie in one; photos, objects, backgrounds, objects_second (by masks of
        the second kind): {same, elsewhere, drop: estimates}, and beyond_ and gain_ of objects and objects_second,
        estimates, where these were measured.
    """
    if pictures.places is None:
        return {}
    of_parts = {
        of: {key: single[f"recall_at_1_{end}_{of}"] for key, end in ENDS.items()}
        for of in PARTS.values()
        if f"recall_at_1_same_place_{of}" in single
    }
    counts = {
        "places": len(np.unique(pictures.places)),
        "left_out": len(pictures.labels) - of_parts["photos"]["same"]["queries"],
        **pairs(pictures),
    }
    compared_parts = {key: single[name] for key, name in COMPARED.items() if name in single}
    return {"places": counts | of_parts | compared_parts}


def pairs(pictures: Pictures) -> dict[str, int]:
    """Count the pairs of near-duplicates that lie in two places (doubles), and those of one class in one (alike)."""
    found = np.array(pictures.near_duplicates, dtype=np.int64).reshape(-1, 2)
    in_two, of_two = (of[found[:, 0]] != of[found[:, 1]] for of in (pictures.places, pictures.labels))
    return {"doubles": int(in_two.sum()), "alike": int((~in_two & ~of_two).sum())}


def said_of_pairs(doubles: int, alike: int) -> list[str]:
    """Say what pairs of near-duplicates, as `pairs` counts them, do to searches by place; sentences.

    >>> said_of_pairs(1, 0)
    ['Of near-duplicates 1 pair would lie in two places: correct the list of places, or keep one photo of each.']
    """
    sentences = []
    if doubles:
        said = f"Of near-duplicates {doubles} pair{'s' * (doubles > 1)} would lie in two places"
        sentences.append(f"{said}: correct the list of places, or keep one photo of each.")
    if alike:
        said = f"{alike} pair{'s' * (alike > 1)} of near-duplicates of one class {'are' if alike > 1 else 'is'}"
        sentences.append(f"{said} of one place, where more is found for it: keep one photo of each.")
    return sentences


def by_column(found: dict) -> dict[str, dict]:
    """Return the estimates of `summary` by the columns of `COLUMNS` that they are means of; none of no places.

    >>> by_column({"places": 2, "photos": {"same": {"value": 0.5}}, "beyond_objects": {"value": 0.2}})
    {'recall_at_1_same_place_photos': {'value': 0.5}, 'recall_at_1_place_drop_beyond_objects': {'value': 0.2}}
    """
    parts = {of: found[of] for of in PARTS.values() if of in found}
    means = {f"recall_at_1_{ENDS[key]}_{of}": mean for of, part in parts.items() for key, mean in part.items()}
    return means | {name: found[key] for key, name in COMPARED.items() if key in found}
