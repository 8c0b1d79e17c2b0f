"""What params.yaml holds of networks, trainings and regimes; see params."""

import re
from typing import Annotated, Literal

from annotated_types import Ge, Le, Lt, MinLen

from bgbias.config.values import Count, NotNegative, Positive, Precision, Processes, Share, refuse_twice, strict
from bgbias.errors import InputError


@strict
class Training:
    """One training run."""

    network: str  # small_resnet, bn_inception, torchvision:NAME or timm:NAME
    weights: str  # scratch, imagenet or another name (downloaded), or a file; see bgbias/external/__init__.py
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
    momentum: Annotated[Share, Lt(1)]  # RMSprop's; for AdamW its first beta
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


IDLE = {  # setting of a regime -> the value that does nothing, and what it needs to do more
    "backgrounds": ("pool", "replace"),
    "vary_backgrounds": (False, "replace"),
    "skip_suspect": (False, "replace"),
    "grow_masks_px": (0, "replace"),
    "consistency_rise": (0, "consistency"),
}


def refuse_idle(name: str, regime: Regime) -> None:
    """Raise ValueError for the first setting of a regime that changes nothing there, so that no one believes it did."""
    for setting, (idle, needed) in IDLE.items():
        if getattr(regime, setting) != idle and not getattr(regime, needed):
            raise InputError(
                f"regime_settings.{name}.{setting} {getattr(regime, setting)} changes nothing where {needed} is 0: "
                f"raise that, or set it to {str(idle).lower()}"
            )
