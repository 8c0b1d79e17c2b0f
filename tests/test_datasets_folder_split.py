"""How the classes of own photos are split."""

import pandas as pd
import pytest

from bgbias.datasets import folder
from bgbias.photos.table import SPLITS


def split_of(classes: int, seed: int = 1, shares: tuple = (0.25, 0.25)) -> dict[str, str]:
    names = pd.Series([f"class{number}" for number in range(classes)] * 2)
    return dict(zip(names, folder.split_classes(names, seed, *shares), strict=True))


@pytest.mark.parametrize(
    ("classes", "shares", "expected"),
    [
        (40, (0.25, 0.25), (20, 10, 10)),
        (40, (0.1, 0.3), (24, 4, 12)),
        (6, (0.25, 0.25), (2, 2, 2)),
        (11, (0.25, 0.15), (6, 3, 2)),
        (9, (0, 0), (5, 2, 2)),
    ],
)
def test_classes_are_split_by_shares_and_two_at_least(classes, shares, expected):
    found = list(split_of(classes, shares=shares).values())
    assert tuple(found.count(split) for split in SPLITS) == expected


def test_the_split_depends_on_the_seed_and_not_on_the_order():
    names = pd.Series([name for name in split_of(40) for _ in range(2)])[::-1]
    assert dict(zip(names, folder.split_classes(names, 1, 0.25, 0.25), strict=True)) == split_of(40)
    assert split_of(40, seed=2) != split_of(40)


def test_a_class_of_one_photo_is_never_trained_on():
    names = pd.Series([*"aabbccddeeff", *"ghijk"])
    assert folder.split_classes(names, 1, 0.25, 0.25)[-5:].eq("test").all()
