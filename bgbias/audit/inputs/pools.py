"""Pools of backgrounds: rendered, of a folder, or the photos' own; and a second one to hold beside the first.

Drop and conflict depend on which backgrounds are swapped in. The photos' own are a pool of real ones that is always at
hand, and of the places where the photos were taken.
"""

from collections.abc import Iterable, Iterator
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from bgbias import cores, files
from bgbias.audit.inputs.pictures import Pictures, packed
from bgbias.cache import Cache, fingerprint
from bgbias.datasets.contents import READ, walk
from bgbias.datasets.folder import refuse_copies
from bgbias.errors import InputError, refuse
from bgbias.photos.decode import read_photo
from bgbias.photos.pack import Pack, shrink
from bgbias.render.backgrounds import swap
from bgbias.seeding import generator

RENDERED, OURS = "rendered", "this project, rendered"
POOL = 100  # backgrounds, rendered or of a folder; more would say little more and take longer
FEWEST = 4  # backgrounds of a folder: as many as the grid needs
BACKGROUND_SHARE = 5 / 3  # a background's short side, in inputs: crops of it are not enlarged
OWN = "photos"


class SecondPool(NamedTuple):
    """Other backgrounds.

    Attributes:
        name: of the pool, with the number of its pictures.
        pictures: of any sizes.
        identity: fingerprint of their bytes.
        mark: which backgrounds these are, whatever the embedder's input.
    """

    name: str
    pictures: Pack
    identity: str
    mark: str


def of_pack(pool: Pack, name: str, mark: str) -> SecondPool:
    """Take a pool of pictures."""
    return SecondPool(f"{len(pool)} of {name}", pool, fingerprint([], [pool.folder]), mark)


def of_photos(pictures: Pictures) -> SecondPool:
    """Take the audited photos' own backgrounds, the objects painted over: at most 100, drawn by the seed.

    Raises:
        ValueError: they are too few.
    """
    found = len(pictures.probed)
    if found < FEWEST:
        mend = "give a folder of backgrounds"
        raise InputError(f"--second-backgrounds {OWN}: {found} photos show enough of theirs, expected {FEWEST}: {mend}")
    rows = np.sort(generator(pictures.seed, "audit own backgrounds").permutation(found)[:POOL])
    pool = pictures.all_emptied.subset(rows)
    identity = fingerprint([rows.tolist()], [pool.folder])
    return SecondPool(f"{len(pool)} of the photos, objects painted over", pool, identity, OWN)


def second(asked: str | None, pictures: Pictures, cache: Cache) -> SecondPool | None:
    """Open the backgrounds to hold beside the first; None where none are asked for."""
    if not asked:
        return None
    if asked == OWN:
        return of_photos(pictures)
    folder = None if asked == RENDERED else Path(asked)
    pool = background_pack(folder, pictures.input_px, pictures.seed, cache)
    return of_pack(pool, asked if folder else OURS, mark(*drawn(folder, pictures.seed)) if folder else RENDERED)


def folder_of(asked: str | None) -> Path | None:
    """The folder of a second pool; None where it is of another kind, or there is none."""
    return None if asked in (None, RENDERED, OWN) else Path(asked)


def refuse_unfit(asked: str | None, first: Path | None, photos: Path, paths: Iterable[str], seed: int) -> None:
    """Refuse folders of backgrounds that are none, that hold photos, which show objects, or the same pictures.

    Args:
        asked: the second pool, as of `second`.
        first: the folder of the first pool; None: that is rendered.
        photos: their folder.
        paths: of those that are audited, and of their gallery, relative to it.
        seed: of the draws.
    """
    other = folder_of(asked)
    known = [photos / path for path in paths]
    for folder in filter(None, (first, other)):
        pictures = drawn(folder, seed)
        sizes = {path.stat().st_size for path in pictures}
        same = {files.checksum(path) for path in known if path.stat().st_size in sizes}
        shown = [path for path in pictures if files.checksum(path) in same]
        refuse(shown, f"{folder}: audited photos among the backgrounds, with their objects; give a folder without them")
    if first and other and mark(*drawn(first, seed)) == mark(*drawn(other, seed)):
        raise InputError(f"--second-backgrounds {asked}: {first} holds the same pictures: give others, or none")


def mark(*content: Path) -> str:
    """Sixteen hexadecimal digits of what files and folders hold."""
    return files.checksum(*content)[:16]


def background_pack(folder: Path | None, input_px: int, seed: int, cache: Cache, name: str = "test") -> Pack:
    """The pool of backgrounds: the pictures of a folder (at most 100, drawn by the seed), or 100 rendered ones.

    Args:
        folder: read with all that is in it; None: the pictures are rendered, as the pool `test` of the demo is.
        input_px: of the embedder.
        seed: of the draw, and of the rendering.
        cache: where the pool is kept.
        name: of the pool that is rendered, test or val; they share no picture.

    Raises:
        ValueError: no folder, fewer than 4 pictures, two that are equal, or one that does not decode.
    """
    side_px = round(BACKGROUND_SHARE * input_px)
    if folder is None:

        def make() -> Iterator[np.ndarray]:
            with ThreadPool(cores.count()) as pool:  # NumPy leaves Python's lock to others
                found = pool.imap(lambda number: swap(name, number, seed, side_px), range(POOL))
                for picture in tqdm(found, "rendering backgrounds", POOL, unit="picture"):
                    yield np.round(picture * 255).astype(np.uint8)

        return packed(cache, "backgrounds", fingerprint(["rendered", name, POOL, side_px, seed]), make)
    paths = drawn(folder, seed)
    shrunk = (shrink(read_photo(path), side_px) for path in tqdm(paths, "backgrounds", unit="picture"))
    return packed(cache, "backgrounds", fingerprint(["backgrounds", side_px], paths), lambda: shrunk)


def drawn(folder: Path, seed: int) -> list[Path]:
    """The pictures of a folder that are used."""
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: give a folder of background pictures, or none to render some")
    paths = sorted(folder / path for path in walk(folder)[0] if path.suffix.lower() in READ)
    if len(paths) < FEWEST:
        raise InputError(f"{folder}: {len(paths)} pictures, at least {FEWEST} are needed: add some backgrounds")
    if len(paths) > POOL:
        chosen = generator(seed, "audit pool").choice(len(paths), POOL, replace=False)
        paths = [paths[place] for place in sorted(chosen)]
    refuse_copies(folder, {str(path.relative_to(folder)): "" for path in paths})
    return paths
