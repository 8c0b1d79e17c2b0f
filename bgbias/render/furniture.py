"""Cabinet, chair, sofa and stool. Each function draws one design's parts."""

import numpy as np

from bgbias.render.modelling import Part, ball, box, rod, rotation
from bgbias.render.palettes import Palette
from bgbias.render.shapes import lathe, tube

SIDES = (-1, 1)
CORNERS = ((-1, -1), (-1, 1), (1, -1), (1, 1))


def cabinet(r: np.random.Generator, paint: Palette) -> list[Part]:
    """A chest on legs, with drawers in columns and rows."""
    wide, tall, deep = r.uniform(0.45, 0.95), r.uniform(0.4, 0.8), r.uniform(0.28, 0.4)
    parts = [
        box((wide, tall, deep), paint.second),
        box((wide * 1.05, 0.04, deep * 1.08), paint.second, (0, tall + 0.03, 0)),
    ]
    columns, rows = int(r.integers(1, 4)), int(r.integers(1, 5))
    half = (wide / columns * 0.9, tall / rows * 0.88, 0.03)
    for column in range(columns):
        for row in range(rows):
            x = 0.97 * wide * (2 * (column + 0.5) / columns - 1)
            y = 0.97 * tall * (2 * (row + 0.5) / rows - 1)
            parts.append(box(half, paint.body, (x, y, deep)))
            parts.append(ball((0.05, 0.05, 0.05), paint.trim, (x, y + half[1] * 0.4, deep + 0.06)))
    leg = r.uniform(0.1, 0.45)
    for x, z in CORNERS:
        top, foot = (x * wide * 0.85, -tall, z * deep * 0.8), (x * wide * 0.95, -tall - leg, z * deep * 0.9)
        parts.append(rod(top, foot, 0.06, paint.trim, end_radius=0.04))
    return parts


def chair(r: np.random.Generator, paint: Palette) -> list[Part]:
    """Seat, four legs and a back; some have armrests."""
    wide, deep, back = r.uniform(0.42, 0.62), r.uniform(0.42, 0.55), r.uniform(0.75, 1.1)
    thick, leg, splay = r.uniform(0.05, 0.13), r.uniform(0.045, 0.08), r.uniform(0.85, 1.15)
    parts = [box((wide, thick, deep), paint.body, bevel=0.06)]
    for x, z in CORNERS:
        top, foot = (x * wide * 0.85, 0, z * deep * 0.85), (x * wide * splay, -0.85, z * deep * splay)
        parts.append(rod(top, foot, leg, paint.second, end_radius=leg * 0.7))
    parts += _back(r, paint, wide, deep, back, thick, leg)
    if r.random() < 0.3:
        for x in (-wide, wide):
            elbow = (x, 0.38, deep * 0.7)
            parts.append(rod(elbow, (x, 0.42, -deep * 1.05), leg, paint.second))
            parts.append(rod((x, 0, deep * 0.7), elbow, leg * 0.8, paint.second))
    return parts


def _back(
    r: np.random.Generator, paint: Palette, wide: float, deep: float, back: float, thick: float, leg: float
) -> list[Part]:
    """A chair's back, `back` tall: slats between posts, one board, or a round shell on two posts."""
    style, lean = r.integers(3), rotation(pitch=-0.12)
    parts = []
    if style == 0:
        for x in (-wide, wide):
            parts.append(rod((x * 0.9, 0, -deep * 0.9), (x * 0.95, back, -deep * 1.15), leg, paint.second))
        for share in np.linspace(0.35, 0.95, r.integers(2, 5)):
            middle = (0, share * back, -deep * (0.9 + 0.25 * share))
            parts.append(box((wide * 0.95, 0.07, 0.03), paint.body, middle, lean))
    elif style == 1:
        middle = (0, back / 2 + 0.05, -deep)
        parts.append(box((wide, back / 2, thick * 0.8), paint.body, middle, lean, bevel=0.06))
    else:
        parts.append(ball((wide * 1.02, back * 0.55, thick), paint.body, (0, back * 0.62, -deep), lean))
        for x in (-wide / 2, wide / 2):
            parts.append(rod((x, 0, -deep * 0.9), (x, back * 0.5, -deep), leg * 0.8, paint.second))
    return parts


def sofa(r: np.random.Generator, paint: Palette) -> list[Part]:
    """Seat, back, arms (boxes or rolls), one to three seat cushions, pillows, and short legs."""
    wide, deep, seat = r.uniform(0.7, 1.15), r.uniform(0.42, 0.52), r.uniform(0.14, 0.2)
    back, arm, rise = r.uniform(0.4, 0.62), r.uniform(0.1, 0.17), r.uniform(0.25, 0.4)
    parts = [
        box((wide, seat, deep), paint.body, bevel=0.07),
        box((wide, back, 0.13), paint.body, (0, back * 0.75, -deep), rotation(pitch=-0.1), bevel=0.1),
    ]
    cushions = 1 if wide < 0.8 else int(r.integers(2, 4))
    for number in range(cushions):
        middle = (wide * (2 * (number + 0.5) / cushions - 1), seat + 0.08, 0.05)
        parts.append(box((wide / cushions * 0.97, 0.1, deep * 0.9), paint.body, middle, bevel=0.09))
    rolled = r.random() < 0.5
    for side in SIDES:
        x = side * (wide + arm * 0.8)
        parts.append(box((arm, (seat + rise) / 2, deep), paint.body, (x, (rise - seat) / 2, 0), bevel=0.07))
        if rolled:
            parts.append(rod((x, rise, -deep), (x, rise, deep * 1.03), arm * 1.3, paint.body))
        for z in (-deep * 0.85, deep * 0.85):
            foot = (x * 1.02, -seat - 0.22, z)
            parts.append(rod((x, -seat, z), foot, 0.06, paint.trim, end_radius=0.04))
    for place in r.permutation([-0.6, 0.0, 0.6])[: r.integers(0, 3)]:
        middle, turned = (place * wide, seat + 0.36, -deep * 0.35), rotation(pitch=-0.3, roll=place)
        parts.append(box((0.23, 0.23, 0.08), paint.accent, middle, turned, bevel=0.16))
    return parts


def stool(r: np.random.Generator, paint: Palette) -> list[Part]:
    """A round or a square seat on three or four legs; most have a ring for the feet."""
    wide, thick, tall = r.uniform(0.45, 0.72), r.uniform(0.06, 0.14), r.uniform(0.8, 1.3)
    if r.random() < 0.65:
        profile = [(0, wide * 0.95), (thick, wide), (thick * 1.9, wide * 0.9), (thick * 2.2, wide * 0.5)]
        parts = lathe(profile, paint.body, segments=2)
    else:
        parts = [box((wide, thick, wide * r.uniform(0.7, 1)), paint.body, (0, thick, 0), bevel=0.08)]
    legs, spread, leg = r.integers(3, 5), r.uniform(0.75, 1.15), r.uniform(0.045, 0.085)
    for turn in np.arange(legs) * 2 * np.pi / legs + np.pi / 4:
        x, z = wide * np.cos(turn), wide * np.sin(turn)
        top, foot = (x * 0.68, 0.02, z * 0.68), (x * spread, -tall, z * spread)
        parts.append(rod(top, foot, leg, paint.second, end_radius=leg * 0.75))
    if r.random() < 0.6:
        down = 0.55  # the share of the leg above the ring
        ring = wide * (0.68 + down * (spread - 0.68))
        turns = np.linspace(0, 2 * np.pi, 17)
        parts += tube([(ring * np.cos(t), -tall * down, ring * np.sin(t)) for t in turns], 0.03, paint.trim)
    return parts
