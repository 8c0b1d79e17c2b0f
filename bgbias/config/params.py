"""What params.yaml holds, as frozen dataclasses; pydantic checks types and ranges (see read).

No default but None, and no computing: then this file is a dependency of no stage, and a change of it makes none stale.
"""

import re
from typing import Annotated, Literal

from annotated_types import Ge, Le, MinLen
from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from bgbias.config.consistency import RECORDED, refuse_contradictions, refuse_odd_names, refuse_twice
from bgbias.config.losses import Losses
from bgbias.config.values import Count, NotNegative, Pixels, Positive, Precision, Processes, Range, Seed, Share, strict
from bgbias.errors import InputError

MaskMethod = Literal["given", "rembg", "grabcut"]
SecondMasks = Literal["given", "rembg", "grabcut", "none"]


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


@strict
class Training:
    """One training run."""

    network: str  # small_resnet, bn_inception, torchvision:NAME or timm:NAME
    weights: (
        str  # to start from: scratch, imagenet or another name (downloaded), or a file; see bgbias/models/__init__.py
    )
    freeze_batch_norm: bool  # keep the statistics that the weights came with
    embedding_dim: Count
    batch_size: Count
    batches_per_epoch: Count
    max_epochs: Count
    patience: Count  # epochs without a better validation MAP@R before stopping
    optimizer: Literal["adamw", "rmsprop"]
    lr: Positive  # of the trunk
    head_lr: Positive  # of the linear head, which starts from scratch
    weight_decay: NotNegative
    momentum: Share  # RMSprop's; for AdamW its first beta
    schedule: Literal["constant", "one_cycle"]
    precision: Precision
    noise_share: NotNegative  # greatest sd of noise on training images, of their value range
    separate_pools: bool  # train on one half of the pool val, select on the other; false: both on all of it
    workers: Annotated[Processes, Ge(0)]  # processes that crop beside the training; 0: none

    def __post_init__(self):
        """Refuse what names no network."""
        _refuse_no_network(self.network)


def _refuse_no_network(name: str) -> None:
    """Whether a collection has one of that name is not known here."""
    if not re.fullmatch(r"small_resnet|bn_inception|(torchvision|timm):[\w.-]+", name):
        expected = "small_resnet, bn_inception, torchvision:NAME or timm:NAME; weights have a key of their own"
        raise InputError(f"unknown network '{name}'; known are {expected}")


@strict
class Encoder:
    """A network whose layers down to a sixteenth of the image's side see the image for a finder."""

    network: str  # a convolutional one, as train's
    weights: str  # as train's
    lr: NotNegative  # 0: it stays as it is; the statistics of its batch norm do so at any rate

    def __post_init__(self):
        """Refuse what names no network."""
        _refuse_no_network(self.network)


@strict
class Finder:
    """A network that finds the object before the embedder sees the photo; trained on masks alone, then left alone."""

    channels: Annotated[int, Ge(1), Le(512)]  # of its first layer
    most_px: Annotated[int, Ge(16), Le(1024)]  # images of a longer side are shrunk for it by a whole factor
    zoom: bool  # enlarge the square around the object
    background: Share  # of the background's contrast that the embedder sees; 0: none
    epochs: Count  # of its training, of train.<dataset>.batches_per_epoch batches
    lr: Positive
    encoder: Encoder | None = None  # None: small layers of its own, from scratch


@strict
class Regime:
    """A training regime: what is done to the backgrounds of the training photos."""

    replace: Share  # probability that a photo gets another background
    select_on: Annotated[list[Literal["clean", "swapped"]], MinLen(1)]  # views whose mean MAP@R selects the epoch
    backgrounds: Literal["pool", "photos", "mixed"]  # photos: the batch's others, objects painted over
    vary_backgrounds: bool  # blend each with another of the batch, and change its colours
    skip_suspect: bool  # leave photos whose masks are suspect (see foreground.suspicion) as they are
    grow_masks_px: Annotated[int, Ge(-4096), Le(4096)]  # of the network's input; negative: smaller masks
    paired: bool  # each photo twice in a batch of half as many photos: as it is, and as above
    replace_first: Share  # of a pair: probability that the one as it is gets another background, too
    consistency: NotNegative  # weight of 1 - cosine of the two embeddings of a photo
    consistency_rise: Share  # of all max_epochs: the weight rises evenly from 0 meanwhile; 0: all of it at once
    finder: Finder | None = None  # None: the embedder sees the whole photo

    def __post_init__(self):
        """Pairs need two kinds of pictures, a consistency needs pairs, and a view counts once."""
        refuse_twice("select_on", self.select_on)
        if self.paired and not self.replace:
            raise InputError("paired: true needs replace above 0")
        if self.consistency and not self.paired:
            raise InputError("consistency needs paired: true")
        if self.replace_first and not self.paired:
            raise InputError("replace_first needs paired: true")


@strict
class HandMasks:
    """Photos with masks drawn by hand, and the automatic masks to hold against them."""

    labels: str  # a folder, see stages/mask_quality.py
    method: MaskMethod
    rembg_model: str | None = None  # None: u2net


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


@strict
class Evaluation:
    """Which views of the test photos are embedded, and what is measured on them."""

    draws: Annotated[Count, Ge(2)]  # repeats of every swapped view, for mean and standard deviation
    swaps: dict[str, str]  # name of a swapped view -> background pool that it draws from
    recall_at: Annotated[list[Count], MinLen(1)]

    def __post_init__(self):
        """The drop is from clean to the view named swapped, and Recall@1 is in every table."""
        if "swapped" not in self.swaps:
            raise InputError("swaps needs a view named swapped")
        taken = RECORDED & self.swaps.keys()
        if taken:
            raise InputError(f"swaps.{min(taken)}: its metrics would overwrite others; give the view another name")
        refuse_odd_names("swaps", [*self.swaps, *self.swaps.values()])
        if 1 not in self.recall_at:
            raise InputError("recall_at needs 1")
        refuse_twice("recall_at", self.recall_at)


@strict
class Attention:
    """The attention score."""

    method: Literal["smoothgrad", "integrated_gradients", "grad_cam"]
    copies: Count  # noisy copies of an image (smoothgrad)
    noise_share: Positive  # sd of the noise as a share of the image's value range (smoothgrad)
    steps: Count  # integration steps (integrated_gradients)
    precision: Precision
    max_images: dict[str, Count | Literal["all"]]  # of the test images, by dataset


@strict
class Params:
    """All of params.yaml."""

    datasets: Annotated[list[str], MinLen(1)]
    regimes: Annotated[list[str], MinLen(1)]  # of regime_settings
    loss: str  # one of losses
    seeds: Annotated[list[Seed], MinLen(1)]
    seed: Seed
    threads: Annotated[Processes, Ge(1)]  # of each process that computes on a CPU
    data: Data
    images: dict[str, Geometry]
    masks: dict[str, Masks]
    backgrounds: dict[str, Backgrounds]
    train: dict[str, Training]
    regime_settings: dict[str, Regime]
    losses: Losses
    evaluate: dict[str, Evaluation]
    attention: Attention
    mask_quality: dict[str, HandMasks]
    audit: dict[str, Audit]
    remedies: dict[str, Remedies]
    leaderboard: Leaderboard

    def __post_init__(self):
        """Refuse blocks that do not go together."""
        refuse_contradictions(self)
