"""What params.yaml holds of audits, remedies and the leaderboard; see params."""

from typing import Literal, get_args

from bgbias.config.data import MaskMethod
from bgbias.config.values import Count, strict
from bgbias.errors import InputError

SecondMasks = Literal["given", "rembg", "grabcut", "none"]
OF_A_FOLDER = {  # options of the command line, for a folder of photos
    "photos": {"help": "folder of photos", "metavar": "DIR"},
    "masks": {"help": "folder of masks: apple/a.png (white: the object) for apple/a.jpg", "metavar": "DIR"},
    "mask_method": {"choices": get_args(MaskMethod), "help": "how to make masks instead; given: photos.csv names them"},
    "rembg_model": {
        "help": "name, or KIND:FILE, a local file of such a model; without it u2net",
        "metavar": "MODEL",
    },
    "backgrounds": {"help": "folder of background pictures; without it 100 are rendered", "metavar": "DIR"},
}


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
    queries: Count | None = None  # how many are drawn to search all photos; None: all, and galleries are swapped, too
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


@strict
class Board:
    """How one dataset's photos are shown to all embedders of the leaderboard."""

    second_masks: SecondMasks | None = None  # to hold beside the dataset's own; None: grabcut
    no_attention: bool | None = None


@strict
class Leaderboard:
    """Which embedders are measured on which datasets, each on each; see stages/leaderboard.py."""

    datasets: dict[str, Board]
    embedders: dict[str, str]  # name of a row -> SPEC; the first is what the others are compared with
