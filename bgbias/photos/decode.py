"""Photo and mask files decoded: what is certain is read as it is meant, all else is refused."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from bgbias import errors
from bgbias.errors import InputError
from bgbias.photos import levels

Read = Callable[[Path], Image.Image]
FORMATS = ("JPEG", "PNG", "WEBP")  # that are decoded, whatever a file is called; others may start programs
MOST_PIXELS = 200_000_000  # of a picture: decoded 600 MB
SMALLEST_PX = 8  # of a side: on less there is nothing to see
LONGEST = 20  # times as long as wide: the centre square would show nothing of it
LONG = 2  # times: it shows half of it at most
DARK = 64  # of 255: 14 bits in 16 reach it, 12 bits reach 16
Image.MAX_IMAGE_PIXELS = None  # Pillow warns of half as many, and refuses from twice as many on


def read_photo(path: Path) -> Image.Image:
    """Decode a photo, upright as its EXIF orientation says.

    Args:
        path: of a JPEG, PNG or WebP.

    Returns:
        Mode "RGB"; 16 bits a channel become 8, and what is transparent is on white, as in a browser. Of several
        pictures the first.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is none of these, or is broken or too large.
    """
    photo = _upright(path)
    alpha, photo = levels.alpha(photo), levels.eight_bits(photo)
    if alpha:
        white, photo = Image.new("RGBA", photo.size, "white"), photo.convert("RGBA")
        photo.putalpha(alpha)
        white.alpha_composite(photo)
        return white.convert("RGB")
    return photo.convert("RGB")


def read_mask(path: Path) -> Image.Image:
    """Decode a foreground mask, upright likewise, and read what it means where that is certain.

    A cut-out, whose alpha is not 255 all over, is a mask by its alpha. Levels of 0 and 1 are 0 and 255. Of 16 bits a
    level is divided by 257, but where none is above 255: then they are those of 8 bits.

    Args:
        path: of a JPEG, PNG or WebP.

    Returns:
        Mode "L", 255 where the object is.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is none of these, or is broken or too large; it holds numbers of classes and 255.
    """
    mask = _upright(path)
    if alpha := levels.alpha(mask):
        return alpha
    if mask.mode.startswith("I") and mask.getextrema()[1] <= 255:
        mask = Image.fromarray(np.asarray(mask).astype(np.uint8))
    indices = [mask.histogram()] if mask.mode == "P" else []  # as PASCAL VOC has them, whatever colours they stand for
    mask = levels.eight_bits(mask).convert("L")
    if any(map(levels.numbers_classes, [*indices, mask.histogram()])):
        found = "a mask of class numbers, and of 255 along edges, which would be the object"
        raise InputError(f"{path}: {found}: draw objects, and unclear edges if they belong to them, in white")
    return mask.point(lambda level: 255 * level) if mask.getextrema()[1] == 1 else mask


def picture_size(path: Path) -> tuple[int, int]:
    """Read width and height out of a file's first bytes; a broken rest is found when it is decoded.

    Raises:
        ValueError: as raised by `read_photo`, but for the size.
    """
    with _named(path), Image.open(path, formats=FORMATS) as picture:
        return picture.size


def odd_sizes(folder: Path, paths: Sequence[str], largest: int = MOST_PIXELS, short_side_px: int = 0) -> list[str]:
    """Refuse photos that are too small, narrow or large; say how many lose half to the centre square, or are enlarged.

    Args:
        folder: of the photos.
        paths: relative to it.
        largest: how many pixels a photo may have.
        short_side_px: that they are brought to.

    Returns:
        Sentences; nothing where there is nothing to say.

    Raises:
        FileNotFoundError: as of `read_photo`.
        ValueError: likewise; or there are such photos.
    """
    sizes = {path: picture_size(folder / path) for path in paths}

    def refuse(bad: list[str], complaint: str) -> None:
        listed = [f"{path} ({sizes[path][0]} x {sizes[path][1]})" for path in bad]
        errors.refuse(listed, f"{folder}: {complaint}")

    large = [path for path, (width, height) in sizes.items() if width * height > largest]
    refuse(large, f"photos of more than {largest // 10**6} megapixels; shrink or remove them")
    small = [path for path, size in sizes.items() if min(size) < SMALLEST_PX]
    refuse(small, f"photos with a side of less than {SMALLEST_PX} pixels; replace or remove them")
    narrow = [path for path, size in sizes.items() if max(size) > LONGEST * min(size)]
    refuse(narrow, f"photos more than {LONGEST} times as long as wide; crop or remove them")
    long = [path for path, size in sizes.items() if max(size) >= LONG * min(size)]
    shown = "the model is shown their centre square, half of them at most; crop them around the object"
    less = [path for path, size in sizes.items() if min(size) < short_side_px]
    enlarged = "enlarged: beside others, and before swapped backgrounds, they are blurred"
    found = [
        (long, "are twice as long as wide or more, such as {}: " + shown),
        (less, f"have a short side of less than {short_side_px} px, such as {{}}, and are {enlarged}"),
    ]
    return [f"{len(some):,} of {len(paths):,} photos {said.format(some[0])}." for some, said in found if some]


def odd_files(paths: Iterable[Path], what: str) -> list[str]:
    """Say how many files are perhaps not seen as they are meant, a sentence each; nothing where none is.

    That is what is transparent, or of several pictures, or dark, since its levels use fewer than its 16 bits. The first
    bytes of files tell; only those of 16 bits, which are rare, are decoded.

    Args:
        paths: of pictures.
        what: they are called, such as "photos".

    Raises:
        FileNotFoundError, ValueError: as raised by `read_photo`.
    """
    heads = [(path, *_head(path)) for path in paths]
    alpha, several, deep = ([path for path, *is_so in heads if is_so[place]] for place in range(3))
    dark = [path for path in deep if _is_dark(path)]
    found = [
        (alpha, "have an alpha channel: what is transparent is shown on white, as in a browser."),
        (several, f"hold several pictures, such as {_first(several)}: of each the first is taken."),
        (
            dark,
            f"are of 16 bits a channel and have no level above a quarter of that, such as {_first(dark)}, so they are "
            "seen dark: if their levels are of 12 or 14 bits, multiply them.",
        ),
    ]
    return [f"{len(some):,} of {len(heads):,} {what} {said}" for some, said in found if some]


def _first(paths: list[Path]) -> str:
    return "/".join(paths[0].parts[-2:]) if paths else ""  # a photo's class is mostly its folder


def _head(path: Path) -> tuple[bool, bool, bool]:
    """Whether a file may be transparent, holds several pictures, or is of 16 bits a channel; its first bytes tell."""
    with _named(path), Image.open(path, formats=FORMATS) as picture:
        deep = any(str(tile.args).endswith("16B") for tile in picture.tile)
        return picture.has_transparency_data, getattr(picture, "is_animated", False), deep


def _is_dark(path: Path) -> bool:
    return max(most for _, most in levels.eight_bits(_upright(path)).convert("RGB").getextrema()) <= DARK


def _upright(path: Path) -> Image.Image:
    with _named(path), Image.open(path, formats=FORMATS) as picture:
        width, height = picture.size
        if width * height > MOST_PIXELS:
            raise InputError(f"{width} x {height} are more than {MOST_PIXELS // 10**6} megapixels")
        return ImageOps.exif_transpose(picture)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Whatever a decoder trips over is the file's fault."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        raise InputError(f"{path}: does not decode ({error}): replace or remove it") from error
