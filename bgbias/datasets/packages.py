"""The packages of the Grocery Store Dataset: 1,745 phone photos of 31 cartons and cups, mostly one held in a hand.

Fruit and vegetables lie there in heaps that fill the picture, so what is object is not defined: masks by ISNet and
GrabCut have an IoU of 0.28 on all of grocery, of 0.49 on packages, where ISNet's may lose half a carton.

Split by product: of the class ids 28 to 58 every third, from 28 on, trains (11 products, 617 photos), from 30 on it is
val (10 and 557), from 29 on test (10 and 571). The ids run through the coarse classes in order, so each split has
juice, milk and yoghurt; grocery's own split would leave 7 and 8 products for val and test.
"""

from pathlib import Path

import pandas as pd

from bgbias.config.data import Fetched
from bgbias.datasets import grocery, sources
from bgbias.photos.table import SPLITS

PUBLIC = grocery.PUBLIC._replace(
    parts=("classes.csv", *(f"{part}.txt" for part in SPLITS), *(f"{part}/Packages" for part in SPLITS)),
    count=1749,
    checksum="df062693a7bc4bb56895490f5d05a20fecca8b612ae28a9bbfb24e3b167b2890",
)
SPLIT_OF_ID = ("val", "train", "test")  # by class id modulo 3


def fetch(out: Path, options: Fetched) -> None:
    """Take the photos from data/sources/grocery or from grocery's repository."""
    sources.fetch(PUBLIC, out)


def image_table(raw: Path) -> pd.DataFrame:
    """List the photos: columns path, class_id, class_name, split."""
    table = grocery.listed(raw)
    table = table[table.path.str.contains("/Packages/")].reset_index(drop=True)
    return table.assign(split=[SPLIT_OF_ID[number % 3] for number in table.class_id])
