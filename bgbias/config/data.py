"""What params.yaml holds of datasets, photos, masks and backgrounds; see params."""

from typing import Literal

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from bgbias.config.values import Count, Pixels, Positive, Range, Seed, Share, strict
from bgbias.errors import InputError

MaskMethod = Literal["given", "rembg", "grabcut"]


@strict
class Demo:
    """The rendered demo dataset: what there is of it, and how strongly scene and class go together."""

    seed: Seed
    size_px: Pixels
    train_classes: Count
    val_classes: Count
    test_classes: Count
    train_photos: Count  # per class
    val_photos: Count
    test_photos: Count
    train_scenes: Count  # scene pools, disjoint by split
    val_scenes: Count
    test_scenes: Count
    home_scenes: Count  # scenes in which a class is mostly photographed
    background_correlation: Share  # probability that a photo is taken in one of them
    backgrounds: Count  # pictures in each background pool

    def __post_init__(self):
        """Refuse more home scenes than a split has."""
        if self.home_scenes > min(self.train_scenes, self.val_scenes, self.test_scenes):
            raise InputError(f"home_scenes {self.home_scenes} is larger than a split's number of scenes")


@strict
class Fetched:
    """A public dataset; its revision and checksum are facts that stand in the code."""


@strict
class Folder:
    """An own folder of photos: how its classes are split where its list of photos does not say it."""

    seed: Seed
    val_share: Share  # of the classes with two photos or more; the rest is for training
    test_share: Share
    follow_links: bool | None = None  # true: also out of the folder; None: such links are refused


@with_config(ConfigDict(strict=True, allow_inf_nan=False))
class Data(TypedDict, extra_items=Folder):
    """What the raw stage makes, by dataset; every name beside these is a folder of photos."""

    demo: Demo
    grocery: Fetched
    packages: Fetched
    cars196: Fetched
    cub200: Fetched
    sop: Fetched


@strict
class Geometry:
    """From photo to network input, in pixels of the packed photos."""

    short_side_px: Pixels  # photos are packed with this short side
    crop_px: Pixels  # side of the centre crop that evaluation takes
    input_px: Pixels  # side of what the network sees
    train_crop_share: Range  # area of the random resized crop
    train_crop_ratio: Range  # width / height of the random resized crop

    def __post_init__(self):
        """Refuse crops that do not fit the photos, and ranges without anything in them."""
        if self.train_crop_share[1] > 1:
            raise InputError(f"train_crop_share {self.train_crop_share}: a crop is at most all of a photo, 1")
        for name in ("train_crop_share", "train_crop_ratio"):
            low, high = getattr(self, name)
            if low > high:
                raise InputError(f"{name} {[low, high]}: the smaller number comes first")
        if self.crop_px > self.short_side_px:
            raise InputError(f"crop_px {self.crop_px} is larger than short_side_px {self.short_side_px}")


@strict
class Masks:
    """Where the foreground masks come from."""

    method: MaskMethod
    rembg_model: str  # a model of rembg by name, or KIND:FILE, a local .onnx file of such a model
    grabcut_px: Pixels  # GrabCut works at this long side
    grabcut_radius: Positive | None = None  # of the disc that it starts from, in half short sides; None: its own


@strict
class Backgrounds:
    """Where the background pools `val` and `test` come from."""

    source: Literal["rendered", "unsplash"]
