"""Bottle, mug, teapot and vase. Each function draws one design's parts."""

import numpy as np

from bgbias.render.modelling import Part, ball, rod, rotation
from bgbias.render.palettes import Palette
from bgbias.render.shapes import arc, curve, lathe, tube


def bottle(r: np.random.Generator, paint: Palette) -> list[Part]:
    """A bottle with a label and a stopper, from slender to stout."""
    body, wide, neck = r.uniform(0.8, 1.3), r.uniform(0.26, 0.5), r.uniform(0.09, 0.16)
    shoulder = body + r.uniform(0.15, 0.5)
    top = shoulder + r.uniform(0.25, 0.6)
    parts = lathe([(0, wide * 0.9), (0.05, wide), (body, wide)], paint.glass, segments=3)
    parts += lathe([(body, wide), (0.6 * body + 0.4 * shoulder, wide * 0.8), (shoulder, neck)], paint.glass)
    parts += lathe([(shoulder, neck), (top, neck)], paint.glass, segments=1)
    stopper = neck * r.uniform(1.2, 1.5)
    parts += lathe([(top - 0.12, stopper), (top + r.uniform(0.04, 0.2), stopper)], paint.trim, segments=1)
    low, high = body * r.uniform(0.15, 0.3), body * r.uniform(0.6, 0.85)
    return parts + lathe([(low, wide * 1.04), (high, wide * 1.04)], paint.body, segments=1)


def mug(r: np.random.Generator, paint: Palette) -> list[Part]:
    """A cup with a handle, full of coffee or tea; some stand on a saucer."""
    tall, bottom, top = r.uniform(0.8, 1.45), r.uniform(0.34, 0.58), r.uniform(0.44, 0.64)
    middle = tall * r.uniform(0.3, 0.5)
    waist = (bottom + top) / 2 * r.uniform(0.92, 1.12)
    # One cone from the middle to the rim: as deep as that one sees into the mug.
    profile = [(0, bottom * 0.85), (0.06, bottom), (middle, waist), (tall, top)]
    parts = lathe(profile, paint.body, segments=1, hole=0.9)
    parts.append(rod((0, tall * 0.5, 0), (0, tall * 0.84, 0), top * 0.6, paint.drink, end_radius=waist * 0.9))
    reach, span = r.uniform(0.26, 0.45), tall * r.uniform(0.24, 0.36)
    grip = arc((waist * 0.92, tall * 0.52, 0), reach, span, -1.45, 1.45)
    parts += tube(grip, r.uniform(0.055, 0.09), paint.second)
    if r.random() < 0.35:
        parts += lathe([(-0.12, 0.3), (-0.06, 0.6), (0, r.uniform(0.8, 1))], paint.trim, segments=3)
    return parts


def teapot(r: np.random.Generator, paint: Palette) -> list[Part]:
    """A pot with a lid and a spout; the handle is at the side or over the top."""
    wide, tall = r.uniform(0.5, 0.72), r.uniform(0.75, 1.2)
    belly, mouth = r.uniform(0.35, 0.55) * tall, wide * r.uniform(0.4, 0.6)
    parts = lathe([(0, wide * 0.6), (belly * 0.4, wide * 0.92), (belly, wide), (tall, mouth)], paint.body)
    lid = [(tall - 0.02, mouth * 1.08), (tall + 0.08, mouth * 0.9), (tall + 0.15, 0.06)]
    parts += lathe(lid, paint.second, segments=3)
    knob = r.uniform(0.07, 0.12)
    parts.append(ball((knob, knob, knob), paint.trim, (0, tall + 0.15 + knob * 0.8, 0)))
    reach, lip = wide + r.uniform(0.3, 0.5), tall * r.uniform(0.85, 1.05)
    spout = curve([(-wide * 0.8, belly * 0.7, 0), (0.1 - reach, belly, 0), (-reach, lip, 0)], segments=3)
    parts += tube(spout, r.uniform(0.12, 0.17), paint.plain_body, end_radius=0.06)
    if r.random() < 0.5:
        grip = arc((wide * 0.85, belly, 0), r.uniform(0.35, 0.5), tall * r.uniform(0.3, 0.4), -1.5, 1.5)
    else:
        grip = arc((0, tall * 0.85, 0), wide * 0.8, r.uniform(0.55, 0.8), 0.1, np.pi - 0.1, segments=9)
    return parts + tube(grip, r.uniform(0.045, 0.075), paint.second)


def vase(r: np.random.Generator, paint: Palette) -> list[Part]:
    """A turned vase, its profile its own; most hold flowers."""
    foot, lower, upper = r.uniform(0.22, 0.36), r.uniform(0.35, 0.6), r.uniform(0.3, 0.68)
    neck = r.uniform(0.14, 0.34)
    radii = [foot, lower, upper, neck, neck * r.uniform(1, 1.7)]
    heights = np.array([0, 0.3, 0.75, 1.15, 1.5]) * r.uniform(0.75, 1.1)
    profile = list(zip(heights.tolist(), radii, strict=True))
    parts = lathe(profile[:4], paint.body)
    parts += lathe(profile[3:], paint.second if r.random() < 0.4 else paint.plain_body, segments=1, hole=0.88)
    return parts + (_flowers(r, paint, float(heights[3])) if r.random() < 0.6 else [])


def _flowers(r: np.random.Generator, paint: Palette, bottom: float) -> list[Part]:
    """A bunch that fans out from the height `bottom`: stems, round blossoms, and leaves."""
    parts, size = [], r.uniform(0.09, 0.2)
    for turn in np.linspace(0, 2 * np.pi, r.integers(3, 7), endpoint=False) + r.random():
        lean = r.uniform(0.15, 0.5)
        x, y, z = lean * np.cos(turn), bottom + r.uniform(0.6, 1), lean * np.sin(turn)
        parts.append(rod((0, bottom, 0), (x, y, z), 0.022, paint.leaf))
        parts.append(ball((size, size * 0.8, size), paint.blossom, (x, y, z)))
        leaf = (0.7 * x, y - 0.28, 0.7 * z)
        parts.append(ball((0.05, 0.17, 0.08), paint.leaf, leaf, rotation(yaw=turn, roll=0.5)))
    return parts
