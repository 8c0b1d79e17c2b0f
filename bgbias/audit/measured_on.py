"""What remedies are measured on: photos and backgrounds of a folder or a dataset.

What is learnt and chosen needs other photos than those that are measured: of a dataset its splits, of a folder those
that its photos.csv names. Without such only remedies of pictures are measured, and none is chosen.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from bgbias.audit.inputs import places, pools, sources
from bgbias.audit.inputs.pictures import Pictures, suspicions
from bgbias.audit.measures import doubts
from bgbias.audit.measures.places import pairs, said_of_pairs
from bgbias.cache import Cache
from bgbias.config import params
from bgbias.datasets import folder as folders
from bgbias.metrics import sample_size
from bgbias.metrics.places import compared
from bgbias.photos.pack import Pack
from bgbias.photos.views import Photos
from bgbias.report import comparison

LEARNING = ("train", "val")
NO_SPLITS = "No photos.csv names the splits train and val: nothing is learnt or chosen, remedies of pictures only."


class Splits(NamedTuple):
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


def of_dataset(dataset: str, settings: params.Params, input_px: int, cache: Cache) -> Splits:
    """Open the splits of a dataset of the pipeline, as `sources.of_dataset` opens its test photos."""
    tested, _, remarks = sources.of_dataset(dataset, settings, input_px, cache, "none")
    photos = tested.photos
    learning = {split: (photos, photos.split(split), None) for split in LEARNING}
    return Splits(tested, learning, *photos.val_pools(separate=True), remarks[1:])


def of_folder(options: params.Audit, input_px: int, seed: int, cache: Cache) -> Splits:
    """Open the photos of a folder as `sources.of_folder` does, and its other splits where photos.csv names all three.

    What is learnt is learnt from rendered backgrounds that no audit swaps in, and of training photos of both roles.
    """
    tested, _, remarks = sources.of_folder(options, input_px, seed, cache, cut_gallery=True)
    learning, listed = {}, folders.read(Path(options.photos))
    if set(LEARNING) <= set(listed.split):
        for split in LEARNING:
            roles = split != "train"
            of, _, (_, *said) = sources.of_folder(options, input_px, seed, cache, split, roles, cut_gallery=True)
            learning[split] = of.photos, of.image_ids, searched_of(of)
            remarks += [f"Of the split {split}: {remark}" for remark in said if remark not in remarks]
        remarks = [*remarks, *_known_classes(listed)]
    else:
        remarks = [*remarks, NO_SPLITS]
    if size := searched_of(tested):
        queries = len(tested.labels) - size
        said = f"{queries:,} queries search the gallery of {size:,} other photos; only the queries are swapped."
        remarks = [*remarks, said]
    pool = pools.background_pack(None, input_px, seed, cache, "val")
    return Splits(tested, learning, pool.subset(np.s_[::2]), pool.subset(np.s_[1::2]), remarks)


def placed(splits: Splits, listed: pd.Series, file: Path) -> Splits:
    """Add where the test photos were taken, and the validation photos, if the list that was read has any of them.

    Raises:
        ValueError: as raised by `places.of_photos` and `places.numbered`.
    """
    tested = splits.tested
    tested.places = places.of_photos(listed, tested, file)
    remarks = [*_compared(tested.labels, tested.places), *said_of_pairs(**pairs(tested)), *places.remarks(listed)]
    known = None
    if splits.learning:
        photos, image_ids, _ = splits.learning["val"]
        paths, labels = photos.table.path.loc[image_ids], np.array(photos.table.class_id.loc[image_ids])
        if places.of_some(listed, paths):
            known = places.numbered(listed, paths, labels, file, "val ")
            remarks += [f"Of the split val: {said}" for said in _compared(labels, known)]
        else:
            remarks.append(f"{file} has no photo of the split val: none is chosen for searches in other places.")
    return splits._replace(chosen_places=known, remarks=[*splits.remarks, *remarks])


def _compared(labels: np.ndarray, taken_at: np.ndarray) -> list[str]:
    """Say how many photos are compared by places, and that their classes are too few; sentences."""
    rows = compared(*map(torch.from_numpy, (labels, taken_at)))
    return [
        f"By places {len(rows)} of {len(labels)} photos are compared: they have others of their class in their place, "
        "and elsewhere.",
        *(f"By places, {said}" for said in comparison.too_few(len(np.unique(labels[rows])))),
    ]


def doubtful(splits: Splits) -> list[str]:
    """Say how many masks are in doubt, of the test photos and of those that are learnt from and chosen by; sentences.

    Raises:
        InputError: most of one of these are; by full masks, say, swapping costs nothing, and no remedy is chosen.
    """
    said = doubts.some(splits.tested.doubts)
    for split, (photos, image_ids, _) in splits.learning.items():
        said += doubts.some(suspicions(photos.foregrounds(image_ids)), f"{split} ")
    return said


def few(splits: Splits) -> list[str]:
    """Say what the photos that are measured, and those that are chosen by, are too few to show; sentences."""
    said = sample_size.few(splits.tested.table.class_name, gallery=searched_of(splits.tested))
    if not splits.learning:
        return said
    photos, image_ids, searched = splits.learning["val"]
    names = photos.table.class_name.loc[image_ids].reset_index(drop=True)
    return [*said, *sample_size.few(names, "val ", searched)]


def searched_of(pictures: Pictures) -> int | None:
    """Return how many photos, the first ones, the others search; None: all search all others."""
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
