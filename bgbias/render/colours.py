"""Colours by lightness, chroma and hue, so that colours drawn at random still go together."""

import numpy as np

GAMMA = 2.2  # of the display; light is added up in linear values, pictures are stored with the gamma applied


def oklch(lightness: float, chroma: float, hue: float) -> np.ndarray:
    """A colour in the Oklch space, where equal steps look equally large.

    Conversion: Björn Ottosson, https://bottosson.github.io/posts/oklab/.

    Args:
        lightness: 0 (black) to 1 (white).
        chroma: 0 (grey); 0.05 is muted, 0.12 is lively, above 0.2 most hues leave the screen's range.
        hue: in turns, [0, 1): 0.08 red, 0.16 orange, 0.3 yellow, 0.4 green, 0.65 blue, 0.85 purple.

    Returns:
        float32 (3,): R, G, B in [0, 1], gamma applied, clipped to the screen's range.

    >>> oklch(1, 0, 0).round(2).tolist()
    [1.0, 1.0, 1.0]
    >>> red, green, blue = oklch(0.5, 0.1, 0.65)
    >>> bool(red < green < blue)
    True
    """
    a, b = chroma * np.cos(2 * np.pi * hue), chroma * np.sin(2 * np.pi * hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    rgb = np.array(
        [
            4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
        ]
    )
    return (np.clip(rgb, 0, 1) ** (1 / GAMMA)).astype(np.float32)


def mix(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Blends two colours or pictures.

    Args:
        first, second: (3,) colours or (..., 3) pictures.
        share: (...) of `second`, in [0, 1].

    Returns:
        (..., 3).

    >>> mix(np.zeros(3), np.ones(3), np.array([0.25, 1.0])).tolist()
    [[0.25, 0.25, 0.25], [1.0, 1.0, 1.0]]
    """
    return first + (second - first) * share[..., None]


def ramp(tone: np.ndarray, dark: np.ndarray, base: np.ndarray, light: np.ndarray) -> np.ndarray:
    """A surface of one material: `dark` at tone 0, `base` at 0.5, `light` at 1.

    Args:
        tone: float (...), clipped to [0, 1].
        dark, base, light: (3,).

    Returns:
        float32 (..., 3).

    >>> ramp(np.array([0.0, 0.5, 0.75, 2.0]), np.zeros(3), np.full(3, 0.5), np.ones(3))[:, 0].tolist()
    [0.0, 0.5, 0.75, 1.0]
    """
    tone = np.clip(tone, 0, 1)
    lower = mix(dark, base, np.minimum(2 * tone, 1))
    return mix(lower, light, np.maximum(2 * tone - 1, 0)).astype(np.float32)
