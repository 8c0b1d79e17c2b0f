"""Every decimal number of the README, outside of tables that are written from files, and the file that it came from."""

import re
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest

from bgbias import files

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROSE = re.sub(
    r"<!-- table: .*?<!-- end -->|^    .*?$|\([^)\s]*\)|arXiv:\S+|Python\s3\.\d+ to 3\.\d+",
    "",
    README,
    flags=re.S | re.M,
)
FIGURES = {  # as it stands there -> file, keys, factor
    "90.8": ("metrics/evaluate/demo/base.json", ("demo", "base", "clean", "recall_at_1"), 100),
    "25.5": ("metrics/evaluate/demo/base.json", ("demo", "base", "swapped", "recall_at_1"), 100),
    "56.7": ("metrics/evaluate/demo/base.json", ("demo", "base", "new_scene", "recall_at_1"), 100),
}
OWN = ("metrics/studies/packages_own_backgrounds.json", "differences", "bgaugment - base")
FIGURES |= {
    text: (OWN[0], (*OWN[1:], f"recall_at_1_{view}", "difference"), 100)
    for text, view in {"16.8": "swapped", "7.7": "second_pool"}.items()
}
SWAPPED = ("recall_at_1_swapped", "difference")
PLACES = "metrics/studies/packages_places.json"
FIGURES |= {
    text: (PLACES, ("differences", f"{regime} - base", *SWAPPED), 100)
    for text, regime in {"16.5": "bgaugment", "15.4": "bgconsistency"}.items()
}
FIGURES |= {
    text: ("metrics/studies/grocery_isnet_places.json", ("differences", f"{regime} - base", *SWAPPED), 100)
    for text, regime in {"10.2": "bgaugment", "9.3": "bgconsistency"}.items()
}
RISING = ("one_place_rising - one_place_base", "recall_at_1_elsewhere", "difference")
FIGURES |= {
    text: (f"metrics/studies/packages_{study}trained_places.json", ("differences", *RISING), 100)
    for text, study in {"15.1": "", "12.6": "arcface_"}.items()
}
OFF_THE_SHELF = "remedies_packages_lite0_96px"
for text, change, scale in (("22.5", "change_elsewhere", 100), ("12.0", "change_same_place", -100)):
    path = (OFF_THE_SHELF, "remedies", "grey_crop_both", change, "recall_at_1", "value")
    FIGURES[text] = (f"metrics/studies/{OFF_THE_SHELF}.json", path, scale)
MOVES = ROOT / "metrics/studies/moves"
ENDS = {"1.3": min, "3.4": max}  # of what a swap costs beyond a move, in points
SPREAD = {"3.5": "recall_at_1_clean", "4.2": "map_at_r_clean"}  # by how much a processor moves a figure, in points
MOVED_APART = {"5.0": "recall_at_1_clean", "6.8": "map_at_r_clean"}  # likewise the difference of two regimes


def test_every_decimal_number_is_listed():
    assert set(re.findall(r"(?<![\w.])\d+\.\d+(?![\w.]*\d)", PROSE)) == {*FIGURES, *ENDS, *SPREAD, *MOVED_APART}


@pytest.mark.parametrize("text", FIGURES)
def test_it_is_what_its_file_holds(text):
    path, keys, factor = FIGURES[text]
    assert f"{factor * files.read_json(ROOT / path, *keys):.1f}" == text


def test_what_a_swap_costs_beyond_a_move():
    beyond = [100 * files.read_json(path, "beyond", "recall_at_1", "value") for path in MOVES.glob("*.json")]
    assert {text: f"{end(beyond):.1f}" for text, end in ENDS.items()} == {text: text for text in ENDS}


def test_how_far_processors_move_the_demo():
    found = pd.read_csv(ROOT / "docs/spread.csv").set_index("regime").drop(columns="arithmetic")
    moved = (found - found.groupby(level=0).transform("first")).abs().max() * 100
    assert {text: f"{moved[column]:.1f}" for text, column in SPREAD.items()} == {text: text for text in SPREAD}
    assert moved.filter(like="recall").max() == moved["recall_at_1_clean"] and moved.max() == moved["map_at_r_clean"]
    found["machine"] = found.groupby(level=0).cumcount()
    wide = found.set_index("machine", append=True).unstack("regime")
    pairs = combinations(("base", "bgaugment", "bgconsistency"), 2)
    apart = pd.DataFrame([_moved(wide.xs(b, axis=1, level=1) - wide.xs(a, axis=1, level=1)) for a, b in pairs]).max()
    assert {text: f"{apart[column]:.1f}" for text, column in MOVED_APART.items()} == {
        text: text for text in MOVED_APART
    }
    assert apart.filter(like="recall").max() == apart["recall_at_1_clean"] and apart.max() == apart["map_at_r_clean"]


def _moved(differences: pd.DataFrame) -> pd.Series:
    """By how much, at most, in points, each column differs from its first row."""
    return (differences - differences.iloc[0]).abs().max() * 100
