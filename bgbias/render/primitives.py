"""The three solids that objects are made of, and where a ray first meets them.

A ray is `origin + distance * direction`, all of them in the solid's own coordinates. Rays are
parallel (an orthographic camera), so one direction serves a whole picture. Solids are about 1
unit large; `distance` is infinite where the ray misses.
"""

from dataclasses import dataclass

import numpy as np

TINY = 1e-6
ON_CAP = 1e-4  # units; how near a point must lie to a cone's end plane to count as on the cap


@dataclass(frozen=True)
class Surface:
    """What there is to know about n points on a solid, each float32.

    Attributes:
        normal: (n, 3), of any length.
        turn: (n,), around the solid, in turns.
        height: (n,), up the solid, in units.
        openness: (n,), in [0, 1]: the share of the surrounding light that reaches the point.
    """

    normal: np.ndarray
    turn: np.ndarray
    height: np.ndarray
    openness: np.ndarray


@dataclass(frozen=True)
class Ellipsoid:
    radii: tuple[float, float, float]

    def extent(self, rotation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest coordinates (3,) of the rotated solid around its origin."""
        reach = np.sqrt(rotation**2 @ np.square(self.radii))
        return -reach, reach

    def distance(self, origin: list[np.ndarray], direction: np.ndarray) -> np.ndarray:
        """Where rays from origin x, y, z (each broadcastable to (h, w)) enter: (h, w), or inf."""
        o = [part / np.float32(r) for part, r in zip(origin, self.radii, strict=True)]
        d = direction / np.asarray(self.radii, np.float32)
        near, _ = _roots(d @ d, o[0] * d[0] + o[1] * d[1] + o[2] * d[2], o[0] ** 2 + o[1] ** 2 + o[2] ** 2 - 1)
        return near

    def surface(self, points: np.ndarray, direction: np.ndarray) -> Surface:
        """Describes points (n, 3) on the solid."""
        normal = points / np.square(self.radii).astype(np.float32)
        turn = np.arctan2(points[:, 0], points[:, 2]) / np.float32(2 * np.pi)
        return Surface(normal, turn, points[:, 1], np.ones(len(points), np.float32))


@dataclass(frozen=True)
class Box:
    """A box of the given half edges; `bevel` is the width of the edges that catch the light."""

    half: tuple[float, float, float]
    bevel: float = 0.05

    def extent(self, rotation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest coordinates (3,) of the rotated solid around its origin."""
        reach = np.abs(rotation) @ np.asarray(self.half)
        return -reach, reach

    def distance(self, origin: list[np.ndarray], direction: np.ndarray) -> np.ndarray:
        """Where rays from origin x, y, z (each broadcastable to (h, w)) enter: (h, w), or inf."""
        enter, leave = np.float32(-np.inf), np.float32(np.inf)
        for o, d, half in zip(origin, direction, self.half, strict=True):
            speed = d if abs(d) > TINY else np.float32(TINY)
            middle, reach = -o / speed, np.float32(abs(half / speed))
            enter, leave = np.maximum(enter, middle - reach), np.minimum(leave, middle + reach)
        return np.where(enter < leave, enter, np.float32(np.inf))

    def surface(self, points: np.ndarray, direction: np.ndarray) -> Surface:
        """Describes points (n, 3) on the solid."""
        half = np.asarray(self.half, np.float32)
        within = np.abs(points) / half
        face = within.argmax(1)
        # Towards an edge the normal leans over to the neighbouring face, as on a rounded edge.
        normal = np.sign(points) * np.clip(1 - (half - np.abs(points)) / self.bevel, 0, 1) ** 2
        rows = np.arange(len(points))
        normal[rows, face] = np.sign(points[rows, face])
        across = np.where(face == 0, points[:, 2], points[:, 0])
        up = np.where(face == 1, points[:, 2], points[:, 1])
        return Surface(normal, across / np.float32(3.1), up, np.ones(len(points), np.float32))


@dataclass(frozen=True)
class Cone:
    """A cone between two heights, round about the y axis, with flat ends.

    Attributes:
        heights: lower and upper end.
        radii: at the lower and the upper end.
        hole: 0 for a closed top; else the radius of the opening as a share of the upper radius.
        slopes: the profile's steepness (radius per height) at both ends where a stack of cones is to
            be shaded as one smooth shape; the cone's own steepness where None.
    """

    heights: tuple[float, float]
    radii: tuple[float, float]
    hole: float = 0.0
    slopes: tuple[float, float] | None = None

    @property
    def steepness(self) -> float:
        return (self.radii[1] - self.radii[0]) / (self.heights[1] - self.heights[0])

    def extent(self, rotation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest coordinates (3,) of the rotated solid around its origin."""
        axis = rotation[:, 1]
        disc = np.sqrt(np.clip(1 - axis**2, 0, 1))  # what a disc of radius 1 spans along each coordinate
        ends = [(axis * y, disc * r) for y, r in zip(self.heights, self.radii, strict=True)]
        return np.minimum(*(c - reach for c, reach in ends)), np.maximum(*(c + reach for c, reach in ends))

    def distance(self, origin: list[np.ndarray], direction: np.ndarray) -> np.ndarray:
        """Where rays from origin x, y, z (each broadcastable to (h, w)) enter: (h, w), or inf."""
        (x, y, z), (dx, dy, dz) = origin, direction
        steep = np.float32(self.steepness)
        radius = np.float32(self.radii[0]) + steep * (y - np.float32(self.heights[0]))  # where the ray starts
        near, far = _roots(
            dx**2 + dz**2 - (steep * dy) ** 2,
            x * dx + z * dz - steep * dy * radius,
            x**2 + z**2 - radius**2,
        )
        best = np.float32(np.inf)
        for side in (near, far):
            height = y + np.where(np.isfinite(side), side, 0) * dy
            on_side = (height > self.heights[0]) & (height < self.heights[1])
            best = np.minimum(best, np.where(on_side, side, np.float32(np.inf)))
        if abs(dy) > TINY:
            for end in {int(dy < 0), 0 if self.hole else int(dy < 0)}:
                cap = (np.float32(self.heights[end]) - y) / dy
                from_axis = (x + cap * dx) ** 2 + (z + cap * dz) ** 2
                on_cap = (from_axis < self.radii[end] ** 2) & (cap < best)
                if end == 1:
                    on_cap &= from_axis >= (self.hole * self.radii[1]) ** 2
                best = np.where(on_cap, cap, best)
        return best

    def surface(self, points: np.ndarray, direction: np.ndarray) -> Surface:
        """Describes points (n, 3) on the solid; inside an open cone the normal points inwards."""
        (low, high), y = self.heights, points[:, 1]
        up = np.clip((y - np.float32(low)) / np.float32(high - low), 0, 1)
        slopes = self.slopes or (self.steepness, self.steepness)
        from_axis = np.hypot(points[:, 0], points[:, 2]) + np.float32(TINY)
        slope = np.float32(slopes[0]) + up * np.float32(slopes[1] - slopes[0])
        normal = np.stack([points[:, 0] / from_axis, -slope, points[:, 2] / from_axis], 1)
        normal[y > high - ON_CAP] = (0, 1, 0)
        normal[y < low + ON_CAP] = (0, -1, 0)
        inside = (normal @ direction > 0) if self.hole else np.zeros(len(points), bool)
        normal[inside] *= -1
        turn = np.arctan2(points[:, 0], points[:, 2]) / np.float32(2 * np.pi)
        # Less light falls in the deeper it is: 0.35 at the bottom of an open cone.
        openness = np.where(inside, np.float32(0.35) + np.float32(0.55) * up, np.float32(1))
        return Surface(normal, turn, y, openness)


def _roots(a: float, b: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both solutions of a t² + 2 b t + c = 0, the smaller first; inf where there is none."""
    a = np.float32(a if abs(a) > TINY else TINY)
    square = b * b - a * c
    root = np.sqrt(np.maximum(square, 0))
    first, second = (-b - root) / a, (-b + root) / a
    missed = square <= 0
    low, high = np.minimum(first, second), np.maximum(first, second)
    return np.where(missed, np.float32(np.inf), low), np.where(missed, np.float32(np.inf), high)
