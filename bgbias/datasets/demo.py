"""The demo dataset: photos of rendered things, as in a web shop, in front of their sellers' scenes.

A class is one design of a family, such as a teapot. Every class has a few home scenes, in which most
of its photos are taken: so a network may learn the room instead of the thing, which is what the
project measures. All of it is drawn from params.yaml's data.demo, to the byte.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from bgbias import files
from bgbias.config.data import Demo
from bgbias.errors import InputError
from bgbias.photos.table import REFETCH, SPLITS
from bgbias.render.backgrounds import swap
from bgbias.render.camera import choose_scene, home_scenes, photograph
from bgbias.render.designs import Design, design
from bgbias.render.scenes import scene
from bgbias.seeding import generator

PNG_LEVEL = 6  # fixed, so that the files' bytes do not depend on Pillow's default


def fetch(out: Path, options: Demo) -> None:
    """Render the dataset.

    Writes photos/CLASS/CLASS_07.png (RGB), masks/CLASS/CLASS_07.png (grey: the share of each pixel
    that the object covers, 0 to 255), photos.csv with the columns path, class, split, mask, as for own
    photos, and scenes.csv with the columns path, scene (its number).

    Args:
        out: where to; it appears when all is rendered.
        options: what to render; the same options, which have a seed, give the same files to the byte.
    """
    total = sum(getattr(options, f"{s}_classes") * getattr(options, f"{s}_photos") for s in SPLITS)
    with files.whole_folder(out) as partial:
        rows = sorted(tqdm(_render(partial, options), desc="rendering", total=total, unit="photo"))
        table = pd.DataFrame(rows, columns=["path", "mask", "class", "split", "scene"])
        files.write_csv(partial / "photos.csv", table[["path", "class", "split", "mask"]])
        files.write_csv(partial / "scenes.csv", table[["path", "scene"]])


def _render(out: Path, options: Demo) -> Iterator[tuple[str, str, str, str, int]]:
    """Write one photo after the other, and yield the rows of photos.csv."""
    seed, first_class, first_scene = options.seed, 0, 0
    for split in SPLITS:
        classes, photos, scenes = (getattr(options, f"{split}_{n}") for n in ("classes", "photos", "scenes"))
        pool = range(first_scene, first_scene + scenes)
        rooms = {number: scene(number, seed, _scene_px(options)) for number in pool}
        r = generator(seed, "demo home scenes", SPLITS.index(split))
        homes = home_scenes(classes, pool, options.home_scenes, r)
        for number, own in enumerate(homes, start=first_class):
            thing = design(number, seed)
            for photo in range(photos):
                r = generator(seed, "demo scene choice", number, photo)
                where = choose_scene(own, pool, options.background_correlation, r)
                pictures = photograph(thing.parts, rooms[where], options.size_px, seed, number, photo)
                yield *_save(out, thing, photo, *pictures), thing.name, split, where
        first_class, first_scene = first_class + classes, first_scene + scenes


def _scene_px(options: Demo) -> int:
    """Scenes and other backgrounds are larger than photos, which show a part of them."""
    return options.size_px * 5 // 3


def _save(out: Path, thing: Design, number: int, photo: np.ndarray, mask: np.ndarray) -> tuple[str, str]:
    """Write a photo and its mask, and return their paths relative to `out`."""
    paths = [f"{folder}/{thing.name}/{thing.name}_{number:02d}.png" for folder in ("photos", "masks")]
    for path, pixels in zip(paths, (photo, mask), strict=True):
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(out / path, compress_level=PNG_LEVEL)
    return paths[0], paths[1]


def image_table(raw: Path) -> pd.DataFrame:
    """List the photos that `fetch` wrote.

    Args:
        raw: where it wrote them.

    Returns:
        Columns path and mask_path (relative to `raw`), class_id (from 0: train, then val, then
        test; in each split by name), class_name, split; one row per photo, in the file's order.
    """
    table = files.read_csv(raw / "photos.csv", ["path", "mask", "class", "split"], REFETCH.format(raw))
    table = table.rename(columns={"class": "class_name", "mask": "mask_path"})
    classes = table[["split", "class_name"]].drop_duplicates()
    ordered = sorted(classes.itertuples(index=False), key=lambda c: (SPLITS.index(c.split), c.class_name))
    ids = {c.class_name: class_id for class_id, c in enumerate(ordered)}
    table["class_id"] = table["class_name"].map(ids)
    return table[["path", "mask_path", "class_id", "class_name", "split"]]


def backgrounds(pool: str, options: Demo) -> Iterator[tuple[str, np.ndarray]]:
    """Paint pictures to put behind the objects instead of their own backgrounds.

    Args:
        pool: "val" or "test", pictures unlike the photos' scenes; or "scene", rooms by the same
            painter that no photo shows.
        options: how many and how large.

    Yields:
        A name such as "val_003", and uint8 (n, n, 3), R, G, B, with n 5/3 of a photo's width.

    Raises:
        ValueError: an unknown pool.
    """
    if pool not in ("val", "test", "scene"):
        raise InputError(f"unknown background pool {pool!r}: expected 'val', 'test' or 'scene'")
    unseen = options.train_scenes + options.val_scenes + options.test_scenes
    for number in range(options.backgrounds):
        if pool == "scene":
            picture = scene(unseen + number, options.seed, _scene_px(options)).picture
        else:
            picture = swap(pool, number, options.seed, _scene_px(options))
        yield f"{pool}_{number:03d}", np.round(picture * 255).astype(np.uint8)
