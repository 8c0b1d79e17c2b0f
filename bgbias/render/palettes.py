"""The colours of a design: drawn at random, but so that they go together."""

from dataclasses import dataclass

import numpy as np

from bgbias.render.colours import oklch
from bgbias.render.modelling import Material
from bgbias.render.patterns import PATTERNS

# In turns, see oklch: the colours that things in shops have. All hues alike would give mostly purple.
HUES = (0.06, 0.09, 0.13, 0.16, 0.21, 0.25, 0.31, 0.39, 0.46, 0.53, 0.6, 0.66, 0.71, 0.88, 0.99)
TRIMS = (
    oklch(0.72, 0.08, 0.18),  # light wood
    oklch(0.45, 0.07, 0.13),  # dark wood
    oklch(0.72, 0.1, 0.23),  # brass
    oklch(0.75, 0.01, 0.7),  # steel
    oklch(0.28, 0.01, 0.7),  # black
    oklch(0.9, 0.03, 0.23),  # cream
)
DRINKS = (oklch(0.36, 0.06, 0.15), oklch(0.55, 0.11, 0.17), oklch(0.72, 0.07, 0.18))  # coffee, tea, cocoa


@dataclass(frozen=True, eq=False)
class Palette:
    """The materials that a design's parts are made of.

    Attributes:
        body: the main colour with the design's pattern.
        plain_body, accent: the main colour and the pattern's, plain.
        second: of the other large parts, plain.
        trim: wood, metal or a neutral, for small parts.
        glass: shiny, of a hue near the body's.
        shade: of a lamp: as the body, but matt, and it may glow.
        pale, dark: nearly white and nearly black.
        drink, leaf, blossom: coffee or tea in a mug, flowers in a vase.
    """

    body: Material
    plain_body: Material
    accent: Material
    second: Material
    trim: Material
    glass: Material
    shade: Material
    pale: Material
    dark: Material
    drink: Material
    leaf: Material
    blossom: Material


def palette(r: np.random.Generator) -> Palette:
    """Draws a palette: one hue, a colour beside or opposite it for the pattern, and natural trimmings.

    Args:
        r: where the numbers come from.

    Returns:
        The materials.
    """
    hue = r.choice(HUES) + r.uniform(-0.02, 0.02)
    lightness, chroma = r.uniform(0.42, 0.78), r.uniform(0.06, 0.14)
    if r.random() < 0.2:
        chroma = 0.02  # black, grey and white things
        lightness = r.choice([0.27, 0.55, 0.9])
    main = oklch(lightness, chroma, hue)
    accent = _accent(r, lightness, chroma, hue)
    darker = oklch(max(lightness - 0.18, 0.2), chroma, hue)
    second = (main, accent, darker, TRIMS[r.integers(len(TRIMS))])[r.integers(4)]
    glass = oklch(r.uniform(0.35, 0.75), r.uniform(0.03, 0.12), hue + r.uniform(-0.1, 0.1))
    pattern, repeats = list(PATTERNS)[r.integers(len(PATTERNS))], int(r.integers(5, 13))
    gloss = float(r.choice([0.05, 0.35, 0.9]))
    return Palette(
        body=Material(main, accent, pattern, repeats, gloss),
        plain_body=_plain(main, gloss),
        accent=_plain(accent, 0.05),
        second=_plain(second, gloss),
        trim=_plain(TRIMS[r.integers(len(TRIMS))], 0.5),
        glass=_plain(glass, 1.0),
        shade=Material(main, accent, pattern, repeats, gloss=0.0, glow=float(r.choice([0.0, 0.5]))),
        pale=_plain(oklch(0.94, 0.02, 0.25), gloss),
        dark=_plain(oklch(0.25, 0.02, hue), gloss),
        drink=_plain(DRINKS[r.integers(len(DRINKS))], 0.5),
        leaf=_plain(oklch(r.uniform(0.45, 0.6), 0.08, r.uniform(0.33, 0.42)), 0.1),
        blossom=_plain(oklch(r.uniform(0.65, 0.88), 0.13, r.uniform(-0.1, 0.3)), 0.1),
    )


def _plain(colour: np.ndarray, gloss: float) -> Material:
    return Material(colour, colour, gloss=gloss)


def _accent(r: np.random.Generator, lightness: float, chroma: float, hue: float) -> np.ndarray:
    """A pattern colour that stands out from the main one, by lightness and often by hue."""
    apart = 0.3 if lightness < 0.6 else -0.3
    choices = (
        oklch(0.94, 0.025, hue) if lightness < 0.6 else oklch(0.3, 0.04, hue),  # cream or ink
        oklch(lightness + apart, max(chroma, 0.06), hue),  # the same hue
        oklch(lightness + 0.6 * apart, 0.11, hue + r.choice([-0.13, 0.13])),  # its neighbour
        oklch(lightness + 0.6 * apart, 0.11, hue + 0.5),  # its opposite
    )
    return choices[r.integers(len(choices))]
