"""Backgrounds to swap in, the graphics: each function paints one, see landscapes."""

import cv2
import numpy as np

from bgbias.render.colours import mix, oklch
from bgbias.render.noise import nearest, noise


def circles(x: np.ndarray, y: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """A poster of overlapping discs and rings in flat colours."""
    hue = r.random()
    picture = np.zeros((*x.shape, 3), np.float32) + oklch(r.choice([0.2, 0.95]), 0.03, hue)
    for _ in range(r.integers(6, 16)):
        from_middle = np.hypot(x - r.random(), y - r.random())
        size = r.uniform(0.08, 0.35)
        colour = oklch(r.uniform(0.35, 0.9), 0.14, hue + r.choice([0.0, 0.08, 0.3, 0.55]))
        inside = (from_middle < size) & (from_middle > size * r.choice([0.0, 0.7]))
        picture = mix(picture, colour, inside * np.float32(r.choice([0.6, 1.0])))
    return picture


def collage(x: np.ndarray, y: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """Sheets of coloured paper, plain or striped, that lie across each other."""
    hue = r.random()
    picture = np.zeros((*x.shape, 3), np.float32) + oklch(r.uniform(0.3, 0.95), 0.04, hue)
    for _ in range(r.integers(8, 22)):
        angle, (a, b), (wide, tall) = r.uniform(0, np.pi), r.random(2), r.uniform(0.08, 0.3, 2)
        along = (x - a) * np.cos(angle) + (y - b) * np.sin(angle)
        across = (y - b) * np.cos(angle) - (x - a) * np.sin(angle)
        inside = ((np.abs(along) < wide) & (np.abs(across) < tall)).astype(np.float32)
        paper, ink = (oklch(r.uniform(0.35, 0.95), 0.09, hue + r.choice([0, 0.1, 0.3, 0.5])) for _ in range(2))
        stripes = (along * r.uniform(8, 30) % 1 < 0.5) * np.float32(r.choice([0.0, 0.0, 1.0]))
        shadow = cv2.GaussianBlur(inside, (0, 0), 0.015 * len(x))
        picture = mix(picture * (1 - 0.4 * shadow[..., None]), mix(paper, ink, stripes), inside)
    return picture


def polygons(x: np.ndarray, y: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """Crystals: each point takes the colour of the nearest of some seeds, in one of three hues."""
    count, hue = int(r.integers(15, 60)), r.random()
    seeds = r.random((count, 2)).astype(np.float32)
    seed, _ = nearest(x, y, seeds)
    dark, chroma = r.uniform(0.25, 0.7), r.uniform(0.04, 0.13)
    colours = [
        oklch(dark + (0.9 - dark) * b + r.uniform(-0.12, 0.1), chroma, hue + r.choice([0.0, 0.12, 0.45]))
        for _, b in seeds
    ]
    return np.stack(colours)[seed]


def ribbons(x: np.ndarray, y: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """Flowing silk."""
    hue, angle = r.random(), r.uniform(0, np.pi)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    fold = np.zeros_like(x)
    for frequency in (2, 3.7, 6.1):
        bend = 0.35 * np.sin(2 * np.pi * (along * r.uniform(0.4, 1) + r.random()))
        fold += np.sin(2 * np.pi * (frequency * (across + bend) + r.random())) / frequency
    tone = np.clip(0.5 + 0.6 * fold, 0, 1)
    dark = r.uniform(0.18, 0.65)
    deep = mix(oklch(dark, 0.07, hue), oklch(0.55 + 0.4 * dark, 0.13, hue + 0.04), tone)
    return mix(deep, oklch(0.96, 0.04, hue + 0.1), np.clip(tone * 3 - 2.2, 0, 1))


def tartan(x: np.ndarray, y: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """Woven cloth: the same stripes along and across, laid askew and in soft folds."""
    hue, angle = r.random(), r.uniform(0.2, 1.3)
    fold = 0.06 * noise(2 * x[:1], 2 * y[:, :1], r, 2)
    u, v = x * np.cos(angle) + y * np.sin(angle) + fold, y * np.cos(angle) - x * np.sin(angle) + fold
    count = int(r.integers(8, 20))
    threads = np.stack([oklch(r.uniform(0.2, 0.9), 0.1, hue + r.choice([0, 0.15, 0.45])) for _ in range(count)])
    repeats = count * r.uniform(1, 2.5)
    warp, weft = (threads[np.floor(place * repeats).astype(int) % count] for place in (u, v))
    return 0.5 * (warp + weft) * (0.75 + 8 * fold[..., None])


def waves(x: np.ndarray, y: np.ndarray, r: np.random.Generator) -> np.ndarray:
    """Marbled paper or agate: bands along the contours of a rough hill."""
    hue, reach = r.random(), r.uniform(2, 6)
    level = reach * noise(2.5 * x[:1], 2.5 * y[:, :1], r, 4) + r.uniform(0, 2) * x
    deep, pale = oklch(r.uniform(0.25, 0.5), 0.11, hue), oklch(0.9, 0.05, hue + 0.1)
    picture = mix(deep, pale, 0.5 + 0.5 * np.sin(2 * np.pi * level))
    gold = np.clip(1 - np.abs((level % 1) - 0.5) * r.uniform(12, 25), 0, 1)
    return mix(picture, oklch(0.78, 0.13, r.uniform(0.05, 0.3)), gold)
