"""Whether a dataset's classes fill a batch, and how many pictures of a class it holds."""

import math

from bgbias.errors import InputError


def refuse_unfilled(dataset: str, batch_size: int, per_class: int, paired: bool, classes: int) -> None:
    """Raise InputError for a batch that the classes for training do not fill, or that holds no whole pairs.

    Args:
        dataset: its name.
        batch_size: in pictures.
        per_class: pictures of a class in a batch.
        paired: whether each photo is in it twice.
        classes: that are for training.

    >>> refuse_unfilled("demo", batch_size=32, per_class=4, paired=False, classes=8)
    >>> refuse_unfilled("demo", batch_size=32, per_class=4, paired=True, classes=7)
    Traceback (most recent call last):
    bgbias.errors.InputError: demo: batch_size 32 needs 8 classes (per_class 4), and 7 are for training: lower \
train.demo.batch_size to 28, or raise the loss's per_class
    """
    if paired and batch_size % 2:
        raise InputError(
            f"{dataset}: batch_size {batch_size} holds no whole pairs: make train.{dataset}.batch_size even"
        )
    photos, each = batch_size // (1 + paired), max(1, per_class // (1 + paired))
    if photos > each * classes:
        most = each * classes * (1 + paired)
        raise InputError(
            f"{dataset}: batch_size {batch_size} needs {math.ceil(photos / each)} classes (per_class {per_class}), and "
            f"{classes} are for training: lower train.{dataset}.batch_size to {most}, or raise the loss's per_class"
        )


def without_half_pairs(per_class: int, paired: bool) -> str:
    """Say how many pictures of a class a batch holds where an odd per_class is of pairs; "" where it is as asked.

    Of a per_class of 1 there is a pair.

    >>> without_half_pairs(5, paired=True)
    'per_class 5 is no whole pairs: a batch has 4 pictures of a class, as with 4'
    >>> [without_half_pairs(*asked) for asked in ((4, True), (1, True), (5, False))]
    ['', '', '']
    """
    whole = per_class // 2 * 2
    if not paired or whole in (0, per_class):
        return ""
    return f"per_class {per_class} is no whole pairs: a batch has {whole} pictures of a class, as with {whole}"
