"""What the photos of a dataset are enough to conclude, and what not."""

import math
from pathlib import Path

import pandas as pd

from bgbias.errors import InputError
from bgbias.photos.table import SPLITS

ENOUGH_CLASSES, ENOUGH_QUERIES = 10, 100  # in the test split; from there on nothing is said
FEWEST = 5  # classes: of fewer nothing is concluded; simulated, intervals of so few hold the truth in 92 of 100 cases


def limits(table: pd.DataFrame, where: Path) -> list[str]:
    """Say what scores of the test photos cannot show.

    A query needs another photo of its class. Recall@1 of n queries moves in steps of 100 / n points. Over other
    photos of the same classes, it would lie within 1.96 * 50 / sqrt(n) points of what was measured in 95 of 100
    cases: the normal approximation for independent queries at its widest, a score of 50 %. Queries that find each other
    are not independent: simulated, half of them right, it moves by up to a quarter more, and lies within in 87 of 100
    cases at least. The difference of two such scores that have nothing in common moves by sqrt(2) times as much.
    Guessing finds the right class for the mean share that a query's class has of the other photos.

    Args:
        table: columns class_name and split.
        where: of what folder, for the message.

    Returns:
        A sentence or two for each limit; nothing where there are enough photos and classes.

    Raises:
        ValueError: a split has fewer than two classes of two photos, so that a query has no right answer or no
            wrong one.

    >>> names = {"train": "abcd", "val": "ef", "test": "ghij"}
    >>> rows = [(name, split) for split in names for name in 4 * names[split]]
    >>> for limit in limits(pd.DataFrame(rows, columns=["class_name", "split"]), Path("photos")):
    ...     print(limit)
    16 test queries: one of them is 6.2 points of Recall@1, and chance alone moves it by up to 24 points either \
way, a difference of two by up to 35. Add test photos.
    4 test classes: scores hold for these and say little about others; guessing would find the right one for 20 %. \
Add classes.
    """
    for split in SPLITS:
        pairs = int((table[table.split == split].class_name.value_counts() > 1).sum())
        if pairs < 2:
            raise InputError(
                f"{where}: {pairs} {split} classes of two photos or more, and each of train, val and test needs 2: "
                "add classes or photos, or split them otherwise"
            )
    return few(table[table.split == "test"].class_name, "test ")


def few(
    class_names: pd.Series, kind: str = "", gallery: int | None = None, drawn: pd.Series | None = None
) -> list[str]:
    """Say what scores of photos of these classes cannot show; see `limits`.

    Args:
        class_names: of each photo.
        kind: what queries and classes are called, such as "test ".
        gallery: how many of the photos, the first ones, are searched; None: all. Where not all are, the others are the
            queries.
        drawn: class of each query that is asked; None: all are.
    """
    gallery = len(class_names) if gallery is None else gallery
    own = int(gallery == len(class_names))  # a query among the references does not find itself
    sizes, every = class_names[:gallery].value_counts(), class_names[0 if own else gallery :].value_counts()
    asked = every if drawn is None else drawn.value_counts()
    others = sizes.reindex(asked.index, fill_value=0) - own
    searched, singles, sentences = asked[others > 0], int((sizes == 1).sum()) * own, []
    queries = int(searched.sum())
    more = f"Add {kind}photos." if drawn is None else "Draw more queries."
    if queries < ENOUGH_QUERIES:
        moved = 1.96 * 50 / math.sqrt(queries)
        concluded = "A larger drop can be concluded; a smaller one, or which loss is better, cannot. "
        sentences.append(
            f"{queries} {kind}queries: one of them is {100 / queries:.1f} points of Recall@1, and chance alone moves "
            f"it by up to {moved:.0f} points either way, a difference of two by up to {math.sqrt(2) * moved:.0f}. "
            f"{concluded * (len(searched) >= FEWEST)}{more}"
        )
    if len(searched) < ENOUGH_CLASSES:
        guessed = (asked * others).sum() / (gallery - own) / queries
        sentences.append(
            f"{len(searched)} {kind}classes: scores hold for these and say little about others; guessing would find "
            f"the right one for {100 * guessed:.0f} %. Add classes."
        )
    if singles:
        sentences.append(
            f"{singles} {kind}classes with a single photo: found by mistake only, never searched for. "
            "Add a second photo to count them."
        )
    return sentences
