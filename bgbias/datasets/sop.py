"""Stanford Online Products: 120,053 photos of 22,634 products sold on eBay (Oh Song et al., CVPR 2016).

Split by product: those of Ebay_train.txt are train and val, those of Ebay_test.txt test.
"""

from pathlib import Path

import pandas as pd

from bgbias import files
from bgbias.config.data import Fetched
from bgbias.datasets import published
from bgbias.errors import InputError

COUNTS = published.Counts(images=120_053, classes=22_634, val_from=8_489, test_from=11_318, test_images=60_502)
PHOTOS = published.Archive(
    file="Stanford_Online_Products.zip",
    url="https://drive.usercontent.google.com/download"
    "?id=1TclrpQOF_ullUP99wk_gjGN8pKvtErG8&export=download&authuser=0&confirm=t",
    page="https://github.com/rksltnl/Deep-Metric-Learning-CVPR16",
    md5="7f73d41a2f44250d4779881525aea32e",
    size_bytes=None,
    wanted=r"(?:[^/]+/)?(Ebay_train\.txt|Ebay_test\.txt|\w+_final/[^/.][^/]*\.(?i:jpg))",
)


def fetch(out: Path, options: Fetched) -> None:
    """Take the photos from data/sources/sop or from the authors' Google Drive.

    Raises:
        FileNotFoundError, ConnectionError, ValueError: see `published.take` and `published.checked`.
    """
    with files.whole_folder(out) as partial:
        origin = published.take("sop", PHOTOS, partial)
        published.checked(_listed, COUNTS, partial, *origin)
    published.downloaded(PHOTOS).unlink(missing_ok=True)


def image_table(raw: Path) -> pd.DataFrame:
    """List the photos: columns path, class_id (from 0), class_name (such as "bicycle 1"), split.

    Raises:
        FileNotFoundError, ValueError: see `published.checked`.
    """
    return published.checked(_listed, COUNTS, raw)


def _listed(raw: Path) -> pd.DataFrame:
    parts = [pd.read_csv(raw / f"Ebay_{part}.txt", sep=" ", dtype={"class_id": int}) for part in ("train", "test")]
    photos = pd.concat(parts, ignore_index=True)
    class_id = photos["class_id"] - 1
    if list(class_id >= COUNTS.test_from) != [False] * len(parts[0]) + [True] * len(parts[1]):
        raise InputError(f"class ids up to {COUNTS.test_from:,} belong in Ebay_train.txt, the others in Ebay_test.txt")
    names = photos["path"].str.partition("_final/")[0] + " " + photos["class_id"].astype(str)
    return pd.DataFrame({"path": photos["path"], "class_id": class_id, "class_name": names})
