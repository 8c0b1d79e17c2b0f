"""What an audit of a dataset of the pipeline reads: what the stages prepare, masks and backgrounds have made."""

from dataclasses import replace

from bgbias.audit.inputs import alike, pools, second_kind
from bgbias.audit.inputs import gallery as galleries
from bgbias.audit.inputs.opened import Opened, audited, described, made_with
from bgbias.audit.inputs.pictures import Pictures
from bgbias.cache import Cache
from bgbias.config import params
from bgbias.config.audits import SecondMasks
from bgbias.errors import InputError
from bgbias.photos.views import Photos


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
    about = described(pictures, method, pool_called)
    about |= made_with([photos.photos.folder], photos.masks.folder, pools.mark(pool.folder), pictures)
    about["made_with"]["audited"] = audited(pictures)
    return Opened(pictures, about, [*remarks, *said])


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
