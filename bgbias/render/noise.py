"""Random textures' raw material: smooth noise, and random numbers on a grid."""

import numpy as np

CELLS = 64  # random values repeat after so many cells


def noise(u: np.ndarray, v: np.ndarray, r: np.random.Generator, octaves: int = 3) -> np.ndarray:
    """Smooth noise with bumps one unit wide, and finer ones on top.

    Args:
        u, v: float32, coordinates; a row and a column, which broadcast, take less time than two whole planes.
        r: where the numbers come from.
        octaves: each adds bumps half as wide and half as high.

    Returns:
        float32 of their common shape in [0, 1], 0.5 on average.

    >>> u, v = np.meshgrid(np.linspace(0, 9, 50), np.linspace(0, 9, 50))
    >>> bool(abs(noise(u, v, np.random.default_rng(0)).mean() - 0.5) < 0.05)
    True
    """
    total, height = np.zeros(np.broadcast(u, v).shape, np.float32), 1.0
    for octave in range(octaves):
        values = r.random(CELLS * CELLS, dtype=np.float32)
        x, y = u * 2**octave + r.uniform(0, CELLS), v * 2**octave + r.uniform(0, CELLS)
        column, row = np.floor(x), np.floor(y)
        a, b = (x - column).astype(np.float32), (y - row).astype(np.float32)
        a, b = a * a * (3 - 2 * a), b * b * (3 - 2 * b)
        left, above = column.astype(np.int32) % CELLS, row.astype(np.int32) % CELLS
        right, below = (left + 1) % CELLS, (above + 1) % CELLS * CELLS
        above *= CELLS
        upper, lower = values[above + left], values[below + left]
        upper += (values[above + right] - upper) * a
        lower += (values[below + right] - lower) * a
        total += np.float32(height) * (upper + (lower - upper) * b)
        height /= 2
    return total / np.float32(2 - 2 * height)


def nearest(x: np.ndarray, y: np.ndarray, middles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of some points is nearest to each place of a plane, and how far.

    Args:
        x, y: float32 (n, n), the places, as of `np.meshgrid`.
        middles: (M, 2), x and y of the points.

    Returns:
        int64 (n, n), of equally near ones the first, and float32 (n, n), the squared distance.

    >>> x, y = np.meshgrid(*[np.arange(3, dtype=np.float32)] * 2)
    >>> nearest(x, y, np.array([[0, 0], [2, 0]]))[0].tolist()
    [[0, 0, 1], [0, 0, 1], [0, 0, 1]]
    """
    which, least = np.zeros(x.shape, np.int64), np.full(x.shape, np.inf, np.float32)
    for number, (a, b) in enumerate(middles.astype(np.float32)):
        distance = (x[:1] - a) ** 2 + (y[:, :1] - b) ** 2
        closer = distance < least
        which[closer] = number
        least[closer] = distance[closer]
    return which, least


def per_cell(column: np.ndarray, row: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """One random number in [0, 1) for each cell of a grid, such as each brick."""
    values = r.random((CELLS, CELLS), dtype=np.float32)
    return values[row.astype(int) % CELLS, column.astype(int) % CELLS]


def joints(position: np.ndarray, width: float) -> np.ndarray:
    """True within `width` (a share of a cell) of the cells' borders, at whole numbers."""
    return np.abs(position - np.round(position)) < width / 2
