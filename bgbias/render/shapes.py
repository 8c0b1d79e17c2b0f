"""Shapes of several parts: bent tubes, and turned shapes as from a lathe."""

from collections.abc import Sequence

import numpy as np

from bgbias.render.modelling import UPRIGHT, Material, Part, Point, ball, rod
from bgbias.render.primitives import Cone


def tube(points: Sequence[Point], radius: float, material: Material, end_radius: float | None = None) -> list[Part]:
    """A bent tube through the points, such as a handle or a spout: rods, with balls at the bends."""
    last = len(points) - 1
    radii = np.linspace(radius, radius if end_radius is None else end_radius, last + 1).tolist()
    balls = [ball((radii[i],) * 3, material, points[i]) for i in range(1, last)]
    rods = [rod(points[i], points[i + 1], radii[i], material, radii[i + 1]) for i in range(last)]
    return balls + rods


def arc(centre: Point, width: float, height: float, start: float, stop: float, segments: int = 7) -> list[Point]:
    """Points on an ellipse in the plane z = centre's z, from angle `start` to `stop` in radians.

    >>> [tuple(round(float(c), 3) for c in point) for point in arc((0, 0, 0), 2, 1, 0, np.pi / 2, 1)]
    [(2.0, 0.0, 0.0), (0.0, 1.0, 0.0)]
    """
    x, y, z = centre
    return [(x + width * np.cos(a), y + height * np.sin(a), z) for a in np.linspace(start, stop, segments + 1)]


def curve(points: Sequence[Point], segments: int = 6) -> list[Point]:
    """A smooth curve through the points (Catmull-Rom): `segments` pieces between each two of them."""
    p = np.asarray(points, float)
    p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    t = np.arange(segments)[:, None] / segments
    pieces = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True)
    ]
    return [tuple(q) for q in np.concatenate([*pieces, p[-2:-1]])]


def lathe(
    profile: Sequence[tuple[float, float]], material: Material, segments: int = 4, hole: float = 0.0
) -> list[Part]:
    """A turned shape, such as a bottle, through (height, radius) points from bottom to top.

    Its pattern is centred on its middle.

    Args:
        profile: at least two points of rising height.
        material: of the whole shape.
        segments: cones between each two points; they are shaded as one smooth shape.
        hole: the opening at the top, as a share of the upper radius; 0 is closed.

    Returns:
        Parts, lowest first.
    """
    heights, radii = _smooth(np.asarray(profile, float), segments)
    middle = float(heights[0] + heights[-1]) / 2
    heights = heights - middle
    slopes = np.gradient(radii, heights)
    cones = [
        Cone(
            heights=(float(heights[i]), float(heights[i + 1])),
            radii=(float(radii[i]), float(radii[i + 1])),
            hole=hole if i == len(radii) - 2 else 0.0,
            slopes=(float(slopes[i]), float(slopes[i + 1])),
        )
        for i in range(len(radii) - 1)
    ]
    return [Part(cone, material, (0.0, middle, 0.0), UPRIGHT) for cone in cones]


def _smooth(profile: np.ndarray, segments: int) -> tuple[np.ndarray, np.ndarray]:
    """Heights and radii of a smooth curve through the points (n, 2) that never swings beyond them.

    Cubic Hermite pieces whose slope at a point is the harmonic mean of its neighbours' (Fritsch and
    Butland, 1984): flat at the widest and the narrowest points.
    """
    heights, radii = profile.T
    steps = np.diff(heights)
    slopes = np.diff(radii) / steps
    before, after = slopes[:-1], slopes[1:]
    same = before * after > 0
    inner = np.where(same, 2 * before * after / np.where(same, before + after, 1), 0)
    tangents = np.concatenate([slopes[:1], inner, slopes[-1:]])
    t = np.arange(segments) / segments
    rise, bend = t * t * (3 - 2 * t), (t * (1 - t) ** 2, t * t * (t - 1))
    smooth = [
        radii[i] + (radii[i + 1] - radii[i]) * rise + steps[i] * (tangents[i] * bend[0] + tangents[i + 1] * bend[1])
        for i in range(len(steps))
    ]
    rising = [heights[i] + steps[i] * t for i in range(len(steps))]
    return np.concatenate([*rising, heights[-1:]]), np.concatenate([*smooth, radii[-1:]])
