"""Photos of discs, and masks."""

from pathlib import Path

from PIL import Image, ImageDraw


def disc(size: tuple[int, int], colour: tuple[int, int, int], ground: tuple[int, int, int]) -> tuple:
    """A photo and its mask."""
    photo, mask = Image.new("RGB", size, ground), Image.new("L", size)
    x, y = size[0] / 2, size[1] / 2
    for picture, fill in ((photo, colour), (mask, 255)):
        ImageDraw.Draw(picture).ellipse((x - 7, y - 7, x + 7, y + 7), fill=fill)
    return photo, mask


def save(folder: Path, path: Path | str, pictures: tuple) -> None:
    """Save a photo and its mask, under one name in the folders photos and masks."""
    for part, picture in zip(("photos", "masks"), pictures, strict=True):
        (folder / part / path).parent.mkdir(parents=True, exist_ok=True)
        picture.save(folder / part / path)
