"""Swaps beside real moves: the demo's test photos with their objects in other rooms, and what is found there.

Nothing but a renderer sees the same object from the same place, in the same light, in another room. What a swap costs
beyond such a move is owed to the swap: to what is left of the old room at the edges, to the shadow that is missing.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from bgbias import files
from bgbias.audit.inputs import known_photos
from bgbias.audit.measures.answers import some
from bgbias.audit.measures.scores import less, over_draws
from bgbias.audit.verdict.model_remarks import looked_at
from bgbias.config.data import Demo
from bgbias.datasets import demo
from bgbias.errors import InputError
from bgbias.external.steady import refuse_alike, refuse_unsteady
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
OTHERS = "{}: is not what params.yaml's data.demo renders: "


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
        ValueError: a photo, a mask or a list is not what the options render; or there are fewer rooms.
    """
    if options.backgrounds < rooms:
        raise InputError(f"data.demo.backgrounds {options.backgrounds}: expected at least {rooms}")
    unseen = options.train_scenes + options.val_scenes + options.test_scenes
    table = _test_photos(raw, options, unseen)
    _, shown = next(demo.backgrounds("scene", options))
    by_number = {
        number: scene(number, options.seed, len(shown))
        for number in (*table.scene.unique(), *range(unseen, unseen + options.backgrounds))
    }
    found, listed = [], list(zip(table.path, table.mask_path, table.scene, strict=True))
    for path, mask, home in tqdm(listed, "rendering", unit="photo"):
        shot = [int(number) for number in Path(path).stem.split("_")[-2:]]  # the class, and which of its photos
        pose, light = draw_pose_and_light(generator(options.seed, "demo photo", *shot))
        thing = render(design(shot[0], options.seed).parts, pose, light, options.size_px)
        drawn = generator(options.seed, "demo moves", *shot).choice(options.backgrounds, rooms, replace=False)
        own, *others = (
            crop(by_number[n], thing.foot, pose.roll, options.size_px, generator(options.seed, "demo crop", *shot))
            for n in (home, *(unseen + drawn))
        )
        photo, covered = np.asarray(read_photo(raw / path)), np.asarray(read_mask(raw / mask))
        for file, rendered, is_there in ((path, place(thing, own), photo), (mask, thing.coverage, covered)):
            if not np.array_equal(_bytes(rendered), is_there):
                raise InputError(OTHERS.format(raw / file) + REFETCH.format(raw))
        moved = [_bytes(place(thing, other)) for other in others]
        found.append((photo, covered[..., None], moved, [_bytes(other) for other in others]))
    photos, masks, moved, empty = (np.stack(pictures) for pictures in zip(*found, strict=True))
    labels = table.class_id.to_numpy(copy=True)
    return Moves(list(table.path), labels, photos, masks, moved.swapaxes(0, 1), empty.swapaxes(0, 1))


def _test_photos(raw: Path, options: Demo, unseen: int) -> pd.DataFrame:
    """List the test photos with their rooms, if the lists name those that the options render."""
    rooms = files.read_csv(raw / "scenes.csv", ["path", "scene"], REFETCH.format(raw))
    table = demo.image_table(raw).merge(rooms, "left", "path")
    first = options.train_classes + options.val_classes
    names = [design(number, options.seed).name for number in range(first, first + options.test_classes)]
    made = {(f"photos/{name}/{name}_{shot:02d}.png", name) for name in names for shot in range(options.test_photos)}
    tested = table[table.split == "test"]
    if sorted(zip(tested.path, tested.class_name, strict=True)) != sorted(made):
        raise InputError(OTHERS.format(raw / "photos.csv") + REFETCH.format(raw))
    if not (table.scene < unseen).all():  # rooms from there on are those that no photo shows
        raise InputError(OTHERS.format(raw / "scenes.csv") + REFETCH.format(raw))
    return tested


def measured(model: Embedder, made: Moves, seed: int) -> dict[str, dict]:
    """Measure what is found of photos, of moved and of swapped objects; queries and gallery are alike.

    Args:
        model: of any origin.
        made: of `moves`.
        seed: of the intervals.

    Returns:
        Name -> {metric: `bootstrap.Estimate` as a dict}: clean; moved and swapped, the means over the rooms; drop_moved
        and drop_swapped, what these lose; beyond, by how much the swap loses more, query by query.

    Raises:
        ValueError: see `steady.refuse_unsteady` and `steady.refuse_alike`.
    """
    photos, masks = _seen(made.photos, model.input_px), _seen(made.masks, model.input_px)
    refuse_unsteady(model, photos, made.paths)
    tried = some(len(photos))
    refuse_alike(model, photos[tried], list(np.array(made.paths)[tried]))
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


def remarks(model: Embedder, made: Moves, raw: Path, seed: int) -> list[str]:
    """Say what an audit says of a model: what was guessed of it, and how many photos it was trained on; sentences.

    Args:
        model: named by its SPEC.
        made: of `moves`.
        raw: likewise.
        seed: of the draw of photos to try.
    """

    def photo(rows: np.ndarray) -> Tensor:
        return _seen(made.photos[rows], model.input_px)

    table = pd.DataFrame({"path": made.paths, "class_id": made.labels})
    _, guessed = looked_at(model, model, table, photo, seed)
    return [*guessed, *known_photos.remark(model, raw, made.paths)]


def sheet(made: Moves) -> Image.Image:
    """Draw some photos, their objects moved into another room, and swapped into it."""
    shown = some(len(made.labels), SHOWN)
    px = made.photos.shape[1]
    swapped = paste(*(_seen(pictures[shown], px) for pictures in (made.photos, made.masks, made.rooms[0])))
    rows = made.photos[shown], made.moved[0][shown], swapped.permute(0, 2, 3, 1).numpy()
    return figures.sheet([[*map(Cell, row)] for row in rows], ["photo", "moved", "swapped"], {})


def _seen(pictures: np.ndarray, px: int) -> Tensor:
    """What a network sees, uint8 (N, C, px, px)."""
    return torch.stack([take(one, centre_box(*one.shape[:2], one.shape[0]), px) for one in pictures])


def _bytes(shares: np.ndarray) -> np.ndarray:
    return np.round(shares * 255).astype(np.uint8)
