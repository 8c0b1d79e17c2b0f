"""What the pipeline is to be told to train on an audited folder of few classes, so that it runs and can be judged."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from bgbias.audit.verdict.grade import FEWEST
from bgbias.config import params
from bgbias.datasets import listed
from bgbias.datasets.folder import split_classes
from bgbias.photos.table import SPLITS

LEAST = 2  # classes of two photos in each split, which the pipeline needs


class OwnSplit(NamedTuple):
    """How classes are split, and what is to be changed for that.

    Attributes:
        changes: parameter -> value, where the defaults do not do.
        classes: that are for training; 0: a split has too few.
        tested: that have queries in the split test.
    """

    changes: dict[str, str]
    classes: int
    tested: int


def of_folder(folder: Path, class_names: pd.Series, settings: params.Params) -> OwnSplit:
    """Choose what to change, for training on single photos and in pairs.

    Args:
        folder: of the photos; its photos.csv may name splits.
        class_names: of each audited photo: of all, where no splits are named.
        settings: of params.yaml.
    """
    options, loss = settings.data["own"], getattr(settings.losses, settings.loss)
    batch_size, per_class = settings.train["own"].batch_size, loss.overrides.get("own", {}).get("per_class")
    per_class = per_class or loss.per_class
    table, test_share = _listed(folder), options.test_share
    if not any(table.split):
        names = class_names[class_names.map(class_names.value_counts()) > 1]
        drawn = split_classes(names, options.seed, options.val_share, test_share)
        table = pd.DataFrame({"class_name": names, "split": drawn})
        more = FEWEST - _count(table, "test")
        if more > 0 and _count(table, "train") - more >= FEWEST:  # of fewer tested nothing is concluded
            test_share = round(FEWEST / names.nunique(), 2)
            table["split"] = split_classes(names, options.seed, options.val_share, test_share)
    if any((table.class_name[table.split == split].value_counts() > 1).sum() < LEAST for split in SPLITS):
        return OwnSplit({}, 0, 0)
    classes = _count(table, "train")
    fits = min(batch_size, per_class * classes // 2 * 2, max(1, per_class // 2) * 2 * classes)  # as pairs at last
    changes = {} if test_share == options.test_share else {"data.own.test_share": str(test_share)}
    changes |= {} if fits == batch_size else {"train.own.batch_size": str(fits)}
    return OwnSplit(changes, classes, _count(table, "test"))


def _listed(folder: Path) -> pd.DataFrame:
    return listed.read(folder) if (folder / listed.LIST).is_file() else pd.DataFrame({"split": []})


def _count(table: pd.DataFrame, split: str) -> int:
    return table.class_name[table.split == split].nunique()
