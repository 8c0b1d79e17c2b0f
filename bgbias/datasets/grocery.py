"""The Grocery Store Dataset: 5,421 phone photos of 81 products (Klasson et al., WACV 2019, MIT licence).

Split by product, not by photo: even class ids train (41 products, 2,781 photos), ids 1, 5, 9, ... test (20 and
1,237), ids 3, 7, 11, ... val (20 and 1,403). The ids run through the 43 coarse classes in order, so each split
has products of fruit, vegetables and packages alike.
"""

from pathlib import Path

import pandas as pd

from bgbias import files
from bgbias.config.data import Fetched
from bgbias.datasets import sources
from bgbias.photos.table import REFETCH, SPLITS

PUBLIC = sources.Public(
    name="grocery",
    url="https://github.com/marcusklasson/GroceryStoreDataset",
    folder="dataset",
    revision="fc80ba90f803d79d0383df52c5a4ac5de99ff6fc",
    parts=("classes.csv", "train.txt", "val.txt", "test.txt", *SPLITS),
    count=5425,
    checksum="5e1e1f1fc8d5898030bc5259ba877a4a8e51818bb68c784990b74f06c5972bff",
)
LISTED = {"names": ["path", "class_id", "coarse"], "dtype": {"class_id": int}}
SPLIT_OF_ID = ("train", "test", "train", "val")  # by class id modulo 4


def fetch(out: Path, options: Fetched) -> None:
    """Take the dataset from data/sources/grocery or from its repository."""
    sources.fetch(PUBLIC, out)


def image_table(raw: Path) -> pd.DataFrame:
    """List the photos: columns path, class_id, class_name, split."""
    table = listed(raw)
    return table.assign(split=[SPLIT_OF_ID[number % 4] for number in table.class_id])


def listed(raw: Path) -> pd.DataFrame:
    """List the photos of all three lists by path, without the splits of this project."""
    mend = REFETCH.format(raw)
    classes = files.read_csv(raw / "classes.csv", ["Class ID (int)", "Class Name (str)"], mend, whole=False)
    names = dict(zip(classes["Class ID (int)"], classes["Class Name (str)"], strict=True))
    lists = [files.read_csv(raw / f"{part}.txt", [], mend, whole=False, **LISTED) for part in SPLITS]
    table = pd.concat(lists, ignore_index=True).sort_values("path", ignore_index=True)
    return table.assign(class_name=table.class_id.map(names))[["path", "class_id", "class_name"]]
