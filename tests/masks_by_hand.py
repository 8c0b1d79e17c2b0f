"""Masks written as rows of digits, and their comparison by a plain loop."""

import numpy as np

from bgbias.photos.foreground import OBJECT


def mask(*rows):
    return np.array([[255 * int(pixel) for pixel in row] for row in rows], dtype=np.uint8)


def brute_force(automatic, hand):
    both = either = found = true = 0
    for a, h in zip(automatic.flat, hand.flat, strict=True):
        both += a >= OBJECT and h >= OBJECT
        either += a >= OBJECT or h >= OBJECT
        found += a >= OBJECT
        true += h >= OBJECT
    return {"iou": both / either, "overlap": both / true, "precision": both / found}
