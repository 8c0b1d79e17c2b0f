"""CUB-200-2011: 11,788 photos of 200 bird species (Wah et al., 2011), with the official masks where they are given.

Split by species: the first 100 are train and val, the last 100 test. For masks.cub200.method `given`, put the
official segmentations into data/sources/cub200, as segmentations.tgz or extracted.
"""

from pathlib import Path

import pandas as pd

from bgbias import files
from bgbias.config.data import Fetched
from bgbias.datasets import published

COUNTS = published.Counts(images=11_788, classes=200, val_from=75, test_from=100, test_images=5_924)
PHOTOS = published.Archive(
    file="CUB_200_2011.tgz",
    url="https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz",
    page="https://data.caltech.edu/records/65de6-vp158",
    md5="97eceeb196236b17998738112f37df78",
    size_bytes=1_150_585_339,
    wanted=r"(?:[^/]+/)?(images\.txt|image_class_labels\.txt|images/[^/]+/[^/.][^/]*\.(?i:jpg))",
)
MASKS = published.Archive(
    file="segmentations.tgz",
    url="https://data.caltech.edu/records/w9d68-gec53/files/segmentations.tgz",
    page="https://data.caltech.edu/records/w9d68-gec53",
    md5="4d47ba1228eae64f2fa547c47bc65255",
    size_bytes=39_272_883,
    wanted=r"(?:[^/]+/)?(segmentations/[^/]+/[^/.][^/]*\.png)",
)


def fetch(out: Path, options: Fetched) -> None:
    """Take the photos from data/sources/cub200 or from CaltechDATA, and masks from data/sources/cub200 only.

    Raises:
        FileNotFoundError, ConnectionError, ValueError: see `published.take` and `published.checked`.
    """
    folder = published.local("cub200")
    masks = any((folder / path).exists() for path in (MASKS.file, "segmentations", "CUB_200_2011/segmentations"))
    with files.whole_folder(out) as partial:
        origin = published.take("cub200", PHOTOS, partial, beside=r"segmentations(\.tgz)?")
        published.checked(_listed, COUNTS, partial, *origin)
        if masks:
            origin = published.take("cub200", MASKS, partial)
            published.checked(_listed, COUNTS, partial, *origin)  # again: each message names its own source
    published.downloaded(PHOTOS).unlink(missing_ok=True)


def image_table(raw: Path) -> pd.DataFrame:
    """List the photos: columns path, class_id (from 0), class_name, split, and mask_path where there are masks.

    Raises:
        FileNotFoundError, ValueError: see `published.checked`.
    """
    return published.checked(_listed, COUNTS, raw)


def _listed(raw: Path) -> pd.DataFrame:
    names = pd.read_csv(raw / "images.txt", sep=" ", names=["image", "path"])
    labels = pd.read_csv(raw / "image_class_labels.txt", sep=" ", names=["image", "label"], dtype=int)
    photos = names.merge(labels, on="image", validate="one_to_one")
    table = pd.DataFrame(
        {
            "path": "images/" + photos.path,
            "class_id": photos.label - 1,
            "class_name": photos.path.str.partition("/")[0],
        }
    )
    if (raw / "segmentations").is_dir():
        table["mask_path"] = "segmentations/" + photos.path.str.removesuffix(".jpg") + ".png"
    return table
