"""Light on an object, and the shadow that it casts on the ground. Directions are in camera coordinates."""

from dataclasses import dataclass

import cv2
import numpy as np

from bgbias.render.casting import SAMPLES, Hits


@dataclass(frozen=True)
class Light:
    """One lamp, and soft light from all around.

    Attributes:
        direction: towards the lamp: x right, y up, z to the viewer, before the camera tilts.
        strength: of the lamp, linear.
        ambient: of the light from above, linear.
        warmth: -1 bluish to 1 yellowish.
    """

    direction: tuple[float, float, float] = (-0.5, 0.9, 0.7)
    strength: float = 0.8
    ambient: float = 0.45
    warmth: float = 0.0


def shade(hits: Hits, openness: np.ndarray, light: Light, lamp: np.ndarray, up: np.ndarray) -> np.ndarray:
    """The light that points send to the camera: from the lamp, from above, and back from the ground.

    Args:
        hits: n points.
        openness: float32 (n,), the share of the surrounding light that reaches each, in [0, 1].
        light: strength and warmth of the lamp, and the light from above.
        lamp: float32 (3,), of length 1, towards the lamp.
        up: float32 (3,), of length 1.

    Returns:
        float32 (n, 3), linear R, G, B, at least 0; highlights may exceed 1.
    """
    between = lamp + np.float32([0, 0, 1])  # a mirror that faces between lamp and viewer shows the lamp
    between /= np.linalg.norm(between)
    facing_lamp, facing_between, facing_up = (hits.normal @ np.stack([lamp, between, up], axis=1)).T
    warm = np.float32([1 + 0.08 * light.warmth, 1, 1 - 0.12 * light.warmth])
    # The lamp is wide: it still reaches a little round the edge, where facing_lamp is down to -0.2.
    from_lamp = light.strength * np.clip((facing_lamp + 0.2) / 1.2, 0, 1) * (0.5 + 0.5 * openness)
    from_above = light.ambient * (0.5 + 0.5 * facing_up) * openness
    from_ground = light.ambient * (0.3 - 0.3 * facing_up) * openness
    received = from_lamp[:, None] * warm
    received += from_above[:, None] * np.float32([0.96, 1, 1.06])
    received += from_ground[:, None] * np.float32([1.08, 1, 0.9])
    # A sharp highlight (the lamp's own picture), a broad sheen, and the brighter rim of smooth things.
    highlight = 0.4 * rise(0.93, 0.985, facing_between) + 0.1 * np.clip(facing_between, 0, 1) ** 12
    rim = 0.12 * (1 - np.clip(hits.normal[:, 2], 0, 1)) ** 3 * np.clip(facing_up, 0, 1)
    mirrored = hits.gloss * openness * (light.strength * highlight + rim)
    return hits.albedo * (received + hits.glow[:, None]) + mirrored[:, None] * warm


def uncrowded(depth: np.ndarray, units: float) -> np.ndarray:
    """The share of light that gets past what stands out around each point: less in corners and creases.

    Args:
        depth: float32 (h, w), z of the point that each ray hit, -inf where none was hit.
        units: that the picture is wide.

    Returns:
        float32 (h, w) in [0.45, 1].
    """
    coarse = depth[SAMPLES // 2 :: SAMPLES, SAMPLES // 2 :: SAMPLES]
    inside = np.isfinite(coarse)
    sigma = 0.035 * len(coarse)
    weight = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), sigma)
    around = cv2.GaussianBlur(np.where(inside, coarse, 0), (0, 0), sigma) / np.maximum(weight, 1e-6)
    stands_out = np.where(inside, around - coarse, 0) / np.float32(0.12 * units)
    hidden = np.float32(0.55) * np.clip(stands_out, 0, 1)
    return 1 - cv2.resize(hidden, depth.shape[::-1], interpolation=cv2.INTER_LINEAR)


def cast_shadow(
    position: np.ndarray,
    above_ground: np.ndarray,
    lamp: np.ndarray,
    up: np.ndarray,
    window: tuple[float, float, float],
    size_px: int,
) -> np.ndarray:
    """Drops every point that the camera sees on the ground, away from the lamp; where they land is dark.

    Args:
        position: float32 (n, 3), camera coordinates.
        above_ground: float32 (n,), units.
        lamp, up: float32 (3,), of length 1; the lamp is above the ground.
        window: camera x of the picture's left edge, y of its top edge, and its width, in units.
        size_px: the picture's width and height.

    Returns:
        float32 (size_px, size_px) in [0, 1], how much the ground is darkened.
    """
    left, top, units = window
    landed = position - (above_ground / (lamp @ up))[:, None] * lamp
    column = np.floor((landed[:, 0] - np.float32(left)) * np.float32(size_px / units)).astype(int)
    row = np.floor((np.float32(top) - landed[:, 1]) * np.float32(size_px / units)).astype(int)
    seen = (column >= 0) & (column < size_px) & (row >= 0) & (row < size_px)
    light = np.ones((size_px, size_px), np.float32)
    # What touches the ground darkens it sharply, what is high above it only softly.
    for points, sigma, strength in ((seen & (above_ground < 0.15), 0.015, 0.5), (seen, 0.04, 0.4)):
        landings = np.bincount(row[points] * size_px + column[points], minlength=size_px**2)
        dark = np.minimum(landings / (0.4 * SAMPLES**2), 1).astype(np.float32).reshape(size_px, size_px)
        light *= 1 - np.float32(strength) * cv2.GaussianBlur(dark, (0, 0), sigma * size_px)
    return np.clip(1 - light, 0, 1)


def rise(start: float, end: float, value: np.ndarray) -> np.ndarray:
    """0 up to `start`, 1 from `end`, smooth between; float32 in and out.

    >>> rise(1, 3, np.float32([0, 1, 2, 3, 4])).tolist()
    [0.0, 0.0, 0.5, 1.0, 1.0]
    """
    t = np.clip((value - np.float32(start)) / np.float32(end - start), 0, 1)
    return t * t * (3 - 2 * t)
