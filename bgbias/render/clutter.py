"""What stands and hangs about in a room. Each function paints one thing on a canvas, in place.

The canvas is float32 (n, n, 3), R, G, B in [0, 1]. Places and sizes are shares of its width: `x` is
the thing's middle, `floor` the height at which the wall meets the floor, counted from the top. `hue`
is the scene's, in turns, so that the things go with the room.
"""

from collections.abc import Callable

import cv2
import numpy as np

from bgbias.render.colours import oklch


def rectangle(canvas: np.ndarray, x: float, half: float, top: float, bottom: float, colour: np.ndarray) -> None:
    """Fills the rectangle from x - half to x + half; what lies outside the canvas is left out."""
    sides = (x - half, x + half, top, bottom)
    left, right, first, last = (max(round(side * len(canvas)), 0) for side in sides)
    canvas[first:last, left:right] = colour


def ellipse(
    canvas: np.ndarray, x: float, y: float, wide: float, tall: float, colour: np.ndarray, turned: float = 0.0
) -> None:
    """Fills an ellipse of the given half axes, turned clockwise by `turned` degrees."""
    n = len(canvas)
    axes = max(round(wide * n), 1), max(round(tall * n), 1)
    cv2.ellipse(canvas, (round(x * n), round(y * n)), axes, turned, 0, 360, colour.tolist(), -1)


def curtain(canvas: np.ndarray, r: np.random.Generator, x: float, floor: float, hue: float) -> None:
    """A curtain from ceiling to floor, in folds."""
    half, folds = r.uniform(0.08, 0.14), int(r.integers(4, 8))
    lightness, tint = r.uniform(0.5, 0.85), hue + r.choice([0.0, 0.12, 0.5])
    strips = np.linspace(-half, half, 4 * folds)  # four to a fold
    for number, offset in enumerate(strips):
        shade = oklch(lightness + 0.07 * np.sin(2 * np.pi * number / 4 + 0.6), 0.06, tint)
        rectangle(canvas, x + offset, half / len(strips), 0, floor + 0.01, shade)


def floor_lamp(canvas: np.ndarray, r: np.random.Generator, x: float, floor: float, hue: float) -> None:
    """A standard lamp, its shade glowing."""
    top, half = floor - r.uniform(0.32, 0.42), r.uniform(0.06, 0.1)
    metal, glow = oklch(0.35, 0.02, 0.2), oklch(0.93, 0.07, r.uniform(0.17, 0.27))
    rectangle(canvas, x, 0.006, top, floor + 0.02, metal)
    ellipse(canvas, x, floor + 0.02, 0.05, 0.012, metal)
    high, low = top - 0.1, top + 0.04
    shade = [(x - half * 0.6, high), (x + half * 0.6, high), (x + half, low), (x - half, low)]
    cv2.fillPoly(canvas, [np.round(np.multiply(shade, len(canvas))).astype(np.int32)], glow.tolist())


def painting(canvas: np.ndarray, r: np.random.Generator, x: float, floor: float, hue: float) -> None:
    """A framed picture: land, sky and sun."""
    wide, tall = r.uniform(0.06, 0.14), r.uniform(0.07, 0.15)
    y = floor - tall - r.uniform(0.1, 0.25)
    frame = oklch(*((0.3, 0.03, 0.15), (0.93, 0.02, 0.2), (0.65, 0.09, 0.18))[r.integers(3)])
    rectangle(canvas, x, wide, y - tall, y + tall, frame)
    wide, tall = wide - 0.015, tall - 0.015
    rectangle(canvas, x, wide, y - tall, y + tall, oklch(0.95, 0.015, 0.25))
    wide, tall = wide * 0.72, tall * 0.72
    tint = hue + r.uniform(0.2, 0.8)
    rectangle(canvas, x, wide, y - tall, y + tall, oklch(r.uniform(0.7, 0.9), 0.06, tint))
    rectangle(canvas, x, wide, y + tall * r.uniform(0, 0.6), y + tall, oklch(0.5, 0.08, tint + 0.1))
    sun = x + wide * r.uniform(-0.5, 0.5)
    ellipse(canvas, sun, y - tall * 0.2, wide * 0.3, wide * 0.3, oklch(0.75, 0.13, 0.14))


def plant(canvas: np.ndarray, r: np.random.Generator, x: float, floor: float, hue: float) -> None:
    """A pot plant with a fan of leaves."""
    half, tall, green = r.uniform(0.05, 0.08), r.uniform(0.08, 0.13), r.uniform(0.32, 0.43)
    bottom = floor + 0.03
    for _ in range(r.integers(9, 20)):
        lean, reach = r.uniform(-1.15, 1.15), r.uniform(0.08, 0.24)
        leaf_x, leaf_y = x + np.sin(lean) * reach, bottom - tall - np.cos(lean) * reach
        leaf = oklch(r.uniform(0.38, 0.66), r.uniform(0.06, 0.11), green)
        ellipse(canvas, leaf_x, leaf_y, r.uniform(0.015, 0.032), reach * 0.55, leaf, float(np.degrees(lean)))
    pot = oklch(*((0.6, 0.1, 0.13), (0.9, 0.015, 0.2), (0.4, 0.05, hue))[r.integers(3)])
    rectangle(canvas, x, half, bottom - tall, bottom, pot)
    ellipse(canvas, x, bottom, half, 0.018, pot)


def shelf(canvas: np.ndarray, r: np.random.Generator, x: float, floor: float, hue: float) -> None:
    """A board with a row of books and a round pot."""
    half, board = r.uniform(0.14, 0.26), floor - r.uniform(0.16, 0.34)
    place = x - half + 0.01
    while place < x + half * 0.6:
        thick, tint = r.uniform(0.008, 0.018), hue + r.choice([0.0, 0.1, 0.45]) + r.uniform(-0.05, 0.05)
        book = oklch(r.uniform(0.4, 0.85), r.uniform(0.03, 0.11), tint)
        rectangle(canvas, place + thick, thick, board - r.uniform(0.08, 0.14), board, book)
        place += 2 * thick + 0.003
    ellipse(canvas, x + half * 0.8, board - 0.045, 0.035, 0.045, oklch(r.uniform(0.5, 0.9), 0.06, hue + 0.5))
    rectangle(canvas, x, half, board, board + 0.022, oklch(r.choice([0.38, 0.6, 0.93]), 0.05, 0.16))


def sideboard(canvas: np.ndarray, r: np.random.Generator, x: float, floor: float, hue: float) -> None:
    """A low cupboard against the wall with a vase on it."""
    half, top, doors = r.uniform(0.16, 0.28), floor - r.uniform(0.1, 0.18), int(r.integers(2, 5))
    woods = ((0.55, 0.08, 0.16), (0.36, 0.05, 0.13), (0.9, 0.02, 0.2), (0.6, 0.06, hue + 0.4))
    lightness, chroma, tint = woods[r.integers(4)]
    rectangle(canvas, x, half, top, floor + 0.015, oklch(lightness, chroma, tint))
    for door in range(doors):
        middle = x + half * (2 * (door + 0.5) / doors - 1)
        front = oklch(lightness * 0.9, chroma, tint)
        rectangle(canvas, middle, half / doors - 0.008, top + 0.02, floor - 0.01, front)
    vase = x + half * r.uniform(-0.7, 0.7)
    china = oklch(r.uniform(0.4, 0.85), 0.08, hue + r.uniform(0.3, 0.7))
    ellipse(canvas, vase, top - 0.035, 0.03, 0.04, china)
    rectangle(canvas, vase, 0.012, top - 0.1, top - 0.05, china)


def window(canvas: np.ndarray, r: np.random.Generator, x: float, floor: float, hue: float) -> None:
    """A bright window: two panes across, one or two above each other."""
    wide, tall, rows = r.uniform(0.1, 0.17), r.uniform(0.16, 0.22), int(r.integers(1, 3))
    y, white = floor - tall - r.uniform(0.08, 0.16), oklch(0.97, 0.01, 0.25)
    rectangle(canvas, x, wide, y - tall, y + tall, white)
    for row in range(rows):
        top, sky = y - tall + row * 2 * tall / rows, oklch(0.9 - 0.05 * row, 0.05, 0.65)
        for pane in (x - wide / 2, x + wide / 2):
            rectangle(canvas, pane, wide / 2 - 0.01, top + 0.012, top + 2 * tall / rows - 0.006, sky)
    rectangle(canvas, x, wide + 0.02, y + tall, y + tall + 0.02, white)


CLUTTER: tuple[Callable[[np.ndarray, np.random.Generator, float, float, float], None], ...] = (
    curtain,
    floor_lamp,
    painting,
    plant,
    shelf,
    sideboard,
    window,
)
