"""Attention maps and scores against cases that can be worked out by hand."""

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from bgbias.attention import saliency


def weighted_sum(weights):
    """A distance whose gradient is `weights` wherever it is taken."""
    return lambda images: (images * weights).sum((1, 2, 3))


def test_smoothgrad_of_a_linear_distance_is_its_weights():
    weights = torch.tensor([[[1.0, -2.0]], [[3.0, -4.0]], [[5.0, 9.0]]])  # (C=3, H=1, W=2)
    images = torch.rand(2, 3, 1, 2)
    found = saliency.smoothgrad(weighted_sum(weights), images, torch.randn(2, 5, 3, 1, 2))
    assert found.shape == (2, 1, 2)
    assert found[0, 0].tolist() == pytest.approx([5 * 3.0, 5 * 1.0])  # |mean over channels| * copies


def test_smoothgrad_takes_the_absolute_value_of_each_copy_before_summing():
    # the gradient is +1 or -1 as the noise has it: averaged first, as a noise tunnel does, they would cancel
    images = torch.zeros(1, 1, 1, 2)
    images[..., 1] = 1.0  # a value range of 1
    noise = torch.tensor([0.5, -0.5]).view(1, 2, 1, 1, 1).expand(1, 2, 1, 1, 2)
    found = saliency.smoothgrad(lambda x: x[..., 0].abs().sum((1, 2)), images, noise)
    assert found[0, 0].tolist() == [2.0, 0.0]


def test_smoothgrad_scales_noise_with_each_image_s_range():
    images = torch.tensor([[[[0.0, 1.0]]], [[[0.0, 10.0]]]])
    seen = []

    def distance(x):
        seen.append(x.detach().clone())
        return x.sum((1, 2, 3))

    saliency.smoothgrad(distance, images, torch.ones(2, 1, 1, 1, 2))
    assert seen[0][:, 0, 0].tolist() == [[1.0, 2.0], [10.0, 20.0]]


def test_smoothgrad_does_not_touch_weight_gradients():
    weights = torch.nn.Parameter(torch.ones(1, 2, 2))
    saliency.smoothgrad(weighted_sum(weights), torch.rand(1, 1, 2, 2), torch.randn(1, 3, 1, 2, 2))
    assert weights.grad is None


def test_batching_changes_nothing():
    layer = torch.nn.Conv2d(3, 4, 3)
    images, noise = torch.rand(4, 3, 8, 8), torch.randn(4, 5, 3, 8, 8)

    def distance(x):
        return layer(x).tanh().square().sum((1, 2, 3))

    whole = saliency.smoothgrad(distance, images, noise)
    halves = [saliency.smoothgrad(distance, images[i : i + 2], noise[i : i + 2]) for i in (0, 2)]
    assert torch.allclose(whole, torch.cat(halves), rtol=1e-4)


@pytest.mark.parametrize("side", [1, 4, 64, 101, 227])
def test_the_99th_percentile_is_numpy_s(side):
    flat = torch.rand(3, side**2, generator=torch.Generator().manual_seed(0))
    expected = np.percentile(flat.double().numpy(), 99, axis=1)
    assert saliency._percentile_99(flat)[:, 0].tolist() == pytest.approx(expected, abs=1e-6)


def test_attention_map_of_a_flat_map_is_zero():
    assert saliency.attention_map(torch.ones(1, 4, 4)).sum() == 0


def test_attention_map_ignores_scale_and_offset():
    raw = torch.rand(2, 9, 9)
    assert torch.allclose(saliency.attention_map(raw), saliency.attention_map(7 * raw + 3), atol=1e-5)


def test_score_is_one_when_all_attention_is_on_the_object_and_negative_when_none_is():
    mask = torch.zeros(1, 4, 4)
    mask[:, :2, :2] = 1  # p = 1/4
    assert saliency.attention_score(mask, mask).item() == 1
    assert saliency.attention_score(1 - mask, mask).item() == pytest.approx(-1 / 3)


def test_score_of_uniform_attention_is_zero_for_a_soft_mask_too():
    assert saliency.attention_score(torch.full((1, 5, 5), 0.3), torch.rand(1, 5, 5)).item() == pytest.approx(
        0, abs=1e-6
    )


@pytest.mark.parametrize(("attention", "mask"), [(1.0, 0.0), (1.0, 1.0), (0.0, 0.5)])
def test_score_of_an_empty_or_full_mask_or_without_attention_is_undefined(attention, mask):
    score = saliency.attention_score(torch.full((1, 3, 3), attention), torch.full((1, 3, 3), mask))
    assert score.isnan().item()


def test_integrated_gradients_of_a_linear_distance_is_weight_times_difference():
    weights = torch.tensor([[[1.0, -2.0]]])
    images, baseline = torch.tensor([[[[2.0, 3.0]]]]), torch.tensor([[[[1.0, 1.0]]]])
    found = saliency.integrated_gradients(weighted_sum(weights), images, baseline, steps=4)
    assert found[0, 0].tolist() == pytest.approx([1.0, 4.0])


def test_integrated_gradients_of_several_images_are_means_over_channels():
    weights = torch.tensor([[[1.0, -2.0]], [[3.0, 2.0]]])
    images = torch.tensor([[[[1.0, 1.0]], [[1.0, 1.0]]], [[[2.0, 1.0]], [[0.0, 1.0]]]])
    found = saliency.integrated_gradients(weighted_sum(weights), images, torch.zeros(1, 2, 1, 2), steps=4)
    assert found.flatten().tolist() == pytest.approx([2, 0, 1, 0], abs=1e-6)


def test_grad_cam_is_channel_weights_times_feature_maps():
    layer = torch.nn.Conv2d(1, 2, 1, bias=False)
    layer.weight.data = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
    images = torch.zeros(1, 1, 4, 4)
    images[..., 0, 0] = 1
    found = saliency.grad_cam(lambda x: layer(x)[:, 0].sum((1, 2)), images, layer)
    assert found[0, 0, 0] == 1 and found.sum() == 1  # channel 0 has gradient 1 everywhere, channel 1 none
    assert not saliency.grad_cam(lambda x: layer(x)[:, 0].sum((1, 2)), -images, layer).any()  # what is below 0 is cut


def seen_alone(mask):
    """An embedder that sees the pixels of a mask and nothing else."""
    weights = torch.randn(6, 3, *mask.shape, generator=torch.Generator().manual_seed(0)) * mask
    return lambda images: normalize(torch.tanh(torch.einsum("nchw,dchw->nd", images, weights) / 5))


def pair(embed, seed=1, side=8):
    """The maps of both sides of three pairs, each image with its own noise."""
    source = torch.Generator().manual_seed(seed)
    images, others = torch.rand(2, 3, 3, side, side, generator=source)
    noises = 0.1 * torch.randn(2, 3, 5, 3, side, side, generator=source)
    ends = ((images, others, noises[0]), (others, images, noises[1]))
    return [saliency.pair_saliency(embed, first, embed(second), noise) for first, second, noise in ends]


def test_pair_of_who_sees_the_left_half_has_attention_in_the_left_half_of_both():
    mask = torch.zeros(8, 8)
    mask[:, :4] = 1
    for found in pair(seen_alone(mask)):
        assert found.shape == (3, 8, 8)
        assert (found[:, :, :4] > 0).all() and (found[:, :, 4:] == 0).all()


def test_pair_score_is_one_of_who_sees_the_object_alone_and_negative_of_who_sees_the_background_alone():
    mask = torch.zeros(8, 8)
    mask[2:6, 3:7] = 1
    for seen, right in ((mask, lambda score: score == 1), (1 - mask, lambda score: score < -0.2)):
        for found in pair(seen_alone(seen)):
            score = saliency.attention_score(saliency.attention_map(found), mask.expand(3, -1, -1))
            assert right(score).all()


def test_pair_saliency_without_noise_is_the_finite_difference_of_the_cosine():
    embed = seen_alone(torch.ones(4, 4, dtype=torch.float64))
    image, other = torch.rand(2, 1, 3, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    found = saliency.pair_saliency(embed, image, embed(other), torch.zeros(1, 1, 3, 4, 4))

    def cosine(changed):
        return (embed(changed) * embed(other)).sum().item()

    for row in range(4):
        for column in range(4):
            step = torch.zeros_like(image)
            step[..., row, column] = 1e-5  # all channels at once: three times the mean over the channels
            slope = (cosine(image + step) - cosine(image - step)) / 2e-5
            assert found[0, row, column].item() == pytest.approx(abs(slope) / 3, rel=1e-5, abs=1e-9)


def test_each_copy_is_compared_with_its_own_image_s_reference():
    embeddings, references = normalize(torch.randn(6, 4)), normalize(torch.randn(2, 4))
    for name in ("cosine", "euclidean"):
        found = saliency.distances(name, embeddings, references)
        alone = [saliency.distances(name, embeddings[i : i + 1], references[i // 3 : i // 3 + 1]) for i in range(6)]
        assert torch.allclose(found, torch.cat(alone), atol=1e-6)
