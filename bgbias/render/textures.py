"""Surfaces of walls and floors: the tone of a material at each point.

Each texture takes coordinates in metres-like units (float32 (h, w), of any range) and a generator, and
returns float32 (h, w): 0 where the material is dark, 0.5 where it has its own colour, 1 where it is
light (see colours.ramp).
"""

from collections.abc import Callable

import numpy as np

from bgbias.render.noise import joints, noise, per_cell

Texture = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


def plaster(u: np.ndarray, v: np.ndarray, r: np.random.Generator) -> np.ndarray:
    return 0.35 + 0.3 * noise(2 * u, 2 * v, r, 4)


def stucco(u: np.ndarray, v: np.ndarray, r: np.random.Generator) -> np.ndarray:
    return noise(4 * u, 4 * v, r, 4) * 1.2 - 0.1


def stripes(u: np.ndarray, v: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """Striped wallpaper."""
    position = u * r.uniform(3, 9) + r.random()
    tone = np.where(position % 1 < r.uniform(0.3, 0.6), 0.85, 0.4)
    return np.where(joints(position + 0.35, 0.08), 0.1, tone) if r.random() < 0.5 else tone


def ornament(u: np.ndarray, v: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """Wallpaper with one small figure in each cell: a dot, a diamond, a leaf or a ring."""
    cells = r.uniform(3, 7)
    row = np.floor(v * cells)
    x, y = (u * cells + 0.5 * (row % 2)) % 1 - 0.5, v * cells % 1 - 0.5
    from_middle = np.hypot(x, y)
    figure = r.integers(4)
    if figure == 0:
        inside = from_middle < 0.22
    elif figure == 1:
        inside = np.abs(x) + np.abs(y) < 0.3
    elif figure == 2:
        inside = np.abs(x) < 0.2 * np.cos(np.pi * np.clip(y * 1.15, -0.5, 0.5))
    else:
        inside = np.abs(from_middle - 0.28) < 0.09
    return np.where(inside, r.choice([0.05, 0.95]), 0.5)


def bricks(u: np.ndarray, v: np.ndarray, r: np.random.Generator) -> np.ndarray:
    y = v * r.uniform(6, 10)
    row = np.floor(y)
    x = u * r.uniform(2.5, 4) + 0.5 * (row % 2)
    stone = 0.1 + 0.45 * per_cell(np.floor(x), row, r) + 0.15 * noise(9 * u, 9 * v, r, 2)
    return np.where(joints(x, 0.07) | joints(y, 0.16), 0.95, stone)


def tiles(u: np.ndarray, v: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """Square tiles or long ones in staggered rows."""
    y = v * r.uniform(4, 7)
    row = np.floor(y)
    long = r.integers(2)
    x = u * r.uniform(3, 6) / (1 + long) + 0.5 * long * (row % 2)
    glaze = 0.5 + 0.35 * per_cell(np.floor(x), row, r)
    return np.where(joints(x, 0.08) | joints(y, 0.1), 0.02, glaze)


def chequers(u: np.ndarray, v: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """A floor of tiles in two colours."""
    cells = r.uniform(2.5, 5)
    x, y = u * cells, v * cells
    if r.random() < 0.5:
        x, y = x + y, x - y
    light = (np.floor(x) + np.floor(y)) % 2
    tone = 0.12 + 0.76 * light + 0.1 * noise(4 * u, 4 * v, r, 2)
    return np.where(joints(x, 0.04) | joints(y, 0.04), 0.5, tone)


def boards(u: np.ndarray, v: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """Wooden boards along v, each of its own tone and grain."""
    x = u * r.uniform(3, 6)
    column = np.floor(x)
    y = v * r.uniform(0.5, 0.9) + per_cell(column, column * 0, r)
    grain = noise(14 * u, 1.5 * v + 7 * per_cell(column, np.floor(y), r), r, 3)
    tone = 0.2 + 0.35 * per_cell(column, np.floor(y), r) + 0.4 * grain
    return np.where(joints(x, 0.06) | joints(y, 0.015), 0.02, tone)


def table_top(u: np.ndarray, v: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """One piece of wood, its rings cut along u."""
    rings = v * r.uniform(3, 7) + 1.6 * noise(0.8 * u, 2 * v, r, 3)
    return 0.3 + 0.3 * (0.5 + 0.5 * np.sin(2 * np.pi * rings)) + 0.3 * noise(3 * u, 30 * v, r, 2)


def herringbone(u: np.ndarray, v: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """Zigzag parquet."""
    cells = r.uniform(2, 3.5)
    x = u * cells
    column = np.floor(x)
    y = 2.2 * v * cells + np.abs(x % 2 - 1) * 1.6
    tone = 0.2 + 0.5 * per_cell(column, np.floor(y), r) + 0.15 * noise(12 * u, 12 * v, r, 2)
    return np.where(joints(x, 0.04) | joints(y, 0.07), 0.05, tone)


def marble(u: np.ndarray, v: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """Light stone with dark veins."""
    bend = 3 * noise(2 * u, 2 * v, r, 4)
    vein = np.abs(np.sin(np.pi * (r.uniform(1, 2) * u + r.uniform(1, 2) * v + bend)))
    return np.clip(0.15 + 1.6 * vein, 0, 0.75) + 0.25 * noise(3 * u, 3 * v, r, 2)


def terrazzo(u: np.ndarray, v: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """Chips of stone in cement."""
    chips = noise(26 * u, 26 * v, r, 2)
    return np.where(chips > 0.72, 0.15, np.where(chips < 0.28, 0.9, 0.55))


def gingham(u: np.ndarray, v: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """A chequered table cloth."""
    cells = r.uniform(3, 7)
    return 1 - 0.48 * (u * cells % 1 < 0.5) - 0.48 * (v * cells % 1 < 0.5)


def carpet(u: np.ndarray, v: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """A rug with cross stripes of different widths."""
    y = v * r.uniform(2, 4) + r.random()
    band = per_cell(np.floor(5 * (y % 1)), np.zeros_like(y), r)
    return np.clip(band + 0.35 * (noise(30 * u, 30 * v, r, 2) - 0.5), 0, 1)


WALLS: tuple[Texture, ...] = (plaster, stripes, bricks, ornament, tiles, boards, stucco)
FLOORS: dict[str, tuple[Texture, ...]] = {
    "wood": (boards, table_top, herringbone),
    "stone": (marble, terrazzo, tiles, chequers),
    "cloth": (gingham, carpet),
}
