"""Taking a photo: which scene, from where, in what light; and putting the object into the scene."""

from collections.abc import Sequence

import cv2
import numpy as np

from bgbias.render.lighting import Light
from bgbias.render.modelling import Part
from bgbias.render.rendering import Pose, Rendering, render
from bgbias.render.scenes import Scene
from bgbias.seeding import generator


def home_scenes(classes: int, pool: range, per_class: int, r: np.random.Generator) -> list[list[int]]:
    """Gives each class its own scenes, so that every scene of the pool is used equally often.

    Args:
        classes: how many.
        pool: the scenes' numbers, at least `per_class`.
        per_class: home scenes of one class; they differ from one another.
        r: where the numbers come from.

    Returns:
        The home scenes of each class.

    >>> homes = home_scenes(6, range(10, 14), 2, np.random.default_rng(0))
    >>> sorted(sum(homes, []))
    [10, 10, 10, 11, 11, 11, 12, 12, 12, 13, 13, 13]
    """
    uses = np.zeros(len(pool), int)
    homes = []
    for _ in range(classes):
        least_used_first = np.lexsort((r.random(len(pool)), uses))
        chosen = least_used_first[:per_class]
        uses[chosen] += 1
        homes.append([pool[i] for i in chosen])
    return homes


def choose_scene(homes: Sequence[int], pool: range, correlation: float, r: np.random.Generator) -> int:
    """One of the `homes` with probability `correlation`, else any scene of the pool.

    All numbers are drawn in any case: another correlation changes no photo but those that cross over.
    """
    at_home, home, anywhere = r.random(), homes[r.integers(len(homes))], pool[r.integers(len(pool))]
    return home if at_home < correlation else anywhere


def photograph(
    parts: Sequence[Part], scene: Scene, size_px: int, seed: int, class_number: int, photo_number: int
) -> tuple[np.ndarray, np.ndarray]:
    """Takes a photo of an object in a scene.

    Args:
        parts: the object.
        scene: the room.
        size_px: width and height of the photo.
        seed: the dataset's.
        class_number, photo_number: pose, light and crop depend on these and on the seed, not on the scene.

    Returns:
        uint8 (size_px, size_px, 3), the photo; uint8 (size_px, size_px), the share of each pixel that
        the object covers, 0 to 255.
    """
    pose, light = draw_pose_and_light(generator(seed, "demo photo", class_number, photo_number))
    thing = render(parts, pose, light, size_px)
    backdrop = crop(scene, thing.foot, pose.roll, size_px, generator(seed, "demo crop", class_number, photo_number))
    return _bytes(place(thing, backdrop)), _bytes(thing.coverage)


def draw_pose_and_light(r: np.random.Generator) -> tuple[Pose, Light]:
    """The camera stands before the object, a little above it; the lamp is above, to one side."""
    pose = Pose(
        yaw=r.uniform(-0.75, 0.75),
        pitch=r.uniform(0.15, 0.5),
        roll=r.uniform(-0.07, 0.07),
        size=r.uniform(0.48, 0.7),
        place=(r.uniform(0.2, 0.8), r.uniform(0.45, 0.85)),
    )
    light = Light(
        direction=(r.uniform(-0.9, 0.9), r.uniform(0.8, 1.3), r.uniform(0.25, 0.9)),
        strength=r.uniform(0.66, 0.92),
        ambient=r.uniform(0.38, 0.54),
        warmth=r.uniform(-1, 1),
    )
    return pose, light


def crop(scene: Scene, foot: float, roll: float, size_px: int, r: np.random.Generator) -> np.ndarray:
    """The part of a scene behind an object, perhaps mirrored, a little brighter or darker.

    Args:
        scene: the room.
        foot: the object's lowest point, as a share of the photo's height: it must stand on the floor.
        roll: of the camera, radians, anticlockwise.
        size_px: width and height of the photo.
        r: where the numbers come from.

    Returns:
        float32 (size_px, size_px, 3) in [0, 1].
    """
    n = len(scene.picture)
    side = r.uniform(0.6, 0.88)
    floor = r.uniform(0.32, max(foot - 0.14, 0.34))  # where the wall's foot should be in the photo
    left, top = r.uniform(0, 1 - side), float(np.clip(scene.floor - floor * side, 0, 1 - side))
    mirrored, brightness = (-1 if r.random() < 0.5 else 1), r.uniform(0.85, 1.1)
    scale = side * n / size_px
    turn = scale * np.array([[mirrored * np.cos(roll), -mirrored * np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    # A photo's pixel (column, row) is found at turn @ pixel + shift in the scene; middle goes to middle.
    middle = np.array([left + side / 2, top + side / 2]) * n - 0.5
    shift = middle - turn @ np.full(2, size_px / 2 - 0.5)
    found = cv2.warpAffine(
        scene.picture,
        np.column_stack([turn, shift]),
        (size_px, size_px),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )
    return np.clip(found * np.float32(brightness), 0, 1)


def place(thing: Rendering, backdrop: np.ndarray) -> np.ndarray:
    """Puts an object, with its shadow, before a backdrop (size_px, size_px, 3); float32 in [0, 1].

    >>> black, clear = np.zeros((1, 2, 3)), np.zeros((1, 2))
    >>> thing = Rendering(black, coverage=np.array([[0.25, 1.0]]), shadow=clear, foot=1.0)
    >>> place(thing, np.ones((1, 2, 3)))[0, :, 0].tolist()
    [0.75, 0.0]
    """
    coverage = thing.coverage[..., None]
    return thing.colour * coverage + backdrop * (1 - thing.shadow[..., None]) * (1 - coverage)


def _bytes(shares: np.ndarray) -> np.ndarray:
    return np.round(shares * 255).astype(np.uint8)
