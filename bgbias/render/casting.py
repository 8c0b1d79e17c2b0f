"""Which point of which part each ray hits: an orthographic ray caster with a depth buffer.

Camera coordinates: x right, y up, z to the viewer, in the object's units. All rays run along -z.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bgbias.render.colours import GAMMA
from bgbias.render.modelling import Part
from bgbias.render.patterns import accent_share

SAMPLES = 3  # rays per pixel along each side: an edge pixel's coverage is a multiple of 1/9


@dataclass(frozen=True, eq=False)
class Hits:
    """What n rays hit, and the surface there; float32 but for `index`.

    Attributes:
        index: int64 (n,), into the flattened (h, w) grid of rays.
        position, normal: (n, 3), camera coordinates; normals have length 1.
        albedo: (n, 3), linear R, G, B: the share of light that is thrown back.
        gloss, glow: (n,), see modelling.Material.
        openness: (n,), see primitives.Surface.
    """

    index: np.ndarray
    position: np.ndarray
    normal: np.ndarray
    albedo: np.ndarray
    gloss: np.ndarray
    glow: np.ndarray
    openness: np.ndarray


def extent(parts: Sequence[Part], camera: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The object's bounding box.

    Args:
        parts: the object.
        camera: (3, 3), turns the object.

    Returns:
        Lowest and highest camera coordinates, each (3,).
    """
    corners = []
    for part in parts:
        centre = camera @ np.asarray(part.centre)
        low, high = part.solid.extent(camera @ part.rotation)
        corners += [centre + low, centre + high]
    return np.min(corners, axis=0), np.max(corners, axis=0)


def cast(parts: Sequence[Part], camera: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[Hits, np.ndarray]:
    """Sends one ray through each point of a grid; it stops at the part nearest to the camera.

    Args:
        parts: the object.
        camera: (3, 3), turns the object before the camera looks.
        x: float32 (w,), rising: the columns' camera coordinates.
        y: float32 (h,), falling: the rows' camera coordinates.

    Returns:
        The hits, and float32 (h, w) the z of each, -inf where nothing was hit.
    """
    depth = np.full((len(y), len(x)), -np.inf, np.float32)
    owner = np.full(depth.shape, -1, np.int16)
    for number, part in enumerate(parts):
        frame, centre = _frame(part, camera)
        low, high = part.solid.extent(frame)
        columns = slice(*np.searchsorted(x, [centre[0] + low[0], centre[0] + high[0]]))
        rows = slice(*np.searchsorted(-y, [-centre[1] - high[1], -centre[1] - low[1]]))
        dx, dy = (x[columns] - centre[0])[None], (y[rows] - centre[1])[:, None]
        # Rays start in the plane z = the part's centre; what lies before it has a negative distance.
        origin = [frame[0, i] * dx + frame[1, i] * dy for i in range(3)]
        z = centre[2] - part.solid.distance(origin, -frame[2])
        nearer = z > depth[rows, columns]
        depth[rows, columns][nearer] = z[nearer]
        owner[rows, columns][nearer] = number
    return _look_up(parts, camera, x, y, depth, owner), depth


def _frame(part: Part, camera: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A part's rotation (3, 3) and centre (3,) in camera coordinates, float32."""
    centre = camera @ np.asarray(part.centre)
    return (camera @ part.rotation).astype(np.float32), centre.astype(np.float32)


def _look_up(
    parts: Sequence[Part],
    camera: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    depth: np.ndarray,
    owner: np.ndarray,
) -> Hits:
    """The surfaces at the points that the rays hit; only those that are seen are worked out."""
    index = np.flatnonzero(owner >= 0)
    index = index[np.argsort(owner.ravel()[index], kind="stable")]
    starts = np.searchsorted(owner.ravel()[index], np.arange(len(parts) + 1))
    position = np.stack([x[index % len(x)], y[index // len(x)], depth.ravel()[index]], axis=1)
    normal, albedo = np.empty_like(position), np.empty_like(position)
    gloss, glow, openness = (np.empty(len(index), np.float32) for _ in range(3))
    for number, part in enumerate(parts):
        own = slice(starts[number], starts[number + 1])
        frame, centre = _frame(part, camera)
        surface = part.solid.surface((position[own] - centre) @ frame, -frame[2])
        length = np.sqrt(np.einsum("ij,ij->i", surface.normal, surface.normal)) + np.float32(1e-9)
        normal[own] = surface.normal / length[:, None] @ frame.T
        paint = part.material
        accent = accent_share(paint.pattern, surface.turn, surface.height, paint.repeats)[:, None]
        colour, other = (np.float32(c) ** np.float32(GAMMA) for c in (paint.colour, paint.accent))
        albedo[own] = colour + accent * (other - colour)
        gloss[own], glow[own], openness[own] = paint.gloss, paint.glow, surface.openness
    return Hits(index, position, normal, albedo, gloss, glow, openness)
