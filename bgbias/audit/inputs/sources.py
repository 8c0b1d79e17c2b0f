"""What an audit of a folder reads: photos, masks and backgrounds, opened and packed at the embedder's input size."""

from pathlib import Path

import numpy as np
import pandas as pd

from bgbias.audit.inputs import alike, packs, pools, second_kind
from bgbias.audit.inputs import folder as folders
from bgbias.audit.inputs import gallery as galleries
from bgbias.audit.inputs.opened import Opened, described, made_with
from bgbias.audit.inputs.pictures import Pictures
from bgbias.audit.inputs.prepared import of_dataset as of_dataset
from bgbias.audit.inputs.second_kind import SecondKind
from bgbias.cache import Cache
from bgbias.config import params
from bgbias.datasets.listed import LIST, QUERY
from bgbias.errors import InputError
from bgbias.masks.make import file_of
from bgbias.photos.foreground import masks_among
from bgbias.photos.views import Photos

REMBG_MODEL = "u2net"
SOURCES = ("photos", "masks", "backgrounds", "second_backgrounds")  # folders that are read


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
    one_each = bool(options.one_each)
    every, remarks = folders.read(folder, split, roles, one_each)
    size = int((every.role != QUERY).sum())  # of the gallery
    if options.second_backgrounds and size < len(every):
        asked = f"--second-backgrounds {options.second_backgrounds}"
        raise InputError(
            f"{asked}: puts whole galleries there, and roles in {LIST} leave them as they are: leave it out"
        )
    labels = galleries.twice(every.class_id.to_numpy(), one_each)
    chosen, drawn = galleries.drawn(labels, size, options.queries, seed)
    chosen = chosen - size if one_each else chosen
    partial = chosen is not None and not cut_gallery
    listed = every.loc[chosen].reset_index(drop=True) if partial else every
    if options.masks:
        folders.refuse_masks_among(every, folder, Path(options.masks))
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
        gallery = galleries.of_files(every, size, folder, chosen, input_px, one_each)
        gallery = gallery._replace(compared=photos.subset) if cut_gallery else gallery  # they are packed
    if partial:
        image_ids = chosen
        places = np.zeros(len(every), dtype=np.int64)
        places[chosen] = np.arange(len(chosen))  # all photos keep their numbers, by which backgrounds are drawn
        photos, masks = photos.subset(places), masks.subset(places)
    photos = Photos(every.assign(image_id=range(len(every))), photos, masks, packs.square(input_px))
    making = second_kind.making(options.second_masks, method, model)
    beside = None
    if making:
        second = packs.mask_pack(listed, folder, making, input_px, cache)
        beside = SecondKind(second_kind.name(making), second, pools.mark(second.folder.parent / "masks"))
    if method == "given":
        remarks += second_kind.shared(made, beside, (file_of(full_size, path) for path in table.path))
    squares = alike.squares(backgrounds, pool, seed)
    pictures = Pictures(photos, image_ids, pool, seed, cache, second_kind=beside, gallery=gallery, squares=squares)
    pictures.second_pool = pools.second(options.second_backgrounds, pictures, cache)
    said += alike.shared(pool, pictures.second_pool)
    said += alike.of_second(options.second_backgrounds, pictures.second_pool, seed, *audited)
    mark = pools.mark(*pools.drawn(backgrounds, seed)) if backgrounds else pools.RENDERED
    of_photos = [folder / path for path in listed.path]
    about = described(pictures, options.masks or method, options.backgrounds or pools.OURS)
    about |= made_with(of_photos, full_size, mark, pictures)
    return Opened(pictures, about, [*remarks, *drawn, *said])


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
