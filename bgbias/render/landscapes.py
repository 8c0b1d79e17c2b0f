"""Backgrounds to swap in, the landscapes: each function paints one.

x and y are float32 (n, n), the place of each point from left and from top, shares of the width; a
picture is float32 (n, n, 3), R, G, B in [0, 1] but for some rounding.
"""

import cv2
import numpy as np

from bgbias.render.clutter import ellipse, rectangle
from bgbias.render.colours import mix, oklch
from bgbias.render.noise import nearest, noise


def bokeh(x: np.ndarray, y: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """Lights out of focus, at night."""
    hue = r.random()
    other = oklch(0.4, 0.09, hue + r.uniform(-0.2, 0.2))
    picture = mix(oklch(0.15, 0.04, hue), other, noise(2 * x[:1], 2 * y[:, :1], r, 2))
    for _ in range(r.integers(15, 40)):
        light = np.zeros_like(picture)
        size = r.uniform(0.02, 0.09)
        colour = oklch(r.uniform(0.6, 0.9), 0.13, hue + r.choice([0.0, 0.1, 0.2, 0.5]))
        ellipse(light, r.random(), r.random(), size, size, colour)
        picture += light * np.float32(r.uniform(0.15, 0.5))
    return cv2.GaussianBlur(picture, (0, 0), r.uniform(0.004, 0.012) * len(x))


def clouds(x: np.ndarray, y: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """A sky from noon to dusk."""
    top, bottom = (  # lightness, chroma and hue: noon, dusk, dawn, night
        ((0.6, 0.12, 0.67), (0.88, 0.05, 0.62)),
        ((0.4, 0.11, 0.78), (0.8, 0.13, 0.12)),
        ((0.55, 0.1, 0.9), (0.88, 0.1, 0.2)),
        ((0.2, 0.07, 0.72), (0.45, 0.1, 0.66)),
    )[r.integers(4)]
    shift = r.uniform(-0.06, 0.06)
    top, bottom = (*top[:2], top[2] + shift), (*bottom[:2], bottom[2] + shift)
    picture = mix(oklch(*top), oklch(*bottom), y)
    cover = np.clip((noise(3 * x[:1], 7 * y[:, :1], r, 5) - r.uniform(0.4, 0.55)) * 5, 0, 1)
    cloud = mix(oklch(0.97, 0.02, bottom[2]), oklch(0.75, 0.05, top[2]), noise(4 * x[:1], 8 * y[:, :1], r))
    return mix(picture, cloud, cover * 0.85)


def city(x: np.ndarray, y: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """A skyline, its nearer rows darker, with some windows lit."""
    hue, bright = r.random(), r.uniform(0.3, 0.9)
    picture = mix(oklch(bright, 0.07, hue), oklch(min(bright + 0.3, 0.95), 0.07, hue + 0.2), y)
    for near in np.linspace(0.2, 1, r.integers(2, 5)):
        wall = oklch(bright * (1 - 0.7 * near), 0.03 + 0.03 * near, hue + 0.05)
        lit = oklch(0.88, 0.1, r.uniform(0.15, 0.27))
        place = r.uniform(-0.1, 0)
        while place < 1:
            half, top = r.uniform(0.04, 0.1), 0.1 + 0.5 * near + r.uniform(-0.15, 0.25)
            rectangle(picture, place + half, half, top, 1, wall)
            for across in np.arange(0.015, 2 * half - 0.01, 0.03):
                for down in np.arange(top + 0.02, 1, 0.045):
                    if r.random() < 0.3:
                        rectangle(picture, place + across, 0.008, down, down + 0.02, lit)
            place += 2 * half + r.uniform(0, 0.03)
    return picture


def forest(x: np.ndarray, y: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """Trunks in the mist, the nearer ones wider and darker."""
    hue, mist = r.choice([0.13, 0.2, 0.33, 0.42, 0.6]), r.uniform(0.6, 0.92)
    picture = mix(oklch(mist, 0.04, hue), oklch(mist - 0.3, 0.06, hue), np.clip(2 * y - 1, 0, 1))
    for near in np.linspace(0.1, 1, r.integers(10, 25)):
        trunk = oklch(mist - (mist - 0.15) * near, 0.03, r.choice([0.13, hue]))
        middle, width = r.random() + r.uniform(-0.08, 0.08) * y, (0.006 + 0.03 * near) * r.uniform(0.7, 1.4)
        near_it = (np.abs(x - middle) < 1.3 * width).any(0)  # columns, more than the bark reaches
        u, v = x[:1, near_it], y[:, :1]
        bark = np.abs(u - middle[:, :1]) < width * (0.8 + 0.4 * noise(8 * u, 8 * v, r, 1))
        covered = (bark & (v < 0.6 + 0.35 * near)).astype(np.float32)
        picture[:, near_it] = mix(picture[:, near_it], trunk, covered)
    return picture


def leaves(x: np.ndarray, y: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """Leaves over leaves, those behind darker; green, autumnal or tropical."""
    hue = r.choice([0.08, 0.16, 0.28, 0.36, 0.42])
    picture = mix(oklch(0.12, 0.03, hue), oklch(0.28, 0.06, hue), noise(5 * x[:1], 5 * y[:, :1], r))
    count, long = int(r.integers(60, 160)), r.uniform(0.08, 0.2)
    for number in range(count):
        depth = number / count
        place, degrees = r.random(2), r.uniform(0, 180)
        colour = oklch(0.22 + 0.45 * depth + r.uniform(-0.06, 0.06), 0.1, hue + r.uniform(-0.05, 0.05))
        size = long * r.uniform(0.6, 1.1)
        ellipse(picture, *place, size, size * r.uniform(0.2, 0.4), colour, degrees)
        ellipse(picture, *place, size * 0.9, 0.002, colour * np.float32(1.25), degrees)
    return picture


def mountains(x: np.ndarray, y: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """Ridges fading into the haze under a coloured sky."""
    hue, sky = r.random(), r.random()
    low = oklch(0.92, 0.07, sky + r.uniform(-0.15, 0.15))
    picture = mix(oklch(r.uniform(0.5, 0.8), 0.1, sky), low, np.minimum(y * 1.6, 1))
    sun = np.hypot(x - r.uniform(0.2, 0.8), y - r.uniform(0.1, 0.4))
    picture = mix(picture, oklch(0.97, 0.06, 0.24), np.clip(1.2 - sun / r.uniform(0.05, 0.09), 0, 1))
    ridges = int(r.integers(3, 6))
    for number in range(ridges):
        near = (number + 1) / ridges
        line = 0.3 + 0.5 * near - r.uniform(0.15, 0.4) * noise(3 * x[:1] + 7 * number, 0 * x[:1], r, 5)
        slope = oklch(0.82 - 0.6 * near, 0.03 + 0.05 * near, hue)
        colour = mix(slope, oklch(0.85, 0.03, sky), np.clip((y - line) * 0.8, 0, 1))
        picture = np.where((y > line)[..., None], colour, picture)
    return picture


def pebbles(x: np.ndarray, y: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """Round stones side by side, each shaded."""
    rows, hue = int(r.integers(5, 10)), r.random()
    column, row = np.meshgrid(np.arange(-1, rows + 1), np.arange(-1, rows + 1))
    middles = (np.stack([column.ravel(), row.ravel()], axis=1) + r.uniform(0.1, 0.9, ((rows + 2) ** 2, 2))) / rows
    stone, distance = nearest(x, y, middles)
    stones = [oklch(r.uniform(0.45, 0.92), r.uniform(0.01, 0.06), hue + r.uniform(-0.1, 0.1)) for _ in middles]
    roundness = np.clip(1.1 - 1.1 * distance * rows**2, 0.12, 1)
    return np.stack(stones)[stone] * roundness[..., None]
