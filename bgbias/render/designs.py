"""A class of the dataset is one design: a family's shape in proportions and colours of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bgbias.render import accessories, furniture, tableware
from bgbias.render.modelling import Part
from bgbias.render.palettes import Palette, palette
from bgbias.seeding import generator

FAMILIES: dict[str, Callable[[np.random.Generator, Palette], list[Part]]] = {
    "bottle": tableware.bottle,
    "cabinet": furniture.cabinet,
    "chair": furniture.chair,
    "clock": accessories.clock,
    "handbag": accessories.handbag,
    "lamp": accessories.lamp,
    "mug": tableware.mug,
    "sofa": furniture.sofa,
    "stool": furniture.stool,
    "teapot": tableware.teapot,
    "toy": accessories.toy,
    "vase": tableware.vase,
}


@dataclass(frozen=True, eq=False)
class Design:
    """One class: its name, such as "teapot_021", and the parts of the object."""

    name: str
    parts: Sequence[Part]


def design(number: int, seed: int) -> Design:
    """The design of one class; the families take turns.

    Args:
        number: of the class, from 0.
        seed: the dataset's.

    Returns:
        The same design for the same arguments.

    >>> design(7, seed=1).name, design(7 + len(FAMILIES), seed=1).name
    ('sofa_007', 'sofa_019')
    """
    r = generator(seed, "demo design", number)
    family = list(FAMILIES)[number % len(FAMILIES)]
    colours = palette(r)
    return Design(f"{family}_{number:03d}", FAMILIES[family](r, colours))
