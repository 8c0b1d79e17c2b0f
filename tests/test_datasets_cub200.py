"""CUB-200-2011, with the official masks and without."""

from pathlib import Path

import pytest
from study_originals import SPECIES, SPLITS, fetched, give, uri

from bgbias.datasets import cub200
from bgbias.photos.table import check_table


@pytest.mark.parametrize(
    "given",
    [
        ["CUB_200_2011.tgz"],
        ["write_cub"],  # as tar leaves it: a folder CUB_200_2011
        ["write_cub/CUB_200_2011"],  # its content
    ],
)
def test_cub200(work, given):
    give("cub200", *given)
    raw = fetched(cub200)
    table = cub200.image_table(raw)
    assert list(table.columns) == ["path", "class_id", "class_name", "split"]
    assert table.path[2] == "images/002.Auklet/Auklet_1_791.jpg"
    assert (raw / table.path[2]).read_text() == f"CUB_200_2011/{table.path[2]}"
    assert table.class_id.tolist() == [0, 0, 1, 1, 2, 2, 3, 3] and table.split.tolist() == SPLITS
    assert table.class_name.tolist() == [name for name in SPECIES for _ in range(2)]
    assert sorted(path.name for path in raw.iterdir()) == ["image_class_labels.txt", "images", "images.txt"]
    assert len(list(raw.rglob("*.jpg"))) == 8  # and no ._ file of a Mac
    assert not check_table(table, raw).mask_path.any()


@pytest.mark.parametrize(
    "given",
    [
        ["CUB_200_2011.tgz", "segmentations.tgz"],
        ["CUB_200_2011.tgz", "write_masks"],
        ["write_cub", "segmentations.tgz"],
        ["write_cub", "write_masks > CUB_200_2011"],
        ["write_cub/CUB_200_2011", "write_masks"],
    ],
)
def test_cub200_with_the_official_masks(work, given):
    give("cub200", *given)
    raw = fetched(cub200)
    table = check_table(cub200.image_table(raw), raw)
    assert table.mask_path[2] == "segmentations/002.Auklet/Auklet_1_791.png"
    assert [(raw / path).read_text() for path in table.mask_path] == table.mask_path.tolist()


def test_given_masks_go_with_downloaded_photos(work, monkeypatch):
    monkeypatch.setattr(cub200, "PHOTOS", cub200.PHOTOS._replace(url=uri("CUB_200_2011.tgz")))
    folder = give("cub200", "write_masks")
    mask = folder / "segmentations/002.Auklet/Auklet_1_791.png"
    mask.rename("lost")
    missing = "data/sources/cub200: segmentations/002.Auklet/Auklet_1_791.png listed, but missing: replace"
    with pytest.raises(FileNotFoundError, match=missing):
        fetched(cub200)
    monkeypatch.setattr(cub200, "PHOTOS", cub200.PHOTOS._replace(url="file:///nowhere"))
    Path("lost").rename(mask)
    raw = fetched(cub200)  # the archive was kept, and is dropped now
    assert cub200.image_table(raw).mask_path.notna().all() and not list(Path(".checkpoints/downloads").iterdir())
