"""Stanford Online Products."""

from pathlib import Path

import pytest
from study_originals import SPLITS, fetched, give

from bgbias import files
from bgbias.datasets import sop
from bgbias.photos.table import check_table


@pytest.mark.parametrize(
    "given", [["Stanford_Online_Products.zip"], ["write_sop"], ["write_sop/Stanford_Online_Products"]]
)
def test_sop(work, given):
    give("sop", *given)
    raw = fetched(sop)
    table = sop.image_table(raw)
    assert table.path[4] == "coffee_maker_final/112_0.JPG"
    assert (raw / table.path[4]).read_text() == f"Stanford_Online_Products/{table.path[4]}"
    assert table.class_id.tolist() == [0, 0, 1, 1, 2, 2, 3, 3] and table.split.tolist() == SPLITS
    assert table.class_name.unique().tolist() == ["bicycle 1", "bicycle 2", "coffee_maker 3", "table 4"]
    assert check_table(table, raw).image_id.tolist() == list(range(8))


def test_a_large_count_reads_well(work, monkeypatch):
    monkeypatch.setattr(sop, "COUNTS", sop.COUNTS._replace(images=120_053))
    give("sop", "write_sop")
    with pytest.raises(ValueError, match="8 images, expected 120,053"):
        fetched(sop)


def test_photos_lost_from_the_raw_data_are_found_again(work):
    give("sop", "write_sop")
    raw = fetched(sop)
    for photo in ("bicycle_final/110_0.JPG", "coffee_maker_final/112_1.JPG"):
        (raw / photo).unlink()
    mend = "remove data/raw/out and run `dvc repro`, which fetches it again"
    with pytest.raises(
        FileNotFoundError, match=f"data/raw/out: bicycle_.*_0.JPG and 1 more listed, but missing: {mend}"
    ):
        sop.image_table(raw)


def test_a_broken_dataset_does_not_replace_a_whole_one(work):
    give("sop", "write_sop")
    before = files.checksum(fetched(sop))
    Path("data/sources/sop/Stanford_Online_Products/Ebay_test.txt").unlink()
    with pytest.raises(FileNotFoundError, match="Ebay_test.txt is missing"):
        fetched(sop)
    assert files.checksum(Path("data/raw/out")) == before and len(list(Path("data/raw").iterdir())) == 1
