"""What a number of photos is enough for."""

from pathlib import Path

import pandas as pd
import pytest

from bgbias.metrics import sample_size


def table(**sizes: list[int]) -> pd.DataFrame:
    """A table with classes of these numbers of photos; train and val are large enough unless given."""
    sizes = {"train": [5] * 20, "val": [5] * 20} | sizes
    rows = [(f"{split}{k}", split) for split in sizes for k, size in enumerate(sizes[split]) for _ in range(size)]
    return pd.DataFrame(rows, columns=["class_name", "split"])


def test_nothing_is_said_of_enough_photos():
    assert sample_size.limits(table(test=[10] * 10), Path("own")) == []


def test_the_resolution_of_few_queries_is_said():
    (found,) = sample_size.limits(table(test=[2] * 32), Path("own"))
    assert found.startswith("64 test queries: one of them is 1.6 points of Recall@1, and chance alone moves it by")
    assert "by up to 12 points either way, a difference of two by up to 17. A larger drop" in found  # 1.96 * 50 / 8


def test_of_classes_that_are_too_few_to_conclude_anything_no_drop_is_said_to_be_concluded():
    said = {classes: sample_size.limits(table(test=[4] * classes), Path("own"))[0] for classes in (4, 5)}
    assert said[4].endswith("a difference of two by up to 35. Add test photos.")
    assert said[5].endswith(
        "A larger drop can be concluded; a smaller one, or which loss is better, cannot. Add test photos."
    )


def test_few_classes_are_said_with_what_guessing_finds():
    (found,) = sample_size.limits(table(test=[100, 100]), Path("own"))
    assert "2 test classes" in found and "guessing would find the right one for 50 %" in found  # 99 of 199


def test_of_queries_that_are_not_in_the_gallery_these_count():
    """Three queries of a and one of b; b and c have one photo of six in the gallery, d has queries alone."""
    found = sample_size.few(pd.Series(list("aaaabc" + "aaabd")), gallery=6)
    assert len(found) == 2 and found[0].startswith("4 queries: one of them is 25.0 points")
    assert found[1].startswith("2 classes: ") and "guessing would find the right one for 54 %" in found[1]  # 13 of 24


def test_of_queries_that_are_drawn_these_count():
    """Of 400 queries of 40 classes eight of two classes; of each class nine other photos of 399 are there."""
    names = pd.Series([f"class {kind}" for kind in range(40)] * 10)
    assert sample_size.few(names) == []
    found = sample_size.few(names, drawn=pd.Series(["class 0", "class 1"] * 4))
    assert found[0].startswith("8 queries: one of them is 12.5 points") and found[0].endswith("Draw more queries.")
    assert found[1].startswith("2 classes: ") and "the right one for 2 %" in found[1]


def test_classes_of_one_photo_are_no_queries_and_are_said():
    (found,) = sample_size.limits(table(test=[10] * 10 + [1] * 3), Path("own"))
    assert found.startswith("3 test classes with a single photo: found by mistake only, never searched for.")


def test_a_class_of_one_photo_counts_among_neither_queries_nor_classes_but_may_be_guessed():
    queries, classes, _ = sample_size.limits(table(test=[3, 3, 1]), Path("own"))
    assert queries.startswith("6 test queries") and classes.startswith("2 test classes")
    assert "the right one for 33 %" in classes  # 2 of the 6 other photos


def test_one_query_and_one_class_too_few_are_said():
    queries, classes = sample_size.limits(table(test=[11] * 9), Path("own"))
    assert queries.startswith("99 test queries") and classes.startswith("9 test classes")


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_a_split_without_two_classes_of_two_photos_is_refused(split):
    sizes = {"test": [10] * 10} | {split: [3, 1, 1]}
    with pytest.raises(ValueError, match=f"own: 1 {split} classes of two photos or more, and each .* needs 2: add"):
        sample_size.limits(table(**sizes), Path("own"))
