"""Cropping pictures and pasting a foreground on a background, in bytes (tensors only).

Everything stays 8-bit until a network normalises it, so a composite can be made again to the byte and a
batch travels to a GPU at a quarter of the size of floats.
"""

import math

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from bgbias.photos.foreground import Box


def centre_box(height: int, width: int, side: int) -> Box:
    """The centred square with the given side.

    >>> centre_box(256, 341, 227)
    Box(left=57, top=14, width=227, height=227)
    """
    return Box(round((width - side) / 2), round((height - side) / 2), side, side)


def random_box(height: int, width: int, share: list[float], ratio: list[float], rng: np.random.Generator) -> Box:
    """The box of a random resized crop (Szegedy et al. 2015, as torchvision's RandomResizedCrop draws it).

    Args:
        height: of the picture, in pixels.
        width: of the picture, in pixels.
        share: least and greatest area of the box as a share of the picture; uniform in between.
        ratio: least and greatest width / height; log-uniform in between.
        rng: where the randomness comes from.

    Returns:
        A box inside the picture; where ten draws do not fit, the largest centred one of a permitted ratio.
    """
    for _ in range(10):
        area = height * width * rng.uniform(*share)
        aspect = math.exp(rng.uniform(math.log(ratio[0]), math.log(ratio[1])))
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            return Box(int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1)), w, h)
    aspect = min(max(width / height, ratio[0]), ratio[1])
    w, h = min(width, round(height * aspect)), min(height, round(width / aspect))
    return Box((width - w) // 2, (height - h) // 2, w, h)


def take(picture: np.ndarray, box: Box, side: int) -> Tensor:
    """Cut a box out of a picture and resize it (bilinear, antialiased) to a square.

    Args:
        picture: uint8 (H, W, C), also a memory-mapped one.
        box: inside the picture.
        side: of the result, in pixels.

    Returns:
        uint8 (C, side, side).
    """
    return _resize(np.array(inside(picture, box)), side)


def take_both(photo: np.ndarray, mask: np.ndarray, box: Box, side: int) -> tuple[Tensor, Tensor]:
    """`take` of a photo and of its mask, to the same bytes: four channels resize in the time of three.

    Args:
        photo: uint8 (H, W, 3).
        mask: uint8 (H, W, 1).
        box: inside both.
        side: of the results, in pixels.

    Returns:
        uint8 (3, side, side) and (1, side, side).
    """
    both = cv2.cvtColor(inside(photo, box), cv2.COLOR_RGB2RGBA)
    both[..., 3:] = inside(mask, box)
    return _resize(both, side).split((3, 1))


def inside(picture: np.ndarray, box: Box) -> np.ndarray:
    """The part of a picture, (H, W, C), that a box holds; not copied."""
    return picture[box.top : box.top + box.height, box.left : box.left + box.width]


def _resize(cut: np.ndarray, side: int) -> Tensor:
    pixels = torch.from_numpy(cut).permute(2, 0, 1)[None]
    if cut.shape[:2] != (side, side):
        pixels = interpolate(pixels, size=(side, side), mode="bilinear", antialias=True)
    return pixels[0]


def flip(pictures: Tensor, flipped: Tensor) -> Tensor:
    """Mirror those pictures of a batch (B, C, H, W) for which `flipped` (B,) is true, left to right.

    Args:
        pictures: on any device.
        flipped: bool, on the CPU, so that no GPU is waited for.
    """
    pairs = zip(pictures, flipped.tolist(), strict=True)
    return torch.stack([picture.flip(2) if mirrored else picture for picture, mirrored in pairs])


def paste(foregrounds: Tensor, masks: Tensor, backgrounds: Tensor) -> Tensor:
    """Compose m * x + (1 - m) * b, rounded to the nearest byte.

    On a CPU in whole numbers, which take a quarter of the memory of floats. Those are exact enough: with m in 255ths
    the result is never closer than 1/510 to a half, so both give the same bytes.

    Args:
        foregrounds: x, uint8 (B, 3, H, W).
        masks: m, uint8 (B, 1, H, W), 255 where the object is, 0 where it is not.
        backgrounds: b, uint8 (B, 3, H, W).

    Returns:
        uint8 (B, 3, H, W). Where the mask is 255 the foreground's bytes, where it is 0 the background's.

    >>> x, m, b = (torch.tensor([[[[value]]]], dtype=torch.uint8) for value in (200, 51, 100))
    >>> paste(x, m, b).item()  # 0.2 * 200 + 0.8 * 100
    120
    """
    if foregrounds.is_cpu and masks.is_cpu and backgrounds.is_cpu:
        return _paste_whole(foregrounds.numpy(), masks.numpy(), backgrounds.numpy())
    parts = zip(in_cache(foregrounds), in_cache(masks), in_cache(backgrounds), strict=True)
    return torch.cat([b.float().lerp_(x.float(), m.float().div_(255)).add_(0.5).byte() for x, m, b in parts])


def _paste_whole(foregrounds: np.ndarray, masks: np.ndarray, backgrounds: np.ndarray) -> Tensor:
    """Compose picture by picture: t / 255 to the nearest is (t + 128 + (t + 128 >> 8)) >> 8 for all t up to 255^2."""
    pasted = np.empty(backgrounds.shape, np.uint8)
    for out, x, m, b in zip(pasted, foregrounds, masks, backgrounds, strict=True):
        t = np.multiply(x, m, dtype=np.uint16)
        t += np.multiply(b, 255 - m, dtype=np.uint16)
        t += 128
        t += t >> 8
        np.right_shift(t, 8, out=out, casting="unsafe")
    return torch.from_numpy(pasted)


def in_cache(pictures: Tensor) -> tuple[Tensor, ...]:
    """A batch in parts whose floats stay in a processor's cache; on a GPU in one part."""
    return pictures.split(4 if pictures.is_cpu else len(pictures))
