"""What an audit reads: photos, masks and backgrounds, opened and packed at the size of the embedder's input."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from bgbias.audit.inputs import alike, packs, pools, second_kind
from bgbias.audit.inputs import folder as folders
from bgbias.audit.inputs import gallery as galleries
from bgbias.audit.inputs.pictures import Pictures
from bgbias.audit.inputs.second_kind import SecondKind
from bgbias.cache import Cache
from bgbias.config import params
from bgbias.config.audits import SecondMasks
from bgbias.datasets.listed import LIST, QUERY
from bgbias.errors import InputError
from bgbias.masks.make import file_of
from bgbias.photos.foreground import masks_among
from bgbias.photos.views import Photos

REMBG_MODEL = "u2net"
SOURCES = ("photos", "masks", "backgrounds", "second_backgrounds")  # folders that are read


class Opened(NamedTuple):
    """What is audited.

    Attributes:
        pictures: photos, masks and backgrounds at the embedder's size.
        described: what they are, for audit.json.
        remarks: what is to be said of the choice, sentences.
    """

    pictures: Pictures
    described: dict
    remarks: list[str]


def try_folder(out: Path, options: params.Audit | None) -> None:
    """Try, before anything that takes long, whether the folder of the results can be made; nothing is left of it.

    Raises:
        ValueError: it cannot be made, or lies in a folder that is read, where the next audit would read it.
    """
    given = {name: getattr(options, name, None) for name in SOURCES}
    if given["second_backgrounds"] in (pools.RENDERED, pools.OWN):
        del given["second_backgrounds"]
    for folder in filter(None, given.values()):
        if out.resolve().is_relative_to(Path(folder).resolve()):
            raise InputError(f"--out {out} lies in {folder}, which is read: choose another folder")
    new = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
        for folder in new:
            folder.rmdir()
    except OSError as error:
        raise InputError(f"--out {out}: no folder can be made there ({error.strerror}): choose another") from error


def of_dataset(
    dataset: str,
    settings: params.Params,
    input_px: int,
    cache: Cache,
    second_masks: SecondMasks | None = None,
    second_backgrounds: str | None = None,
    queries: int | None = None,
) -> Opened:
    """Open the test photos of a dataset of the pipeline, with its masks, its pool and the swaps of its stage embed.

    Args:
        dataset: whose photos, masks and backgrounds are prepared.
        settings: of params.yaml.
        input_px: of the embedder.
        cache: for what takes long.
        second_masks: method of masks to hold beside the prepared ones; they are made of the packed photos.
        second_backgrounds: of a second pool: photos, rendered, a folder, or a pool of the dataset by its name.
        queries: how many are drawn; None: all.

    Raises:
        ValueError: the second masks would be the prepared ones, or the second pool the first; or see `alike`.
    """
    geometry, options = replace(settings.images[dataset], input_px=input_px), settings.evaluate[dataset]
    method, pool_name = settings.masks[dataset].method, options.swaps["swapped"]
    if second_masks == "given" or second_masks == method == "rembg":
        mend = "give grabcut, or none"
        raise InputError(f"--second-masks {second_masks}: the masks of {dataset} are by {method}: {mend}")
    if second_backgrounds == pool_name:
        mend = "give another"
        raise InputError(f"--second-backgrounds {pool_name}: the first pool of {dataset} is the same: {mend}")
    making = second_kind.making(second_masks, method, settings.masks[dataset].rembg_model)
    photos = Photos.prepared(dataset, geometry)
    pool, pool_called = photos.pool(pool_name), f"the pool {pool_name} of {dataset}"
    image_ids = photos.split("test")
    gallery, said = galleries.of_prepared(photos, image_ids, queries, settings.seed)
    every, image_ids = len(image_ids), image_ids if gallery is None else image_ids[gallery.rows]
    beside = making and second_kind.of_packed(photos.photos, image_ids, making, cache)
    pictures = Pictures(photos, image_ids, pool, settings.seed, cache, options.draws, "swapped", beside, gallery)
    said += alike.of_pool(pool, pool_called)
    pictures.second_pool, of_second = _second_pool(second_backgrounds, pictures, dataset, cache)
    said += [*of_second, *alike.shared(pool, pictures.second_pool)]
    remarks = [
        f"Audited are the {every} test photos of {dataset}, on the backgrounds that the pipeline drew for them: for a "
        "model of that input size, clean and swapped figures are those of its report."
        if gallery is None
        else f"Searched are the {every} test photos of {dataset}; queries are on backgrounds that the pipeline drew."
    ]
    if input_px > geometry.crop_px:
        remarks.append(
            f"They are packed for crops of {geometry.crop_px} px and enlarged to the embedder's {input_px}: what it "
            f"does on sharper photos may differ; images.{dataset} in params.yaml sets the size."
        )
    made_with = _made_with([photos.photos.folder], photos.masks.folder, pools.mark(pool.folder), pictures)
    return Opened(pictures, _described(pictures, method, pool_called) | made_with, [*remarks, *said])


def _second_pool(
    asked: str | None, pictures: Pictures, dataset: str, cache: Cache
) -> tuple[pools.SecondPool | None, list[str]]:
    """A pool of the dataset by its name, or what `pools.second` gives; and what is to be said of it."""
    photos = pictures.photos
    if asked and photos.pools.joinpath(asked, "shapes.npy").is_file():
        other, called = photos.pool(asked), f"the pool {asked} of {dataset}"
        return pools.of_pack(other, called, pools.mark(other.folder)), alike.of_pool(other, called)
    other, audited = pools.second(asked, pictures, cache), photos.photos.subset(pictures.image_ids)
    return other, alike.of_second(asked, other, pictures.seed, audited, list(pictures.table.path))


def of_folder(
    options: params.Audit,
    input_px: int,
    seed: int,
    cache: Cache,
    split: str = "test",
    roles: bool = True,
    cut_gallery: bool = False,
) -> Opened:
    """Open the photos of a folder, make their masks, and the pool of backgrounds.

    Args:
        options: which folders, and how masks are made.
        input_px: of the embedder.
        seed: of all draws.
        cache: for what takes long.
        split: of those that photos.csv names.
        roles: whether those that photos.csv names count.
        cut_gallery: whether the pictures are of all photos, with masks, also where only some are queries.

    Raises:
        ValueError: as raised by `folder.read`, `mask_pack`, `refuse_empty` and `background_pack`.
    """
    folder, backgrounds = Path(options.photos), Path(options.backgrounds) if options.backgrounds else None
    every, remarks = folders.read(folder, split, roles)
    size = int((every.role != QUERY).sum())  # of the gallery
    if options.second_backgrounds and size < len(every):
        asked = f"--second-backgrounds {options.second_backgrounds}"
        raise InputError(
            f"{asked}: puts whole galleries there, and roles in {LIST} leave them as they are: leave it out"
        )
    chosen, drawn = galleries.drawn(every.class_id.to_numpy(), size, options.queries, seed)
    partial = chosen is not None and not cut_gallery
    listed = every.loc[chosen].reset_index(drop=True) if partial else every
    method, table, of_masks = _first_masks(options, listed, folder)
    if options.second_masks == "given":
        folders.refuse_unmasked(listed, folder, "--second-masks")
    pool = pools.background_pack(backgrounds, input_px, seed, cache)  # before masks, which take long
    pools.refuse_unfit(options.second_backgrounds, backgrounds, folder, every.path, seed)
    model = options.rembg_model or REMBG_MODEL
    making = params.Masks(method=method, rembg_model=model, grabcut_px=second_kind.GRABCUT_PX)
    photos = packs.photo_pack(table, folder, input_px, cache)
    audited = photos, list(table.path)
    said = alike.of_folder(backgrounds, pool, seed, *audited) if backgrounds else []
    made = masks = packs.mask_pack(table, folder, making, input_px, cache)
    packs.refuse_empty(masks, folder)
    remarks += [*of_masks, *masks_among(*audited)]
    gallery, image_ids, full_size = None, np.arange(len(table)), masks.folder.parent / "masks"  # see `mask_pack`
    if chosen is not None:
        gallery = galleries.of_files(every, size, folder, chosen, input_px)
    if partial:
        image_ids = chosen
        places = np.zeros(len(every), dtype=np.int64)
        places[chosen] = np.arange(len(chosen))  # all photos keep their numbers, by which backgrounds are drawn
        photos, masks = photos.subset(places), masks.subset(places)
    photos = Photos(every.assign(image_id=range(len(every))), photos, masks, packs.square(input_px))
    making = second_kind.making(options.second_masks, method, model)
    beside = making and SecondKind(second_kind.name(making), packs.mask_pack(listed, folder, making, input_px, cache))
    if method == "given":
        remarks += second_kind.shared(made, beside, (file_of(full_size, path) for path in table.path))
    pictures = Pictures(photos, image_ids, pool, seed, cache, second_kind=beside, gallery=gallery)
    pictures.second_pool = pools.second(options.second_backgrounds, pictures, cache)
    said += alike.shared(pool, pictures.second_pool)
    said += alike.of_second(options.second_backgrounds, pictures.second_pool, seed, *audited)
    described = _described(pictures, options.masks or method, options.backgrounds or pools.OURS)
    mark = pools.mark(*pools.drawn(backgrounds, seed)) if backgrounds else pools.RENDERED
    of_photos = [folder / path for path in listed.path]
    return Opened(pictures, described | _made_with(of_photos, full_size, mark, pictures), [*remarks, *drawn, *said])


def _first_masks(options: params.Audit, listed: pd.DataFrame, folder: Path) -> tuple[str, pd.DataFrame, list[str]]:
    """The method of the first masks, the table with the files of given ones, and what is to be said of the choice."""
    if options.masks:
        return "given", folders.given_masks(listed, Path(options.masks)), []
    if options.mask_method == "given":
        folders.refuse_unmasked(listed, folder)
    named, method = int((listed.mask_path != "").sum()), options.mask_method or "grabcut"
    if options.mask_method or options.second_masks == "given" or not named:
        return method, listed, []
    said = f"photos.csv names masks for {named} of {len(listed)} photos: --mask-method given takes these."
    return method, listed, [said]


def _described(pictures: Pictures, masks: str, backgrounds: str) -> dict:
    counts = {"photos": len(pictures.table), "classes": pictures.table.class_name.nunique()}
    if pictures.gallery:
        counts["gallery"] = pictures.gallery.size
    return counts | {"masks": masks, "backgrounds": f"{len(pictures.pool)} of {backgrounds}"}


def _made_with(photos: Sequence[Path], masks: Path, backgrounds: str, pictures: Pictures) -> dict:
    """What swaps depend on, whatever the embedder: photos (the queries of a sample), masks, backgrounds and seed."""
    marks, second = {"photos": pools.mark(*photos), "masks": pools.mark(masks)}, pictures.second_pool
    beside = {"second_backgrounds": second.mark} if second else {}
    if gallery := pictures.gallery:
        beside["queries"] = gallery.asked
    drawn = {"backgrounds": backgrounds, "seed": pictures.seed, "draws": pictures.draws}
    return {"made_with": {**marks, **drawn, **beside}}
