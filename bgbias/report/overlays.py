"""Attention maps over photos."""

import numpy as np
from PIL import Image


def overlay(picture: np.ndarray, attention: np.ndarray) -> np.ndarray:
    """Lay an attention map in colours over a greyed photo.

    Args:
        picture: uint8 (S, S, 3).
        attention: uint8 (H, W), enlarged to the photo's size.

    Returns:
        uint8 (S, S, 3).
    """
    from matplotlib import colormaps  # slow, and only needed here

    side = picture.shape[0]
    weight = np.asarray(Image.fromarray(attention).resize((side, side), Image.Resampling.BILINEAR)) / 255
    colours = colormaps["inferno"](weight)[..., :3] * 255
    grey = picture.mean(2, keepdims=True) * 0.5 + 60
    return (grey + (colours - grey) * np.clip(0.25 + weight, 0, 1)[..., None]).round().astype(np.uint8)
