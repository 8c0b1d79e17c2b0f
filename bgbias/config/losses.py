"""What params.yaml holds of the losses; see params."""

import dataclasses
from typing import Annotated

from annotated_types import Ge, Lt

from bgbias.config.values import Count, NotNegative, Number, Positive, strict

Overrides = dict[str, dict[str, int | float]]  # dataset -> what differs for it


@strict
class Loss:
    """What every loss has."""

    per_class: Count  # photos of a class in a batch
    consistency_scale: NotNegative  # by which a regime's consistency counts: losses differ in how hard they pull
    vary_backgrounds: bool  # false: not even where a regime would
    overrides: Overrides


@strict
class OfPairs(Loss):
    """A loss that compares photos: of a class with one in a batch there is nothing to learn."""

    per_class: Annotated[Count, Ge(2)]


@strict
class Contrastive(OfPairs):
    """pytorch-metric-learning's ContrastiveLoss."""

    pos_margin: Number
    neg_margin: Number


@strict
class Triplet(OfPairs):
    """pytorch-metric-learning's TripletMarginLoss over all triplets of a batch."""

    margin: Positive


@strict
class MultiSimilarity(OfPairs):
    """pytorch-metric-learning's MultiSimilarityLoss."""

    alpha: Positive
    beta: Positive
    base: Number


@strict
class ArcFace(Loss):
    """pytorch-metric-learning's ArcFaceLoss, its class weights with an own learning rate."""

    margin_degrees: Annotated[Positive, Lt(180)]
    scale: Positive
    weights_lr: Positive


@strict
class NormalizedSoftmax(Loss):
    """pytorch-metric-learning's NormalizedSoftmaxLoss, its class weights with an own learning rate."""

    temperature: Positive
    weights_lr: Positive


@strict
class Losses:
    """Every loss with its settings."""

    contrastive: Contrastive
    triplet: Triplet
    multi_similarity: MultiSimilarity
    arcface: ArcFace
    normalized_softmax: NormalizedSoftmax


def names() -> list[str]:
    """Return the known losses."""
    return [field.name for field in dataclasses.fields(Losses)]
