"""What an audit reads: photos, masks and backgrounds, opened and packed at the size of the embedder's input."""

from collections.abc import Iterator
from multiprocessing.pool import ThreadPool
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from bgbias import files
from bgbias.audit import folder as folders
from bgbias.audit.pictures import Pictures, packed
from bgbias.cache import Cache, fingerprint
from bgbias.config import params
from bgbias.datasets.folder import READ
from bgbias.masks.make import file_of, made_from, make_masks
from bgbias.photos import foreground
from bgbias.photos.pack import Pack, cores, read_photo, shrink
from bgbias.render.backgrounds import swap
from bgbias.seeding import generator

GRABCUT_PX = 128
SOURCES = ("photos", "masks", "backgrounds")  # folders that are read
POOL = 100  # backgrounds, rendered or of a folder; more would say little more and take longer
FEWEST = 4  # backgrounds of a folder: as many as the grid needs
BACKGROUND_SHARE = 5 / 3  # a background's short side, in inputs: crops of it are not enlarged
FEW = 64  # photos, whose masks are made sooner than other processes have started


def refuse_out_within(options: params.Audit, out: Path) -> None:
    """What is written into a folder of photos, masks or backgrounds would be read there the next time."""
    for folder in filter(None, (getattr(options, name) for name in SOURCES)):
        if out.resolve().is_relative_to(Path(folder).resolve()):
            raise ValueError(f"--out {out} lies in {folder}, which is read: choose another folder")


def make_folder(out: Path) -> None:
    """Make it before anything that takes long."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"--out {out}: no folder can be made there ({error.strerror}): choose another") from error


def pool_of(options: params.Audit) -> Path | None:
    """The folder of backgrounds; None: they are rendered."""
    return Path(options.backgrounds) if options.backgrounds else None


def prepare(options: params.Audit, input_px: int, seed: int, cache: Cache) -> tuple[Pictures, list[str]]:
    """Photos, masks and backgrounds; and what is to be said of the choice of photos."""
    folder = Path(options.photos)
    table, said = folders.read(folder)
    method = "given" if options.masks else options.mask_method or "grabcut"
    if options.masks:
        table = folders.given_masks(table, Path(options.masks))
    elif method == "given":
        folders.refuse_unmasked(table, folder)
    making = params.Masks(method=method, rembg_model=options.rembg_model, grabcut_px=GRABCUT_PX)
    packs = (
        photo_pack(table, folder, input_px, cache),
        mask_pack(table, folder, making, input_px, cache),
        background_pack(pool_of(options), input_px, seed, cache),
    )
    return Pictures(table, *packs, seed, cache), said


def described(options: params.Audit, seen: Pictures) -> dict:
    """What was audited with what."""
    return {
        "embedder": options.embedder,
        "photos": len(seen.table),
        "classes": seen.table.class_name.nunique(),
        "masks": options.masks or options.mask_method or "grabcut",
        "backgrounds": f"{len(seen.backgrounds)} of {options.backgrounds or 'this project, rendered'}",
        "made_with": made_with(seen.masks, pool_of(options), seen.seed),
    }


def crop(picture: Image.Image, side_px: int) -> np.ndarray:
    """The centre square of a picture, resized (bilinear, antialiased): its short side becomes `side_px`.

    >>> crop(Image.new("L", (30, 20), 7), 10).shape
    (10, 10, 1)
    """
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.resize((side_px, side_px), Image.Resampling.BILINEAR, (left, top, left + side, top + side))
    return np.asarray(square).reshape(side_px, side_px, -1)


def _crops(paths: list[Path], side_px: int, mode: str, what: str) -> Iterator[np.ndarray]:
    with ThreadPool(cores()) as pool:  # decoding leaves Python's lock to others
        found = pool.imap(lambda path: crop(read_photo(path, mode), side_px), paths)
        yield from tqdm(found, what, len(paths), unit="picture")


def photo_pack(table: pd.DataFrame, folder: Path, input_px: int, cache: Cache) -> Pack:
    """Decode and crop all photos, once."""
    paths = [folder / path for path in table.path]
    made_from = fingerprint(["photos", input_px], paths)
    return packed(cache, "photos", made_from, lambda: _crops(paths, input_px, "RGB", "photos"))


def mask_pack(table: pd.DataFrame, folder: Path, options: params.Masks, input_px: int, cache: Cache) -> Pack:
    """Make the masks of all photos (an interrupted run goes on), and crop them.

    Raises:
        ValueError: as of `make.make_masks`; no mask shows an object.
    """
    settings, data = made_from(options)
    given = [folder / path for path in table.mask_path if options.method == "given"]
    of_photos = [folder / path for path in table.path]
    mark = fingerprint([list(table.path), *settings], [*of_photos, *given, *data])
    full_size = cache.root / mark / "masks"
    make_masks(table, folder, full_size, options, workers=1 if len(table) <= FEW else None)
    paths = [file_of(full_size, path) for path in table.path]
    pack = packed(cache, f"masks_{input_px}", mark, lambda: _crops(paths, input_px, "L", "cropping masks"))
    if all(foreground.suspicion(pack[row]) == "empty" for row in range(len(pack))):
        raise ValueError(f"{folder}: all masks are empty (white is the object): make others, or --mask-method grabcut")
    return pack


def background_pack(folder: Path | None, input_px: int, seed: int, cache: Cache) -> Pack:
    """The pool of backgrounds: the pictures of a folder (at most 100, drawn by the seed), or 100 rendered ones.

    Args:
        folder: read with all that is in it; None: the pictures are rendered, as the pool `test` of the demo is.
        input_px: of the embedder.
        seed: of the draw, and of the rendering.
        cache: where the pool is kept.

    Raises:
        ValueError: no folder, fewer than 4 pictures, or one that does not decode.
    """
    side_px = round(BACKGROUND_SHARE * input_px)
    if folder is None:

        def make() -> Iterator[np.ndarray]:
            for number in tqdm(range(POOL), "rendering backgrounds", unit="picture"):
                yield np.round(swap("test", number, seed, side_px) * 255).astype(np.uint8)

        return packed(cache, "backgrounds", fingerprint(["rendered", POOL, side_px, seed]), make)
    paths = _drawn(folder, seed)
    shrunk = (shrink(read_photo(path), side_px) for path in tqdm(paths, "backgrounds", unit="picture"))
    return packed(cache, "backgrounds", fingerprint(["backgrounds", side_px], paths), lambda: shrunk)


def _drawn(folder: Path, seed: int) -> list[Path]:
    """The pictures of a folder that are used."""
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder: give a folder of background pictures, or none to render some")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in READ and path.is_file())
    if len(paths) < FEWEST:
        raise ValueError(f"{folder}: {len(paths)} pictures, at least {FEWEST} are needed: add some backgrounds")
    if len(paths) > POOL:
        chosen = generator(seed, "audit pool").choice(len(paths), POOL, replace=False)
        paths = [paths[place] for place in sorted(chosen)]
    return paths


def made_with(of_masks: Pack, backgrounds: Path | None, seed: int) -> dict:
    """What the swaps hang on beside the photos, whatever the embedder's input: full-size masks, backgrounds, seed."""
    full_size = of_masks.folder.parent / "masks"  # see `mask_pack`
    pool = files.checksum(*_drawn(backgrounds, seed))[:16] if backgrounds else "rendered"
    return {"masks": files.checksum(full_size)[:16], "backgrounds": pool, "seed": seed}
