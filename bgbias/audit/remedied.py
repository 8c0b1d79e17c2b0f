"""Remedies on the pictures that an audit sees, of a folder or a dataset: what it has embedded comes from the cache.

What is learnt and chosen needs other photos than those that are measured: of a dataset its splits, of a folder those
that its photos.csv names. Without such only remedies of pictures are measured, and none is chosen.
"""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from bgbias.audit import progress
from bgbias.audit.inputs import places, pools, sources
from bgbias.audit.inputs.pictures import Pictures, suspicions
from bgbias.audit.measures import answers, doubts, embeddings
from bgbias.cache import Cache, fingerprint
from bgbias.config import params
from bgbias.datasets import folder as folders
from bgbias.finder.network import Finder
from bgbias.metrics import sample_size
from bgbias.metrics.places import compared
from bgbias.models.embedder import Embedder
from bgbias.photos.pack import Pack
from bgbias.photos.views import Photos
from bgbias.remedies import passes, recovery
from bgbias.remedies.pictures import Shown
from bgbias.report import comparison

KNOWN = {"foreground_grey": "grey", "foreground_mean": "mean_colour"}  # view of an audit -> pass of the clean view
LEARNING = ("train", "val")
REMEDIES = "remedies"  # folder of their embeddings
NO_SPLITS = "No photos.csv names the splits train and val: nothing is learnt or chosen, remedies of pictures only."


class Sides(NamedTuple):
    """What remedies are measured on.

    Attributes:
        tested: the pictures of the audit; where they have a gallery, its photos first, which are cut out, too.
        learning: split -> its photos, which of all photos these are, and how many of them, the first ones, the others
            search (None: all search all others); nothing where there are none.
        learnt_from: backgrounds to learn from, and to show.
        chosen_by: other backgrounds, to choose by.
        remarks: what is to be said of the choice, sentences.
        chosen_places: where the photos that are chosen by were taken, int64 (N,); None: it is not known.
    """

    tested: Pictures
    learning: dict[str, tuple[Photos, np.ndarray, int | None]]
    learnt_from: Pack
    chosen_by: Pack
    remarks: list[str]
    chosen_places: np.ndarray | None = None


def of_dataset(dataset: str, settings: params.Params, input_px: int, cache: Cache) -> Sides:
    """Open the splits of a dataset of the pipeline, as `sources.of_dataset` opens its test photos."""
    tested, _, remarks = sources.of_dataset(dataset, settings, input_px, cache, "none")
    photos = tested.photos
    learning = {split: (photos, photos.split(split), None) for split in LEARNING}
    return Sides(tested, learning, *photos.val_pools(separate=True), remarks[1:])


def of_folder(options: params.Audit, input_px: int, seed: int, cache: Cache) -> Sides:
    """Open the photos of a folder as `sources.of_folder` does, and its other splits where photos.csv names all three.

    What is learnt is learnt from rendered backgrounds that no audit swaps in, and of training photos of both roles.
    """
    tested, _, remarks = sources.of_folder(options, input_px, seed, cache, cut_gallery=True)
    learning, listed = {}, folders.read(Path(options.photos))
    if set(LEARNING) <= set(listed.split):
        for split in LEARNING:
            roles = split != "train"
            of, _, (_, *said) = sources.of_folder(options, input_px, seed, cache, split, roles, cut_gallery=True)
            learning[split] = of.photos, of.image_ids, _searched(of)
            remarks += [f"Of the split {split}: {remark}" for remark in said if remark not in remarks]
        remarks = [*remarks, *_known_classes(listed)]
    else:
        remarks = [*remarks, NO_SPLITS]
    if size := _searched(tested):
        queries = len(tested.labels) - size
        said = f"{queries:,} queries search the gallery of {size:,} other photos; only the queries are swapped."
        remarks = [*remarks, said]
    pool = pools.background_pack(None, input_px, seed, cache, "val")
    return Sides(tested, learning, pool.subset(np.s_[::2]), pool.subset(np.s_[1::2]), remarks)


def placed(sides: Sides, listed: pd.Series, file: Path) -> Sides:
    """Add where the test photos were taken, and the validation photos, if the list that was read has any of them.

    Raises:
        ValueError: as raised by `places.of_photos` and `places.numbered`.
    """
    tested = sides.tested
    tested.places = places.of_photos(listed, tested, file)
    rows = compared(*map(torch.from_numpy, (tested.labels, tested.places)))
    remarks = [
        f"By places {len(rows)} of {len(tested.labels)} photos are compared: they have others of their class in their "
        "place, and elsewhere.",
        *(f"By places, {said}" for said in comparison.too_few(len(np.unique(tested.labels[rows])))),
        *places.remarks(listed),
    ]
    known = None
    if sides.learning:
        photos, image_ids, _ = sides.learning["val"]
        paths, labels = (photos.table[column].loc[image_ids] for column in ("path", "class_id"))
        if places.of_some(listed, paths):
            known = places.numbered(listed, paths, np.array(labels), file)
        else:
            remarks.append(f"{file} has no photo of the split val: none is chosen for searches in other places.")
    return sides._replace(chosen_places=known, remarks=[*sides.remarks, *remarks])


def doubtful(sides: Sides) -> list[str]:
    """Say how many masks are in doubt, of the test photos and of those that are learnt from and chosen by; sentences.

    Raises:
        InputError: most of one of these are; by full masks, say, swapping costs nothing, and no remedy is chosen.
    """
    said = doubts.some(sides.tested.doubts)
    for split, (photos, image_ids, _) in sides.learning.items():
        said += doubts.some(suspicions(photos.foregrounds(image_ids)), f"{split} ")
    return said


def few(sides: Sides) -> list[str]:
    """Say what the photos that are measured, and those that are chosen by, are too few to show; sentences."""
    said = sample_size.few(sides.tested.table.class_name, gallery=_searched(sides.tested))
    if not sides.learning:
        return said
    photos, image_ids, searched = sides.learning["val"]
    names = photos.table.class_name.loc[image_ids].reset_index(drop=True)
    return [*said, *sample_size.few(names, "val ", searched)]


def _searched(pictures: Pictures) -> int | None:
    return pictures.gallery.size if pictures.gallery else None


def _known_classes(listed: pd.DataFrame) -> list[str]:
    """Say how many classes of the test photos are those of others, too, a sentence; nothing where none is."""
    tested, learnt = (set(listed.class_name[listed.split.isin(some)]) for some in (("test",), LEARNING))
    if not (known := tested & learnt):
        return []
    return [
        f"{len(known)} of the {len(tested)} classes of the split test are in train or val, too: what is learnt and "
        "chosen by photos of a class may do less for new ones. Give each class one split."
    ]


def measure(
    model: Embedder, sides: Sides, cache: Cache, finder: Finder | None = None
) -> tuple[dict[str, dict], recovery.Learnt | None]:
    """Embed what is not known yet, learn, choose and measure: see `recovery`; what a finder shows, too."""
    tested, seed = sides.tested, sides.tested.seed
    weights = finder and {name: weight.tolist() for name, weight in finder.state_dict().items()}
    shown_by = finder and [finder.shape, weights]
    searched, known = _searched(tested), {}
    settings = [REMEDIES, answers.identity(model, tested), *filter(None, [shown_by, searched])]
    made_from = fingerprint(settings, [sides.learnt_from.folder])
    learnt, chosen_on = _learnt(model, sides, cache, finder, made_from) if sides.learning else (None, None)
    drawn = passes.Swaps(tested.pool, tested.draws, seed, tested.purpose)
    shown, keep = Shown(tested.photos, sides.learnt_from, seed, finder), partial(_kept, cache, made_from)
    if searched is None:
        print("as audits show them, test photos:", end=" ", flush=True)
        known = _known(embeddings.embed(model, tested, cache, only=[*_as_is(tested), *KNOWN]))
    rows = dict.fromkeys(_as_is(tested), len(tested.labels) - (searched or 0)) | {"clean": len(tested.labels)}
    new = {view for view in rows if not (cache.root / made_from / f"{REMEDIES}/{view}.npy").is_file()}
    left = sum(rows[view] * (len(shown.names) - len(known.get(view, ()))) for view in new)
    seconds_each = embeddings.seconds_each(model, tested) if left else 0.0
    print(f"as remedies show them, test photos: {progress.cost(left, 0, tested.input_px, seconds_each)}", flush=True)
    split = passes.embedded(model, tested.photos, tested.image_ids, drawn, shown, keep, known, searched)
    split = split._replace(places=_tensor(tested.places))
    answers.ask_again(model, tested, split.views[0]["as_is"])
    return recovery.measure(split, chosen_on, learnt, seed), learnt


def _learnt(
    model: Embedder, sides: Sides, cache: Cache, finder: Finder | None, made_from: str
) -> tuple[recovery.Learnt, passes.Split]:
    """What is learnt of training photos, as validation chooses it, and the embeddings of validation photos."""
    (photos, training, _), (others, validation, searched) = (sides.learning[split] for split in LEARNING)
    seed = sides.tested.seed
    swaps = passes.training_swaps(model, photos, training, sides.learnt_from, seed)
    drawn, shown = passes.Swaps(sides.chosen_by, 1, seed), Shown(others, sides.learnt_from, seed, finder)
    settings = [made_from, validation.tolist(), *filter(None, [searched])]
    made_from_others = fingerprint(settings, [others.photos.folder, others.masks.folder])
    keep = partial(_kept, cache, made_from_others)
    chosen_on = passes.embedded(model, others, validation, drawn, shown, keep, gallery=searched)
    return recovery.learn(swaps, chosen_on), chosen_on._replace(places=_tensor(sides.chosen_places))


def _tensor(of_all: np.ndarray | None) -> torch.Tensor | None:
    return None if of_all is None else torch.from_numpy(of_all)


def _kept(cache: Cache, made_from: str, view: str, rows: int, make: passes.Make) -> np.ndarray:
    return cache.array(f"{REMEDIES}/{view}", made_from, rows, make)


def _as_is(tested: Pictures) -> list[str]:
    return ["clean", *(f"swapped/{draw}" for draw in range(tested.draws))]


def _known(embedded: passes.Embeddings) -> passes.Known:
    """View -> pass -> what opens it, of what audits embed, too."""
    known = {view: {"as_is": opens} for view, opens in embedded.opened.items() if view not in KNOWN}
    known["clean"] |= {name: embedded.opened[view] for view, name in KNOWN.items()}
    return known
