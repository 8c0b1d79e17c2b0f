"""Other backgrounds to swap in: landscapes and abstract pictures, unlike the rooms of the photos."""

from collections.abc import Callable

import cv2
import numpy as np

from bgbias.render import graphics, landscapes
from bgbias.seeding import generator

FINER = 2  # painted larger and shrunk, for smooth edges
STYLES: tuple[Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray], ...] = (
    landscapes.bokeh,
    graphics.circles,
    landscapes.city,
    graphics.collage,
    landscapes.clouds,
    graphics.polygons,
    landscapes.forest,
    graphics.ribbons,
    landscapes.leaves,
    graphics.tartan,
    landscapes.mountains,
    graphics.waves,
    landscapes.pebbles,
)


def swap(pool: str, number: int, seed: int, size_px: int) -> np.ndarray:
    """Paints a background; the styles take turns.

    Args:
        pool: "val" or "test"; their pictures are drawn independently.
        number: of the picture, from 0.
        seed: the dataset's.
        size_px: width and height.

    Returns:
        float32 (size_px, size_px, 3), R, G, B in [0, 1].
    """
    r = generator(seed, f"demo background {pool}", number)
    n = size_px * FINER
    x, y = np.meshgrid(*[(np.arange(n, dtype=np.float32) + np.float32(0.5)) / np.float32(n)] * 2)
    picture = STYLES[number % len(STYLES)](x, y, r).astype(np.float32)
    return np.clip(cv2.resize(picture, (size_px, size_px), interpolation=cv2.INTER_AREA), 0, 1)
