"""What params.yaml holds of retrieval, attention and mask quality; see params."""

from typing import Annotated, Literal

from annotated_types import Ge, MinLen

from bgbias.config.data import MaskMethod
from bgbias.config.values import Count, Positive, Precision, refuse_odd_names, refuse_twice, strict
from bgbias.errors import InputError

RECORDED = {"clean", "drop", "attention", "mask_iou", "queries", "lone_queries", "seeds"}  # keys of a regime's metrics


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
        if self.swaps["swapped"] == "val":
            raise InputError(
                "swaps.swapped draws from val, which is trained with: give test, and val a view of its own"
            )
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
class HandMasks:
    """Photos with masks drawn by hand, and the automatic masks to hold against them."""

    labels: str  # a folder, see stages/mask_quality.py
    method: MaskMethod
    rembg_model: str | None = None  # None: u2net
