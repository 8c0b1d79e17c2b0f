"""The packages of the grocery dataset, on a few files laid out like it."""

import pytest

from bgbias.datasets import grocery, packages


@pytest.fixture
def raw(tmp_path):
    """Lists of every class id, each with a photo in each list; 28 to 58 are packages."""
    names = {number: f"Product-{number}" for number in range(81)}
    header = "Class Name (str),Class ID (int),Coarse Class Name (str),Coarse Class ID (int),Iconic,Description\n"
    lines = [f"{name},{number},Any,0,/i.jpg,/d.txt\n" for number, name in names.items()]
    (tmp_path / "classes.csv").write_text(header + "".join(lines))
    for part in ("train", "val", "test"):
        kinds = {number: "Packages" if 28 <= number <= 58 else "Fruit" for number in names}
        rows = [f"{part}/{kinds[number]}/Any/{name}/1.jpg, {number}, 0\n" for number, name in names.items()]
        (tmp_path / f"{part}.txt").write_text("".join(rows))
    return tmp_path


def test_only_packages_are_listed_and_every_third_product_is_in_each_split(raw):
    table = packages.image_table(raw)
    assert len(table) == 3 * 31 and table.path.str.contains("/Packages/").all()
    products = table.drop_duplicates("class_id").set_index("class_id")
    assert len(products) == 31 and table.groupby("class_id").split.nunique().eq(1).all()
    assert products.split.value_counts().to_dict() == {"train": 11, "val": 10, "test": 10}
    assert products.split[[28, 29, 30, 58]].tolist() == ["train", "test", "val", "train"]
    assert products.class_name[40] == "Product-40"


def test_only_packages_are_taken_from_grocery_at_its_revision():
    parts = {"classes.csv"} | {f"{split}{end}" for split in ("train", "val", "test") for end in (".txt", "/Packages")}
    assert set(packages.PUBLIC.parts) == parts and packages.PUBLIC.count == 1745 + 4
    assert packages.PUBLIC._replace(parts=(), count=0, checksum="") == grocery.PUBLIC._replace(
        parts=(), count=0, checksum=""
    )
    assert len(packages.PUBLIC.checksum) == 64
