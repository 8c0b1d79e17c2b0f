"""Pictures for benchmarks: of a photo's size and about its share of detail, or real ones."""

from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from bgbias import files
from bgbias.photos import decode, pack, table
from bgbias.photos.views import Photos

SIZES = ((500, 375), (500, 333), (375, 500), (480, 360))  # width, height, as CUB200's
BACKGROUND_SIZES = ((1000, 1500), (1000, 667), (1000, 1333))  # the study's commonest; its mean height is 1,209
QUALITY, BACKGROUND_QUALITY = 95, 80  # of JPEG: about 100 kB a photo as in CUB200's archive, 200 kB a background


def picture(width: int, height: int, rng: np.random.Generator) -> Image.Image:
    """Coloured clouds with some grain: its JPEG takes about as many bytes as that of a photo."""
    soft = Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)).resize((width, height), Image.BICUBIC)
    grain = rng.normal(0, 6, (height, width, 1))
    return Image.fromarray((np.asarray(soft) + grain).clip(0, 255).astype(np.uint8))


def files_of(folder: Path, photos: Path | None, count: int, backgrounds: int) -> tuple[list, list, list]:
    """Write JPEG photos (or take those of a folder), an 8-bit PNG mask of each, and JPEG backgrounds.

    Returns:
        The paths of photos, masks and backgrounds.
    """
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    if photos:
        found = sorted(path for path in photos.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
        if not found:
            raise SystemExit(f"error: {photos}: no .jpg photos there")
        taken = list(islice(cycle(found), count))
    else:
        taken = [folder / f"photo{number}.jpg" for number in range(count)]
        for number, path in enumerate(taken):
            picture(*SIZES[number % len(SIZES)], rng).save(path, quality=QUALITY)
    masks = [folder / f"mask{number}.png" for number in range(len(taken))]
    for path, mask in zip(taken, masks, strict=True):
        size = decode.read_photo(path).size
        drawn = Image.new("L", size)
        ImageDraw.Draw(drawn).ellipse([size[0] // 4, size[1] // 4, size[0] * 3 // 4, size[1] * 3 // 4], fill=255)
        drawn.resize((size[0] // 4, size[1] // 4)).resize(size, Image.BICUBIC).save(mask)  # soft edges
    behind = [folder / f"background{number}.jpg" for number in range(backgrounds)]
    for number, path in enumerate(behind):
        picture(*BACKGROUND_SIZES[number % len(BACKGROUND_SIZES)], rng).save(path, quality=BACKGROUND_QUALITY)
    return taken, masks, behind


def prepared(data: Path, paths: tuple[list, list, list], geometry) -> Photos:
    """What the stages up to training make of the files: a dataset of two photos a class, all for training."""
    photos, masks, backgrounds = paths
    side = geometry.short_side_px
    pack.Pack.write(data / "prepared/drawn/photos", pack.shrink_all(photos, side))
    pack.Pack.write(data / "masks/drawn/packed", pack.shrink_all(masks, side, decode.read_mask))
    pack.Pack.write(data / "backgrounds/drawn/val", pack.shrink_all(backgrounds, side))
    rows = [(number, str(path), number // 2, f"class {number // 2}", "train") for number, path in enumerate(photos)]
    files.write_csv(data / "prepared/drawn/images.csv", pd.DataFrame(rows, columns=table.COLUMNS).assign(mask_path=""))
    return Photos.prepared("drawn", geometry, data)
