"""What params.yaml holds of audits, remedies and the leaderboard; see params."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

from bgbias.config.data import MaskMethod
from bgbias.config.values import Count, strict
from bgbias.errors import InputError

SecondMasks = Literal["given", "rembg", "grabcut", "none"]
OF_A_FOLDER = {  # options of the command line, for a folder of photos
    "photos": {"help": "folder of photos", "metavar": "DIR"},
    "masks": {"help": "folder of masks: apple/a.png (white: the object) for apple/a.jpg", "metavar": "DIR"},
    "mask_method": {
        "choices": get_args(MaskMethod),
        "help": "how to make masks instead; without it grabcut; given: photos.csv names them",
    },
    "rembg_model": {
        "help": "of rembg: a name, downloaded, or NAME:FILE, as isnet-general-use:isnet.onnx; without it u2net",
        "metavar": "MODEL",
    },
    "backgrounds": {
        "help": "folder of background pictures; without it 100 landscapes and patterns are rendered",
        "metavar": "DIR",
    },
}


def given(dataset: str | None, options: Mapping[str, str | None]) -> dict[str, str]:
    """Return the options of a folder of photos that were given; none of a dataset, which has masks and backgrounds.

    Raises:
        InputError: both were given, or neither.

    >>> given(None, {"photos": "shop", "masks": None})
    {'photos': 'shop'}
    """
    options = {name: value for name, value in options.items() if value}
    if bool(dataset) == bool(options):
        raise InputError("give --photos DIR with its options, or --dataset NAME, which has masks and backgrounds")
    return options


def refuse_unused(
    quick: bool,
    second_masks: str | None,
    second_backgrounds: str | None,
    queries: int | None,
    one_each: bool = False,
    places: Path | None = None,
) -> None:
    """Refuse options of an audit that another one leaves without effect."""
    one, of_second = "give one of the two", f"--second-backgrounds {second_backgrounds}"
    if quick and second_masks not in (None, "none"):
        raise InputError(f"--second-masks {second_masks}: --quick measures by masks of one kind: {one}")
    if quick and second_backgrounds:
        raise InputError(f"{of_second}: --quick measures on one pool: {one}")
    if queries is not None and queries < 1:
        raise InputError(f"--queries {queries}: expected 1 or more: give how many photos are to search all others")
    if one_each or queries is not None:
        option = "--one-each" if one_each else "--queries"
        if second_backgrounds:
            raise InputError(f"{of_second}: puts whole galleries there, and {option} swaps none: {one}")
        if places:
            who = "each searches for itself" if one_each else "some do"
            raise InputError(f"--places {places}: every photo searches the others, and by {option} {who}: {one}")


@strict
class Audit:
    """Which model is audited on which photos; see stages/audit.py."""

    photos: str  # a folder
    embedder: str  # a SPEC
    masks: str | None = None  # a folder of masks; None: mask_method makes them
    mask_method: MaskMethod | None = None  # None: grabcut
    rembg_model: str | None = None  # None: u2net
    backgrounds: str | None = None  # a folder of pictures; None: some are rendered
    second_masks: SecondMasks | None = None  # to hold beside the masks; None: grabcut
    second_backgrounds: str | None = None  # to hold beside the backgrounds: photos, rendered, or a folder; None: none
    places: str | None = None  # a list of where photos were taken
    queries: Count | None = None  # how many are drawn to search all photos; None: all, and galleries are swapped, too
    one_each: bool | None = None  # whether each photo shows another product, and has to find itself
    title: str | None = None  # of the page
    quick: bool | None = None
    no_attention: bool | None = None
    paths: bool | None = None  # absolute ones, in full on the page

    def __post_init__(self):
        """Refuse two origins of the masks, and the same masks twice."""
        if self.masks and self.mask_method:
            raise InputError("masks and mask_method: give one of the two")
        if self.mask_method == self.second_masks != "grabcut" and self.mask_method:
            raise InputError(f"mask_method and second_masks are both {self.mask_method}: give two methods, or none")
        if self.second_backgrounds == (self.backgrounds or "rendered"):
            raise InputError(
                f"second_backgrounds {self.second_backgrounds}: the first are the same: give others, or none"
            )


@strict
class Remedies:
    """Which embedder is remedied on which dataset; see stages/remedies.py."""

    dataset: str
    embedder: str  # a SPEC
    places: str | None = None  # a list of where photos were taken


@strict
class Board:
    """How one dataset's photos are shown to all embedders of the leaderboard."""

    second_masks: SecondMasks | None = None  # to hold beside the dataset's own; None: grabcut
    places: str | None = None  # a list of where photos were taken
    no_attention: bool | None = None


@strict
class Leaderboard:
    """Which embedders are measured on which datasets, each on each; see stages/leaderboard.py."""

    datasets: dict[str, Board]
    embedders: dict[str, str]  # name of a row -> SPEC; the first is what the others are compared with
