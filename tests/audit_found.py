"""Figures of an audit, to be changed one by one: what is said of them depends on how their intervals lie."""

import copy

import pandas as pd

MANY = pd.Series([f"class {number % 40}" for number in range(400)])


def e(value, low=None, high=None):
    low, high = (value - 0.03, value + 0.03) if low is None else (low, high)
    return {"value": value, "low": low, "high": high, "queries": 396, "classes": 40, "undefined": 4}


def r(*interval):
    return {"recall_at_1": e(*interval), "map_at_r": e(0.5)}


UNDEFINED = dict.fromkeys(("value", "low", "high"), None) | {"queries": 0, "classes": 0, "undefined": 0}
FOUND = {
    "photos": 400,
    "backgrounds": "100 of walls",
    "chance": {"recall_at_1": 0.023, "map_at_r": 0.01},
    "matrix": {
        view: {other: r(value) for other in ("clean", "swapped")} for view, value in (("clean", 0.9), ("swapped", 0.6))
    },
    "drop": r(0.341, 0.31, 0.372),
    "kept": e(0.66, 0.6, 0.7),
    "views": {"clean": r(0.9), "swapped": r(0.6), "foreground_grey": r(0.75)},
    "grey_gain": r(0.15),
    "masks": "given",
    "second_masks": None,
    "second_backgrounds": None,
    "gap": r(0.2),
    "pasting": {"pasted_back": r(0.01), "pasted_mirrored": r(-0.02)},
    "conflict": e(0.41),
    "background_only_against_clean": {
        "background_silhouette": r(0.4),
        "background_box_blacked": r(0.2),
        "background_box_tiled": r(0.3),
    },
    "worst_of_backgrounds": {"worst": e(0.2), "mean": e(0.5), "backgrounds": 4},
    "attention": {"clean": {"score": e(0.16)}, "swapped": {"score": e(0.1)}},
    "near_duplicates": {"pairs": []},
    "mask_doubt": {
        "flagged": {"empty": [], "full": [], "border": [], "tiny": []},
        "drop_without": None,
        "moved_eroded": r(0.01),
        "moved_dilated": r(-0.005),
        "radius_px": 2,
    },
}
# changes: of a model that finds by chance what it finds, and nothing on clean photos
GUESSES = {"matrix.clean.clean": r(0.0, 0.0, 0.0), "matrix.swapped.swapped": r(0.02), "drop": r(-0.02, -0.04, -0.01)}


def changed(changes=None):
    """FOUND with changes: path -> value."""
    found = copy.deepcopy(FOUND)
    for path, value in (changes or {}).items():
        *parents, last = path.split(".")
        place = found
        for parent in parents:
            place = place[parent]
        place[last] = value
    return found
