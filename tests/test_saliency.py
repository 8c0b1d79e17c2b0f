"""Attention maps and scores against cases that can be worked out by hand."""

import numpy as np
import pytest
import torch

from bgbias import saliency


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


def test_grad_cam_is_channel_weights_times_feature_maps():
    layer = torch.nn.Conv2d(1, 2, 1, bias=False)
    layer.weight.data = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
    images = torch.zeros(1, 1, 4, 4)
    images[..., 0, 0] = 1
    found = saliency.grad_cam(lambda x: layer(x)[:, 0].sum((1, 2)), images, layer)
    assert found[0, 0, 0] == 1 and found.sum() == 1  # channel 0 has gradient 1 everywhere, channel 1 none
