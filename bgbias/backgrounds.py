"""Background pools: where the pictures come from."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from bgbias import files
from bgbias.config.data import Demo
from bgbias.datasets import demo, sources
from bgbias.photos import decode, pack

Pools = Iterator[tuple[str, Iterator[tuple[str, Image.Image]]]]  # pool, its named pictures
UNSPLASH = sources.Public(  # the study's: 100 photos for training and validation, 100 for the test
    name="unsplash_backgrounds",
    url="https://github.com/LSX-UniWue/background-bias-in-dml",
    folder="data/unsplash_backgrounds",
    revision="aea48571ce7b4e39b4ad1f462ee1650ffbfd2dbb",
    parts=("val", "test"),
    count=200,
    checksum="89775d31683bc2298b79be8a464d5d0e92a6719eee69ef13b02b8a2c7ee393c2",
    instead="set backgrounds.<dataset>.source to rendered, which needs none, ",
)


def write_pools(source: str, options: Demo, short_side_px: int, out: Path) -> None:
    """Pack the pools of a source: a pack `out`/POOL each, and their names in `out`/backgrounds.csv.

    Args:
        source: "rendered" (pools val, test and scene) or "unsplash" (val and test).
        options: of the demo, for the rendered pools, which are larger where `short_side_px` is, so that they are sharp.
        short_side_px: of the packed pictures.
        out: an existing folder.
    """
    named, options = [], replace(options, size_px=max(options.size_px, short_side_px))

    def packed(pool: str, pictures: Iterator[tuple[str, Image.Image]]) -> Iterator[np.ndarray]:
        for background_id, (name, picture) in enumerate(pictures):
            named.append((pool, background_id, name))
            yield pack.shrink(picture, short_side_px)

    with files.scratch(out) as scratch:
        for pool, pictures in SOURCES[source](options, scratch):
            pack.Pack.write(out / pool, packed(pool, pictures))
    pd.DataFrame(named, columns=["pool", "background_id", "name"]).to_csv(out / "backgrounds.csv", index=False)


def _rendered(options: Demo, scratch: Path) -> Pools:
    for pool in ("val", "test", "scene"):
        pictures = demo.backgrounds(pool, options)
        yield pool, ((name, Image.fromarray(picture)) for name, picture in pictures)


def _unsplash(options: Demo, scratch: Path) -> Pools:
    folder = scratch / "unsplash"
    sources.fetch(UNSPLASH, folder)
    for pool in ("val", "test"):
        yield pool, ((path.stem, decode.read_photo(path)) for path in sorted((folder / pool).iterdir()))


SOURCES = {"rendered": _rendered, "unsplash": _unsplash}
