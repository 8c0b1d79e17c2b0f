"""Masks written as rows of digits, and their comparison by a plain loop."""

import numpy as np


def mask(*rows):
    return np.array([[255 * int(pixel) for pixel in row] for row in rows], dtype=np.uint8)


def brute_force(automatic, hand):
    both = either = found = true = 0
    for a, h in zip(automatic.flat, hand.flat, strict=True):
        both += a >= 128 and h >= 128
        either += a >= 128 or h >= 128
        found += a >= 128
        true += h >= 128
    return {"iou": both / either, "overlap": both / true, "precision": both / found}
