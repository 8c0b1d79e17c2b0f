"""Clock, handbag, lamp and toy. Each function draws one design's parts."""

import numpy as np

from bgbias.render.modelling import Part, ball, box, disc, rod, rotation
from bgbias.render.palettes import Palette
from bgbias.render.shapes import arc, lathe, tube

SIDES = (-1, 1)


def clock(r: np.random.Generator, paint: Palette) -> list[Part]:
    """An alarm clock with bells, or a clock in a case."""
    radius, depth = r.uniform(0.6, 0.8), r.uniform(0.12, 0.25)
    face = depth + 0.03
    parts = [
        disc(depth, radius, 2 * depth, paint.body),
        disc(face, radius * 0.86, 0.03, paint.pale),
    ]
    for hour in range(12):
        angle = hour * np.pi / 6
        mark = (radius * 0.72 * np.sin(angle), radius * 0.72 * np.cos(angle), face)
        length = 0.035 if hour % 3 else 0.07
        parts.append(box((0.02, length, 0.01), paint.dark, mark, rotation(roll=-angle)))
    for length, thick in ((0.42, 0.045), (0.62, 0.03)):  # every design shows a time of its own
        angle = r.uniform(0, 2 * np.pi)
        tip = (radius * length * np.sin(angle), radius * length * np.cos(angle), face + 0.04)
        parts.append(rod((0, 0, face + 0.04), tip, thick, paint.dark))
    if r.random() < 0.5:
        for side in SIDES:
            hip, foot = (side * 0.35, -radius * 0.8, 0), (side * 0.55, -radius - 0.2, 0)
            parts.append(rod(hip, foot, 0.07, paint.trim))
            bell = (side * radius * 0.55, radius * 0.98, 0)
            parts.append(ball((0.24, 0.16, 0.2), paint.trim, bell, rotation(roll=-side * 0.5)))
        return parts + tube(arc((0, radius, 0), 0.22, 0.32, 0.2, np.pi - 0.2, segments=5), 0.035, paint.dark)
    half = radius * r.uniform(1.05, 1.2)
    parts.append(box((half, half, depth * 0.9), paint.second))
    parts.append(box((half * 1.12, 0.08, depth * 1.3), paint.trim, (0, -half - 0.06, 0)))
    return parts


def handbag(r: np.random.Generator, paint: Palette) -> list[Part]:
    """A bag with a flap and a clasp or with straps and a badge, and one handle or two."""
    wide, tall, deep = r.uniform(0.55, 0.85), r.uniform(0.4, 0.65), r.uniform(0.2, 0.32)
    parts = [box((wide, tall, deep), paint.body, bevel=0.12)]
    if r.random() < 0.6:
        flap = tall * r.uniform(0.3, 0.5)
        parts.append(box((wide * 1.02, flap, 0.04), paint.second, (0, tall - flap + 0.02, deep)))
        parts.append(ball((0.1, 0.08, 0.06), paint.trim, (0, tall - 2 * flap + 0.08, deep + 0.05)))
    else:
        for x in (-0.55 * wide, 0.55 * wide):
            parts.append(box((0.07, tall * 1.01, deep + 0.03), paint.second, (x, 0, 0)))
        parts.append(disc(deep + 0.03, 0.16, 0.03, paint.trim))
    span, rise, thick = wide * r.uniform(0.4, 0.7), r.uniform(0.4, 0.85), r.uniform(0.035, 0.06)
    for z in ((0.0,), (-0.8 * deep, 0.8 * deep))[r.integers(2)]:
        parts += tube(arc((0, tall * 0.96, z), span, rise, 0, np.pi, segments=9), thick, paint.second)
    return parts


def lamp(r: np.random.Generator, paint: Palette) -> list[Part]:
    """A table lamp on a stem or a turned body; the shade is a cone or a dome, and may glow."""
    bottom, wide, narrow = r.uniform(0.85, 1.15), r.uniform(0.5, 0.78), r.uniform(0.22, 0.5)
    top = bottom + r.uniform(0.55, 0.85)
    parts = lathe([(0, r.uniform(0.3, 0.45)), (0.05, 0.32), (0.09, 0.05)], paint.trim, segments=2)
    if r.random() < 0.55:
        lower, upper = r.uniform(0.2, 0.4), r.uniform(0.1, 0.3)
        profile = [(0.08, 0.1), (bottom * 0.3, lower), (bottom * 0.7, upper), (bottom, 0.06)]
        parts += lathe(profile, paint.second, segments=3)
    else:
        parts.append(rod((0, 0.05, 0), (0, bottom, 0), r.uniform(0.035, 0.06), paint.second))
    parts.append(rod((0, bottom, 0), (0, (bottom + top) / 2, 0), 0.03, paint.trim))
    if r.random() < 0.7:
        return parts + lathe([(bottom, wide), (top, narrow)], paint.shade, segments=1, hole=0.95)
    dome = [(bottom, wide), (0.55 * bottom + 0.45 * top, wide * 0.85), (top - 0.06, wide * 0.35), (top, 0.05)]
    return parts + lathe(dome, paint.shade, segments=3)


def toy(r: np.random.Generator, paint: Palette) -> list[Part]:
    """A soft animal: by its ears a bear, a rabbit or a mouse."""
    head, wide, tall = r.uniform(0.34, 0.48), r.uniform(0.34, 0.5), r.uniform(0.42, 0.6)
    chin = tall * 0.85
    parts = [
        ball((wide, tall, wide * 0.85), paint.body),
        ball((head * 1.08, head, head), paint.second, (0, chin + head * 0.75, 0)),
        ball((head * 0.45, head * 0.34, head * 0.4), paint.pale, (0, chin + head * 0.6, head * 0.75)),
        ball((0.07, 0.05, 0.05), paint.dark, (0, chin + head * 0.75, head * 1.12)),
    ]
    ear = ((0.16, 0.16, 0.08), (0.1, 0.36, 0.07), (0.25, 0.25, 0.06))[r.integers(3)]
    inner_ear = (ear[0] * 0.6, ear[1] * 0.65, ear[2])
    reach, step = r.uniform(-0.3, 0.45), r.uniform(0.1, 0.5)
    for side in SIDES:
        x, y, tilted = side * head * 0.72, chin + head * 1.45 + ear[1] * 0.6, rotation(roll=-side * 0.25)
        parts.append(ball(ear, paint.second, (x, y, 0), tilted))
        parts.append(ball(inner_ear, paint.trim, (x, y, ear[2] * 0.6), tilted))
        eye = (side * head * 0.42, chin + head * 0.95, head * 0.84)
        parts.append(ball((0.06, 0.07, 0.05), paint.dark, eye))
        hand, foot = (side * (wide + 0.22), reach, 0.15), (side * wide * 0.65, -tall - 0.12, step)
        parts.append(rod((side * wide * 0.75, tall * 0.45, 0), hand, 0.13, paint.second, end_radius=0.11))
        parts.append(ball((0.15, 0.15, 0.15), paint.second, hand))
        parts.append(rod((side * wide * 0.5, -tall * 0.6, 0), foot, 0.17, paint.second, end_radius=0.15))
        parts.append(ball((0.17, 0.15, 0.22), paint.trim, foot))
    return parts
