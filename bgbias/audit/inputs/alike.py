"""Pools of backgrounds that tell less than they seem to: with audited photos, or pictures that are alike or plain."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from bgbias.audit.inputs.pools import FEWEST, OWN, SecondPool, drawn, folder_of
from bgbias.datasets.near_duplicates import first_ones, near_duplicates
from bgbias.errors import InputError, refuse
from bgbias.photos.compose import centre_box, inside
from bgbias.photos.decode import odd_files
from bgbias.photos.pack import Pack

PX = 24  # side that pictures are shrunk to
PLAIN = 8  # of 255 levels: a picture that differs by less from its mean colour is plain, and two such are alike
AT_ONCE = 900  # photos that a pool is compared with


def of_folder(folder: Path, pool: Pack, seed: int, photos: Pack, paths: Sequence[str]) -> list[str]:
    """Say how many pictures of a folder's pool are transparent, near-duplicates, or plain; sentences.

    Args:
        folder: of the pool.
        pool: its pictures.
        seed: of the draw.
        photos: that are audited.
        paths: of these.

    Raises:
        InputError: a picture is an audited photo or a near-duplicate of one, which shows its object; or see `of_pool`.
    """
    files = drawn(folder, seed)
    names = [path.relative_to(folder) for path in files]
    shown = {place: f"{names[place]} = {paths[row]}" for place, row in _photos_among(pool, photos)}.values()
    refuse(shown, f"{folder}: audited photos among the backgrounds, with their objects; give a folder without them")
    return [*odd_files(files, f"backgrounds of {folder}"), *of_pool(pool, str(folder), names)]


def squares(folder: Path | None, pool: Pack, seed: int) -> dict[str, np.ndarray]:
    """The centre squares of a folder's pool by their paths, to be compared with photos; none of no folder."""
    return dict(zip(map(str, drawn(folder, seed)), map(_square, pool), strict=True)) if folder else {}


def of_second(asked: str | None, pool: SecondPool | None, seed: int, photos: Pack, paths: Sequence[str]) -> list[str]:
    """Say the same of a second pool, sentences; nothing where there is none.

    Args:
        asked: as of `pools.second`.
        pool: what that gives.
        seed: of the draw.
        photos: that are audited.
        paths: of these.

    Raises:
        InputError: likewise.
    """
    if pool is None:
        return []
    if folder := folder_of(asked):
        return of_folder(folder, pool.pictures, seed, photos, paths)
    return of_pool(pool.pictures, f"--second-backgrounds {OWN}") if asked == OWN else []


def of_pool(pool: Pack, name: str, names: Sequence[Path] = ()) -> list[str]:
    """Say how many pictures of a pool are near-duplicates, and that most are plain, where so; sentences.

    Args:
        pool: its pictures.
        name: of the pool.
        names: of its files; (): they have none, and near-duplicates are not said.

    Raises:
        InputError: fewer than 4 differ, so that what a swap changes is not measured.
    """
    pairs, plain = near_duplicates(pool), plain_colours(pool)
    alike = [
        (one, other)
        for one in plain
        for other in plain
        if one < other and np.square(plain[one] - plain[other]).mean() < PLAIN**2
    ]
    differ, said = int(first_ones([*pairs, *alike], len(pool)).sum()), []
    if differ < FEWEST:
        mend = f"expected {FEWEST}, for a swap among alike ones changes nothing: give others"
        raise InputError(f"{name}: of {len(pool)} backgrounds {differ} differ, {mend}")
    if pairs and names:
        said.append(
            f"{len({place for pair in pairs for place in pair})} of the {len(pool)} backgrounds of {name} are "
            f"near-duplicates, such as {' = '.join(str(names[place]) for place in pairs[0])}: these figures take them "
            "for backgrounds that differ. Keep one of each."
        )
    if len(plain) > len(pool) / 2:
        said.append(
            f"{len(plain)} of the {len(pool)} backgrounds of {name} are of one colour each: they show what is lost "
            "without the photos' own backgrounds, and hardly what other places do. Give photos of places."
        )
    return said


def plain_colours(pool: Pack) -> dict[int, np.ndarray]:
    """Place of each picture that is of nearly one colour -> its mean colour, float32 (3,).

    >>> plain_colours([np.full((40, 60, 3), 250, np.uint8), np.eye(48, dtype=np.uint8)[..., None].repeat(3, 2) * 255])
    {0: array([250., 250., 250.], dtype=float32)}
    """
    found = {}
    for place, picture in enumerate(pool):
        shrunk = Image.fromarray(picture).resize((PX, PX), Image.Resampling.BILINEAR)
        levels = np.asarray(shrunk, dtype=np.float32)
        colour = levels.mean((0, 1))
        if np.square(levels - colour).mean() < PLAIN**2:
            found[place] = colour
    return found


def _photos_among(pool: Pack, photos: Pack) -> list[tuple[int, int]]:
    """Places of the pool and rows of the photos that are near-duplicates of each other, as centre squares."""
    squares, found = [_square(picture) for picture in pool], []
    for start in range(0, len(photos), AT_ONCE):
        pairs = near_duplicates([*squares, *map(_square, photos.subset(np.s_[start : start + AT_ONCE]))])
        found += [(one, other - len(pool) + start) for one, other in pairs if one < len(pool) <= other]
    return found


def _square(picture: np.ndarray) -> np.ndarray:
    height, width, _ = picture.shape
    return inside(picture, centre_box(height, width, min(height, width)))


def shared(first: Pack, other: SecondPool | None) -> list[str]:
    """Say how many pictures of a second pool the first holds, too, a sentence; nothing where none or no pool.

    Args:
        first: the pool.
        other: the second one.

    Raises:
        InputError: they are more than half, so it would tell again what the first has told.
    """
    if other is None:
        return []
    pairs = near_duplicates([*first, *other.pictures])
    count, of = len({place for one, place in pairs if one < len(first) <= place}), len(other.pictures)
    said = f"{count} of the {of} backgrounds of the second pool, {other.name}, are in the first, too"
    if count > of / 2:
        raise InputError(f"{said}, so it is no second opinion: give others, or none")
    return [f"{said}: the two pools differ by less than they seem to."] if count else []
