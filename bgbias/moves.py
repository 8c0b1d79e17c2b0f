"""Swaps beside real moves: the demo's test photos with their objects in other rooms, and what is found there.

Nothing but a renderer sees the same object from the same place, in the same light, in another room. What a swap costs
beyond such a move is owed to the swap: to what is left of the old room at the edges, to the shadow that is missing.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from bgbias import files
from bgbias.audit.measures.scores import less, over_draws
from bgbias.config.data import Demo
from bgbias.datasets import demo
from bgbias.errors import InputError
from bgbias.metrics.bootstrap import estimates, sums
from bgbias.metrics.names import METRICS
from bgbias.metrics.retrieval import Scores, per_query
from bgbias.models.embedder import Embedder, embed
from bgbias.photos.compose import centre_box, paste, take
from bgbias.photos.decode import read_mask, read_photo
from bgbias.photos.table import REFETCH
from bgbias.render.camera import crop, draw_pose_and_light, place
from bgbias.render.designs import design
from bgbias.render.rendering import render
from bgbias.render.scenes import scene
from bgbias.report import figures
from bgbias.report.figures import Cell
from bgbias.seeding import generator

SHOWN, AT_ONCE = 8, 64


class Moves(NamedTuple):
    """N test photos, and K other rooms for each; S: the photos' side.

    Attributes:
        paths: of the photos.
        labels: int64 (N,).
        photos: uint8 (N, S, S, 3).
        masks: uint8 (N, S, S, 1).
        moved: uint8 (K, N, S, S, 3), the object in another room, with its shadow.
        rooms: uint8 (K, N, S, S, 3), the same parts of the same rooms without it.
    """

    paths: list[str]
    labels: np.ndarray
    photos: np.ndarray
    masks: np.ndarray
    moved: np.ndarray
    rooms: np.ndarray


def moves(raw: Path, options: Demo, rooms: int) -> Moves:
    """Render every test photo again, its object in other rooms.

    Args:
        raw: what `demo.fetch` wrote.
        options: what it was rendered by.
        rooms: how many of those that no photo shows are drawn for each photo.

    Raises:
        ValueError: a photo is not what the options render; or there are fewer rooms.
    """
    if options.backgrounds < rooms:
        raise InputError(f"data.demo.backgrounds {options.backgrounds}: expected at least {rooms}")
    table = demo.image_table(raw)
    table = table[table.split == "test"]
    scenes = files.read_csv(raw / "scenes.csv", ["path", "scene"], REFETCH.format(raw)).set_index("path").scene
    unseen = options.train_scenes + options.val_scenes + options.test_scenes
    _, shown = next(demo.backgrounds("scene", options))
    by_number = {
        number: scene(number, options.seed, len(shown))
        for number in (*scenes[table.path].unique(), *range(unseen, unseen + options.backgrounds))
    }
    found = []
    for path, mask in tqdm(list(zip(table.path, table.mask_path, strict=True)), "rendering", unit="photo"):
        shot = [int(number) for number in Path(path).stem.split("_")[-2:]]  # the class, and which of its photos
        pose, light = draw_pose_and_light(generator(options.seed, "demo photo", *shot))
        thing = render(design(shot[0], options.seed).parts, pose, light, options.size_px)
        drawn = generator(options.seed, "demo moves", *shot).choice(options.backgrounds, rooms, replace=False)
        own, *others = (
            crop(by_number[n], thing.foot, pose.roll, options.size_px, generator(options.seed, "demo crop", *shot))
            for n in (scenes[path], *(unseen + drawn))
        )
        photo = np.asarray(read_photo(raw / path))
        if not np.array_equal(_bytes(place(thing, own)), photo):
            raise InputError(f"{raw / path}: is not what params.yaml's data.demo renders: {REFETCH.format(raw)}")
        moved = [_bytes(place(thing, other)) for other in others]
        covered = np.asarray(read_mask(raw / mask))[..., None]
        found.append((photo, covered, moved, [_bytes(other) for other in others]))
    photos, masks, moved, empty = (np.stack(pictures) for pictures in zip(*found, strict=True))
    labels = table.class_id.to_numpy(copy=True)
    return Moves(list(table.path), labels, photos, masks, moved.swapaxes(0, 1), empty.swapaxes(0, 1))


def measured(model: Embedder, made: Moves, seed: int) -> dict[str, dict]:
    """Measure what is found of photos, of moved and of swapped objects; queries and gallery are alike.

    Args:
        model: of any origin.
        made: of `moves`.
        seed: of the intervals.

    Returns:
        Name -> {metric: `bootstrap.Estimate` as a dict}: clean; moved and swapped, the means over the rooms; drop_moved
        and drop_swapped, what these lose; beyond, by how much the swap loses more, query by query.
    """
    photos, masks = _seen(made.photos, model.input_px), _seen(made.masks, model.input_px)
    moved, rooms = ([_seen(of_all, model.input_px) for of_all in pictures] for pictures in (made.moved, made.rooms))

    def searched(pictures: Tensor) -> Scores:
        embeddings = embed(model, pictures.split(AT_ONCE), made.paths)
        return per_query(embeddings, embeddings, torch.from_numpy(made.labels), [1])

    found = {
        "clean": searched(photos),
        "moved": over_draws([searched(pictures) for pictures in moved]),
        "swapped": over_draws([searched(paste(photos, masks, behind)) for behind in rooms]),
    }
    found |= {f"drop_{view}": less(found["clean"], found[view]) for view in ("moved", "swapped")}
    found["beyond"] = less(found["moved"], found["swapped"])
    asked = {
        (name, metric): sums(of[metric].double(), made.labels[of["rows"]])
        for name, of in found.items()
        for metric in METRICS
    }
    single = estimates(asked, lambda: generator(seed, "moves intervals"))
    return {name: {metric: single[name, metric].as_json() for metric in METRICS} for name in found}


def sheet(made: Moves) -> Image.Image:
    """Draw some photos, their objects moved into another room, and swapped into it."""
    some = np.unique(np.linspace(0, len(made.labels) - 1, SHOWN).round().astype(int))
    px = made.photos.shape[1]
    swapped = paste(*(_seen(pictures[some], px) for pictures in (made.photos, made.masks, made.rooms[0])))
    rows = made.photos[some], made.moved[0][some], swapped.permute(0, 2, 3, 1).numpy()
    return figures.sheet([[*map(Cell, row)] for row in rows], ["photo", "moved", "swapped"], {})


def _seen(pictures: np.ndarray, px: int) -> Tensor:
    """What a network sees, uint8 (N, C, px, px)."""
    return torch.stack([take(one, centre_box(*one.shape[:2], one.shape[0]), px) for one in pictures])


def _bytes(shares: np.ndarray) -> np.ndarray:
    return np.round(shares * 255).astype(np.uint8)
