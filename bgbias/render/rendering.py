"""From parts to a picture with soft edges and a shadow on the ground."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from bgbias.render.casting import SAMPLES, cast, extent
from bgbias.render.colours import GAMMA
from bgbias.render.lighting import Light, cast_shadow, rise, shade, uncrowded
from bgbias.render.modelling import Part, rotation

LARGEST = 0.9  # width and height that an object may have, as a share of the picture


@dataclass(frozen=True)
class Pose:
    """How the camera sees the object.

    Attributes:
        yaw, pitch, roll: radians; see modelling.rotation.
        size: the side of a square as large as the object's bounding box, as a share of the picture;
            less where the box would be wider or taller than LARGEST.
        place: where the box lies in the room that it leaves: (0, 0) top left to (1, 1) bottom right.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    size: float = 0.6
    place: tuple[float, float] = (0.5, 0.5)


@dataclass(frozen=True, eq=False)
class Rendering:
    """An object without a background; the arrays are float32 in [0, 1].

    Attributes:
        colour: (size_px, size_px, 3), of the object alone, also where it covers a pixel in part.
        coverage: (size_px, size_px), the share of each pixel that the object covers.
        shadow: (size_px, size_px), how much the object darkens the ground.
        foot: the object's lowest point, as a share of the picture's height from the top.
    """

    colour: np.ndarray
    coverage: np.ndarray
    shadow: np.ndarray
    foot: float


def render(parts: Sequence[Part], pose: Pose, light: Light, size_px: int) -> Rendering:
    """Renders an object.

    Args:
        parts: the object.
        pose: how the camera sees it.
        light: what lights it.
        size_px: width and height of the picture.

    Returns:
        The object's colour, coverage and shadow.
    """
    camera = rotation(pose.yaw, pose.pitch, pose.roll)
    low, high = extent(parts, camera)
    wide, tall = (high - low)[:2]
    units = max(np.sqrt(wide * tall) / pose.size, wide / LARGEST, tall / LARGEST)  # the picture's width
    left, top = low[0] - pose.place[0] * (units - wide), high[1] + pose.place[1] * (units - tall)
    rays = (np.arange(size_px * SAMPLES) + 0.5) / (size_px * SAMPLES) * units
    hits, depth = cast(parts, camera, (left + rays).astype(np.float32), (top - rays).astype(np.float32))

    tilt = rotation(pitch=pose.pitch, roll=pose.roll)  # the camera's, by which light and ground appear tilted
    lamp = (tilt @ light.direction / np.linalg.norm(light.direction)).astype(np.float32)
    up = tilt[:, 1].astype(np.float32)
    ground = extent(parts, rotation(pose.yaw))[0][1]
    above_ground = hits.position @ up - np.float32(ground)
    openness = hits.openness * uncrowded(depth, units).ravel()[hits.index]
    openness *= np.float32(0.7) + np.float32(0.3) * rise(0, 0.5, above_ground)

    sent = np.zeros((*depth.shape, 3), np.float32)
    sent.reshape(-1, 3)[hits.index] = shade(hits, openness, light, lamp, up)
    coverage = _shrink(np.isfinite(depth).astype(np.float32))
    linear = _shrink(sent) / np.maximum(coverage, np.float32(1e-6))[..., None]
    return Rendering(
        colour=np.clip(linear, 0, 1) ** np.float32(1 / GAMMA),
        coverage=coverage,
        shadow=cast_shadow(hits.position, above_ground, lamp, up, (left, top, units), size_px),
        foot=float((top - low[1]) / units),
    )


def _shrink(rays: np.ndarray) -> np.ndarray:
    """(h * SAMPLES, w * SAMPLES, ...) to (h, w, ...): the mean over each pixel's rays."""
    size = rays.shape[1] // SAMPLES, rays.shape[0] // SAMPLES
    return cv2.resize(rays, size, interpolation=cv2.INTER_AREA)
