"""Patterns on the objects: what share of the accent colour a point of the surface has."""

import numpy as np


def accent_share(pattern: str, turn: np.ndarray, height: np.ndarray, repeats: int) -> np.ndarray:
    """The share of the accent colour.

    Args:
        pattern: a key of PATTERNS.
        turn: float32 (n,): around the object, in turns; patterns are the same at 0 and 1.
        height: float32 (n,): up the object, in the object's units (most are about 2 units tall).
        repeats: how often the pattern repeats in one turn.

    Returns:
        float32 (n,) in [0, 1].

    >>> turn, height = np.linspace(0, 1, 5), np.zeros(5)
    >>> accent_share("bars", turn + 0.01, height, 2).tolist()
    [1.0, 0.0, 1.0, 0.0, 1.0]
    """
    across = turn * repeats
    # An object of radius 1/2 is about 3.1 units around: cells come out square there.
    up = height * (repeats / 3.1)
    share = PATTERNS[pattern](across, up, height)
    return np.broadcast_to(share, turn.shape).astype(np.float32)


def _dots(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    staggered = across + 0.5 * (np.floor(up) % 2)
    return _from_middle(staggered) ** 2 + _from_middle(up) ** 2 < 0.09


def _speckles(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Irregular specks: each cell of a fine grid holds one, at a place and of a size of its own."""
    column, row = np.floor(3 * across), np.floor(3 * up)
    scatter = np.sin(column * 12.99 + row * 78.23) * 43.76 % 1  # arbitrary, but always the same
    x, y = 3 * across % 1 - 0.3 - 0.4 * scatter, 3 * up % 1 - 0.3 - 0.4 * (7 * scatter % 1)
    return x**2 + y**2 < 0.05 * (13 * scatter % 1)


def _from_middle(position: np.ndarray) -> np.ndarray:
    """The distance from the middle of a cell, -0.5 to 0.5."""
    return position % 1 - 0.5


# From places in cells (across and up) and the height in units: where the accent colour is.
PATTERNS = {
    "solid": lambda across, up, height: np.float32(0),
    "stripes": lambda across, up, height: up % 1 < 0.5,
    "bars": lambda across, up, height: across % 1 < 0.5,
    "checks": lambda across, up, height: (across % 1 < 0.5) ^ (up % 1 < 0.5),
    "dots": lambda across, up, height: _dots(across, up),
    "speckles": lambda across, up, height: _speckles(across, up),
    "zigzag": lambda across, up, height: (up + np.abs(_from_middle(across))) % 1 < 0.42,
    "diamonds": lambda across, up, height: np.abs(_from_middle(across)) + np.abs(_from_middle(up)) < 0.36,
    "band": lambda across, up, height: np.abs(height) < 0.16,
    "rings": lambda across, up, height: (np.abs(height) < 0.26) & (up * 1.5 % 1 < 0.4),
    "dipped": lambda across, up, height: height < -0.12,
}
