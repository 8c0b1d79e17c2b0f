"""The grocery table, on a few files laid out like the dataset."""

from bgbias.datasets import grocery


def test_the_table_splits_by_product_over_all_lists(tmp_path):
    header = "Class Name (str),Class ID (int),Coarse Class Name (str),Coarse Class ID (int),Iconic,Description\n"
    names = ["Apple", "Banana", "Pear", "Milk", "Plum"]
    lines = [f"{name},{number},{name},{number},/i.jpg,/d.txt\n" for number, name in enumerate(names)]
    (tmp_path / "classes.csv").write_text(header + "".join(lines))
    for part in ("train", "val", "test"):
        (tmp_path / f"{part}.txt").write_text(
            "".join(f"{part}/{name}/{name}_1.jpg, {number}, {number}\n" for number, name in enumerate(names))
        )
    table = grocery.image_table(tmp_path)
    assert len(table) == 15 and table.path.is_monotonic_increasing
    split_of = dict(zip(table.class_name, table.split, strict=True))
    assert split_of == {"Apple": "train", "Banana": "test", "Pear": "train", "Milk": "val", "Plum": "train"}
    assert table.groupby("class_name").class_id.nunique().eq(1).all()


def test_what_is_fetched_is_pinned():
    assert len(grocery.PUBLIC.revision) == 40 and len(grocery.PUBLIC.checksum) == 64
