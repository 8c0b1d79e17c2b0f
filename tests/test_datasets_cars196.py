"""Cars196, as originally published and as Kaggle serves it."""

import shutil

import pytest
from study_originals import MODELS, SPLITS, fetched, give

from bgbias.datasets import cars196
from bgbias.photos.table import check_table


@pytest.mark.parametrize(
    "given", [["car_ims.tgz", "cars_annos.mat"], ["write_original_cars"], ["write_original_cars > cars"]]
)
def test_cars196_as_originally_published(work, given):
    give("cars196", *given)
    raw = fetched(cars196)
    table = cars196.image_table(raw)
    assert table.path.tolist() == [f"car_ims/{number:06d}.jpg" for number in range(1, 9)]
    assert table.class_id.tolist() == [0, 0, 1, 1, 2, 2, 3, 3] and table.split.tolist() == SPLITS
    assert table.class_name.tolist() == [name for name in MODELS for _ in range(2)]
    check_table(table, raw)


@pytest.mark.parametrize(
    "given",
    [
        ["stanford-car-dataset-by-classes-folder.zip"],
        ["stanford-car-dataset-by-classes-folder.zip > archive.zip"],
        ["write_kaggle_cars"],
        ["write_kaggle_cars > stanford-car-dataset-by-classes-folder"],
    ],
)
def test_cars196_as_kaggle_serves_it(work, given):
    give("cars196", *given)
    raw = fetched(cars196)
    table = cars196.image_table(raw)
    assert table.class_id.tolist() == [0, 1, 2, 3] * 2 and table.class_name.tolist() == MODELS * 2
    assert table.split.tolist() == ["train", "train", "val", "test"] * 2  # not Kaggle's split by photo
    assert table.path[2] == "car_data/car_data/train/Ram C-V Cargo Van Minivan 2012/00003.jpg"
    assert [(raw / path).read_text() for path in table.path] == table.path.tolist()
    check_table(table, raw)


def test_both_layouts_of_cars196_have_the_same_photos_per_class(work):
    tables = []
    for given in (["car_ims.tgz", "cars_annos.mat"], ["write_kaggle_cars"]):
        shutil.rmtree(give("cars196"))
        give("cars196", *given)
        tables.append(cars196.image_table(fetched(cars196)))
    sizes = [table.groupby(["class_id", "class_name", "split"]).size() for table in tables]
    assert sizes[0].equals(sizes[1])


def test_photos_without_their_annotations_are_refused(work):
    give("cars196", "car_ims.tgz")
    with pytest.raises(
        FileNotFoundError,
        match="cars196/car_ims.tgz: cars_annos.mat is missing: put cars_annos.mat beside it, or replace",
    ):
        fetched(cars196)


def test_of_two_zips_the_user_has_to_choose(work):
    zipped = "stanford-car-dataset-by-classes-folder.zip"
    give("cars196", f"{zipped} > archive.zip", f"{zipped} > other.zip")
    with pytest.raises(
        ValueError, match="sources/cars196: archive.zip and other.zip: keep the one that holds names.csv"
    ):
        fetched(cars196)


def test_another_zip_is_not_taken_for_kaggle_s(work):
    give("cars196", "Stanford_Online_Products.zip")
    with pytest.raises(FileNotFoundError, match="Products.zip: holds none of the files of .*: replace"):
        fetched(cars196)
