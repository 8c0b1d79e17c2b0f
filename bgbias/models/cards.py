"""What must be known of a network to use it."""

import dataclasses
from typing import NamedTuple

from bgbias.errors import InputError, as_input_error
from bgbias.finder.network import Shape

LARGEST_PX = 4096  # side of an image
MOST_NUMBERS = 1_000_000  # of an embedding
DISTANCES = ("euclidean", "cosine")


class Input(NamedTuple):
    """What a network expects, as its makers say it: ImageNet's ways if nothing else is known.

    Attributes:
        input_px: side of the square images.
        mean: of the three channels, in their order, where black is 0 and white is 1.
        sd: likewise.
        channels: their order, "RGB" or "BGR".
    """

    input_px: int = 224
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    sd: tuple[float, ...] = (0.229, 0.224, 0.225)
    channels: str = "RGB"


@dataclasses.dataclass(frozen=True)
class Card:
    """What must be known of an embedder to use it, and to build again one that was trained here.

    Attributes:
        network: its name, or its SPEC.
        embedding_dim: length of an embedding.
        input_px: side of the images that it expects.
        distance: of the loss that it was trained with, "euclidean" or "cosine".
        channels: order of the input's channels, "RGB" or "BGR".
        mean: subtracted from the grey levels, in that order.
        sd: that they are then divided by.
        finder: the shape of the network that finds the object first, and greys out the rest; None: there is none.
    """

    network: str
    embedding_dim: int
    input_px: int
    distance: str
    channels: str
    mean: tuple[float, ...]
    sd: tuple[float, ...]
    finder: Shape | None = None

    def __post_init__(self):
        """Refuse what cannot be, such as a network.json that was edited."""
        if not isinstance(self.network, str) or self.distance not in DISTANCES:
            expected = f"expected a name, and {' or '.join(DISTANCES)}"
            raise InputError(f"network {self.network!r}, distance {self.distance!r}: {expected}")
        if type(self.embedding_dim) is not int or not 0 <= self.embedding_dim <= MOST_NUMBERS:
            raise InputError(f"embedding_dim {self.embedding_dim!r}: expected at most {MOST_NUMBERS:,}")
        levels = [*self.mean, *self.sd]
        if len(self.mean) != 3 or len(self.sd) != 3 or not all(0 <= level <= 255 for level in levels):
            raise InputError(f"mean {self.mean}, sd {self.sd}: expected three grey levels of 0 to 255 each")
        if min(self.sd) == 0:
            raise InputError(f"sd {self.sd}: expected more than 0")
        if (
            type(self.input_px) is not int
            or not 1 <= self.input_px <= LARGEST_PX
            or self.channels not in ("RGB", "BGR")
        ):
            raise InputError(
                f"input_px {self.input_px}, channels {self.channels}: expected 1 to {LARGEST_PX}, and RGB or BGR"
            )


def card(network: str, expected: Input, embedding_dim: int = 0, distance: str = "cosine") -> Card:
    """Make the card of a network, which counts in grey levels.

    Raises:
        ValueError: what is expected cannot be.

    >>> card("mine", Input(64, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))).sd
    (51.0, 51.0, 51.0)
    """
    px, mean, sd, channels = expected
    with as_input_error(f"mean {mean}, sd {sd}: expected three numbers each"):
        mean, sd = (tuple(255 * float(number) for _, number in zip("RGB", of, strict=True)) for of in (mean, sd))
    if not all(0 <= level <= 255 for level in (*mean, *sd)):
        raise InputError(
            f"mean {expected.mean}, sd {expected.sd}: expected 0 to 1, as white is 1 here: divide grey levels by 255"
        )
    return Card(network, embedding_dim, px, distance, channels, mean, sd)
