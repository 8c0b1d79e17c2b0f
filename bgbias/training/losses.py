"""The five losses of the study, from pytorch-metric-learning, by name."""

import dataclasses
from collections.abc import Callable

from pytorch_metric_learning import distances
from pytorch_metric_learning import losses as pml
from torch import nn

from bgbias.config import params
from bgbias.config.losses import Loss, Losses
from bgbias.config.read import check
from bgbias.errors import InputError

# name -> (settings, number of classes, embedding dimension) -> loss(embeddings, labels)
LOSSES: dict[str, Callable[..., nn.Module]] = {
    "contrastive": lambda s, classes, dim: pml.ContrastiveLoss(s.pos_margin, s.neg_margin),
    "triplet": lambda s, classes, dim: pml.TripletMarginLoss(s.margin),
    "multi_similarity": lambda s, classes, dim: pml.MultiSimilarityLoss(s.alpha, s.beta, s.base),
    "arcface": lambda s, classes, dim: pml.ArcFaceLoss(classes, dim, s.margin_degrees, s.scale),
    "normalized_softmax": lambda s, classes, dim: pml.NormalizedSoftmaxLoss(classes, dim, s.temperature),
}


def options_for(name: str, settings: Losses, dataset: str) -> object:
    """A loss's settings with what its `overrides` say for one dataset.

    Raises:
        ValueError: an override that the loss does not know, or of a wrong type.
    """
    block = getattr(settings, name)
    changes = block.overrides.get(dataset, {})
    return check(
        {**dataclasses.asdict(block), **changes}, type(block), f"losses.{name} with its overrides for {dataset}"
    )


def limited(regime: params.Regime, loss: Loss) -> params.Regime:
    """Return what a loss lets a regime do: its own scale of the consistency, and whether backgrounds may vary.

    >>> import types
    >>> regime = params.Regime(
    ...     replace=1.0, select_on=["swapped"], backgrounds="pool", vary_backgrounds=True, skip_suspect=False,
    ...     grow_masks_px=0, paired=True, replace_first=0.5, consistency=8.0, consistency_rise=0.0)
    >>> found = limited(regime, types.SimpleNamespace(consistency_scale=0.25, vary_backgrounds=False))
    >>> found.consistency, found.vary_backgrounds, found.replace_first
    (2.0, False, 0.5)
    """
    return dataclasses.replace(
        regime,
        consistency=regime.consistency * loss.consistency_scale,
        vary_backgrounds=regime.vary_backgrounds and loss.vary_backgrounds,
    )


def limits(regime: params.Regime, limited: params.Regime) -> str:
    """Say what `limited` has left of a regime; "" for all of it.

    >>> import types
    >>> regime = types.SimpleNamespace(consistency=8.0, vary_backgrounds=True)
    >>> limits(regime, types.SimpleNamespace(consistency=0.0, vary_backgrounds=False))
    'consistency 0 instead of 8, backgrounds are not varied'
    >>> limits(regime, regime)
    ''
    """
    scaled = f"consistency {limited.consistency:g} instead of {regime.consistency:g}"
    parts = [scaled] * (limited.consistency != regime.consistency)
    parts += ["backgrounds are not varied"] * (limited.vary_backgrounds != regime.vary_backgrounds)
    return ", ".join(parts)


def make(name: str, settings: object, classes: int, embedding_dim: int) -> nn.Module:
    """Build a loss: called with embeddings (B, D) and labels (B,) in 0..classes - 1, it returns a scalar.

    Args:
        name: one of LOSSES.
        settings: the block of params.yaml's losses of that name.
        classes: in training.
        embedding_dim: D.

    Raises:
        ValueError: it has weights of its own, and its settings no weights_lr: nothing would train them.

    >>> import torch
    >>> from bgbias.config.losses import Triplet
    >>> settings = Triplet(per_class=2, consistency_scale=1.0, vary_backgrounds=True, margin=0.2, overrides={})
    >>> loss = make("triplet", settings, classes=2, embedding_dim=2)
    >>> loss(torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 0, 1])).item()
    0.0
    """
    loss = LOSSES[name](settings, classes, embedding_dim)
    if not hasattr(settings, "weights_lr") and any(True for _ in loss.parameters()):
        raise InputError(
            f"losses.{name} has weights of its own, which nothing would train: give its settings weights_lr: Positive"
        )
    return loss


def distance_of(loss: nn.Module) -> str:
    """The distance by which attention maps explain a loss's networks, "euclidean" or "cosine"; see `unexplained`.

    Raises:
        ValueError: the loss does not say by what it compares.

    >>> distance_of(pml.TripletMarginLoss()), distance_of(pml.ArcFaceLoss(2, 2))
    ('euclidean', 'cosine')
    """
    if not isinstance(getattr(loss, "distance", None), distances.BaseDistance):
        mend = "give it one of pytorch-metric-learning, such as self.distance = distances.CosineSimilarity()"
        raise InputError(f"{type(loss).__name__} has no distance for attention maps to explain: {mend}")
    return "cosine" if loss.distance.is_inverted else "euclidean"


def unexplained(loss: nn.Module) -> str:
    """Say that attention maps explain another distance than the loss's own; "" where they explain that.

    >>> unexplained(pml.ProxyNCALoss(2, 2))
    'attention maps explain the euclidean distance, not the LpDistance (p 2, power 2) of ProxyNCALoss'
    >>> unexplained(pml.TripletMarginLoss()), unexplained(pml.NormalizedSoftmaxLoss(2, 2))
    ('', '')
    """
    own = loss.distance
    similar = isinstance(own, (distances.CosineSimilarity, distances.DotProductSimilarity))
    if own.power == 1 and (similar or (type(own) is distances.LpDistance and own.p == 2)):  # of embeddings of length 1
        return ""
    named = f"{type(own).__name__} (p {own.p:g}, power {own.power:g}) of {type(loss).__name__}"
    return f"attention maps explain the {distance_of(loss)} distance, not the {named}"
