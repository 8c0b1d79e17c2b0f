"""What objects are put together from: parts of a material, each in its place.

x points right, y up and z to the viewer; most objects are about 2 units tall and stand around x = z = 0.
"""

from dataclasses import dataclass

import numpy as np

from bgbias.render.primitives import Box, Cone, Ellipsoid

Point = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Material:
    """What a part's surface looks like.

    Attributes:
        colour, accent: (3,) R, G, B in [0, 1]; the accent is the pattern's colour.
        pattern: a key of patterns.PATTERNS.
        repeats: of the pattern, in one turn.
        gloss: 0 matt to 1 glazed.
        glow: light of its own, as on a lamp shade; 0 to 1.
    """

    colour: np.ndarray
    accent: np.ndarray
    pattern: str = "solid"
    repeats: int = 8
    gloss: float = 0.3
    glow: float = 0.0


@dataclass(frozen=True, eq=False)
class Part:
    """One solid in its place: `rotation` (3, 3) turns it around its own origin, which comes to `centre`."""

    solid: Box | Cone | Ellipsoid
    material: Material
    centre: Point
    rotation: np.ndarray


def rotation(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> np.ndarray:
    """A rotation matrix (3, 3), float64, from angles in radians.

    Args:
        yaw: around y, first; positive turns the front to the right.
        pitch: around x, next; positive tips the top towards the viewer.
        roll: around z, last; positive is anticlockwise.

    >>> (rotation(yaw=np.pi / 2) @ [0, 0, 1]).round(6).tolist()
    [1.0, 0.0, 0.0]
    """
    (cy, cp, cr), (sy, sp, sr) = np.cos([yaw, pitch, roll]), np.sin([yaw, pitch, roll])
    around_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    around_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    around_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return around_z @ around_x @ around_y


UPRIGHT = np.eye(3)
FACING = rotation(pitch=np.pi / 2)  # turns a cone's axis to the viewer


def ball(radii: Point, material: Material, centre: Point = (0.0, 0.0, 0.0), turned: np.ndarray = UPRIGHT) -> Part:
    """An ellipsoid."""
    return Part(Ellipsoid(radii), material, centre, turned)


def box(
    half: Point,
    material: Material,
    centre: Point = (0.0, 0.0, 0.0),
    turned: np.ndarray = UPRIGHT,
    bevel: float = 0.05,
) -> Part:
    """A box of the given half edges."""
    return Part(Box(half, bevel), material, centre, turned)


def disc(front: float, radius: float, depth: float, material: Material) -> Part:
    """A round plate that faces the viewer, its front at z = `front`."""
    return Part(Cone((front - depth, front), (radius, radius * 0.97)), material, (0.0, 0.0, 0.0), FACING)


def rod(start: Point, end: Point, radius: float, material: Material, end_radius: float | None = None) -> Part:
    """A straight rod from one point to another; it tapers where `end_radius` is given."""
    along = np.subtract(end, start)
    length = float(np.linalg.norm(along))
    y = along / length
    side = np.cross((1, 0, 0) if abs(y[0]) < 0.9 else (0, 0, 1), y)
    z = side / np.linalg.norm(side)
    frame = np.stack([np.cross(y, z), y, z], axis=1)
    solid = Cone((0.0, length), (radius, radius if end_radius is None else end_radius))
    return Part(solid, material, start, frame)
