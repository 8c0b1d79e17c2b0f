"""The five losses, with pytorch-metric-learning's values."""

import dataclasses
import math

import pytest
import torch
from pytorch_metric_learning import distances
from pytorch_metric_learning import losses as pml
from torch.nn.functional import normalize

from bgbias.attention import saliency
from bgbias.config import params, read
from bgbias.config.losses import names
from bgbias.training import losses

SETTINGS = read.load().losses
POINTS = normalize(torch.randn(6, 4, generator=torch.Generator().manual_seed(0)))
LABELS = torch.tensor([0, 0, 1, 1, 2, 2])


def made(name, **changes):
    torch.manual_seed(0)
    return losses.make(name, dataclasses.replace(getattr(SETTINGS, name), **changes), 3, 4)


@pytest.mark.parametrize("name", names())
def test_every_loss_of_the_parameters_can_be_built_and_learns(name):
    loss, points = made(name), POINTS.clone().requires_grad_()
    value = loss(points, LABELS)
    value.backward()
    assert value.isfinite() and points.grad.abs().sum() > 0
    assert set(losses.LOSSES) == set(names())


@pytest.mark.parametrize("name", names())
def test_weights_of_a_loss_have_a_learning_rate_or_nothing_trains_them(name):
    assert hasattr(getattr(SETTINGS, name), "weights_lr") == any(True for _ in made(name).parameters())


def test_weights_that_nothing_would_train_are_refused(monkeypatch):
    monkeypatch.setitem(losses.LOSSES, "triplet", lambda s, classes, dim: losses.pml.ProxyAnchorLoss(classes, dim))
    with pytest.raises(ValueError, match="losses.triplet has weights of its own, which nothing would train: give its"):
        made("triplet")


def test_contrastive_by_hand():
    points = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])  # distances sqrt 2, 0, sqrt 2
    value = made("contrastive", pos_margin=0.25, neg_margin=1.0)(points, torch.tensor([0, 0, 1]))
    assert value.item() == pytest.approx((math.sqrt(2) - 0.25) + 1.0)


def test_triplet_by_hand():
    points = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    value = made("triplet", margin=0.5)(points, torch.tensor([0, 0, 1]))
    assert value.item() == pytest.approx(((math.sqrt(2) - 0 + 0.5) + (math.sqrt(2) - math.sqrt(2) + 0.5)) / 2)


def test_normalized_softmax_by_hand():
    loss = made("normalized_softmax", temperature=0.5)
    logits = POINTS @ normalize(loss.W.detach(), dim=0) / 0.5
    expected = torch.nn.functional.cross_entropy(logits, LABELS)
    assert loss(POINTS, LABELS).item() == pytest.approx(expected.item(), rel=1e-5)


def test_arcface_by_hand():
    loss = made("arcface", margin_degrees=20.0, scale=10.0)
    cosine = POINTS @ normalize(loss.W.detach(), dim=0)
    target = torch.nn.functional.one_hot(LABELS, 3).bool()
    logits = torch.where(target, (cosine.acos() + math.radians(20)).cos(), cosine) * 10
    expected = torch.nn.functional.cross_entropy(logits, LABELS)
    assert loss(POINTS, LABELS).item() == pytest.approx(expected.item(), rel=1e-4)


def test_multi_similarity_by_hand():
    similarity, total = POINTS @ POINTS.T, 0.0
    for i in range(6):
        others = [j for j in range(6) if j != i]
        positives = sum(math.exp(-2 * (similarity[i, j] - 0.5)) for j in others if LABELS[i] == LABELS[j])
        negatives = sum(math.exp(40 * (similarity[i, j] - 0.5)) for j in others if LABELS[i] != LABELS[j])
        total += math.log(1 + positives) / 2 + math.log(1 + negatives) / 40
    value = made("multi_similarity", alpha=2.0, beta=40.0, base=0.5)(POINTS, LABELS)
    assert value.item() == pytest.approx(total / 6, rel=1e-4)


def test_the_distance_is_the_loss_s_own():
    names = {name: losses.distance_of(made(name)) for name in losses.LOSSES}
    assert [name for name, distance in names.items() if distance == "euclidean"] == ["contrastive", "triplet"]


def test_a_loss_without_a_distance_is_refused_before_it_trains():
    with pytest.raises(ValueError, match="^Module has no distance for attention maps to explain: give it one of pytor"):
        losses.distance_of(torch.nn.Module())


def test_another_distance_than_the_two_that_are_explained_is_said():
    said = {name: losses.unexplained(made(name)) for name in losses.LOSSES}
    assert set(said.values()) == {""}  # the study's are
    for loss, named in (
        (pml.FastAPLoss(), "LpDistance (p 2, power 2) of FastAPLoss"),
        (pml.TripletMarginLoss(distance=distances.LpDistance(p=1)), "LpDistance (p 1, power 1) of TripletMarginLoss"),
        (pml.SignalToNoiseRatioContrastiveLoss(), "SNRDistance (p 2, power 1) of SignalToNoiseRatioContrastiveLoss"),
    ):
        assert losses.unexplained(loss) == f"attention maps explain the euclidean distance, not the {named}"


@pytest.mark.parametrize("name", ["triplet", "arcface"])
def test_distances_are_pytorch_metric_learning_s(name):
    theirs = made(name).distance(POINTS, POINTS[:1])[:, 0]
    ours = saliency.distances(losses.distance_of(made(name)), POINTS, POINTS[:1])
    expected = 1 - theirs if name == "arcface" else theirs
    assert torch.allclose(ours, expected, atol=1e-3)


def test_a_dataset_s_overrides_replace_the_defaults():
    assert losses.options_for("contrastive", SETTINGS, "cub200").pos_margin == -0.2
    assert losses.options_for("contrastive", SETTINGS, "demo").pos_margin == SETTINGS.contrastive.pos_margin


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"pos_margn": 1.0}, "losses.contrastive with its overrides for sop: pos_margn is unknown"),
        (
            {"per_class": 1.5},
            "losses.contrastive with its overrides for sop: per_class: Input should be a valid integer",
        ),
    ],
)
def test_a_mistaken_override_is_named(overrides, message):
    block = dataclasses.replace(SETTINGS.contrastive, overrides={"sop": overrides})
    with pytest.raises(ValueError, match=message):
        losses.options_for("contrastive", dataclasses.replace(SETTINGS, contrastive=block), "sop")


REGIME = params.Regime(
    replace=1.0, select_on=["swapped"], backgrounds="pool", vary_backgrounds=True, skip_suspect=True, grow_masks_px=2,
    paired=True, replace_first=0.5, consistency=8.0, consistency_rise=0.0)  # fmt: skip


@pytest.mark.parametrize(("allowed", "wanted", "expected"), [(True, True, True), (False, True, False),
                                                             (True, False, False)])  # fmt: skip
def test_backgrounds_vary_where_loss_and_regime_both_say_so(allowed, wanted, expected):
    loss = dataclasses.replace(SETTINGS.triplet, vary_backgrounds=allowed, consistency_scale=1.0)
    regime = dataclasses.replace(REGIME, vary_backgrounds=wanted)
    assert losses.limited(regime, loss) == dataclasses.replace(regime, vary_backgrounds=expected)


def test_a_loss_scales_the_consistency_and_leaves_all_else():
    loss = dataclasses.replace(SETTINGS.arcface, vary_backgrounds=True, consistency_scale=0.25)
    assert losses.limited(REGIME, loss) == dataclasses.replace(REGIME, consistency=2.0)
