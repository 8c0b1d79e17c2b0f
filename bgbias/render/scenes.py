"""A seller's room: wall, floor or table, things in the background, and the light of a window."""

from dataclasses import dataclass

import cv2
import numpy as np

from bgbias.render.clutter import CLUTTER, rectangle
from bgbias.render.colours import mix, oklch, ramp
from bgbias.render.noise import noise
from bgbias.render.textures import FLOORS, WALLS
from bgbias.seeding import generator

GOLDEN = 0.618034  # in turns: consecutive scenes get hues far apart, and any number of them spread evenly
HUES = (0, 0.85, 1), (0.03, 0.76, 1.03)  # purple walls, hues 0.76 to 1.03, are kept rarer than they would be
FINER = 2  # scenes are painted larger and shrunk, for smooth edges


@dataclass(frozen=True, eq=False)
class Scene:
    """A room.

    Attributes:
        picture: float32 (n, n, 3), R, G, B in [0, 1].
        floor: where the wall meets the floor, as a share of the height from the top.
    """

    picture: np.ndarray
    floor: float


def scene(number: int, seed: int, size_px: int) -> Scene:
    """Paints a scene.

    Args:
        number: of the scene, from 0.
        seed: the dataset's.
        size_px: width and height of the picture.

    Returns:
        The same scene for the same arguments.
    """
    r = generator(seed, "demo scene", number)
    hue = float(np.interp((GOLDEN * number + r.uniform(-0.03, 0.03)) % 1, *HUES))
    floor = r.uniform(0.44, 0.58)
    n = size_px * FINER
    x, y = np.meshgrid(*[(np.arange(n, dtype=np.float32) + np.float32(0.5)) / np.float32(n)] * 2)
    canvas = _wall(x, y, r, hue)
    if r.random() < 0.6:
        skirting = oklch(r.choice([0.4, 0.94]), 0.02, hue)
        rectangle(canvas, 0.5, 0.5, floor - r.uniform(0.025, 0.05), floor, skirting)
    places = r.permutation(5)[: r.integers(1, 5)]
    for place, thing in zip(places, r.permutation(len(CLUTTER)), strict=False):
        CLUTTER[thing](canvas, r, 0.1 + 0.2 * place + r.uniform(-0.05, 0.05), floor, hue)
    canvas = _soften(canvas, r.uniform(0.006, 0.013))
    canvas = mix(canvas, _floor(x, y, r, hue, floor), np.clip((y - floor) * size_px, 0, 1))
    picture = cv2.resize(canvas * _light(x, y, r, floor), (size_px, size_px), interpolation=cv2.INTER_AREA)
    return Scene(np.clip(picture, 0, 1), floor)


def _wall(x: np.ndarray, y: np.ndarray, r: np.random.Generator, hue: float) -> np.ndarray:
    lightness, chroma, contrast = r.uniform(0.5, 0.88), r.uniform(0.03, 0.09), r.uniform(0.08, 0.18)
    texture = WALLS[r.integers(len(WALLS))]
    return ramp(texture(1.2 * x, 1.2 * y, r), *_tones(lightness, chroma, hue, contrast))


def _floor(x: np.ndarray, y: np.ndarray, r: np.random.Generator, hue: float, floor: float) -> np.ndarray:
    """The floor in perspective: lines towards the wall meet in a point on the horizon, hidden behind it."""
    horizon = floor - r.uniform(0.28, 0.5)
    nearness = np.maximum(y - np.float32(horizon), np.float32(0.05))
    u = np.float32(0.75) * (x - np.float32(r.uniform(0.3, 0.7))) / nearness
    v = np.float32(0.68) / nearness
    material = r.choice(["wood", "cloth", "stone"], p=[0.45, 0.2, 0.35])
    texture = FLOORS[material][r.integers(len(FLOORS[material]))]
    if material == "wood":
        lightness, chroma, tint = r.uniform(0.4, 0.8), r.uniform(0.02, 0.085), r.uniform(0.12, 0.2)
    elif material == "cloth":  # beside or opposite the wall's hue
        lightness, chroma = r.uniform(0.5, 0.82), r.uniform(0.03, 0.08)
        tint = hue + r.choice([0.12, -0.12, 0.5])
    else:
        lightness, chroma, tint = r.uniform(0.48, 0.9), r.uniform(0.0, 0.04), r.choice([0.1, 0.19, 0.5, 0.66])
    return _soften(ramp(texture(u, v, r), *_tones(lightness, chroma, tint, contrast=0.15)), 0.002)


def _tones(lightness: float, chroma: float, hue: float, contrast: float) -> list[np.ndarray]:
    """A material's dark, own and light colour."""
    return [oklch(np.clip(lightness + s * contrast, 0.12, 0.97), chroma, hue) for s in (-1, 0, 0.75)]


def _light(x: np.ndarray, y: np.ndarray, r: np.random.Generator, floor: float) -> np.ndarray:
    """What every colour is multiplied with (n, n, 3): a lamp's falloff, and sun through a window."""
    lamp_x, lamp_y = r.uniform(0.1, 0.9), r.uniform(0.0, 0.5)
    light = 1.16 - r.uniform(0.2, 0.5) * ((x - lamp_x) ** 2 + (y - lamp_y) ** 2)
    light -= 0.22 * np.exp(-np.abs(y - floor) / 0.035)  # less light reaches the foot of the wall
    if r.random() < 0.45:
        slant, left, width = r.uniform(-0.6, 0.6), r.uniform(0, 0.7), r.uniform(0.12, 0.3)
        across = (x + slant * y - left) % 1
        patch = ((across < width) & ((across / width * 2 + 0.05) % 1 > 0.1)).astype(np.float32)
        light += 0.16 * _soften(patch, 0.012)
    warmth = r.uniform(-1, 1)
    light *= 0.97 + 0.06 * noise(2 * x, 2 * y, r, 2)
    return (light[..., None] * np.float32([1 + 0.05 * warmth, 1, 1 - 0.07 * warmth])).astype(np.float32)


def _soften(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Blurs; sigma is a share of the width."""
    return cv2.GaussianBlur(picture, (0, 0), sigma * len(picture), borderType=cv2.BORDER_REFLECT)
